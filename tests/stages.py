#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Builds and runs every test, stage by stage, and ends with one line: N passed, N failed, N skipped.

A stage that cannot build counts as one failure and the next stage still runs. A stage that this machine cannot run
(aarch64 under emulation on a machine that is aarch64) counts as one skip and says why. What a stage printed is in
build/test/STAGE.log.

Stages that compute and stages that mostly wait for clocks run beside each other, in two lanes, and what they need is
built ahead of them in a third. Compilers step back for whatever else wants the processor, since boards and devices that
run in real time do not wait.
"""

import argparse
import json
import os
import platform
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
import xml.etree.ElementTree as ElementTree
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOGS = ROOT / "build" / "test"
JOBS = str(os.cpu_count() or 2)
TEST_JOBS = str(2 * (os.cpu_count() or 2))  # many tests wait for brokers, clocks and boards
HEARTBEAT_S = 15
STAGE_LIMIT_S = 60 * 60
STEP_BACK = ["nice", "-n", "10"]

stopping = threading.Event()  # somebody ended the run: nothing new is started
terminal = threading.Lock()


class StageFailed(Exception):
    """A stage could not run to its end: the message says what failed."""


def end(process):
    """Ends a command and what it has started (its own group): asks, asks again, then kills. Most clean up when asked."""
    for number, seconds in ((signal.SIGINT, 20), (signal.SIGTERM, 5), (signal.SIGKILL, 60)):
        try:
            os.killpg(process.pid, number)
            process.wait(seconds)
            break
        except (subprocess.TimeoutExpired, ProcessLookupError):
            continue
    process.wait()
    try:
        os.killpg(process.pid, signal.SIGKILL)  # what the command itself left behind
    except ProcessLookupError:
        pass  # nothing


class Stage:
    """One stage's log, progress and counts."""

    def __init__(self, name):
        self.name = name
        self.passed = self.failed = self.skipped = 0
        self.boards_s = 0.0  # on emulated boards, without what was built for them
        self.log_path = LOGS / f"{name}.log"
        self.log = open(self.log_path, "w")
        self.started = time.monotonic()

    def say(self, text):
        with terminal:
            print(f"[{self.name}] {text}", flush=True)

    def count(self, ok, what):
        self.passed += ok
        self.failed += not ok
        self.say(f"{'passed' if ok else 'FAILED'}: {what}")

    def run(self, command, what, env=None, cwd=ROOT, check=True):
        """Runs a command into the log, with a sign of life on the terminal. Returns its exit status and its output."""
        self.log.write(f"\n$ {' '.join(map(str, command))}\n")
        self.log.flush()
        start = self.log_path.stat().st_size
        begin = beat = time.monotonic()
        process = subprocess.Popen(command, cwd=cwd, stdin=subprocess.DEVNULL, stdout=self.log,
                                   stderr=subprocess.STDOUT, env={**os.environ, **(env or {})}, start_new_session=True)
        while process.poll() is None:
            time.sleep(0.1)
            now = time.monotonic()
            if stopping.is_set() or now - begin > STAGE_LIMIT_S:
                end(process)
                raise StageFailed(f"{what}: " + ("stopped" if stopping.is_set() else f"no end after {STAGE_LIMIT_S} s"))
            if now - beat > HEARTBEAT_S:
                beat = now
                self.say(f"{what}: {int(now - begin)} s{self._position(start)}")
        output = self._since(start)
        if check and process.returncode != 0:
            raise StageFailed(f"{what} failed (status {process.returncode})\n{tail(output)}")
        return process.returncode, output

    def _since(self, start):
        with open(self.log_path, errors="replace") as log:
            log.seek(start)
            return log.read()

    def _position(self, start):
        """How far a ninja or ctest run has come, from its own count."""
        marks = re.findall(r"\[(\d+/\d+)\]|^ *(\d+/\d+) Test ", self._since(start), re.MULTILINE)
        return f", {marks[-1][0] or marks[-1][1]}" if marks else ""

    def ctest(self, folder, env=None):
        """Runs a build folder's tests and adds up ctest's own report."""
        report = folder / "ctest.xml"
        report.unlink(missing_ok=True)
        self.run(["ctest", "--test-dir", folder, "-j", TEST_JOBS, "--no-tests=error", "--output-on-failure",
                  "--output-junit", report], "tests", env=env, check=False)
        if not report.exists():
            raise StageFailed(f"ctest made no report\n{tail(self._since(0))}")
        suite = ElementTree.parse(report).getroot()
        failed, skipped = int(suite.get("failures")), int(suite.get("skipped")) + int(suite.get("disabled"))
        self.failed += failed
        self.skipped += skipped
        self.passed += int(suite.get("tests")) - failed - skipped
        for case in suite.iter("testcase"):
            if case.find("failure") is not None:
                self.say(f"FAILED: {case.get('name')}")

    def node_test(self, folder):
        """Runs npm test and reads the closing counts that node's test runner prints."""
        status, output = self.run(["npm", "test", "--silent"], "tests", cwd=folder, check=False)
        counts = {}
        for word in ("pass", "fail", "cancelled", "skipped", "todo"):
            counts[word] = sum(map(int, re.findall(rf"^(?:#|\u2139) {word} (\d+)$", output, re.MULTILINE)))
        failed = counts["fail"] + counts["cancelled"]
        if counts["pass"] + failed == 0 or (status != 0 and failed == 0):
            raise StageFailed(f"npm test in {folder} failed (status {status})\n{tail(output)}")
        self.passed += counts["pass"]
        self.failed += failed
        self.skipped += counts["skipped"] + counts["todo"]
        for name in re.findall(r"^\s*(?:not ok \d+ - |\u2716 )(.*)$", output, re.MULTILINE):
            self.say(f"FAILED: {name}")


