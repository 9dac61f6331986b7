# SPDX-License-Identifier: Apache-2.0
"""An emulated plug: QEMU's LM3S6965 board (or MPS2) with a plug image, its serial line and its pins. Its flash is the file flash.bin in
its folder, so pulling the power is killing QEMU, and the next board in that folder boots from what was written."""
import queue
import re
import shutil
import socket
import sys
import threading
import time
import zlib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tools/plug"))
import plug_line  # noqa: E402
import qtest  # noqa: E402

RELAY, CONTACT, BUTTON = 0, 1, 1      # PB0, PB1, PF1
FLASH_FAILS = ("prlimit", "--fsize=0:")  # starts_with: no write to flash.bin succeeds until machine.fail_writes(False)
PORT_B_BASE = 0x40005000
PORT_B, PORT_F = 1, 5                 # indices of QEMU's PL061s
LED_DATA = 0x40025000 + (4 << 0)      # GPIODATA of port F, masked to line 0
MPS2_LAMPS = 0x40028000
HOST = "10.0.2.2"                     # this machine, as the plug sees it


def missing():
    """Why no plug can be emulated here, or an empty text."""
    return "" if shutil.which("qemu-system-arm") else "qemu-system-arm is not installed"


class PlugBoard:
    """One power-on of a plug. `log` grows by (host time, line) as the plug writes it."""

    machine_name = "lm3s6965evb"

    def __init__(self, folder, image, options=(), network=True, noise="/dev/urandom", starts_with=()):
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.log, self.answers = folder, [], queue.Queue()
        link = folder / "noise"
        link.unlink(missing_ok=True)
        if noise:
            link.symlink_to(noise)
        (folder / "serial.s").unlink(missing_ok=True)
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(folder / "serial.s"))
        listener.listen(1)
        listener.settimeout(10)
        command = [*starts_with, "qemu-system-arm", "-M", self.machine_name, "-display", "none", "-monitor", "none", "-serial", "unix:serial.s",
                   *self.devices(network), "-semihosting-config", "enable=on,target=native", *options, "-kernel", image]
        self.started = time.monotonic()
        self.machine = qtest.Machine(folder, command)
        self.line, _ = listener.accept()
        listener.close()
        threading.Thread(target=self._read, daemon=True).start()
        self.find_pins()

    def devices(self, network):
        return ["-netdev", "user,id=n0", "-net", "nic,model=stellaris,netdev=n0"] if network else ["-net", "none"]

    def find_pins(self):
        self.pins = self.machine.watch(self.machine.find("pl061", PORT_B))
        self.inputs = self.machine.find("pl061", PORT_F)
        self.press(False)

    def _read(self):
        rest = b""
        while True:
            try:
                data = self.line.recv(4096)
            except OSError:
                data = b""
            if not data:
                return
            *lines, rest = (rest + data).split(b"\n")
            for line in lines:
                text = line.decode(errors="replace").rstrip("\r")
                if re.match(r"@\d+ boot ", text):
                    self._after_reset()
                (self.log.append if text.startswith("@") else self.answers.put)((time.monotonic(), text))

    def _after_reset(self):
        """QEMU's GPIO forgets its inputs in a reset."""
        if hasattr(self, "inputs"):
            try:
                self.press(False)
            except (qtest.Gone, RuntimeError):
                pass

    # ---- what the plug says

    def events(self, name, since=0):
        """Lines of the log that tell of `name`, as dictionaries with the host's time `seen_s` and the plug's `ms`."""
        found = []
        for seen_s, line in self.log[since:]:
            match = re.match(r"@(\d+) (\S+)(.*)", line)
            if match and match[2] == name:
                fields = dict(re.findall(r"(\w+)=(\S+)", match[3]))
                found.append({"seen_s": seen_s, "ms": int(match[1]), "text": match[3].strip(), **fields})
        return found

    def wait_for(self, name, limit_s, since=0, **fields):
        end = time.monotonic() + limit_s
        while time.monotonic() < end:
            found = [event for event in self.events(name, since) if all(event.get(key) == value for key, value in fields.items())]
            if found:
                return found[0]
            time.sleep(0.02)
        raise TimeoutError(f"no {name} {fields} within {limit_s} s; the log ends with {[line for _, line in self.log[-12:]]}")

    # ---- the serial line

    def send(self, data):
        self.line.sendall(data)

    def answer(self, limit_s=15):
        return self.answers.get(timeout=limit_s)[1]

    def command(self, text, limit_s=15):
        while not self.answers.empty():
            self.answers.get()
        self.send(text.encode() + b"\n")
        return self.answer(limit_s)

    def status(self):
        return dict(re.findall(r"(\w+)=(\S+)", self.command("status")))

    def provision(self, document):
        answers = [self.command(f"begin {len(document)} {zlib.crc32(document):08x}")]
        for offset in range(0, len(document), plug_line.DATA_BYTES):
            answers.append(self.command(f"data {offset} {document[offset:offset + plug_line.DATA_BYTES].hex()}"))
        answers.append(self.command("commit"))
        return answers

    # ---- pins

    def is_closed(self):
        """The relay line, from the chip's own registers."""
        return self.machine.qtest.read_u32(PORT_B_BASE + 0x3fc) & self.machine.qtest.read_u32(PORT_B_BASE + 0x400) & 1 << RELAY != 0

    def wait_relay(self, closed, limit_s):
        """The host's time at which the relay line has that level, or None. Looks at the edges and at the chip: QEMU takes the
        outputs back in a reset without telling the lines."""
        end = time.monotonic() + limit_s
        while time.monotonic() < end:
            if self.is_closed() == closed:
                edges = [seen_s for seen_s, line, level in self.pins.poll() if line == RELAY and level == closed]
                return edges[-1] if edges else time.monotonic()
            self.pins.poll(0.02)
        return None

    def press(self, down):
        self.machine.drive(self.inputs, BUTTON, not down)  # active low

    def led(self):
        return self.machine.qtest.read_u32(LED_DATA) != 0

    def pull_the_plug(self):
        self.machine.kill()
        self.line.close()


class Mps2Board(PlugBoard):
    """The second board: two lamps in the place of pins, a serial line in the place of a network, at `link`."""

    machine_name = "mps2-an386"

    def devices(self, network):
        self.link = f"unix:{self.folder / 'link.s'}"
        (self.folder / "link.s").unlink(missing_ok=True)
        return ["-serial", "unix:link.s,server=on,wait=off"]

    def find_pins(self):
        pass

    def is_closed(self):
        return self.machine.qtest.read_u32(MPS2_LAMPS) & 1 != 0

    def wait_relay(self, closed, limit_s):
        end = time.monotonic() + limit_s
        while time.monotonic() < end:
            if self.is_closed() == closed:
                return time.monotonic()
            time.sleep(0.02)
        return None
