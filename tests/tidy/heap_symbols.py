#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Fails if an archive or image names a function that takes memory from a heap, throws, or guards a hidden static.

usage: heap_symbols.py [--nm PROGRAM] FILE...

In an archive the undefined symbols count (what its objects would pull in), in a linked image every symbol.
"""

import argparse
import re
import subprocess
import sys

HEAP = re.compile(
    r"^(_?malloc(_r)?|_?calloc(_r)?|_?realloc(_r)?|_?free(_r)?|_?sbrk(_r)?|aligned_alloc|posix_memalign|strdup|alloca"
    r"|_Zn[wa]\w*|_Zd[la]\w*"                                  # operator new, delete and their array forms
    r"|__cxa_(throw|rethrow|allocate_exception|begin_catch|guard_acquire|thread_atexit|atexit)|__aeabi_atexit"
    r"|_ZSt\d+__throw_\w+|_Unwind_Resume)$")


def symbols(nm, path):
    """(object, symbol) pairs: the undefined ones of an archive or object, all of an image."""
    listing = subprocess.run([nm, "-A", "-P", path], capture_output=True, text=True, check=True).stdout
    for line in listing.splitlines():
        where, _, rest = line.partition(": ")
        name, kind = rest.split()[:2]
        if kind in "Uw" or not path.endswith((".a", ".o")):
            yield where.rsplit("/", 1)[-1], name.split("@")[0]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--nm", default="nm")
    parser.add_argument("files", nargs="+")
    options = parser.parse_args()
    count = 0
    found = False
    for path in options.files:
        for where, name in symbols(options.nm, path):
            count += 1
            if HEAP.match(name):
                found = True
                print(f"{where}: {name}; lib/ takes all memory from its caller")
    if count == 0:
        print("no symbols read: nothing was checked", file=sys.stderr)
        return 2
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
