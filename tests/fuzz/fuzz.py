#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs every fuzz target and every long random test under AddressSanitizer and UndefinedBehaviorSanitizer, and counts.

usage: ./run fuzz [-n COUNT] [NAME...]      default: 1,000,000 executions of every target, and of every suite

A target is a libFuzzer program of clang; its corpus lives in build/fuzz/corpus and grows from run to run. NAME_stubbed is
NAME with stand-ins for hash and signature. A suite is a test program of GCC that draws its own cases. A target that
ran fewer times than was asked for has failed; the canary must die, nothing else must. Exit status 1 after a failure,
with the path of the offending input or of the log.
"""

import argparse
import os
import re
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "build" / "fuzz"
SUITES_BUILD = ROOT / "build" / "fuzz-suites"
INPUT_SIZE_MAX = 4096
CANARY_COUNT_MIN = 1_000_000  # it takes a while to die
HEARTBEAT_S = 15

# name: test program, filter, environment ({count} is the number of executions), and what it prints of its work
PASSED = r"\[  PASSED  \] [1-9]\d* tests?"
SUITES = {
    "proof_mutations": ("chain", "trie.refuses_every_prefix_and_every_mutation_of_every_proof", {"WATTPROOF_EXHAUSTIVE": "1"},
                        r"proofs: \d{4,}, mutations refused: \d+, flipped bits refused: \d+"),
    "cbor_oracle": ("codec", "cbor_oracle.*", {"WATTPROOF_FUZZ_CASES": "{count}"}, PASSED),
    "power_cuts": ("store", "record_store_power.survives_up_to_five_random_cuts", {"WATTPROOF_FUZZ_CASES": "{count}"}, r"power-cut points: [1-9]\d*"),
    "relay_guard": ("control", "*Simulated.*", {"WATTPROOF_FUZZ_CASES": "{count}"}, PASSED),
    "solver": ("solver", "*", {"WATTPROOF_FUZZ_CASES": "{count}"}, PASSED),
}

# The library's answers against those of EthereumJS. A tenth of the executions, since the other side makes the tries.
DIFFERENTIAL = "differential"
DIFFERENTIAL_SHARE = 10


def run_quietly(*command):
    if subprocess.run(list(map(str, command)), cwd=ROOT, stdout=subprocess.DEVNULL).returncode != 0:
        sys.exit(f"{' '.join(map(str, command))} failed")


def run_with_progress(command, log_path, mark, env=None):
    """Runs a command into a log; every quarter of a minute prints the last match of `mark` in it. Returns status and text."""
    begin = beat = time.monotonic()
    with open(log_path, "w") as log:
        process = subprocess.Popen(list(map(str, command)), cwd=ROOT, stdin=subprocess.DEVNULL, stdout=log,
                                   stderr=subprocess.STDOUT, env={**os.environ, **(env or {})})
        while process.poll() is None:
            time.sleep(0.1)
            if time.monotonic() - beat < HEARTBEAT_S:
                continue
            beat = time.monotonic()
            so_far = re.findall(mark, log_path.read_text(errors="replace"), re.MULTILINE)
            print(f"  {int(beat - begin)} s{', ' + so_far[-1] if so_far else ''}", flush=True)
    return process.returncode, log_path.read_text(errors="replace"), int(time.monotonic() - begin)


def fuzz(target, count):
    """Runs one target. Returns whether it did as it should, and what to tell."""
    corpus = BUILD / "corpus" / target
    corpus.mkdir(parents=True, exist_ok=True)
    if target == "canary":
        count = max(count, CANARY_COUNT_MIN)
    log_path = BUILD / f"{target}.log"
    status, output, seconds = run_with_progress(
        [BUILD / "tests" / "fuzz" / f"{target}_fuzz", f"-runs={count}", "-print_final_stats=1", f"-max_len={INPUT_SIZE_MAX}",
         "-timeout=5", f"-artifact_prefix={BUILD}/{target}-", corpus], log_path, r"^(#\d+)\s")
    executions = re.search(r"stat::number_of_executed_units:\s*(\d+)", output)
    artifact = re.search(r"Test unit written to (\S+)", output)
    done = int(executions[1]) if executions else 0
    if target == "canary":
        return status != 0, "died, as it must" if status != 0 else "FAILED: it lives"
    if status == 0 and done >= count:
        return True, f"{done:,} executions in {seconds} s"
    return False, f"FAILED after {done:,} of {count:,} executions: {artifact[1] if artifact else log_path}"


def run_suite(name, count):
    """Runs one suite: the test stops at its first failure, so a suite that has passed has drawn all its cases."""
    program, test_filter, environment, mark = SUITES[name]
    log_path = BUILD / f"{name}.log"
    status, output, seconds = run_with_progress(
        [SUITES_BUILD / "tests" / "unit" / program / f"{program}_test", f"--gtest_filter={test_filter}"], log_path,
        r"^(\[ RUN .*)$", {key: value.format(count=count) for key, value in environment.items()})
    printed = re.search(mark, output)
    if status == 0 and printed:
        cases = f", {count:,} cases each" if "WATTPROOF_FUZZ_CASES" in environment else ""
        return True, f"{printed[0]}{cases} in {seconds} s"
    return False, f"FAILED: {log_path}"


def compare_with_ethereumjs(count):
    """Asks both implementations the same random questions. Returns whether they agree, and what to tell."""
    questions = max(1, count // DIFFERENTIAL_SHARE)
    log_path = BUILD / f"{DIFFERENTIAL}.log"
    status, output, seconds = run_with_progress(
        ["node", ROOT / "tests/differential/differential.mjs", SUITES_BUILD / "tests/differential/chain_answers", questions],
        log_path, r"^(difference)")
    asked = sum(int(number) for number in re.findall(r":(\d+)", (re.findall(r"^questions: .*$", output, re.MULTILINE) or [""])[0]))
    if status == 0 and asked >= questions:
        return True, f"{asked:,} questions, no difference, in {seconds} s"
    return False, f"FAILED after {asked:,} of {questions:,} questions: {log_path}"


def main():
    parser = argparse.ArgumentParser(prog="./run fuzz", description=__doc__.splitlines()[0])
    parser.add_argument("-n", "--count", type=int, default=1_000_000, help="executions of each (default: %(default)s)")
    parser.add_argument("names", nargs="*", metavar="NAME", help="only these targets and suites")
    parser.add_argument("--list", action="store_true", help="name the targets and the suites")
    options = parser.parse_args()
    if options.count < 1:
        parser.error("a count of nothing proves nothing")

    run_quietly("cmake", "--preset", "fuzz")
    targets = (BUILD / "tests" / "fuzz" / "targets.txt").read_text().split()
    if options.list:
        print("\n".join([*targets, DIFFERENTIAL, *SUITES]))
        return 0
    known = [*targets, DIFFERENTIAL, *SUITES]
    names = options.names or known
    if unknown := set(names) - set(known):
        parser.error(f"no {', '.join(sorted(unknown))}; there are {', '.join(known)}")
    targets = [name for name in names if name in targets]
    suites = [name for name in names if name not in targets]

    print(f"fuzz: building {len(targets)} targets and {len(suites)} suites", flush=True)
    if targets:
        run_quietly("cmake", "--build", BUILD, "--target", *(f"{target}_fuzz" for target in targets))
    if suites:
        # Optimised, unlike in ./run test: compiling takes longer, and running much less.
        run_quietly("cmake", "--preset", "host-sanitize", "-B", SUITES_BUILD, "-D", "CMAKE_CXX_FLAGS_DEBUG=-O1 -g1")
        run_quietly("cmake", "--build", SUITES_BUILD, "--target", *sorted({"chain_answers" if name == DIFFERENTIAL else f"{SUITES[name][0]}_test" for name in suites}))
    failed = []
    for name in names:
        run = fuzz if name in targets else run_suite
        ok, verdict = compare_with_ethereumjs(options.count) if name == DIFFERENTIAL else run(name, options.count)
        print(f"{name:20} {verdict}", flush=True)
        if not ok:
            failed.append(name)
    print(f"{len(names) - len(failed)} of {len(names)} passed" + (f"; failed: {', '.join(failed)}" if failed else ""))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
