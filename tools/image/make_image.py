#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Builds what goes onto a board: build/image/BOARD/plug.elf, .bin and .hex for a plug, build/image/*.deb for Linux.

usage: make_image.py BOARD [--tls] [--version-counter N]

BOARD is a folder of boards/ with a plug preset, a Linux board, or amd64 for any Debian PC. The same sources give the same bytes, wherever and whenever they are built.
"""
import argparse
import hashlib
import json
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "packaging"))
import deb  # noqa: E402

LINUX_BOARDS = {"raspberry_pi_4": "arm64", "raspberry_pi_5": "arm64", "jetson_nano": "arm64", "amd64": "amd64"}


def plug_boards():
    """Boards that a plug preset is written for, and that hardware exists for."""
    presets = json.loads((ROOT / "CMakePresets.json").read_text())["configurePresets"]
    names = {preset["name"] for preset in presets}
    return {name[5:]: name for name in names if name.startswith("plug-") and not name.endswith(("-emulated", "-tls"))}


def run(command):
    done = subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}\n{done.stdout}")
    return done.stdout


def make_package(board):
    to = ROOT / "build/image"
    to.mkdir(parents=True, exist_ok=True)
    package = deb.make(LINUX_BOARDS[board], to)
    print(f"{package.relative_to(ROOT)}: {package.stat().st_size} bytes\nsha256: {deb.sha256(package)}")
    if (ROOT / "boards" / board).is_dir():
        print(f"how to put it on: boards/{board}/README.md")
    return 0


def main():
    boards = plug_boards()
    parser = argparse.ArgumentParser(prog="./run image", description=__doc__.splitlines()[0])
    parser.add_argument("board", choices=sorted([*boards, *LINUX_BOARDS]))
    parser.add_argument("--tls", action="store_true", help="with TLS-PSK between plug and broker")
    parser.add_argument("--version-counter", type=int, default=1, metavar="N", help="raise it when older images must not come back")
    options = parser.parse_args()
    if options.board in LINUX_BOARDS:
        return make_package(options.board)
    name = options.board + ("-tls" if options.tls else "")
    folder, to = ROOT / "build" / f"plug-{name}", ROOT / "build/image" / name
    run(["cmake", "--preset", boards[options.board], "-B", folder, "-D", f"WATTPROOF_PLUG_TLS={'ON' if options.tls else 'OFF'}",
         "-D", f"WATTPROOF_VERSION_COUNTER={options.version_counter}", "-D", "WATTPROOF_REPRODUCIBLE=ON"])
    run(["cmake", "--build", folder, "--target", "plug"])
    to.mkdir(parents=True, exist_ok=True)
    for kind in ("elf", "bin", "hex"):
        shutil.copy(folder / f"firmware/plug/plug.{kind}", to)
    text, data, bss = map(int, run(["arm-none-eabi-size", to / "plug.elf"]).splitlines()[-1].split()[:3])
    image = (to / "plug.bin").read_bytes()
    print(f"{to.relative_to(ROOT)}/plug.elf, .bin, .hex: {text + data} bytes of flash, {data + bss} of RAM with stack\n"
          f"sha256 of plug.bin: {hashlib.sha256(image).hexdigest()}\nhow to put it on: boards/{options.board}/README.md")
    return 0


if __name__ == "__main__":
    sys.exit(main())
