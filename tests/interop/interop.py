#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The same devices, gateway and contracts on real validators: GoQuorum (QBFT) and geth (Clique), built here from pinned Go
modules and started on loopback. Everything that is started is stopped again.

Without a Go toolchain, or without its modules, nothing can be built: that is said, and counts as one skip (exit status 0)."""
import argparse
import shutil
import subprocess
import sys
import tempfile
import time
import traceback
from pathlib import Path

import scenarios
from networks import NetworkError
from node_builds import CannotBuild, build

ROOT = Path(__file__).resolve().parents[2]


class Run:
    """What the scenarios share: where the programs are, a scratch folder each, and what came of it."""

    def __init__(self, options):
        self.options = options
        self.host = (ROOT / options.build).resolve()
        self.control = self.host / "tools/wattproofctl/wattproofctl"
        self.output = (ROOT / options.output).resolve()
        self.started = time.monotonic()
        self.figures = {}

    def say(self, text):
        print(f"[interop {time.monotonic() - self.started:6.1f} s] {text}", flush=True)

    def node(self, name):
        return build(name, self.say)


def run_scenario(run, scenario):
    """True if it passed. Its folder of logs is kept only if it did not."""
    folder = Path(tempfile.mkdtemp(prefix=f"wattproof-{scenario.__name__}-"))
    begun = time.monotonic()
    run.say(f"{scenario.__name__}: {scenario.__doc__.splitlines()[0]}")
    try:
        scenario(run, folder)
    except CannotBuild:
        raise
    except (NetworkError, RuntimeError, OSError, subprocess.TimeoutExpired) as error:
        if run.options.verbose:
            traceback.print_exc()
        run.say(f"FAILED: {scenario.__name__}: {error}; logs: {folder}")
        return False
    run.say(f"passed: {scenario.__name__} in {time.monotonic() - begun:.1f} s")
    shutil.rmtree(folder, ignore_errors=True)
    return True


def main():
    parser = argparse.ArgumentParser(prog="./run interop", description=__doc__.split("\n\n")[0])
    parser.add_argument("names", nargs="*", metavar="SCENARIO", help="only these")
    parser.add_argument("--list", action="store_true", help="name the scenarios")
    parser.add_argument("--quick", action="store_true", help="only the main job on each network")
    parser.add_argument("--build", default="build/host", help=argparse.SUPPRESS)
    parser.add_argument("--output", default="build/interop", help="folder of results (default build/interop)")
    parser.add_argument("--record", action="store_true", help="also write what tests/vectors is made of, into the output folder")
    parser.add_argument("--verbose", action="store_true", help="a trace of what failed")
    options = parser.parse_args()
    if options.list:
        for name, scenario in scenarios.ALL.items():
            print(f"{name:24} {scenario.__doc__.splitlines()[0]}")
        return 0
    unknown = [name for name in options.names if name not in scenarios.ALL]
    if unknown:
        parser.error(f"no scenario {unknown[0]}; there are {', '.join(scenarios.ALL)}")
    chosen = options.names or [name for name in scenarios.ALL if not options.quick or name in scenarios.QUICK]
    run, passed, failed = Run(options), 0, 0
    run.output.mkdir(parents=True, exist_ok=True)
    try:
        for name in chosen:
            ok = run_scenario(run, scenarios.ALL[name])
            passed, failed = passed + ok, failed + (not ok)
    except CannotBuild as reason:
        run.say(f"skipped: {reason}")
        print(f"{passed} passed, {failed} failed, 1 skipped")
        return 1 if failed else 0
    print(f"{passed} passed, {failed} failed, 0 skipped")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
