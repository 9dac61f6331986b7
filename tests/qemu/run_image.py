#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the core test under emulation of another CPU and on the host, and compares their traces.

Prints what the image printed, what differs, and one closing line "N passed, N failed" in which each compared trace counts
as a test.
"""

import argparse
import re
import subprocess
import sys

SEMIHOSTED = ["-nographic", "-monitor", "none", "-serial", "none", "-semihosting-config", "enable=on,target=native"]
EMULATORS = {
    "cortex-m3": ["qemu-system-arm", "-M", "mps2-an385", *SEMIHOSTED, "-kernel"],
    "cortex-m4": ["qemu-system-arm", "-M", "mps2-an386", *SEMIHOSTED, "-kernel"],
    "aarch64": ["qemu-aarch64"],
}
LIMIT_S = 900


def run(command):
    """The program's output (an image writes to stderr); dies with what it said if it fails or hangs."""
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, timeout=LIMIT_S)
    except subprocess.TimeoutExpired:
        sys.exit(f"{command[0]}: no end after {LIMIT_S} s")
    if not re.search(r"^\d+ passed, \d+ failed$", done.stdout, re.MULTILINE):
        sys.exit(f"{done.stdout}\n{command[0]}: ended with status {done.returncode} and no count")
    return done.stdout


def traces(output):
    return dict(re.findall(r"^(\w+) trace ([0-9a-f]{16})$", output, re.MULTILINE))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--host", required=True, help="the core_test program of this machine")
    parser.add_argument("--image", required=True, help="the core_test of the other CPU")
    parser.add_argument("--cpu", required=True, choices=EMULATORS)
    options = parser.parse_args()
    here, there = run([options.host]), run([*EMULATORS[options.cpu], options.image])
    print(there, end="")
    passed, failed = map(int, re.search(r"^(\d+) passed, (\d+) failed$", there, re.MULTILINE).groups())
    expected, got = traces(here), traces(there)
    for name in sorted(expected.keys() | got.keys()):
        if name in got and expected.get(name) == got[name]:
            passed += 1
        else:
            failed += 1
            print(f"FAILED: trace of {name}: {expected.get(name)} on the host, {got.get(name)} on {options.cpu}")
    print(f"{passed} passed, {failed} failed")
    return 0 if failed == 0 and expected else 1


if __name__ == "__main__":
    sys.exit(main())
