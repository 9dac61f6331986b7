# SPDX-License-Identifier: Apache-2.0
"""An emulated 64-bit ARM board: QEMU's `virt` with Debian's own kernel, a PL061 GPIO chip, a disk and a network, and the
programs of an aarch64 build. Its pins are seen from outside of it; pulling its power is killing QEMU.

toolchains/fetch_vm.sh brings kernel and busybox.
"""

import os
import re
import shutil
import socket
import subprocess
import time
from pathlib import Path

import qtest

ROOT = Path(__file__).resolve().parent.parent.parent
CACHE = Path(os.environ.get("WATTPROOF_VM_CACHE", ROOT / ".cache/vm"))
LIBRARIES = [Path("/lib/aarch64-linux-gnu"), Path("/usr/lib/aarch64-linux-gnu"), Path("/usr/aarch64-linux-gnu/lib")]
GPIO_LABEL = "9030000.pl061"
DISK_MB = 8
HOST = "10.0.2.2"   # this machine, as the board sees it
BOOT_S = 180
MARK = "<<done "


def missing():
    """Why no board can be emulated here, or an empty text."""
    for program in ("qemu-system-aarch64", "mkfs.ext4", "cpio", "dtc"):
        if not shutil.which(program, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin"):
            return f"{program} is not installed"
    if not (CACHE / "modules/i2c-gpio.ko").exists():
        return f"no kernel with I2C in {CACHE}: toolchains/fetch_vm.sh"
    return ""


def needed_libraries(program, readelf="readelf"):
    """The shared libraries that a program of 64-bit ARM needs, with all that they need."""
    found, queue = {}, [program]
    while queue:
        text = subprocess.run([readelf, "-d", queue.pop()], check=True, capture_output=True, text=True).stdout
        for line in text.splitlines():
            if "(NEEDED)" not in line:
                continue
            name = line.split("[")[1].split("]")[0]
            if name in found:
                continue
            places = [folder / name for folder in LIBRARIES if (folder / name).exists()]
            if not places:
                raise FileNotFoundError(f"{program} needs {name}, which is not installed for arm64")
            found[name] = places[0]
            queue.append(places[0])
    return found


def make_initramfs(folder, programs):
    """Puts busybox, the drivers and `programs` with their libraries into folder/initramfs."""
    tree = folder / "tree"
    shutil.rmtree(tree, ignore_errors=True)
    for name in ("bin", "lib", "proc", "sys", "dev", "run", "state", "modules", "tmp"):
        (tree / name).mkdir(parents=True)
    shutil.copy(CACHE / "busybox", tree / "bin/busybox")
    (tree / "bin/sh").symlink_to("busybox")
    for module in (CACHE / "modules").iterdir():
        shutil.copy(module, tree / "modules")
    here = Path(__file__).parent
    shutil.copy(here / "vm_init.sh", tree / "init")
    shutil.copy(here / "vm_node.sh", tree / "bin/vm_node")
    for name in ("init", "bin/vm_node"):
        (tree / name).chmod(0o755)
    for program in programs:
        shutil.copy(program, tree / "bin" / Path(program).name)
        for name, path in needed_libraries(program).items():
            shutil.copy(path, tree / "lib" / name)
    names = subprocess.run(["find", "."], cwd=tree, check=True, capture_output=True).stdout
    with open(folder / "initramfs", "wb") as image:
        subprocess.run(["cpio", "-o", "-H", "newc", "--quiet"], cwd=tree, input=names, stdout=image, check=True)
    shutil.rmtree(tree)


def make_disk(folder):
    """An empty disk that outlives the power."""
    disk = folder / "disk.img"
    disk.unlink(missing_ok=True)
    with open(disk, "wb") as image:
        image.truncate(DISK_MB << 20)
    path = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
    subprocess.run(["mkfs.ext4", "-q", "-F", "-O", "^metadata_csum", disk], check=True, env={**os.environ, "PATH": path})


MACHINE = ["-cpu", "cortex-a57", "-m", "256", "-nographic", "-nodefaults"]
# Half a period of the bus's clock, long enough for this end to see each of its edges. With a bus, the board's time is made of
# instructions, one a nanosecond: however slow this machine is, the board waits as many of them for it.
WIRE_US = 2000
COUNTED = ["-icount", "shift=0,sleep=on"]
GPIO_OPEN_DRAIN = 6


def make_device_tree(folder, sda, scl):
    """The board's own device tree with a two-wire bus on two lines of its GPIO chip, as folder/board.dtb."""
    run = {"cwd": folder, "check": True, "capture_output": True}
    subprocess.run(["qemu-system-aarch64", "-M", "virt,dumpdtb=plain.dtb", *MACHINE], **run)
    text = subprocess.run(["dtc", "-q", "-I", "dtb", "-O", "dts", "plain.dtb"], **run, text=True).stdout
    chip = re.search(r"pl061@9030000 \{\s*phandle = <(0x[0-9a-f]+)>", text)[1]
    text += (f'/ {{ i2c-wires {{ compatible = "i2c-gpio"; sda-gpios = <{chip} {sda} {GPIO_OPEN_DRAIN}>; scl-gpios = <{chip} {scl} 0>;\n'
             f"i2c-gpio,delay-us = <{WIRE_US}>; i2c-gpio,scl-output-only; i2c-gpio,scl-open-drain; #address-cells = <1>; #size-cells = <0>; }}; }};\n")
    subprocess.run(["dtc", "-q", "-I", "dts", "-O", "dtb", "-o", "board.dtb"], cwd=folder, check=True, input=text, text=True)


class Board:
    """One power-on of the board whose folder holds initramfs and disk.img. `pins` are the outputs of its GPIO chip."""

    def __init__(self, folder):
        self.folder = folder
        tree = ["-dtb", "board.dtb", *COUNTED] if (folder / "board.dtb").exists() else []
        (folder / "agent.s").unlink(missing_ok=True)
        self.started = time.monotonic()
        self.machine = qtest.Machine(folder, [
            "qemu-system-aarch64", "-M", "virt", *MACHINE, "-no-reboot", *tree,
            "-serial", "file:console.log", "-kernel", CACHE / "vmlinuz", "-initrd", "initramfs",
            "-append", "console=ttyAMA0 quiet panic=-1",
            "-netdev", "user,id=net0", "-device", "virtio-net-device,netdev=net0",
            "-drive", "file=disk.img,format=raw,if=none,id=disk,cache=writethrough", "-device", "virtio-blk-device,drive=disk",
            "-device", "virtio-serial-device", "-chardev", "socket,id=agent,path=agent.s,server=on,wait=off",
            "-device", "virtserialport,chardev=agent,name=agent"], log="qemu.log")
        self.chip = self.machine.find("pl061")
        self.pins = self.machine.watch(self.chip)
        self.agent = None
        try:
            self._wait_for_agent()
        except Exception:
            self.pull_the_plug()
            raise

    def _wait_for_agent(self):
        self.agent = qtest.connect(f"/proc/{self.machine.process.pid}/cwd/agent.s")
        end = time.monotonic() + BOOT_S
        while True:
            try:
                self.run("true", limit_s=1)
                break
            except TimeoutError:
                if time.monotonic() > end or not self.machine.is_running():
                    console = (self.folder / "console.log").read_text(errors="replace")
                    raise qtest.Gone(f"the board did not boot within {BOOT_S} s\n{console[-2000:]}") from None
        self.boot_s = time.monotonic() - self.started

    def run(self, command, limit_s=20, check=True):
        """Runs a shell command on the board and returns what it printed."""
        self.count = getattr(self, "count", 0) + 1
        mark = f"{MARK}{self.count} "
        # The mark is put together by the board, so that an echo of the command is not taken for its end.
        self.agent.sendall(f"{{ {command}\n}} </dev/null 2>&1; echo; echo '<<do''ne {self.count} '$?\n".encode())
        self.agent.settimeout(limit_s)
        text, end = "", time.monotonic() + limit_s
        while True:
            try:
                piece = self.agent.recv(65536).decode(errors="replace")
            except socket.timeout:
                piece = ""
            if piece == "" or time.monotonic() > end:
                raise TimeoutError(f"the board did not answer: {command}")
            text += piece
            if mark in text and text.split(mark)[1].endswith("\n"):
                break
        output, status = text.split(mark)[0], int(text.split(mark)[1])
        output = output.split(MARK)[-1] if MARK in output else output  # what an earlier, late command left
        if check and status != 0:
            raise RuntimeError(f"{command}: status {status}\n{output}")
        return output.rstrip("\n")

    def write(self, path, text):
        self.run(f"cat > {path} <<'END_OF_FILE'\n{text}\nEND_OF_FILE")

    def press(self, line, seconds):
        """Holds a button that pulls its line high."""
        self.machine.drive(self.chip, line, True)
        time.sleep(seconds)
        self.machine.drive(self.chip, line, False)

    def pull_the_plug(self):
        if self.agent is not None:
            self.agent.close()
        self.machine.kill()