def tail(text, lines=25):
    return "\n".join("    " + line for line in text.splitlines()[-lines:])


class Builds:
    """One build a preset and run, by whoever is first; the others wait for it, as a folder has room for one."""

    def __init__(self):
        self.guard = threading.Lock()
        self.locks = {}
        self.done = {}  # None, or why it could not be built

    def lock(self, preset):
        with self.guard:
            return self.locks.setdefault(preset, threading.Lock())


builds = Builds()


def build(stage, preset):
    folder = ROOT / "build" / preset
    lock = builds.lock(preset)
    while not lock.acquire(timeout=2 * HEARTBEAT_S):
        stage.say(f"waiting for the build of {preset}")
    try:
        if preset not in builds.done:
            options = ["-D", "WATTPROOF_TESTS=ON"] if preset == "host" else []
            stage.run(["cmake", "--preset", preset, *options], f"configuring {preset}")
            stage.run([*STEP_BACK, "cmake", "--build", folder, "-j", JOBS], f"building {preset}")
            builds.done[preset] = None
    except StageFailed as failure:
        builds.done[preset] = str(failure)
    finally:
        lock.release()
    if builds.done[preset]:
        raise StageFailed(builds.done[preset])
    return folder


def build_ahead(names):
    """Builds what the named stages need, in the order in which they need it. A failure is told by the stage that meets it."""
    stage = Stage("build")
    for preset, stages in BUILT_FOR.items():
        if stopping.is_set():
            break
        if stages & set(names) and not (preset == "aarch64" and platform.machine() == "aarch64"):
            try:
                build(stage, preset)
            except StageFailed:
                continue
    stage.log.close()


def host(stage):
    """unit tests, tidy, package and C API on this machine"""
    stage.ctest(build(stage, "host"))


def sanitize(stage):
    """the same tests under AddressSanitizer and UndefinedBehaviorSanitizer"""
    stage.ctest(build(stage, "host-sanitize"))


def core_test(stage, preset, image):
    """The core test on another CPU, which must compute what this machine computes, to the last bit."""
    here = ROOT / "build/host/tests/qemu/core_test"
    if not here.exists():
        build(stage, "host")
    _, output = stage.run([sys.executable, ROOT / "tests/qemu/run_image.py", "--host", here, "--image", image,
                           "--cpu", preset], f"core test on {preset}", check=False)
    closing = re.findall(r"^(\d+) passed, (\d+) failed$", output, re.MULTILINE)
    if not closing:
        raise StageFailed(f"core test on {preset}\n{tail(output)}")
    stage.passed += int(closing[-1][0])
    stage.failed += int(closing[-1][1])
    stage.say(f"core test on {preset}: {closing[-1][0]} passed, {closing[-1][1]} failed")


