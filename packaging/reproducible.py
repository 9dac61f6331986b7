#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Builds what is put on a board twice, from two copies of the newest commit in two folders, and compares the bytes.

usage: reproducible.py [BOARD...]      default: lm3s6965evb amd64; about 1 minute for a plug, 5 for a package
"""

import hashlib
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DEFAULT = ["lm3s6965evb", "amd64"]
GIT = ["git", "-c", "safe.directory=*"]


def build(folder, board, commit, date):
    """Builds in a fresh copy; returns the checksum of every file that was made, by its name."""
    folder.mkdir(parents=True)
    archive = subprocess.run([*GIT, "archive", commit], cwd=ROOT, check=True, capture_output=True).stdout
    subprocess.run(["tar", "-x"], cwd=folder, input=archive, check=True)
    (folder / ".cache").symlink_to(ROOT / ".cache")
    environment = {**os.environ, "SOURCE_DATE_EPOCH": date, "CCACHE_DISABLE": "1"}
    done = subprocess.run([sys.executable, "tools/image/make_image.py", board], cwd=folder, capture_output=True, text=True, env=environment)
    if done.returncode != 0:
        sys.exit(f"{board} cannot be built\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    made = [path for path in sorted((folder / "build/image").rglob("*")) if path.is_file() and path.suffix != ".elf"]
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in made}


def main():
    different = []
    # Asked once: the checkout may move on while this runs.
    head = subprocess.run([*GIT, "log", "-1", "--format=%H %ct"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    commit, date = head.split()
    for board in sys.argv[1:] or DEFAULT:
        begin = time.monotonic()
        with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
            first = build(Path(one) / "a", board, commit, date)
            second = build(Path(other) / "a/deeper/folder", board, commit, date)
        if not first:
            sys.exit(f"{board}: nothing was made")
        for name, checksum in first.items():
            same = second.get(name) == checksum
            print(f"{board}: {name} {checksum} {'twice' if same else 'DIFFERS'} ({time.monotonic() - begin:.0f} s)", flush=True)
            if not same:
                different.append(name)
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
