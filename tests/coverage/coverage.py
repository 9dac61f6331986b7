#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measures how many branches of each decoder the unit tests take.

usage: coverage.py [--missed]      prints one JSON object: {"lib/chain/header.cpp": {"taken": n, "branches": n}, ...}

The library is built with GCC's --coverage, its own options and no optimisation, so a branch is one that stands in the
source: `a && b` has four. With --missed every line that has one not taken is named on standard error. Branches that only
an exception would take do not exist, since the library is built without. Failed CHECKs count: the tests let them abort.
"""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "build" / "coverage"
OBJECTS = BUILD / "lib" / "CMakeFiles" / "wattproof.dir"

# The decoders, and the test programs whose business they are.
DECODERS = ["codec/rlp", "codec/cbor", "message/frame", "chain/header", "chain/bft", "chain/clique", "chain/clique_suffix",
            "chain/aura", "chain/aura_signal", "chain/trie", "chain/account", "chain/receipt", "chain/transaction", "chain/head"]
TESTS = ["codec", "message", "chain"]


def run(*command, env=None):
    done = subprocess.run(list(map(str, command)), cwd=ROOT, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))} failed\n{done.stdout[-4000:]}{done.stderr[-4000:]}")
    return done.stdout


def run_tests():
    run("cmake", "--preset", "coverage")
    run("cmake", "--build", BUILD, "--target", *(f"{module}_test" for module in TESTS))
    for counts in BUILD.rglob("*.gcda"):
        counts.unlink()
    for module in TESTS:
        run(BUILD / "tests" / "unit" / module / f"{module}_test", "--gtest_brief=1")


def branches_of(decoder):
    """(line number, executions of each branch) for every line of the decoder's own file that has branches."""
    source = f"lib/{decoder}.cpp"
    output = run("gcov", "--branch-probabilities", "--json-format", "--stdout", OBJECTS / f"{decoder}.cpp.gcda")
    lines = [line for report in map(json.loads, output.splitlines()) for file in report["files"]
             if file["file"].endswith(source) for line in file["lines"]]
    return [(line["line_number"], [branch["count"] for branch in line["branches"]]) for line in lines if line["branches"]]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--missed", action="store_true", help="name the lines with a branch that was not taken")
    options = parser.parse_args()
    os.environ.pop("GTEST_FILTER", None)
    run_tests()
    report = {}
    for decoder in DECODERS:
        branches = branches_of(decoder)
        counts = [count for _, line in branches for count in line]
        if not counts:
            sys.exit(f"lib/{decoder}.cpp: no branches were counted")
        report[f"lib/{decoder}.cpp"] = {"taken": sum(count > 0 for count in counts), "branches": len(counts)}
        source = (ROOT / "lib" / f"{decoder}.cpp").read_text().splitlines()
        for number, line in branches if options.missed else []:
            if 0 in line:
                print(f"lib/{decoder}.cpp:{number}: {line} {source[number - 1].strip()}", file=sys.stderr)
    json.dump(report, sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    main()
