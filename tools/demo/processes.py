# SPDX-License-Identifier: Apache-2.0
"""Starting, watching and stopping the demonstration's processes, and the clock that they share."""
import json
import os
import shutil
import signal
import socket
import struct
import subprocess
import time


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Processes:
    """Every process that is started here is stopped here, by its id, whatever happens."""

    def __init__(self, folder):
        self.folder, self.running = folder, []

    def start(self, name, command, **options):
        log = open(self.folder / f"{name}.log", "ab")
        process = subprocess.Popen([str(part) for part in command], stdin=subprocess.DEVNULL,
                                   stdout=options.pop("stdout", log), stderr=log, **options)
        log.close()
        self.running.append((name, process))
        return process

    def kill(self, process):
        if process.poll() is None:
            os.kill(process.pid, signal.SIGKILL)
            process.wait()

    def check(self):
        """The name of the first process that has ended by itself, or None."""
        for name, process in self.running:
            if process.poll() is not None and not getattr(process, "may_end", False):
                return name
        return None

    def stop(self):
        for _, process in reversed(self.running):
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        end = time.monotonic() + 10
        for _, process in reversed(self.running):
            try:
                process.wait(max(0.1, end - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.running = []


class ScaledClock:
    """The file that chain and devices take their time from: see hal/sim/scaled_clock.hpp for its 40 bytes."""

    def __init__(self, path, chain_s):
        self.path, self.sequence = path, 0
        self.real_ms, self.chain_ms, self.rate_permille = self._now(), chain_s * 1000, 1000
        with open(path, "wb") as file:
            file.write(self._bytes())

    @staticmethod
    def _now():
        return time.time_ns() // 1_000_000

    def _bytes(self):
        return b"WPCLOCK1" + struct.pack("<QQQQ", self.real_ms, self.chain_ms, self.rate_permille, self.sequence)

    def now_s(self):
        return (self.chain_ms + (self._now() - self.real_ms) * self.rate_permille // 1000) / 1000

    def set_rate(self, rate):
        """Goes on from the present chain time at `rate` chain seconds a second. Readers see the odd sequence and retry."""
        real_ms = self._now()
        self.chain_ms += (real_ms - self.real_ms) * self.rate_permille // 1000
        self.real_ms, self.rate_permille = real_ms, round(rate * 1000)
        for _ in range(2):
            self.sequence += 1
            with open(self.path, "r+b") as file:
                file.seek(32)
                file.write(struct.pack("<Q", self.sequence))
                if self.sequence % 2:
                    file.seek(8)
                    file.write(struct.pack("<QQQ", self.real_ms, self.chain_ms, self.rate_permille))


class RealClock:
    """The clock of a chain that others run too: it cannot be made to go faster."""

    @staticmethod
    def now_s():
        return time.time()

    def set_rate(self, rate):
        pass


class EventFile:
    """New JSON lines of a file that another process appends to."""

    def __init__(self, path):
        self.path, self.offset, self.rest = path, 0, b""

    def read(self):
        try:
            with open(self.path, "rb") as file:
                file.seek(self.offset)
                data = file.read()
        except FileNotFoundError:
            return []
        self.offset += len(data)
        lines = (self.rest + data).split(b"\n")
        self.rest = lines.pop()
        return [json.loads(line) for line in lines if line.strip()]


def start_broker(processes, folder, users):
    """A broker of our own: one user a device, who may use its own topics alone; the gateway may use all devices'."""
    program = shutil.which("mosquitto") or "/usr/sbin/mosquitto"
    port = free_port()
    passwords = folder / "passwords"
    passwords.write_text("".join(f"{name}:{word}\n" for name, word in users.items()))
    passwords.chmod(0o600)
    subprocess.run(["mosquitto_passwd", "-U", str(passwords)], check=True)
    access = folder / "access"
    access.write_text("pattern readwrite wp/v1/%u/#\n\nuser gateway\ntopic readwrite wp/v1/#\n")
    access.chmod(0o600)
    config = folder / "mosquitto.conf"
    config.write_text(f"listener {port} 127.0.0.1\nallow_anonymous false\npassword_file {passwords}\nacl_file {access}\n"
                      f"persistence false\n" + ("user root\n" if os.getuid() == 0 else ""))
    processes.start("broker", [program, "-c", config])
    for _ in range(100):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return port
        time.sleep(0.05)
    raise RuntimeError("the broker does not answer; see broker.log")