def aarch64(stage):
    """the same tests built for 64-bit ARM, under qemu-aarch64"""
    if platform.machine() == "aarch64":
        stage.skipped += 1
        stage.say("skipped: this machine is aarch64, stage host is that run")
        return
    folder = build(stage, "aarch64")
    stage.ctest(folder)
    core_test(stage, "aarch64", folder / "tests/qemu/core_test")


def cortex_m(stage):
    """lib/ for Cortex-M0+, M3, M4; the solver's trace; the core-test image on emulated M3 and M4; the bound of the stack"""
    build(stage, "cortex-m0plus")
    stage.count(True, "lib/ builds for Cortex-M0+")
    for name in ("cortex-m0plus.elf", "cortex-m4.elf", "clang"):
        if name == "clang" and not shutil.which("clang++"):
            stage.skipped += 1
            stage.say("skipped: solver trace of clang's code: clang++ is not installed (./run setup all)")
            continue
        status, _ = stage.run([sys.executable, ROOT / "tests/trace/compare.py", "--build", name], "solver trace", check=False)
        stage.count(status == 0, f"solver trace of code for {name}")
    for preset in ("cortex-m3", "cortex-m4"):
        folder = build(stage, preset)
        image = folder / "tests/qemu/core_test.elf"
        core_test(stage, preset, image)
        status, _ = stage.run([sys.executable, ROOT / "tests/tidy/heap_symbols.py", "--nm", "arm-none-eabi-nm",
                               folder / "lib/libwattproof.a", image], "heap symbols", check=False)
        stage.count(status == 0, f"no heap symbol for {preset}")
    status, output = stage.run([sys.executable, ROOT / "bench/collect.py", "bench", "flood"], "flood", check=False)
    stage.count(status == 0, "a flood of bad headers starves no output, by counted instructions" +
                ("" if status == 0 else "\n" + tail(output)))
    status, output = stage.run([sys.executable, ROOT / "bench/stack/bound.py"], "stack bound", check=False)
    stage.count(status == 0, "the stack of every entry point is bounded" + ("" if status == 0 else "\n" + tail(output)))


def contracts(stage):
    """the contracts on an EVM, gas, and agreement with C++"""
    stage.node_test(ROOT / "contracts")


def devnet(stage):
    """the embedded chain and its fault switches"""
    stage.node_test(ROOT / "contracts" / "devnet")


# The whole system, each run with a chain, a broker, a gateway and devices of its own.
DEMO_RUNS = {
    "four slots": "--devices 3 --slots 4",
    "a day": "--devices 12 --slots 24",
    "quarter hours": "--devices 5 --slots 96 --speed 8640",
    "silent devices": "--devices 12 --silent 3 --speed 8640",
    "a withheld update": "--devices 5 --lie withheld-update --speed 8640",
    "another device's record": "--devices 5 --lie other-device --speed 8640",
    "a day played back": "--devices 5 --lie replayed-day --speed 8640",
}


def demo(stage):
    """the main job with real processes: plain, with silent devices, with a gateway that lies"""
    build(stage, "host")
    runs = dict(DEMO_RUNS)
    data = Path(os.environ.get("WATTPROOF_DATA", ROOT.parent / "shared" / "data"))
    if data.is_dir():
        runs["real prices and loads"] = f"--devices 12 --data {data} --speed 8640"
    else:
        stage.skipped += 1
        stage.say(f"skipped: real prices and loads, no folder {data}")
    for name, options in runs.items():
        folder = LOGS / "demo" / name.replace(" ", "-").replace("'", "")
        status, output = stage.run([sys.executable, ROOT / "tools/demo/demo.py", "--build", "build/host", "--output", folder,
                                    *options.split()], name, check=False)
        ok = status == 0 and output.rstrip().endswith("demo: ok")
        stage.count(ok, f"demo {options}" + ("" if ok else "\n" + tail(output)))


def unit_cases(stage, command, what):
    """Runs a unittest program and adds up what it says of each case."""
    status, output = stage.run(command, what, check=False)
    ran = re.findall(r"^Ran (\d+) tests? in", output, re.MULTILINE)
    bad = re.findall(r"^(?:FAIL|ERROR): (\S+)", output, re.MULTILINE)
    skipped = len(re.findall(r"\.\.\. skipped", output))
    if not ran or (status != 0 and not bad):
        raise StageFailed(f"{what}\n{tail(output)}")
    for name in bad:
        stage.say(f"FAILED: {name}\n{tail(output)}")
    stage.failed += len(bad)
    stage.skipped += skipped
    stage.passed += max(0, int(ran[-1]) - len(bad) - skipped)
    stage.say(f"{what}: {ran[-1]} cases, {len(bad)} failed, {skipped} skipped")


