#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measures the code of lib/solver for a Cortex-M0+ at -Os, by part.

usage: solver_size.py [--functions]

Prints one JSON object {name: {"value": n, "unit": "bytes", "target": n}}.

  solver.single_kinds          all single-device kinds as one linked object, without the kinds beside them: validation, wishes,
                               feasibility, checks, solvers
  solver.single_kinds.objects  the objects that it is linked from, summed: also the programs for speed, which nothing reaches then
  solver.single_kinds.libgcc   what it reaches of libgcc (64-bit division, multiplication, shifts), which a board shares
                               with its other code
  solver.certificate, ...      stated beside it

--functions prints the functions of the linked object instead, largest first.
"""
import argparse
import json
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "build" / "solver_size"
PRESETS = json.loads((ROOT / "CMakePresets.json").read_text())["configurePresets"]
OPTIMISE = next(preset["cacheVariables"]["CMAKE_CXX_FLAGS_MINSIZEREL"].split() for preset in PRESETS if preset["name"] == "cortex-m0plus")
CPU = ["-mcpu=cortex-m0plus", "-mthumb", "-mfloat-abi=soft"]
FLAGS = [*CPU, *OPTIMISE, "-std=c++20", "-fno-exceptions", "-fno-rtti", "-fno-threadsafe-statics", "-ffunction-sections",
         "-fdata-sections", "-Wno-psabi", f"-I{ROOT}/lib"]
TARGET = 6144
BESIDE = {
    "certificate": ["solver/certificate.cpp", "solver/gap.cpp"],
    "certificate_of_homes": ["solver/linear_gap.cpp"],
    "home": ["solver/home.cpp", "solver/home_room.cpp"],
    "banded": ["solver/banded.cpp", "solver/banded_model.cpp", "solver/banded_gap.cpp"],
    "forecast": ["meter/forecast.cpp"],
}
SINGLE_KINDS = 0x4ff  # every kind but banded and home (lib/solver/device.hpp)
ROOTS = ("validate", "workspace_words", "feasible", "optimise", "check_profile")


def run(*command):
    done = subprocess.run(list(map(str, command)), cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}\n{done.stdout}{done.stderr}")
    return done.stdout


def compiled(sources, folder, *defines):
    folder.mkdir(parents=True, exist_ok=True)
    objects = []
    for source in sources:
        objects.append(folder / f"{Path(source).stem}.o")
        run("arm-none-eabi-g++", *FLAGS, *defines, "-c", ROOT / "lib" / source, "-o", objects[-1])
    return objects


def text(*objects):
    return sum(int(line.split()[0]) for line in run("arm-none-eabi-size", *objects).splitlines()[1:])


def single_sources():
    beside = {source for sources in BESIDE.values() for source in sources}
    names = sorted(f"solver/{path.name}" for path in (ROOT / "lib/solver").glob("*.cpp"))
    return [name for name in names if name not in beside]


def linked_single_kinds():
    """The single-device kinds alone as one object that keeps what ROOTS reach."""
    objects = compiled(single_sources(), BUILD / "single", f"-DWATTPROOF_DEVICE_KINDS={SINGLE_KINDS:#x}")
    symbols = [line.split()[0] for line in run("arm-none-eabi-nm", "-P", "-g", "--defined-only", *objects).splitlines() if " T " in line]
    roots = [name for name in symbols if re.match(r"_ZN9wattproof6solver\d+(%s)E" % "|".join(ROOTS), name)]
    linked = BUILD / "single_kinds.o"
    run("arm-none-eabi-ld", "-r", "--gc-sections", *[f"--undefined={name}" for name in roots], "-o", linked, *objects)
    return linked


def libgcc_bytes(linked):
    library = run("arm-none-eabi-g++", *CPU, "-print-libgcc-file-name").strip()
    with_libgcc = BUILD / "single_kinds_libgcc.o"
    run("arm-none-eabi-ld", "-r", "-o", with_libgcc, linked, library)
    return text(with_libgcc) - text(linked)


def print_functions(linked):
    rows = []
    for line in run("arm-none-eabi-nm", "-S", "-C", linked).splitlines():
        match = re.match(r"[0-9a-f]+ ([0-9a-f]+) [tTrRwW] (.*)", line)
        if match:
            rows.append((int(match[1], 16), match[2].replace("wattproof::solver::", "")))
    for size, name in sorted(set(rows), reverse=True):
        print(f"{size:6} {name}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--functions", action="store_true", help="the functions of the linked object")
    options = parser.parse_args()
    linked = linked_single_kinds()
    if options.functions:
        return print_functions(linked)
    figures = {}

    def add(name, value, target=None):
        figures[f"solver.{name}"] = {"value": value, "unit": "bytes", "target": target}

    add("single_kinds", text(linked), TARGET)
    add("single_kinds.objects", text(*compiled(single_sources(), BUILD / "all")))
    add("single_kinds.libgcc", libgcc_bytes(linked))
    for name, sources in BESIDE.items():
        add(name, text(*compiled(sources, BUILD / "all")))
    json.dump(figures, sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    main()
