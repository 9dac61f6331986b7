#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes the Debian package of the Linux programs: linux_node, home_gateway, wattproofctl, their units, a udev rule, board
files and contracts. Two runs from one commit make the same bytes, in whatever folder.

usage: deb.py ARCHITECTURE OUTPUT_FOLDER [--build FOLDER]
"""

import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PROGRAMS = ["firmware/linux_node/linux_node", "firmware/home_gateway/home_gateway", "tools/wattproofctl/wattproofctl"]
MACHINES = {"x86_64": "amd64", "aarch64": "arm64"}
MAINTAINER = "The wattproof project <maintainers@wattproof.invalid>"


def version():
    text = (ROOT / "CMakeLists.txt").read_text()
    return re.search(r"project\(wattproof VERSION ([0-9.]+)", text)[1]


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def source_date():
    """The time of the newest commit, which every file of the package gets; where there is no git, that of the licence."""
    if "SOURCE_DATE_EPOCH" in os.environ:
        return int(os.environ["SOURCE_DATE_EPOCH"])
    done = subprocess.run(["git", "-c", "safe.directory=*", "log", "-1", "--format=%ct"], cwd=ROOT, capture_output=True, text=True)
    return int(done.stdout) if done.returncode == 0 and done.stdout.strip() else int((ROOT / "LICENSE").stat().st_mtime)


def run(command, **options):
    return subprocess.run([str(part) for part in command], check=True, **options)


def build(architecture):
    """Builds the programs for a package; returns the build folder."""
    native = MACHINES.get(platform.machine()) == architecture
    folder = ROOT / f"build/image-{architecture}"
    toolchain = [] if native else ["--toolchain", ROOT / "toolchains/aarch64-linux-gnu.cmake"]
    if not native and architecture != "arm64":
        sys.exit(f"this machine builds no package for {architecture}")
    run(["cmake", "-S", ROOT, "-B", folder, "-G", "Ninja", "-D", "CMAKE_BUILD_TYPE=Release", "-D", "CMAKE_C_FLAGS_RELEASE=-O2 -DNDEBUG",
         "-D", "CMAKE_CXX_FLAGS_RELEASE=-O2 -DNDEBUG", "-D", "WATTPROOF_TESTS=OFF", "-D", "WATTPROOF_REPRODUCIBLE=ON", "-D", "WATTPROOF_ARTIFACTS=/usr/share/wattproof/contracts",
         *toolchain], stdout=sys.stderr)
    run(["cmake", "--build", folder, "--target", *(Path(program).name for program in PROGRAMS)], stdout=sys.stderr)
    return folder


def stage(tree, built, architecture):
    """Lays out the package's files."""
    def put(source, target, mode=0o644):
        path = tree / target
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, path)
        path.chmod(mode)

    strip = "strip" if MACHINES.get(platform.machine()) == architecture else "aarch64-linux-gnu-strip"
    for program in PROGRAMS:
        put(built / program, f"usr/bin/{Path(program).name}", 0o755)
        run([strip, "--strip-all", "--remove-section=.comment", "--remove-section=.note.gnu.build-id", tree / "usr/bin" / Path(program).name])
    put(ROOT / "firmware/linux_node/wattproof-node.service", "lib/systemd/system/wattproof-node.service")
    put(ROOT / "firmware/home_gateway/wattproof-gateway.service", "lib/systemd/system/wattproof-gateway.service")
    put(ROOT / "firmware/linux_node/60-wattproof-gpio.rules", "lib/udev/rules.d/60-wattproof-gpio.rules")
    put(ROOT / "packaging/wattproof.sysusers", "usr/lib/sysusers.d/wattproof.conf")
    for board in ("raspberry_pi_4", "raspberry_pi_5", "jetson_nano"):
        for file in sorted((ROOT / "boards" / board).iterdir()):
            put(file, f"usr/share/wattproof/boards/{board}/{file.name}")
    for file in sorted((ROOT / "contracts/artifacts").glob("*.json")):
        put(file, f"usr/share/wattproof/contracts/{file.name}")
    for file in ("README.md", "firmware/linux_node/README.md", "firmware/home_gateway/README.md", "docs/SECURITY.md"):
        put(ROOT / file, f"usr/share/doc/wattproof/{file.replace('/', '_')}")
    put(ROOT / "LICENSE", "usr/share/doc/wattproof/copyright")


def depends(tree, architecture):
    """What dpkg-shlibdeps finds that the programs link."""
    with tempfile.TemporaryDirectory() as folder:
        control = Path(folder) / "debian"
        control.mkdir()
        (control / "control").write_text(f"Source: wattproof\nMaintainer: {MAINTAINER}\n\nPackage: wattproof\nArchitecture: {architecture}\n")
        done = run(["dpkg-shlibdeps", "-O", *(tree / "usr/bin" / Path(program).name for program in PROGRAMS)], cwd=folder, capture_output=True, text=True,
                   env={**os.environ, "DEB_HOST_ARCH": architecture})
    return done.stdout.strip().removeprefix("shlibs:Depends=")


def add_control(tree, architecture):
    folder = tree / "DEBIAN"
    folder.mkdir()
    size = sum(path.stat().st_size for path in tree.rglob("*") if path.is_file()) // 1024
    (folder / "control").write_text(
        f"Package: wattproof\nVersion: {version()}\nArchitecture: {architecture}\nMaintainer: {MAINTAINER}\nInstalled-Size: {size}\n"
        f"Depends: {depends(tree, architecture)}, systemd\nSection: misc\nPriority: optional\n"
        "Description: Energy scheduling by smart contract for devices that switch only on proof\n"
        " linux_node drives a relay or a setpoint by a schedule that it has itself proved to be\n"
        " on the chain; home_gateway carries messages and evidence between devices and a chain;\n"
        " wattproofctl is the operator's command. Nothing is started by installing.\n")
    for name in ("postinst", "prerm", "postrm"):
        shutil.copy(ROOT / f"packaging/debian_scripts/{name}", folder / name)
        (folder / name).chmod(0o755)
    sums = [f"{hashlib.md5(path.read_bytes()).hexdigest()}  {path.relative_to(tree)}\n" for path in sorted(tree.rglob("*"))
            if path.is_file() and "DEBIAN" not in path.parts]
    (folder / "md5sums").write_text("".join(sums))


def make(architecture, output, built=None):
    """Builds and packs; returns the package's path."""
    built = built or build(architecture)
    path = output / f"wattproof_{version()}_{architecture}.deb"
    date = source_date()
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder) / "tree"
        tree.mkdir(mode=0o755)
        stage(tree, Path(built), architecture)
        add_control(tree, architecture)
        for item in [tree, *tree.rglob("*")]:
            if item.is_dir():
                item.chmod(0o755)
            os.utime(item, (date, date))
        run(["dpkg-deb", "--root-owner-group", "-Zxz", "--build", tree, path], stdout=sys.stderr, env={**os.environ, "SOURCE_DATE_EPOCH": str(date)})
    return path


def main():
    arguments = sys.argv[1:]
    built = None
    if "--build" in arguments:
        at = arguments.index("--build")
        built = Path(arguments[at + 1])
        del arguments[at:at + 2]
    if len(arguments) != 2:
        sys.exit(__doc__.split("\n\n")[-1].strip())
    Path(arguments[1]).mkdir(parents=True, exist_ok=True)
    print(make(arguments[0], Path(arguments[1]).resolve(), built))


if __name__ == "__main__":
    main()