def unit_cases_at_once(stage, programs):
    """Runs unittest programs that mostly wait beside each other, each with a log of its own, and adds up their cases."""
    parts = [Stage(f"{stage.name}-{name}") for name in programs]
    with ThreadPoolExecutor() as pool:
        runs = [pool.submit(unit_cases, part, *program) for part, program in zip(parts, programs.values())]
    for part in parts:
        part.log.close()
        stage.passed += part.passed
        stage.failed += part.failed
        stage.skipped += part.skipped
    for run in runs:
        run.result()  # raises what the program raised


def linux_board(stage):
    """the Linux device on an emulated 64-bit ARM board, its pins seen from outside"""
    sys.path.insert(0, str(ROOT / "tests/board"))
    import vm  # only here: it needs what a machine without QEMU lacks
    reason = vm.missing() or ("this machine cannot build for aarch64" if not shutil.which("aarch64-linux-gnu-g++")
                              and platform.machine() != "aarch64" else "")
    if reason:
        stage.skipped += 1
        stage.say(f"skipped: {reason}")
        return
    here = build(stage, "host")
    there = here if platform.machine() == "aarch64" else build(stage, "aarch64")
    begin = time.monotonic()
    unit_cases_at_once(stage, {
        "vm": ([sys.executable, ROOT / "tests/board/vm_test.py", here, there], "the Linux board"),
        "i2c": ([sys.executable, ROOT / "tests/board/vm_i2c_test.py", there], "the Linux board's I2C"),
    })
    stage.boards_s = time.monotonic() - begin


PLUGS = ("plug-lm3s6965evb-emulated", "plug-lm3s6965evb-tls-emulated", "plug-mps2_an386-emulated")


def plug_board(stage):
    """the bare-metal plug on two emulated boards, its pins seen from outside"""
    if not shutil.which("qemu-system-arm"):
        stage.skipped += 1
        stage.say("skipped: qemu-system-arm is not installed")
        return
    here = build(stage, "host")
    plain, tls, serial = PLUGS
    suites = {"main": ("plug_test.py", plain, "the plug"),
              "tls": ("plug_tls_test.py", tls, "the plug with TLS"),
              "serial": ("plug_serial_test.py", serial, "the plug on a second board")}
    images = {folder: build(stage, folder) / "firmware/plug/plug.elf" for _, folder, _ in suites.values()}
    begin = time.monotonic()
    unit_cases_at_once(stage, {name: ([sys.executable, ROOT / "tests/board" / program, here, images[folder]], what)
                               for name, (program, folder, what) in suites.items()})
    stage.boards_s = time.monotonic() - begin
    for folder in (plain, tls):
        status, _ = stage.run([sys.executable, ROOT / "tests/tidy/heap_symbols.py", "--nm", "arm-none-eabi-nm", images[folder]], "heap symbols", check=False)
        stage.count(status == 0, f"no heap symbol in {folder}")
    for what, options in (("", ()), (" with TLS", ("--tls",))):
        status, output = stage.run([sys.executable, ROOT / "bench/stack/plug_bound.py", *options], "stack bound", check=False)
        stage.count(status == 0, f"the stack of the plug{what} is bounded" + ("" if status == 0 else "\n" + tail(output)))


def interop(stage):
    """the main job on real validators (GoQuorum, geth), built with Go; without Go one skip"""
    folder = build(stage, "host")
    status, output = stage.run([sys.executable, ROOT / "tests/interop/interop.py", "--untimed", "--build", folder, "--output",
                                LOGS / "interop"], "real networks", check=False)
    closing = re.findall(r"^(\d+) passed, (\d+) failed, (\d+) skipped$", output, re.MULTILINE)
    if not closing or (status != 0 and closing[-1][1] == "0"):
        raise StageFailed(f"real networks (status {status})\n{tail(output)}")
    stage.passed += int(closing[-1][0])
    stage.failed += int(closing[-1][1])
    stage.skipped += int(closing[-1][2])
    for line in output.splitlines():
        if "skipped: " in line or "slow: " in line or "FAILED" in line:
            stage.say(line)


