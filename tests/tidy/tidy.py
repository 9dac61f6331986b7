#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Rules of this repository that a machine can check. Each finding says where, what, and what to do in its place.

usage: tidy.py [--root FOLDER] CHECK...      tidy.py --list
"""

import argparse
import ast
import re
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import source_text

FUNCTION_LINES_MAX = 60
FILE_LINES_MAX = 600
# In Solidity an inner call costs gas, and a contract is one file, its documentation included.
SOLIDITY_FUNCTION_LINES_MAX = 80
SOLIDITY_FILE_LINES_MAX = 800

# Which modules of lib/ a module may include, itself aside.
LIB_MODULES = {
    "base": set(),
    "codec": {"base"},
    "crypto": {"base"},
    "message": {"base", "codec", "crypto"},
    "chain": {"base", "codec", "crypto"},
    "solver": {"base"},
    "meter": {"base"},
    "control": {"base"},
    "store": {"base"},
}
LIB_MODULES["schedule"] = LIB_MODULES["message"] | {"message", "solver"}
LIB_MODULES["market"] = LIB_MODULES["schedule"]
LIB_MODULES["node"] = set(LIB_MODULES)
LIB_MODULES["capi"] = set(LIB_MODULES)

STD_HEADERS = {"array", "span", "bit", "concepts", "limits", "type_traits", "utility", "optional", "algorithm", "cstdint",
               "cstddef", "cstring", "compare"}
C_API_HEADERS = {"stdint.h", "stddef.h", "new"}  # <new> for placement in the caller's memory
CRYPTO_HEADERS = re.compile(r"^(secp256k1\w*\.h|mbedtls/\w+\.h)$")

C_LIKE = {".c", ".h", ".cpp", ".hpp", ".sol"}
COMMENTED = C_LIKE | {".py", ".sh", ".js", ".mjs", ".cjs", ".ts", ".cmake", ".md", ".ld", ".s", ".S", ".toml", ".yml",
                      ".yaml", ".in", ".conf", ".service"}
COMMENTED_NAMES = {"CMakeLists.txt", "run", ".clang-format", ".gitignore"}
# Names that a tool looks for in every folder, and .ci/run, which is ./run for machines.
REPEATED_NAMES = {"run", "Kconfig", "CMakeLists.txt", "README.md", "package.json", "package-lock.json", ".npmrc", ".gitignore", "go.mod", "go.sum"}

UNFINISHED = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X)\b|\bnot (yet )?implemented\b")
ONE_MACHINE = re.compile(r"(?<![\w.$}])/(?:home/\w+|root|work|mnt|Users)/")
PACKAGE_HOST = re.compile(r"\bregistry\.[a-z]+\.[a-z]+|\"resolved\"\s*:")


class Tree:
    """The files of a checkout: what git tracks, or every file where there is no git."""

    def __init__(self, root):
        self.root = Path(root)
        listed = subprocess.run(["git", "-C", root, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
                                capture_output=True, text=True)
        if (self.root / ".git").exists() and listed.returncode == 0:
            names = [name for name in listed.stdout.split("\0") if name]
        else:
            names = [str(path.relative_to(root)) for path in self.root.rglob("*") if path.is_file()]
        outside = ("build/", ".cache/", ".git/")
        self.names = sorted(name for name in names
                            if not name.startswith(outside) and "node_modules/" not in name and (self.root / name).is_file())

    def text(self, name):
        return (self.root / name).read_text(errors="replace")

    def select(self, folders=("",), suffixes=None):
        return [name for name in self.names
                if name.startswith(tuple(folders)) and (suffixes is None or Path(name).suffix in suffixes)]


def includes(text):
    """Yields (line number, "<" or '"', path) of each include directive."""
    for number, line in enumerate(text.splitlines(), 1):
        match = re.match(r'\s*#\s*include\s*([<"])([^>"]+)[>"]', line)
        if match:
            yield number, match.group(1), match.group(2)


def include_directions(tree):
    """lib/ includes only lib/, and its modules only downwards; hal/ knows no firmware; nothing includes tests/"""
    for name in tree.select(("lib/",), C_LIKE):
        module = name.split("/")[1]
        for line, quote, path in includes(tree.text(name)):
            if quote == "<" and "/" not in path:
                continue
            target = path.split("/")[0] if "/" in path else None
            if path == "wattproof.h" and module == "capi" or quote == "<" and CRYPTO_HEADERS.match(path):
                continue
            if module not in LIB_MODULES:
                yield f"{name}:{line}: module {module} has no place in the order of modules; add it to tidy.py"
            elif target not in LIB_MODULES:
                yield f"{name}:{line}: includes {path}; write it from lib/, as \"module/file.hpp\", and only from lib/"
            elif target != module and target not in LIB_MODULES[module]:
                yield f"{name}:{line}: {module} includes {path}; it may include only {sorted(LIB_MODULES[module])}"
    for folder, banned in (("hal/", ("firmware/", "tools/", "tests/")), ("firmware/", ("tools/", "tests/")),
                           ("tools/", ("tests/",))):
        for name in tree.select((folder,), C_LIKE):
            for line, _, path in includes(tree.text(name)):
                if path.startswith(banned):
                    yield f"{name}:{line}: {folder} includes {path}; dependencies point the other way"


def std_headers(tree):
    """lib/ includes only standard headers that bring no heap, no streams and no locale"""
    for name in tree.select(("lib/",), C_LIKE):
        allowed = STD_HEADERS | (C_API_HEADERS if name.startswith("lib/capi/") else set())
        for line, quote, path in includes(tree.text(name)):
            if quote == "<" and path not in allowed:
                if not (CRYPTO_HEADERS.match(path) and name.startswith("lib/crypto/")):
                    yield f"{name}:{line}: <{path}> is not for lib/; allowed are {', '.join(sorted(allowed))}"


def no_floating_point(tree):
    """lib/ computes in integers, so that every CPU gives the same last bit"""
    for name in tree.select(("lib/",), C_LIKE):
        for number, line in enumerate(tree.text(name).splitlines(), 1):
            if re.search(r"\b(float|double)\b", line):
                yield f"{name}:{number}: floating point in lib/; use integers and base/math.hpp"


def function_length(tree):
    """a function fits on a screen"""
    for name in tree.select(suffixes=C_LIKE):
        most = SOLIDITY_FUNCTION_LINES_MAX if name.endswith(".sol") else FUNCTION_LINES_MAX
        for function, line, count in source_text.functions(tree.text(name)):
            if count > most:
                yield f"{name}:{line}: {function} has {count} lines of at most {most}; split it"
    for name in tree.select(suffixes={".py"}):
        for node in ast.walk(ast.parse(tree.text(name))):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                count = node.end_lineno - node.lineno + 1
                if count > FUNCTION_LINES_MAX:
                    yield f"{name}:{node.lineno}: {node.name} has {count} lines of at most {FUNCTION_LINES_MAX}; split it"


def file_length(tree):
    """a file has one subject"""
    for name in tree.select(suffixes=C_LIKE | {".py", ".js", ".mjs", ".ts", ".sh"}):
        count = tree.text(name).count("\n")
        most = SOLIDITY_FILE_LINES_MAX if name.endswith(".sol") else FILE_LINES_MAX
        if count > most:
            yield f"{name}: {count} lines of at most {most}; split it by subject"


def test_for_source(tree):
    """each source file of lib/ has its test file, and both are built"""
    for name in tree.select(("lib/",), {".cpp", ".c"}):
        _, module, file_name = name.split("/", 2)
        test = f"tests/unit/{module}/{Path(file_name).stem}_test.cpp"
        if test not in tree.names:
            yield f"{name}: no {test}"
    for name in tree.select(("lib/", "tests/unit/"), {".cpp", ".c"}):
        listing = str(Path(name).parent / "CMakeLists.txt")
        if listing not in tree.names or Path(name).name not in tree.text(listing):
            yield f"{name}: not built; name it in {listing}"


def unique_file_names(tree):
    """a file name says which file is meant, wherever it is mentioned"""
    places = defaultdict(list)
    for name in tree.names:
        if Path(name).name not in REPEATED_NAMES:
            places[Path(name).name].append(name)
    for file_name, names in sorted(places.items()):
        if len(names) > 1:
            yield f"{file_name}: stands at {' and '.join(names)}; rename all but one"


def spdx(tree):
    """each file that can hold a comment names its licence in the first lines"""
    for name in tree.names:
        if Path(name).suffix in COMMENTED or Path(name).name in COMMENTED_NAMES:
            head = "\n".join(tree.text(name).splitlines()[:4])
            if "SPDX-License-Identifier: Apache-2.0" not in head:
                yield f"{name}: begin with 'SPDX-License-Identifier: Apache-2.0' in a comment"


def words(tree):
    """nothing unfinished, no path of one machine, no package host"""
    for name in tree.names:
        if name == "LICENSE" or "/artifacts/" in name:
            continue
        for number, line in enumerate(tree.text(name).splitlines(), 1):
            for pattern, advice in ((UNFINISHED, "finish it or leave it out"),
                                    (ONE_MACHINE, "a path of one machine; make it relative or an option"),
                                    (PACKAGE_HOST, "package hosts are the user's choice; leave the address out")):
                match = pattern.search(line)
                if match:
                    yield f"{name}:{number}: '{match.group(0).strip()}': {advice}"


def markdown_links(tree):
    """a relative link in a document leads to a file"""
    for name in tree.select(suffixes={".md"}):
        for number, line in enumerate(tree.text(name).splitlines(), 1):
            for target in re.findall(r"\]\(([^)#\s]+)", line):
                if not re.match(r"[a-z]+:", target) and not (tree.root / Path(name).parent / target).exists():
                    yield f"{name}:{number}: no file {target}"


def errors_produced(tree):
    """each Error value is returned somewhere in lib/ or hal/ and expected by a test; a reserved one is neither"""
    header = "lib/base/error.hpp"
    if header not in tree.names:
        return
    returned = "".join(tree.text(name) for name in tree.select(("lib/", "hal/"), C_LIKE)
                       if not name.startswith("lib/base/error."))
    expected = []
    for name in tree.select(("tests/",), {".cpp", ".hpp"}):
        text = tree.text(name)
        parts = [*text.splitlines(), *text.split(";")]
        expected += [part for part in parts if "EXPECT_" in part or "ASSERT_" in part or re.search(r"[!=]= Error::", part)]
    expected = "\n".join(expected)
    for value, comment in re.findall(r"^  (\w+) = [1-9]\d*,[ ]*(.*)$", tree.text(header), re.MULTILINE):
        is_returned = re.search(rf"Error::{value}\b", returned) is not None
        is_expected = re.search(rf"Error::{value}\b|\"{value}\"", expected) is not None
        if comment.startswith("// reserved"):
            if is_returned:
                yield f"{header}: {value} is returned, so it is reserved no more; say what it means"
        elif not is_returned:
            yield f"{header}: nothing returns {value}; call it '// reserved' (values are never renumbered)"
        elif not is_expected:
            yield f"{header}: no test expects {value}; write one that produces it"


CHECKS = {check.__name__: check for check in (
    include_directions, std_headers, no_floating_point, function_length, file_length, test_for_source, unique_file_names,
    spdx, words, markdown_links, errors_produced)}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--root", default=str(Path(__file__).resolve().parents[2]))
    parser.add_argument("--list", action="store_true")
    parser.add_argument("checks", nargs="*", choices=[[], *CHECKS], metavar="CHECK")
    options = parser.parse_args()
    if options.list:
        for name, check in CHECKS.items():
            print(f"{name:20} {check.__doc__}")
        return 0
    tree = Tree(options.root)
    if not tree.names:
        print(f"{options.root}: no files", file=sys.stderr)
        return 1
    findings = [finding for name in options.checks or CHECKS for finding in CHECKS[name](tree)]
    for finding in findings:
        print(finding)
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
