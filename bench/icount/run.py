#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Counts the instructions that an image spends between two symbols, exactly and repeatably.

usage: run.py --elf IMAGE.elf [--begin SYMBOL] [--end SYMBOL] [--machine MACHINE]

Prints one JSON object: {"passages": [count, ...], "total": count}. What the image prints goes to standard error. These
are instructions, not cycles: a Cortex-M4 takes more cycles than instructions for loads, branches and divisions.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
PLUGIN = HERE.parents[1] / "build" / "icount" / "icount.so"
LIMIT_S = 600


def plugin():
    """The plugin, compiled where it is missing or older than its source."""
    source = HERE / "icount.c"
    if not PLUGIN.exists() or PLUGIN.stat().st_mtime < source.stat().st_mtime:
        PLUGIN.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run(["cc", "-O2", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-fvisibility=hidden", "-o", PLUGIN,
                        source], check=True)
    return PLUGIN


def address_of(elf, symbol):
    """A symbol's address, without the bit that marks Thumb code."""
    listing = subprocess.run(["arm-none-eabi-nm", elf], capture_output=True, text=True, check=True).stdout
    found = {line.split()[-1]: int(line.split()[0], 16) for line in listing.splitlines() if len(line.split()) == 3}
    if symbol not in found:
        sys.exit(f"{elf}: no symbol {symbol}")
    return found[symbol] & ~1


def count(elf, begin, end, machine):
    with tempfile.NamedTemporaryFile() as out:
        arguments = f"{plugin()},out={out.name},begin={address_of(elf, begin):#x},end={address_of(elf, end):#x}"
        done = subprocess.run(["qemu-system-arm", "-M", machine, "-nographic", "-monitor", "none", "-serial", "none",
                               "-semihosting-config", "enable=on,target=native", "-plugin", arguments, "-kernel", elf],
                              stdin=subprocess.DEVNULL, stdout=sys.stderr, timeout=LIMIT_S)
        if done.returncode != 0:
            sys.exit(f"{elf}: ended with status {done.returncode}")
        *passages, total = Path(out.name).read_text().splitlines()
    if not passages:
        sys.exit(f"{elf}: never passed from {begin} to {end}")
    return {"passages": [int(line) for line in passages], "total": int(total.split()[1])}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--elf", required=True)
    parser.add_argument("--begin", default="wattproof_roi_begin")
    parser.add_argument("--end", default="wattproof_roi_end")
    parser.add_argument("--machine", default="mps2-an386", help="an MPS2 board of QEMU (default: a Cortex-M4)")
    options = parser.parse_args()
    json.dump(count(options.elf, options.begin, options.end, options.machine), sys.stdout)
    print()


if __name__ == "__main__":
    main()
