#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Bounds the stack of a whole plug image: from reset through every turn, with one interrupt on top. The graph is the compiler's own, of
the optimised image. Whatever it cannot bound is an error, as in bound.py.

usage: plug_bound.py [--preset NAME] [--tls] [--json]
"""
import argparse
import json
import re
import subprocess
import sys
from pathlib import Path

from bound import HERE, ROOT, Graph, declarations, demangle, plain

BOUND_MAX = 8 * 1024
INTERRUPT_FRAME = 8 * 4 + 4  # what a Cortex-M3 pushes, and a word to align it
PLAIN_TWINS = {"strlen": 4}
# Folded by the linker's optimiser into an equal function of another name, so that the graph has a frame for the twin alone.
FOLDED = {"_ZN9wattproof8schedule12_GLOBAL__N_17word_ofEy": "_ZN9wattproof7message12_GLOBAL__N_111number_wordEy"}


def run(*command):
    done = subprocess.run(list(map(str, command)), cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(done.stdout + done.stderr)
    return done.stdout


def build(preset, tls):
    """The preset's image once more, with the compiler's notes."""
    folder = ROOT / "build" / f"{preset}{'-tls' if tls else ''}-stack"
    presets = json.loads((ROOT / "CMakePresets.json").read_text())["configurePresets"]
    flags = next(each for each in presets if each["name"] == "plug")["cacheVariables"]["CMAKE_CXX_FLAGS_MINSIZEREL"] + " -fstack-usage -fcallgraph-info=su"
    run("cmake", "--preset", preset, "-B", folder, "-D", f"CMAKE_C_FLAGS_MINSIZEREL={flags}", "-D", f"CMAKE_CXX_FLAGS_MINSIZEREL={flags}",
        "-D", f"WATTPROOF_PLUG_TLS={'ON' if tls else 'OFF'}")
    run("cmake", "--build", folder, "--target", "plug")
    return folder


def give_twins_their_size(graph):
    """A clone that was folded into another copy of the same function has that copy's frame."""
    by_name = {plain(title): size for title, size in graph.frames.items()}
    for callees in graph.calls.values():
        for callee in callees:
            name = FOLDED.get(plain(callee), plain(callee))
            if callee not in graph.frames and name in by_name:
                graph.frames[callee] = by_name[name]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--preset", default="plug-lm3s6965evb")
    parser.add_argument("--tls", action="store_true", help="the image with TLS-PSK")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    folder = build(options.preset, options.tls)
    graph = Graph()
    for path in folder.rglob("*ltrans*.ci"):
        graph.read(path)
    if not graph.frames:
        sys.exit(f"no call graph in {folder}")
    sizes = {name: int(values[0]) for name, values in declarations(HERE / "library_frames.txt")}
    indirect = dict(declarations(HERE / "plug_indirect_calls.txt"))
    if options.tls:
        indirect |= dict(declarations(HERE / "plug_tls_indirect_calls.txt"))
    graph.declare(indirect, {**sizes, **PLAIN_TWINS})
    give_twins_their_size(graph)
    graph.entry_points = lambda: [title for title in graph.frames if plain(title) in ("reset_handler", "tick_handler", "device_handler")]
    bounds = graph.bounds()
    # An entry too many is harmless here: which function a call was inlined into may change.
    problems = sorted({text for text in graph.problems if "declared in indirect_calls.txt" not in text})
    symbols = run("arm-none-eabi-nm", folder / "firmware/plug/plug.elf")
    init = {name: int(re.search(rf"^([0-9a-f]+) . {name}$", symbols, re.MULTILINE)[1], 16) for name in ("__init_array_start", "__init_array_end")}
    if len(set(init.values())) != 1:
        problems.append("the image has constructors: declare them as callees of reset_handler")
    deepest = next(bounds[title] for title in graph.entry_points() if plain(title) == "reset_handler")
    handlers = max((bounds[title][0] for title in graph.entry_points() if plain(title) != "reset_handler"), default=0)
    total = deepest[0] + INTERRUPT_FRAME + handlers
    addresses = {name: int(re.search(rf"^([0-9a-f]+) . {name}$", symbols, re.MULTILINE)[1], 16) for name in ("__stack_start", "__stack")}
    reserve = addresses["__stack"] - addresses["__stack_start"]
    if reserve < total:
        problems.append(f"the linker script gives {reserve} bytes, {total} may be needed")
    if total > BOUND_MAX:
        problems.append(f"{total} bytes may be needed, {BOUND_MAX} at most are wanted")
    if options.json:
        json.dump({"stack_bound": total}, sys.stdout)
    else:
        readable = demangle(deepest[1])
        for step in deepest[1]:
            print(f"{graph.frames[step]:6} {readable[step]}")
        print(f"{INTERRUPT_FRAME + handlers:6} an interrupt\n{total:6} in all")
    for problem in problems:
        print(f"plug_bound.py: {problem}", file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
