#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the solver trace on one or more machines and compares what they print with solver_trace.txt.

usage: compare.py PROGRAM...       the programs given (an .elf runs under QEMU)
       compare.py --build NAME...  builds it first, for any of gcc, clang, aarch64, cortex-m4.elf, cortex-m0plus.elf
       compare.py --all            builds it with gcc and clang for this machine, for aarch64, Cortex-M4 and Cortex-M0+,
                                   and runs all of them and the JavaScript version; needs the cross compilers and QEMU
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
EXPECTED = (HERE / "solver_trace.txt").read_text()
BUILD = ROOT / "build" / "trace"
FLAGS = ["-std=c++20", "-fno-exceptions", "-fno-rtti", "-fno-threadsafe-statics", "-DNDEBUG", f"-I{ROOT}/lib",
         f"-I{ROOT}/tests", f"-I{ROOT}/tests/qemu"]
BARE = ["-mthumb", "-mfloat-abi=soft", "-Wno-psabi", "-ffunction-sections", "-DWATTPROOF_TRACE_SEMIHOSTED", "--specs=nano.specs",
        "--specs=nosys.specs", "-nostartfiles", "-Wl,--gc-sections,--no-warn-rwx-segments", "-T",
        str(ROOT / "tests" / "qemu" / "mps2.ld")]
MACHINES = {
    "gcc": (["g++", "-O2"], []),
    "clang": (["clang++", "-O1", "-fsanitize=undefined,address", "-fno-sanitize-recover=all"], []),
    "aarch64": (["aarch64-linux-gnu-g++", "-O2", "-static"], ["qemu-aarch64"]),
    "cortex-m4.elf": (["arm-none-eabi-gcc", "-O2", "-mcpu=cortex-m4", *BARE], []),
    "cortex-m0plus.elf": (["arm-none-eabi-gcc", "-Os", "-mcpu=cortex-m0plus", *BARE], []),
}
QEMU = ["qemu-system-arm", "-M", "mps2-an386", "-nographic", "-monitor", "none", "-serial", "none", "-semihosting-config",
        "enable=on,target=native", "-kernel"]


def output(command):
    done = subprocess.run(list(map(str, command)), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=1500)
    return done.stdout if done.returncode == 0 else f"status {done.returncode}\n{done.stdout}"


def build(name):
    compiler, runner = MACHINES[name]
    BUILD.mkdir(parents=True, exist_ok=True)
    own = ROOT / "tests" / ("qemu/startup.cpp" if name.endswith(".elf") else "support/check_aborts.cpp")
    sources = sorted((ROOT / "lib" / "solver").glob("*.cpp"))
    subprocess.run([*compiler, *FLAGS, HERE / "solver_trace.cpp", *sources, own, "-o", BUILD / name], check=True)
    return [*(QEMU if name.endswith(".elf") else runner), BUILD / name]


def main():
    commands = {}
    if sys.argv[1:] == ["--all"]:
        for name in MACHINES:
            commands[name] = build(name)
    elif sys.argv[1:2] == ["--build"]:
        for name in sys.argv[2:]:
            if name not in MACHINES:
                sys.exit(f"no machine {name}; there are {', '.join(MACHINES)}")
            commands[name] = build(name)
    else:
        for program in sys.argv[1:]:
            emulator = os.environ.get("WATTPROOF_EMULATOR", "").split()
            commands[program] = [*(QEMU if program.endswith(".elf") else emulator), program]
    if not commands:
        sys.exit(__doc__)
    failed = 0
    for name, command in commands.items():
        same = output(command) == EXPECTED
        failed += not same
        print(f"{os.path.basename(name)}: {'equal' if same else 'DIFFERENT'}", flush=True)
    node = shutil.which("node")
    if sys.argv[1:] == ["--all"] and node:
        same = subprocess.run([node, HERE / "solver_trace.mjs", HERE / "solver_trace.txt"], stdout=subprocess.DEVNULL).returncode == 0
        failed += not same
        print(f"JavaScript big integers: {'equal' if same else 'DIFFERENT'}")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
