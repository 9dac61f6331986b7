# SPDX-License-Identifier: Apache-2.0
"""Builds the nodes of real networks from the Go modules that goquorum/ and geth/ pin, and keeps them outside the tree.

A build takes minutes and its result never changes for one pin and one Go, so it is kept in
${XDG_CACHE_HOME:-~/.cache}/wattproof/interop, in a folder named after both."""
import hashlib
import os
import re
import shutil
import subprocess
from pathlib import Path

HERE = Path(__file__).resolve().parent
PACKAGE = "github.com/ethereum/go-ethereum/cmd/geth"
GO_LEAST = (1, 21)        # geth 1.13.15 states it
CHECK_LINKNAME = (1, 23)  # from here on the linker refuses what both nodes' dependencies do, unless it is told not to
BUILD_S_MAX = 14 * 60


class CannotBuild(Exception):
    """There is no Go, or it is too old, or the modules cannot be had: nothing that this checkout could mend."""


def find_go():
    """The go command, or CannotBuild with what is missing."""
    for candidate in (os.environ.get("GO"), shutil.which("go"), "/usr/local/go/bin/go"):
        if candidate and os.access(candidate, os.X_OK):
            done = subprocess.run([candidate, "version"], capture_output=True, text=True, check=False,
                                  env={**os.environ, "GOTOOLCHAIN": "local"})
            found = re.search(r"go(\d+)\.(\d+)", done.stdout)
            if done.returncode == 0 and found:
                version = (int(found[1]), int(found[2]))
                if version < GO_LEAST:
                    raise CannotBuild(f"{candidate} is Go {version[0]}.{version[1]}; the nodes need "
                                      f"{GO_LEAST[0]}.{GO_LEAST[1]} or newer")
                return candidate, version
    raise CannotBuild("no Go toolchain: real nodes are built from Go modules, Go 1.21 or newer (Debian 12 has 1.19)")


def cache_folder():
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "wattproof/interop"


def kept_at(name, version):
    digest = hashlib.sha256(repr(version).encode())
    for part in ("go.mod", "go.sum"):
        digest.update((HERE / name / part).read_bytes())
    return cache_folder() / f"{name}-{digest.hexdigest()[:16]}" / "geth"


def build(name, say):
    """The path of the node `name` (goquorum or geth), built if it is not kept already."""
    go, version = find_go()
    target = kept_at(name, version)
    if target.exists():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    environment = {**os.environ, "GOTOOLCHAIN": "local", "GOFLAGS": "-mod=readonly", "CGO_ENABLED": "1"}
    say(f"{name}: fetching Go modules")
    fetch = subprocess.run([go, "list", "-deps", PACKAGE], cwd=HERE / name, env=environment, stdin=subprocess.DEVNULL,
                           stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False, timeout=BUILD_S_MAX)
    if fetch.returncode != 0:
        raise CannotBuild(f"{name}: its Go modules cannot be had: {fetch.stderr.strip().splitlines()[-1:]}")
    say(f"{name}: building, two to five minutes; kept in {target.parent}")
    fresh = target.with_name(f"geth.{os.getpid()}")
    flags = ["-ldflags=-checklinkname=0"] if version >= CHECK_LINKNAME else []
    made = subprocess.run([go, "build", "-trimpath", *flags, "-o", fresh, PACKAGE], cwd=HERE / name, env=environment,
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=BUILD_S_MAX)
    if made.returncode != 0:
        raise RuntimeError(f"{name}: go build failed:\n{made.stderr[-3000:]}")
    fresh.rename(target)
    return target
