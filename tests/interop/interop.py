#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The same devices, gateway and contracts on real validators: GoQuorum (QBFT) and geth (Clique), built here from pinned Go
modules and started on loopback. Everything that is started is stopped again.

Without a Go toolchain, or without its modules, nothing can be built: that is said, and counts as one skip (exit status 0)."""
import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
import traceback
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import scenarios
from networks import NetworkError
from node_builds import CannotBuild, build

ROOT = Path(__file__).resolve().parents[2]
NODES = ("goquorum", "geth")
BESIDE_MAX = 2  # networks at a time: they wait for blocks most of their time, and four validators need half a core when they work


class Run:
    """What a scenario needs: where the programs are, and a place for what came of it that others may look at."""

    def __init__(self, options):
        self.options = options
        self.host = (ROOT / options.build).resolve()
        self.control = self.host / "tools/wattproofctl/wattproofctl"
        self.output = (ROOT / options.output).resolve()
        self.started = time.monotonic() - options.since
        self.figures = Figures(self.output / "figures")

    def say(self, text):
        print(f"[interop {time.monotonic() - self.started:6.1f} s] {text}", flush=True)

    def too_slow(self, text):
        """A time that a machine with nothing else to do would have held: a failure, but for those who do other work meanwhile."""
        if not self.options.untimed:
            raise NetworkError(text)
        self.say(f"slow: {text}")

    def node(self, name):
        return build(name, self.say)


class Figures:
    """Results by name, a file each, so that scenarios that run beside one another have them in common."""

    def __init__(self, folder):
        self.folder = folder

    def clear(self):
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)

    def __setitem__(self, name, value):
        (self.folder / f"{name}.json").write_text(json.dumps(value, indent=1) + "\n")

    def get(self, name):
        path = self.folder / f"{name}.json"
        return json.loads(path.read_text()) if path.exists() else None


def run_scenario(run, name):
    """True if it passed. Its folder of logs is kept only if it did not."""
    scenario = scenarios.ALL[name]
    folder = Path(tempfile.mkdtemp(prefix=f"wattproof-{name}-"))
    begun = time.monotonic()
    run.say(f"{name}: {scenario.__doc__.splitlines()[0]}")
    try:
        scenario(run, folder)
    except (NetworkError, CannotBuild, RuntimeError, OSError, subprocess.TimeoutExpired) as error:
        if run.options.verbose:
            traceback.print_exc()
        run.say(f"FAILED: {name}: {error}; logs: {folder}")
        return False
    run.say(f"passed: {name} in {time.monotonic() - begun:.1f} s")
    shutil.rmtree(folder, ignore_errors=True)
    return True


def run_all(run, names):
    """{name: passed}. Each in a process of its own: first, one after another, those that measure time, then the rest in pairs."""
    def in_process(name):
        command = [sys.executable, __file__, name, "--alone", "--since", str(time.monotonic() - run.started), "--build",
                   run.options.build, "--output", run.options.output]
        for flag in ("record", "untimed", "verbose"):
            command += [f"--{flag}"] if getattr(run.options, flag) else []
        return subprocess.run(command, stdin=subprocess.DEVNULL, check=False).returncode == 0
    results = {name: in_process(name) for name in names if name in scenarios.TIMED}
    rest = [name for name in names if name not in scenarios.TIMED]
    with ThreadPoolExecutor(BESIDE_MAX) as pool:
        results |= dict(zip(rest, pool.map(in_process, rest)))
    return results


def parse():
    parser = argparse.ArgumentParser(prog="./run interop", description=__doc__.split("\n\n")[0])
    parser.add_argument("names", nargs="*", metavar="SCENARIO", help="only these")
    parser.add_argument("--list", action="store_true", help="name the scenarios")
    parser.add_argument("--quick", action="store_true", help="only the main job on each network")
    parser.add_argument("--build", default="build/host", help=argparse.SUPPRESS)
    parser.add_argument("--output", default="build/interop", help="folder of results (default build/interop)")
    parser.add_argument("--record", action="store_true", help="also write what tests/vectors is made of, into the output folder")
    parser.add_argument("--untimed", action="store_true", help="say what was slow instead of failing; for a machine that does other work")
    parser.add_argument("--verbose", action="store_true", help="a trace of what failed")
    parser.add_argument("--alone", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--since", type=float, default=0, help=argparse.SUPPRESS)
    options = parser.parse_args()
    unknown = [name for name in options.names if name not in scenarios.ALL]
    if unknown:
        parser.error(f"no scenario {unknown[0]}; there are {', '.join(scenarios.ALL)}")
    return options


def main():
    options = parse()
    if options.list:
        for name, scenario in scenarios.ALL.items():
            print(f"{name:24} {scenario.__doc__.splitlines()[0]}")
        return 0
    run = Run(options)
    if options.alone:
        return 0 if run_scenario(run, options.names[0]) else 1
    chosen = options.names or [name for name in scenarios.ALL if not options.quick or name in scenarios.QUICK]
    run.figures.clear()
    try:
        for name in NODES:
            run.node(name)
    except CannotBuild as reason:
        run.say(f"skipped: {reason}")
        print("0 passed, 0 failed, 1 skipped")
        return 0
    except (RuntimeError, OSError, subprocess.TimeoutExpired) as error:
        run.say(f"FAILED: {error}")
        print("0 passed, 1 failed, 0 skipped")
        return 1
    results = run_all(run, chosen)
    passed = sum(results.values())
    print(f"{passed} passed, {len(results) - passed} failed, 0 skipped")
    return 0 if passed == len(results) else 1


if __name__ == "__main__":
    sys.exit(main())
