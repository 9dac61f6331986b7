#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measures the library on one target: what it brings itself, what it becomes with the cryptography that it reaches, and
the stack that its heaviest calls use.

usage: measure_size.py TARGET          TARGET is cortex-m4 or aarch64

Prints one JSON object {name: [value, unit]}.

  lib.*     the objects of libwattproof.a, summed
  linked.*  the same with every public function kept, plus what they reach of libsecp256k1 and mbedTLS, unreachable
            sections dropped; the C library is not counted
  stack.*   bytes of stack that each call touched, painted before and looked at after (bench/stack/painted.cpp)
"""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TOOLS = {"cortex-m4": "arm-none-eabi-", "aarch64": "aarch64-linux-gnu-"}
RUN = {"cortex-m4": ["qemu-system-arm", "-M", "mps2-an386", "-nographic", "-monitor", "none", "-serial", "none",
                     "-semihosting-config", "enable=on,target=native", "-kernel"],
       "aarch64": ["qemu-aarch64"]}


def tool(target, name):
    native = os.uname().machine == target
    return name if native else TOOLS[target] + name


def output(command):
    done = subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}\n{done.stdout}")
    return done.stdout


def build(target):
    """A size build of its own: both targets with -Os and with the cut-down cryptography that a device compiles."""
    folder = ROOT / "build" / "size" / target
    recording = ROOT / "build" / "size" / "recording.bin"
    output(["cmake", "--preset", "host", "-D", "WATTPROOF_TESTS=ON"])
    output(["cmake", "--build", ROOT / "build" / "host", "--target", "step_record"])
    folder.mkdir(parents=True, exist_ok=True)
    output([ROOT / "build/host/bench/step_record", recording])
    preset = "host" if os.uname().machine == target else target
    output(["cmake", "--preset", preset, "-B", folder, "-D", "CMAKE_BUILD_TYPE=MinSizeRel", "-D", "WATTPROOF_BUNDLED_CRYPTO=ON",
            "-D", "WATTPROOF_TESTS=ON", "-D", f"WATTPROOF_RECORDING={recording}"])
    output(["cmake", "--build", folder, "--target", "wattproof", "painted"])
    return folder


def sections(target, path, name):
    """text, data and bss of an object or archive, as `size` adds them up."""
    total = output([tool(target, "size"), "-t", path]).splitlines()[-1].split()
    return {f"{name}.{section}": [int(value), "bytes"] for section, value in zip(("text", "data", "bss"), total)}


def link(target, folder):
    """The library and its cryptography as one relocatable object that keeps every public function of lib/."""
    archive = folder / "lib/libwattproof.a"
    listing = output([tool(target, "nm"), "-P", "-g", "--defined-only", archive])
    public = [line.split()[0] for line in listing.splitlines() if len(line.split()) > 2 and line.split()[1] == "T"]
    roots = folder / "public_functions.txt"
    roots.write_text("\n".join(f"-u {name}" for name in public))
    linked = folder / "linked.o"
    output([tool(target, "ld"), "-r", "--gc-sections", f"@{roots}", "-o", linked, "--start-group", archive,
            *sorted((folder / "lib/crypto").glob("*.a")), "--end-group"])
    return linked


def painted(target, folder):
    """Lines `name bytes` of the painting program."""
    program = next((folder / "bench" / name for name in ("painted.elf", "painted") if (folder / "bench" / name).exists()))
    run = [] if os.uname().machine == target else RUN[target]
    lines = [line.split() for line in output([*run, program]).splitlines()]
    return {f"stack.{name}": [int(size), "bytes"] for name, size in lines}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("target", choices=TOOLS)
    target = parser.parse_args().target
    folder = build(target)
    figures = {**sections(target, folder / "lib/libwattproof.a", "lib"),
               **sections(target, link(target, folder), "linked"), **painted(target, folder)}
    json.dump(figures, sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    main()
