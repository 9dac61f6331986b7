#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measures lib/solver and prints one JSON object a line: {"name", "value", "unit", "target", "command"}.

usage: measure.py [--only TEXT] [--days N]

Instructions of a whole optimise() call, its checks included, as the mean of N random days: under QEMU for Cortex-M4 and
Cortex-M0+ code (which an M4 runs unchanged), some of it also compiled for size, under callgrind for x86-64. Bytes of a workspace; those of the code are
measured by bench/size/solver_size.py.
"""

import argparse
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "build" / "solver_bench"
FLAGS = ["-std=c++20", "-fno-exceptions", "-fno-rtti", "-fno-threadsafe-statics", "-ffunction-sections", "-fdata-sections",
         "-DNDEBUG", f"-I{ROOT}/lib", f"-I{ROOT}/bench", f"-I{ROOT}/tests/qemu", f"-I{ROOT}/tests"]
KINDS = ["battery", "shapeable", "lossy", "thermal", "appliance", "switched", "milestones", "banded"]
TARGETS = {
    ("battery", 24, "cortex-m4"): 6000, ("battery", 96, "cortex-m4"): 25000,
    ("battery", 24, "cortex-m0plus"): 14000, ("battery", 96, "cortex-m0plus"): 60000,
    ("battery", 24, "x86-64"): 5000, ("battery", 96, "x86-64"): 22000,
    ("shapeable", 24, "cortex-m4"): 2000, ("shapeable", 96, "cortex-m4"): 7500,
}


def run(*command):
    done = subprocess.run(list(map(str, command)), cwd=ROOT, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}\n{done.stdout}{done.stderr}")
    return done.stdout


def emit(name, value, unit, target, detail=""):
    command = "bench/solver/measure.py" + detail
    print(json.dumps({"name": name, "value": value, "unit": unit, "target": target, "command": command}), flush=True)


FOR_SIZE = "cortex-m0plus for size"  # lib/solver at -Os, where one program serves every store


def compiler(machine):
    if machine == "x86-64":
        return ["g++", "-O2"]
    return ["arm-none-eabi-g++", f"-mcpu={'cortex-m4' if machine == 'cortex-m4' else 'cortex-m0plus'}", "-mthumb",
            "-mfloat-abi=soft"]


def objects(machine, optimise):
    """lib/solver, compiled once for a machine."""
    folder = BUILD / f"{machine.replace(' ', '_')}{optimise}"
    folder.mkdir(parents=True, exist_ok=True)
    sources = sorted((ROOT / "lib" / "solver").glob("*.cpp"))
    for source in sources:
        run(*compiler(machine), optimise, *FLAGS, "-c", source, "-o", folder / f"{source.stem}.o")
    return folder, [folder / f"{source.stem}.o" for source in sources]


def program(machine, kind, slots, days, certified):
    folder, linked = objects_of(machine)
    out = folder / f"{kind}_{slots}{'_certified' if certified else ''}.elf"
    defines = [f"-DWATTPROOF_SLOTS={slots}", f"-DWATTPROOF_KIND={kind}", f"-DWATTPROOF_DAYS={days}",
               f"-DWATTPROOF_CERTIFIED={int(certified)}"]
    own = [ROOT / "bench" / "solver" / "solver_days.cpp"]
    link = ["-Wl,--gc-sections"]
    if machine == "x86-64":
        own.append(ROOT / "tests" / "support" / "check_aborts.cpp")
    else:
        own.append(ROOT / "tests" / "qemu" / "startup.cpp")
        link += ["--specs=nano.specs", "--specs=nosys.specs", "-nostartfiles", "-Wl,--no-warn-rwx-segments", "-T",
                 ROOT / "tests" / "qemu" / "mps2.ld"]
    # The C driver links: what lib/ uses of C++ needs no C++ library.
    driver = [word.replace("eabi-g++", "eabi-gcc") for word in compiler(machine)]
    run(*driver, "-O2", *FLAGS, *defines, *own, *linked, *link, "-o", out)
    return out


CACHE = {}


def objects_of(machine):
    if machine not in CACHE:
        CACHE[machine] = objects(machine, "-Os" if machine == FOR_SIZE else "-O2")
    return CACHE[machine]


def counts(machine, elf):
    if machine != "x86-64":
        text = run(sys.executable, "bench/icount/run.py", "--elf", elf)
        return json.loads(text)["passages"]
    with tempfile.NamedTemporaryFile() as out:
        run("valgrind", "--tool=callgrind", f"--callgrind-out-file={out.name}", "--collect-atstart=no",
            "--toggle-collect=*optimise_single*", elf)
        text = Path(out.name).read_text()
    return [int(re.search(r"^(?:summary|totals): (\d+)", text, re.MULTILINE).group(1))]


def measure_time(options):
    wanted = [(kind, slots, machine, False) for machine in ("cortex-m4", "cortex-m0plus", "x86-64")
              for kind in KINDS for slots in (24, 96)]
    wanted += [("battery", slots, "cortex-m4", True) for slots in (24, 96)]
    wanted += [(kind, slots, FOR_SIZE, False) for kind in ("battery", "lossy", "thermal") for slots in (24, 96)]
    for kind, slots, machine, certified in wanted:
        name = f"solver_{kind}_{'certified_' if certified else ''}t{slots}_{machine.replace('-', '_').replace(' ', '_')}"
        if options.only and options.only not in name:
            continue
        if machine == "x86-64" and kind not in ("battery", "shapeable"):
            continue
        counted = counts(machine, program(machine, kind, slots, options.days, certified))
        target = None if certified else TARGETS.get((kind, slots, machine))
        emit(name, round(sum(counted) / options.days), "instructions", target, f" --only {name}")


def measure_workspace(options):
    if options.only and "workspace" not in options.only:
        return
    for slots, target in ((24, 600), (96, 2400)):
        emit(f"solver_workspace_t{slots}", 8 * (2 + 2 * slots + (slots + 1) // 2), "bytes", target)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", help="names that contain this")
    parser.add_argument("--days", type=int, default=50)
    options = parser.parse_args()
    measure_time(options)
    measure_workspace(options)


if __name__ == "__main__":
    main()
