#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Builds every fuzz target with clang, AddressSanitizer and UndefinedBehaviorSanitizer, and runs each for some seconds.

usage: ./run fuzz [SECONDS] [TARGET...]     default: 60 seconds each, all targets

Corpora live in build/fuzz/corpus and grow from run to run. The canary must die; any other target must not. Exit status 1
with the path of the offending input otherwise.
"""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "build" / "fuzz"
TARGETS = [path.stem.removesuffix("_fuzz") for path in sorted(Path(__file__).parent.glob("*_fuzz.cpp"))]
INPUT_SIZE_MAX = 4096


def build(targets):
    for command in (["cmake", "--preset", "fuzz"],
                    ["cmake", "--build", BUILD, "--target", *(f"{target}_fuzz" for target in targets)]):
        if subprocess.run(command, cwd=ROOT, stdout=subprocess.DEVNULL).returncode != 0:
            sys.exit(f"{' '.join(map(str, command))} failed")


def fuzz(target, seconds):
    """Runs one target. Returns whether it died, and what to tell."""
    corpus = BUILD / "corpus" / target
    corpus.mkdir(parents=True, exist_ok=True)
    done = subprocess.run([BUILD / "tests" / "fuzz" / f"{target}_fuzz", f"-max_total_time={seconds}", "-print_final_stats=1",
                           f"-max_len={INPUT_SIZE_MAX}", "-timeout=5", f"-artifact_prefix={BUILD}/{target}-", corpus],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
    (BUILD / f"{target}.log").write_text(done.stdout)
    executions = re.search(r"stat::number_of_executed_units:\s*(\d+)", done.stdout)
    artifact = re.search(r"Test unit written to (\S+)", done.stdout)
    count = int(executions[1]) if executions else 0
    return done.returncode != 0, count, artifact[1] if artifact else f"{BUILD}/{target}.log"


def main():
    arguments = sys.argv[1:]
    seconds = int(arguments.pop(0)) if arguments and arguments[0].isdigit() else 60
    unknown = set(arguments) - set(TARGETS)
    if unknown:
        sys.exit(f"no target {', '.join(sorted(unknown))}; there are {', '.join(TARGETS)}")
    targets = arguments or TARGETS
    print(f"fuzz: building {len(targets)} targets, then {seconds} s each", flush=True)
    build(targets)
    failed = []
    for target in targets:
        died, count, where = fuzz(target, seconds)
        is_right = died == (target == "canary") and (died or count > 0)
        verdict = "died, as it must" if died and is_right else f"{count} executions" if is_right else f"FAILED: {where}"
        print(f"{target:8} {verdict}", flush=True)
        if not is_right:
            failed.append(target)
    if failed:
        print(f"failed: {', '.join(failed)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
