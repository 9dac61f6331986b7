#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs measurements and writes them to one file: build/bench.json or build/size.json.

usage: collect.py bench|size [NAME...]      only the named sources, the file's other figures stay

The file is {"name": {"value": n, "unit": "", "target": n, "command": ""}}; a figure without a target has null. A target
is a most. Exit status 1 if a figure of this run misses its target or a source fails; 0 else.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "build"
HOST = BUILD / "host"
DATA = BUILD / "bench"

# A call that recovers a key takes at least this many instructions on a Cortex-M4; no other call comes near.
RECOVERY_INSTRUCTIONS_MIN = 1_000_000

# One recovery and what else a step may do: 40 ms, the time that flood_record gives a step, at 36 million a second.
FLOOD_STEP_INSTRUCTIONS_MAX = 1_440_000

# At least 95 % of the branches of every decoder are taken.
BRANCHES_NOT_TAKEN_PERCENT_MAX = 5


# Real validators at 1 s blocks: eight devices agree and live a day of 24 s; at least 200 updates a second through a gateway.
MAIN_JOB_S_MAX = 60
UPDATE_MS_MAX = 5

# The whole suite on emulated boards, on two processors.
BOARDS_S_MAX = 300


class SourceFailed(Exception):
    pass


def output(*command):
    """A command's standard output; its standard error is shown only if it fails."""
    done = subprocess.run(list(map(str, command)), cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode != 0:
        raise SourceFailed(f"{' '.join(map(str, command))}\n{done.stdout[-4000:]}{done.stderr[-4000:]}")
    return done.stdout


def figure(value, unit, command, target=None):
    return {"value": value, "unit": unit, "target": target, "command": command}


def host_program(name):
    output("cmake", "--preset", "host", "-D", "WATTPROOF_TESTS=ON")
    output("cmake", "--build", HOST, "--target", name)
    return HOST / "bench" / name


def counted_image(name, variable, data):
    """Builds an image around the data that a host program wrote, and counts its instructions."""
    folder = DATA / "cortex-m4"
    output("cmake", "--preset", "cortex-m4", "-B", folder, "-D", f"{variable}={data}")
    output("cmake", "--build", folder, "--target", name)
    return json.loads(output(sys.executable, "bench/icount/run.py", "--elf", folder / "bench" / f"{name}.elf"))["passages"]


def json_lines(text, command):
    """Figures of a program that prints one JSON object a line."""
    figures = {}
    for line in text.splitlines():
        entry = json.loads(line)
        figures[entry["name"]] = figure(entry["value"], entry["unit"], entry.get("command", command), entry.get("target"))
    return figures


def gas():
    """what updates and closing cost on an EVM"""
    command = "node contracts/test/gas.js --json"
    return json_lines(output(*command.split()), command)


def plug_edge():
    """emulated milliseconds from a plug's last evidence to the edge of its relay line (tests/board/plug_test.py, case k)"""
    case = "Cases.test_k_a_verified_instruction_moves_the_relay_within_a_second_of_emulated_time"
    image, figures = BUILD / "plug-lm3s6965evb-emulated", DATA / "plug_edge.json"
    output("cmake", "--preset", "host", "-D", "WATTPROOF_TESTS=ON")
    output("cmake", "--build", HOST, "--target", "programs")
    output("cmake", "--preset", "plug-lm3s6965evb-emulated")
    output("cmake", "--build", image, "--target", "plug")
    DATA.mkdir(parents=True, exist_ok=True)
    figures.unlink(missing_ok=True)
    output("env", f"WATTPROOF_FIGURES={figures}", sys.executable, "tests/board/plug_test.py", HOST, image / "firmware/plug/plug.elf", case)
    value = json.loads(figures.read_text())["edge_ms_max"]
    return {"plug.evidence_to_relay_edge": figure(value, "ms of emulated time", "./run bench plug_edge", 1000)}


def boards():
    """seconds on all emulated boards in the last `./run test` that had them, without building"""
    path, command = BUILD / "test/boards.json", "./run test plug-board linux-board; ./run bench boards"
    if not path.exists():
        print(f"[boards] skipped: no {path.relative_to(ROOT)}; ./run test plug-board linux-board")
        return {}
    seconds = json.loads(path.read_text())
    return {"emulated_boards": figure(round(sum(seconds.values()), 1), "s", command, BOARDS_S_MAX)}


def rounds():
    """rounds until a schedule is final: whole epochs of random communities at real prices and loads"""
    return json_lines(output(host_program("rounds")), "build/host/bench/rounds")


def chain():
    """the light client on this machine and on a Cortex-M4"""
    return json_lines(output(sys.executable, "bench/chain/measure_chain.py"), "bench/chain/measure_chain.py")


def solver():
    """the solver's instructions, code and memory"""
    return json_lines(output(sys.executable, "bench/solver/measure.py"), "bench/solver/measure.py")


def evidence():
    """verifying the evidence of a round: microseconds here, instructions on a Cortex-M4"""
    program = host_program("evidence_host")
    figures = json_lines(output(program), "build/host/bench/evidence_host")
    DATA.mkdir(parents=True, exist_ok=True)
    output(program, "--write", DATA / "evidence.bin")
    passages = counted_image("evidence_image", "WATTPROOF_EVIDENCE", DATA / "evidence.bin")
    figures["evidence_verify_cortex_m4"] = figure(passages[0], "instructions", "./run bench evidence")
    return figures


def step():
    """the longest call of Node::step on a Cortex-M4, over a recorded life of a battery with 96 slots"""
    DATA.mkdir(parents=True, exist_ok=True)
    output(host_program("step_record"), DATA / "recording.bin")
    passages = counted_image("step_image", "WATTPROOF_RECORDING", DATA / "recording.bin")
    with_recovery = [count for count in passages if count >= RECOVERY_INSTRUCTIONS_MIN]
    without = [count for count in passages if count < RECOVERY_INSTRUCTIONS_MIN]
    return {"step_longest_with_recovery_cortex_m4": figure(max(with_recovery), "instructions", "./run bench step"),
            "step_longest_without_recovery_cortex_m4": figure(max(without), "instructions", "./run bench step")}


def flood():
    """a device that a gateway floods with bad headers: every step on a Cortex-M4, and how late its outputs are"""
    DATA.mkdir(parents=True, exist_ok=True)
    program = host_program("flood_record")
    figures = json_lines(output(program, DATA / "flood.bin"), "./run bench flood")
    passages = counted_image("step_image", "WATTPROOF_RECORDING", DATA / "flood.bin")
    recoveries = [count for count in passages if count >= RECOVERY_INSTRUCTIONS_MIN]
    figures["flood_longest_step_cortex_m4"] = figure(max(passages), "instructions", "./run bench flood", FLOOD_STEP_INSTRUCTIONS_MAX)
    figures["flood_steps"] = figure(len(passages), "steps", "./run bench flood")
    figures["flood_steps_with_recovery"] = figure(len(recoveries), "steps", "./run bench flood")
    return figures


def coverage():
    """branches of the decoders that the unit tests leave out"""
    report = json.loads(output(sys.executable, "tests/coverage/coverage.py"))
    figures = {}
    for source, count in report.items():
        left_out = 100 * (count["branches"] - count["taken"]) / count["branches"]
        figures[f"branches_not_taken.{source}"] = figure(round(left_out, 1), f"% of {count['branches']} branches",
                                                         "tests/coverage/coverage.py --missed", BRANCHES_NOT_TAKEN_PERCENT_MAX)
    return figures


def heap():
    """heap symbols in the library and in a linked image"""
    output("cmake", "--preset", "cortex-m4")
    output("cmake", "--build", BUILD / "cortex-m4", "--target", "wattproof", "core_test")
    done = subprocess.run([sys.executable, "tests/tidy/heap_symbols.py", "--nm", "arm-none-eabi-nm",
                           BUILD / "cortex-m4/lib/libwattproof.a", BUILD / "cortex-m4/tests/qemu/core_test.elf"],
                          cwd=ROOT, capture_output=True, text=True)
    if done.returncode > 1:
        raise SourceFailed(done.stderr)
    return {"heap_symbols": figure(len(done.stdout.splitlines()), "symbols", "./run bench heap", 0)}


def networks():
    """real GoQuorum validators: the main job's seconds, and updates through one gateway; needs Go, see docs/NETWORKS.md"""
    output("cmake", "--preset", "host", "-D", "WATTPROOF_TESTS=ON")
    output("cmake", "--build", HOST, "--target", "programs")
    folder, command = BUILD / "interop", "./run bench networks"
    said = output(sys.executable, "tests/interop/interop.py", "qbft_main_job", "qbft_every_second", "qbft_load", "--output", folder)
    if "skipped: " in said:
        print("[networks] " + next(line for line in said.splitlines() if "skipped: " in line))
        return {}
    main_job, every_second, load = (json.loads((folder / f"figures/{name}.json").read_text())
                                    for name in ("qbft", "qbft-every-second", "load"))
    return {"qbft_main_job": figure(main_job["seconds"], "s", command, MAIN_JOB_S_MAX),
            "qbft_main_job_to_proof": figure(main_job["seconds_to_proof"], "s", command),
            "qbft_main_job_empty_blocks_too": figure(every_second["seconds"], "s", command, MAIN_JOB_S_MAX),
            "qbft_main_job_empty_blocks_too_to_proof": figure(every_second["seconds_to_proof"], "s", command),
            "qbft_update": figure(round(1000 * load["seconds"] / load["updates"], 2), "ms", command, UPDATE_MS_MAX),
            "qbft_update_gas": figure(load["gas_per_update"], "gas", command)}


def size_of(target):
    def measure():
        figures = json.loads(output(sys.executable, "bench/size/measure_size.py", target))
        return {f"{target}.{name}": figure(value, unit, "./run size") for name, (value, unit) in figures.items()}
    measure.__doc__ = f"code, data and painted stack for {target}"
    return measure


def stack():
    """the bound of the stack by call graph on a Cortex-M4"""
    bounds = json.loads(output(sys.executable, "bench/stack/bound.py", "--json"))
    name, size = max(bounds.items(), key=lambda item: item[1])
    return {"cortex-m4.stack.bound": figure(size, "bytes", f"./run stack  # deepest entry point: {name}")}


def plug():
    """the plug image: flash by part, RAM, and the bound of its stack"""
    figures = json.loads(output(sys.executable, "bench/size/plug_size.py"))
    return {name: figure(entry["value"], entry["unit"], "./run size plug", entry["target"]) for name, entry in figures.items()}


def solver_code():
    """the code of the device problems on a Cortex-M0+, by part"""
    figures = json.loads(output(sys.executable, "bench/size/solver_size.py"))
    return {name: figure(entry["value"], entry["unit"], "./run size solver", entry["target"]) for name, entry in figures.items()}


SOURCES = {
    "bench": {"rounds": rounds, "gas": gas, "evidence": evidence, "step": step, "flood": flood, "plug_edge": plug_edge,
              "boards": boards, "heap": heap, "chain": chain, "solver": solver, "coverage": coverage, "networks": networks},
    "size": {"cortex-m4": size_of("cortex-m4"), "aarch64": size_of("aarch64"), "stack": stack, "plug": plug,
             "solver": solver_code},
}


def show(figures):
    width = max(map(len, figures), default=0)
    for name, entry in figures.items():
        target = "" if entry["target"] is None else f"   at most {entry['target']:,}"
        print(f"{name:{width}} {entry['value']:>12,} {entry['unit']}{target}{'   MISSED' if missed(entry) else ''}")


def missed(entry):
    return entry["target"] is not None and entry["value"] > entry["target"]


def main():
    parser = argparse.ArgumentParser(prog="./run", description=__doc__.splitlines()[0])
    parser.add_argument("kind", choices=SOURCES)
    parser.add_argument("names", nargs="*", metavar="NAME")
    options = parser.parse_args()
    sources = SOURCES[options.kind]
    for name in options.names:
        if name not in sources:
            parser.error(f"no source {name}; there are {', '.join(sources)}")
    path = BUILD / f"{options.kind}.json"
    figures = json.loads(path.read_text()) if options.names and path.exists() else {}
    measured = {}
    failed = []
    for name in options.names or sources:
        print(f"[{name}] {sources[name].__doc__}", flush=True)
        try:
            measured.update(sources[name]())
        except SourceFailed as failure:
            failed.append(name)
            print(f"[{name}] FAILED: {failure}", file=sys.stderr)
    BUILD.mkdir(exist_ok=True)
    path.write_text(json.dumps(figures | measured, indent=1, sort_keys=True) + "\n")
    show(dict(sorted(measured.items())))
    print(f"written to {path.relative_to(ROOT)}")
    if failed:
        print(f"failed: {', '.join(failed)}")
    return 1 if failed or any(map(missed, measured.values())) else 0


if __name__ == "__main__":
    sys.exit(main())
