#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compiles every C and C++ example of README.md, so that none of them can grow old. usage: readme_examples.py ROOT CC CXX"""
import re
import subprocess
import sys
import tempfile
from pathlib import Path


def main():
    root, compilers = Path(sys.argv[1]), {"c": [sys.argv[2], "-std=c99"], "cpp": [sys.argv[3], "-std=c++20"]}
    examples = re.findall(r"```(c|cpp)\n(.*?)```", (root / "README.md").read_text(encoding="utf-8"), re.S)
    if not examples:
        sys.exit("README.md has no examples")
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        for number, (language, text) in enumerate(examples, start=1):
            source = Path(folder) / f"example_{number}.{language}"
            source.write_text(text, encoding="utf-8")
            command = [*compilers[language], "-Wall", "-Wextra", "-Werror", "-Wno-missing-field-initializers", "-fsyntax-only",
                       f"-I{root / 'lib'}", f"-I{root / 'lib/capi'}", str(source)]
            failed += subprocess.run(command, check=False).returncode != 0
    print(f"{len(examples)} examples, {failed} do not compile")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
