#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Bounds the stack of every entry point of lib/ on a Cortex-M4, from the compiler's own call graph.

GCC writes each function's frame and callees (-fcallgraph-info=su). The bound of a function is its frame plus the deepest
of its callees. Anything that the graph cannot bound is an error, never a silence: a call through a pointer whose targets
are not declared in indirect_calls.txt, recursion, a frame of variable size, a function without a size.

One function may stand for several in the list, where layers call themselves by the same names: `write@tls.cpp = ...` is `write` as it is
called from tls.cpp (or from a function of that name), and `-close` among its targets a direct call that it does not make there.

usage: bound.py [--build FOLDER] [--json]
"""

import argparse
import json
import re
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]

NODE = re.compile(r'^node: \{ title: "([^"]+)" label: "([^"]*)"')
EDGE = re.compile(r'^edge: \{ sourcename: "([^"]+)" targetname: "([^"]+)"(?: label: "(?:[^"]*/)?([^":]+):)?')
FRAME = re.compile(r"\\n(\d+) bytes \(([^)]*)\)")
INDIRECT = "__indirect_call"


class Graph:
    """Frames and calls of a whole build, and what could not be bounded."""

    def __init__(self):
        self.frames = {}
        self.calls = {}
        self.sites = {}  # (caller, callee): the files of the calls
        self.dynamic = set()
        self.problems = []

    def read(self, path):
        for line in path.read_text(errors="replace").splitlines():
            node, edge = NODE.match(line), EDGE.match(line)
            if node:
                frame = FRAME.search(node[2])
                if frame:
                    self.frames[node[1]] = int(frame[1])
                    if "dynamic" in frame[2] and "bounded" not in frame[2]:
                        self.dynamic.add(node[1])
            elif edge:
                self.calls.setdefault(edge[1], set()).add(edge[2])
                self.sites.setdefault((edge[1], edge[2]), set()).add(edge[3])

    def declare(self, indirect, sizes):
        """Puts declared callees in the place of calls through pointers, and declared sizes to library functions."""
        for name, size in sizes.items():
            self.frames.setdefault(name, size)
        # A constructor or destructor has two names for one body; the graph has a frame for one of them.
        for callees in self.calls.values():
            for callee in [callee for callee in callees if callee not in self.frames]:
                twin = re.sub(r"([CD])1(E\w*)$", r"\g<1>2\2", callee)
                if twin in self.frames:
                    callees.remove(callee)
                    callees.add(twin)
        for name in indirect:
            if "@" in name:
                self.split(name, {target[1:] for target in indirect[name] if target.startswith("-")})
        callers = [caller for caller, callees in self.calls.items() if INDIRECT in callees]
        for caller in callers:
            if plain(caller) in indirect:
                self.calls[caller].remove(INDIRECT)
                self.calls[caller].update(self.find(target) for target in indirect[plain(caller)] if not target.startswith("-"))
        for name in {name for name in indirect if "@" not in name} - set(map(plain, callers)):
            self.problems.append(f"{name}: declared in indirect_calls.txt, but calls through no pointer")

    def split(self, declared, left_out):
        """Gives the calls from one place to a function a copy of that function, whose own calls may be other ones."""
        name, _, place = declared.partition("@")
        title = self.find(name)
        copy = f"{title}@{place}"
        callers = [caller for caller, callees in self.calls.items()
                   if title in callees and (plain(caller) == place or place in self.sites.get((caller, title), ()))]
        if not callers or title not in self.frames:
            self.problems.append(f"{declared}: declared in indirect_calls.txt, but not called from there")
            return
        self.frames[copy] = self.frames[title]
        if title in self.dynamic:
            self.dynamic.add(copy)
        self.calls[copy] = {callee for callee in self.calls.get(title, ()) if plain(callee) not in left_out}
        self.sites.update({(copy, callee): self.sites[title, callee] for callee in self.calls[copy] if (title, callee) in self.sites})
        for caller in callers:
            self.calls[caller].add(copy)
            if plain(caller) == place or self.sites[caller, title] == {place}:
                self.calls[caller].remove(title)

    def examine(self, name):
        """Notes what keeps a reached function from having a bound."""
        if name not in self.frames and name != INDIRECT:
            self.problems.append(f"{name}: no size; declare it in library_frames.txt")
        if name in self.dynamic:
            self.problems.append(f"{name}: frame of variable size")
        if INDIRECT in self.calls.get(name, ()):
            self.problems.append(f"{name}: calls through a pointer; declare its targets in indirect_calls.txt")

    def find(self, name):
        """The title of a function by its plain name; a static one carries its file in front."""
        return next((title for title in self.frames if plain(title) == name), name)

    def entry_points(self):
        """Functions of lib/ that nothing in lib/ calls: what a program outside calls."""
        called = set().union(*self.calls.values())
        return sorted(name for name in self.frames if name not in called and ":" not in name and "wattproof" in name)

    def bounds(self):
        """Bytes and deepest path of all that the entry points reach, by a depth-first walk that keeps its own stack."""
        done, active = {}, set()
        for start in self.entry_points():
            pending = [(start, False)]
            while pending:
                name, finished = pending.pop()
                callees = sorted(self.calls.get(name, ()))
                if finished:
                    active.discard(name)
                    deepest = max((done.get(callee, (0, ())) for callee in callees), default=(0, ()))
                    done[name] = (self.frames.get(name, 0) + deepest[0], (name, *deepest[1]))
                elif name in active:
                    self.problems.append(f"{name}: recursion")
                elif name not in done:
                    self.examine(name)
                    active.add(name)
                    pending.append((name, True))
                    pending.extend((callee, False) for callee in callees)
        return done


def plain(title):
    """A mangled name without the file that GCC puts before static functions, and without clone suffixes."""
    return re.sub(r"\.(isra|part|constprop|cold|lto_priv)\.?\d*", "", title.rsplit(":", 1)[-1])


def declarations(path):
    """Lines `name = value value ...`; # begins a comment."""
    for line in path.read_text().splitlines():
        name, _, values = line.partition("#")[0].partition("=")
        if name.strip():
            yield name.strip(), values.split()


