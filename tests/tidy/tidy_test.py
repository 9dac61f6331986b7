# SPDX-License-Identifier: Apache-2.0
"""Every rule of tidy.py finds a planted breach and accepts the same tree without it."""

import tempfile
import unittest
from pathlib import Path

import source_text
import tidy

LICENCE = "// SPDX-License-Identifier: Apache-2.0\n"
CLEAN = {
    "lib/base/area.hpp": LICENCE + "#include <cstdint>\n",
    "lib/codec/frame.cpp": LICENCE + '#include "base/area.hpp"\nint twice(int x) {\n  return x + x;\n}\nError check() { return Error::truncated; }\n',
    "lib/codec/CMakeLists.txt": "# SPDX-License-Identifier: Apache-2.0\ntarget_sources(wattproof PRIVATE frame.cpp)\n",
    "tests/unit/codec/frame_test.cpp": LICENCE + "TEST(frame, is_short) { EXPECT_EQ(check(), Error::truncated); }\n",
    "tests/unit/codec/CMakeLists.txt": "# SPDX-License-Identifier: Apache-2.0\nwattproof_test(codec_test frame_test.cpp)\n",
    "lib/base/error.hpp": LICENCE + "enum class Error {\n  none = 0,\n  truncated = 1,  // too short\n  replayed = 2,   // reserved\n};\n",
    "docs/GUIDE.md": "<!-- SPDX-License-Identifier: Apache-2.0 -->\n[code](../lib/base/area.hpp) [site](https://example.org)\n",
}


def findings(check, changes):
    """What `check` says about the clean tree with `changes` applied; a file changed to None is left out."""
    with tempfile.TemporaryDirectory() as folder:
        for name, text in {**CLEAN, **changes}.items():
            if text is not None:
                path = Path(folder) / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text)
        return list(tidy.CHECKS[check](tidy.Tree(folder)))


BREACHES = {
    "include_directions": [
        {"lib/base/area.hpp": LICENCE + '#include "codec/frame.hpp"\n'},
        {"lib/codec/frame.cpp": LICENCE + '#include "../base/area.hpp"\n'},
        {"lib/codec/frame.cpp": LICENCE + '#include "area.hpp"\n'},
        {"lib/codec/frame.cpp": LICENCE + '#include <hal/port.hpp>\n'},
        {"lib/chain/head.hpp": LICENCE + '#include "message/frame.hpp"\n'},
        {"lib/control/guard.hpp": LICENCE + '#include "chain/head.hpp"\n'},
        {"lib/market2/bid.hpp": LICENCE + '#include "base/area.hpp"\n'},
        {"hal/linux/pin.cpp": LICENCE + '#include "firmware/gateway.hpp"\n'},
    ],
    "std_headers": [
        {"lib/base/area.hpp": LICENCE + "#include <vector>\n"},
        {"lib/base/area.hpp": LICENCE + "#  include <stdint.h>\n"},
        {"lib/chain/seal.cpp": LICENCE + "#include <secp256k1.h>\n"},
    ],
    "no_floating_point": [{"lib/base/area.hpp": LICENCE + "constexpr dou" "ble half = 1;\n"}],
    "function_length": [
        {"lib/base/area.hpp": LICENCE + "inline void f() {\n" + "  g();\n" * 59 + "}\n"},
        {"tools/count.py": "# SPDX-License-Identifier: Apache-2.0\ndef f():\n" + "    g()\n" * 60},
    ],
    "file_length": [{"lib/base/area.hpp": LICENCE + "\n" * 600}],
    "test_for_source": [
        {"tests/unit/codec/frame_test.cpp": None},
        {"lib/codec/CMakeLists.txt": "# SPDX-License-Identifier: Apache-2.0\n"},
        {"tests/unit/codec/CMakeLists.txt": "# SPDX-License-Identifier: Apache-2.0\n"},
    ],
    "unique_file_names": [{"lib/codec/area.hpp": LICENCE}],
    "spdx": [{"lib/base/area.hpp": "#include <cstdint>\n"}, {"docs/GUIDE.md": "Guide\n"}],
    "words": [
        {"lib/base/area.hpp": LICENCE + "// TO" "DO: the rest\n"},
        {"docs/GUIDE.md": "see /ho" "me/somebody/area\n"},
        {"package-lock.json": '{"reso' 'lved": "https://example.org/a.tgz"}\n'},
    ],
    "markdown_links": [{"docs/GUIDE.md": "[gone](AWAY.md)\n"}],
    "errors_produced": [
        {"lib/codec/frame.cpp": LICENCE},
        {"lib/codec/frame.cpp": LICENCE + "Error check() { return Error::truncated; }\nError twice() { return Error::replayed; }\n"},
        {"tests/unit/codec/frame_test.cpp": LICENCE + "constexpr Error due = Error::truncated;\n"},
    ],
}


class Checks(unittest.TestCase):
    def test_every_check_has_a_breach(self):
        self.assertEqual(set(BREACHES), set(tidy.CHECKS))

    def test_a_clean_tree_passes(self):
        for check in tidy.CHECKS:
            self.assertEqual([], findings(check, {}), check)

    def test_a_breach_is_found(self):
        for check, trees in BREACHES.items():
            for changes in trees:
                with self.subTest(check=check, changes=list(changes)):
                    self.assertEqual(1, len(findings(check, changes)))


class Functions(unittest.TestCase):
    def found(self, text):
        return [(name, count) for name, _, count in source_text.functions(text)]

    def test_finds_functions_in_scopes_and_not_their_blocks(self):
        text = """
namespace a::b {
struct S {
  int get() const { return 1; }
  S(int x, T y = {}) : x_{x}, y_(y) {
  }
};
template <class T>
Result<T> run(T value) {
  if (value) {
    auto f = [&] { return 1; };
  }
}
}
"""
        self.assertEqual([("get", 1), ("S", 2), ("run", 6)], self.found(text))

    def test_is_not_misled_by_literals_comments_and_macros(self):
        text = """
#define BEGIN do { \\
  {
constexpr char brace = '{'; // {
const char* text = "{ /*";
constexpr int large = 1'000'000;
constexpr int table[] = {1, 2};
void f() {
  /* } */
}
"""
        self.assertEqual([("f", 3)], self.found(text))

    def test_does_not_count_the_rows_of_a_table(self):
        self.assertEqual([("name", 4)], self.found("""
int name(E e) {
  switch (e) {
    case E::a: return 1;
    case E::b: return 2;
  }
}
"""))


if __name__ == "__main__":
    unittest.main()