STAGES = {"host": host, "sanitize": sanitize, "aarch64": aarch64, "cortex-m": cortex_m, "contracts": contracts,
          "devnet": devnet, "demo": demo, "plug-board": plug_board, "linux-board": linux_board, "interop": interop}
BOARDS = ("plug-board", "linux-board")
COMPUTING = ("host", "sanitize", "aarch64", "cortex-m")  # one lane; what mostly waits is the other, each in the order above
BUILT_FOR = {"host": set(STAGES) - {"sanitize", "contracts", "devnet"}, "host-sanitize": {"sanitize"},
             **{preset: {"plug-board"} for preset in PLUGS}, "aarch64": {"aarch64", "linux-board"},
             **{preset: {"cortex-m"} for preset in ("cortex-m0plus", "cortex-m3", "cortex-m4")}}


def run_stage(name):
    stage = Stage(name)
    stage.say(STAGES[name].__doc__)
    try:
        STAGES[name](stage)
    except StageFailed as failure:
        stage.failed += 1
        stage.say(f"FAILED: {failure}")
    except Exception as error:  # the other lane goes on, and the last line still comes
        stage.failed += 1
        stage.say(f"FAILED: {type(error).__name__}: {error}")
    stage.log.close()
    seconds = int(time.monotonic() - stage.started)
    log = "" if stage.failed == 0 else f"; log: {stage.log_path.relative_to(ROOT)}"
    stage.say(f"{stage.passed} passed, {stage.failed} failed, {stage.skipped} skipped in {seconds} s{log}")
    return stage


def run_lanes(lanes):
    """Runs the stages of each lane one after another, the lanes beside each other and the builds. Returns what was run."""
    done = []

    def follow(lane):
        for name in lane:
            if stopping.is_set():
                return
            done.append(run_stage(name))

    threads = [threading.Thread(target=follow, args=(lane,)) for lane in lanes if lane]
    if len(threads) > 1:
        threads.append(threading.Thread(target=build_ahead, args=(sum(lanes, []),)))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(done, key=lambda stage: list(STAGES).index(stage.name))


def tell_boards(done):
    """What all emulated boards took. A figure for `./run bench boards` and no test: a machine that also compiles takes longer."""
    seconds = {stage.name: round(stage.boards_s, 1) for stage in done if stage.name in BOARDS and stage.failed == 0 and stage.boards_s > 0}
    if len(seconds) == len(BOARDS):
        (LOGS / "boards.json").write_text(json.dumps(seconds) + "\n")
        print(f"all emulated boards: {sum(seconds.values()):.0f} s")


def stop(*_):
    stopping.set()


def main():
    parser = argparse.ArgumentParser(prog="./run test", description=__doc__.splitlines()[0])
    parser.add_argument("stages", nargs="*", metavar="STAGE", help="only these")
    parser.add_argument("--list", action="store_true", help="name the stages")
    parser.add_argument("--in-order", action="store_true", help="one stage after the other: slower, and easier on a small machine")
    options = parser.parse_args()
    if options.list:
        for name, stage in STAGES.items():
            print(f"{name:12} {stage.__doc__}")
        return 0
    unknown = [name for name in options.stages if name not in STAGES]
    if unknown:
        parser.error(f"no stage {unknown[0]}; there are {', '.join(STAGES)}")
    if not shutil.which("cmake"):
        parser.error("cmake is not installed: ./run setup test")
    LOGS.mkdir(parents=True, exist_ok=True)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)  # an exception in the middle of a join would make the thread look ended
    names = options.stages or list(STAGES)
    lanes = [names] if options.in_order else [[name for name in STAGES if name in names and (name in COMPUTING) == computes]
                                               for computes in (True, False)]
    done = run_lanes(lanes)
    bad = [stage.name for stage in done if stage.failed]
    if bad:
        print(f"failed: {', '.join(bad)}")
    if stopping.is_set():
        print("stopped before the end")
    tell_boards(done)
    passed, failed, skipped = (sum(getattr(stage, what) for stage in done) for what in ("passed", "failed", "skipped"))
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 0 if failed == 0 and passed > 0 and not stopping.is_set() else 1


if __name__ == "__main__":
    sys.exit(main())