def demangle(names):
    plain_names = "\n".join(map(plain, names))
    done = subprocess.run(["c++filt", "-p"], input=plain_names, capture_output=True, text=True, check=True)
    return dict(zip(names, done.stdout.splitlines()))


def build(folder):
    flags = "-fstack-usage -fcallgraph-info=su"
    for command in (["cmake", "--preset", "cortex-m4", "-B", folder, "-D", f"CMAKE_C_FLAGS_MINSIZEREL=-Os -DNDEBUG {flags}",
                     "-D", f"CMAKE_CXX_FLAGS_MINSIZEREL=-Os -DNDEBUG {flags}", "-D", "CMAKE_C_COMPILER_LAUNCHER=",
                     "-D", "CMAKE_CXX_COMPILER_LAUNCHER="],
                    ["cmake", "--build", folder, "--target", "wattproof", "wattproof_secp256k1", "wattproof_mbedcrypto"]):
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit(done.stdout + done.stderr)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", default=str(ROOT / "build" / "cortex-m4-stack"))
    parser.add_argument("--json", action="store_true", help="print {function: bytes} of the entry points alone")
    options = parser.parse_args()
    build(options.build)
    graph = Graph()
    files = sorted(Path(options.build, "lib").rglob("*.ci"))
    if not files:
        sys.exit(f"no call graphs in {options.build}")
    for path in files:
        graph.read(path)
    graph.declare(dict(declarations(HERE / "indirect_calls.txt")),
                  {name: int(values[0]) for name, values in declarations(HERE / "library_frames.txt")})
    bounds = graph.bounds()
    roots = {name: bounds[name] for name in graph.entry_points()}
    readable = demangle(sorted({step for _, path in roots.values() for step in path}))
    if options.json:
        json.dump({readable[name]: size for name, (size, _) in roots.items()}, sys.stdout, indent=1)
    else:
        for name, (size, path) in sorted(roots.items(), key=lambda item: -item[1][0]):
            print(f"{size:6} {readable[name]}")
        deepest = max(roots.values())
        print("\ndeepest path:")
        for step in deepest[1]:
            print(f"{graph.frames[step]:6} {readable[step]}")
    for problem in sorted(set(graph.problems)):
        print(f"bound.py: {problem}", file=sys.stderr)
    return 1 if graph.problems else 0


if __name__ == "__main__":
    sys.exit(main())
