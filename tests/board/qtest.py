# SPDX-License-Identifier: Apache-2.0
"""QEMU seen from outside: its pins, its memory and its controls, while a guest runs.

    machine = Machine(folder, ["qemu-system-arm", "-M", "lm3s6965evb", "-kernel", image])
    pins = machine.watch(machine.find("pl061", 1))        # port B
    pins.wait(0, True, limit_s=5)                         # until the guest drives line 0 high
    machine.drive(machine.find("pl061", 5), 1, False)     # an input pin
    machine.kill()                                        # the power is pulled

Two sockets: QMP (stop, continue, set a link, find a device) and qtest (pins and memory). QEMU must run with -accel tcg,
which Machine adds, or qtest replaces the processor.
"""
import json
import queue
import re
import resource
import socket
import subprocess
import threading
import time

CONNECT_LIMIT_S = 10
REPLY_LIMIT_S = 20
DEVICES_MAX = 160  # of /machine/unattached that are looked at


class Gone(Exception):
    """QEMU has ended, or does not answer."""


def connect(path, limit_s=CONNECT_LIMIT_S):
    end = time.monotonic() + limit_s
    while True:
        link = socket.socket(socket.AF_UNIX)
        try:
            link.connect(str(path))
            return link
        except OSError as error:
            link.close()
            if time.monotonic() > end:
                raise Gone(f"{path}: {error}") from None
            time.sleep(0.01)


class Qmp:
    """QEMU's control socket. One command at a time; events between the replies are skipped."""

    def __init__(self, path):
        self.link = connect(path)
        self.link.settimeout(REPLY_LIMIT_S)
        self.lines = self.link.makefile("r")
        self._read()
        self.execute("qmp_capabilities")

    def _read(self):
        try:
            line = self.lines.readline()
        except OSError as error:
            raise Gone(f"QMP: {error}") from None
        if not line:
            raise Gone("QMP: QEMU has closed it")
        return json.loads(line)

    def execute(self, command, **arguments):
        try:
            self.link.sendall((json.dumps({"execute": command, "arguments": arguments}) + "\n").encode())
        except OSError as error:
            raise Gone(f"QMP: {error}") from None
        while True:
            reply = self._read()
            if "error" in reply:
                raise RuntimeError(f"QMP {command}: {reply['error']['desc']}")
            if "return" in reply:
                return reply["return"]

    def close(self):
        self.lines.close()
        self.link.close()


class QTest:
    """QEMU's test socket. Its reader never rests: QEMU stops once a few hundred edges were not read."""

    def __init__(self, path):
        self.link = connect(path)
        self.replies, self.edges = queue.Queue(), queue.Queue()
        self.mutex = threading.Lock()
        threading.Thread(target=self._drain, daemon=True).start()

    def _drain(self):
        try:
            for line in self.link.makefile("r"):
                word = line.strip()
                (self.edges if word.startswith("IRQ") else self.replies).put((time.monotonic(), word))
        except OSError:
            pass
        self.replies.put((0.0, None))
        self.edges.put((0.0, None))

    def command(self, text):
        """The reply without its leading OK."""
        with self.mutex:
            try:
                self.link.sendall((text + "\n").encode())
                _, reply = self.replies.get(timeout=REPLY_LIMIT_S)
            except (OSError, queue.Empty):
                raise Gone(f"qtest {text}: no answer") from None
        if reply is None:
            raise Gone(f"qtest {text}: QEMU has ended")
        if not reply.startswith("OK"):
            raise RuntimeError(f"qtest {text}: {reply}")
        return reply[2:].strip()

    def read_u32(self, address):
        return int(self.command(f"readl 0x{address:x}"), 16)

    def write_u32(self, address, value):
        self.command(f"writel 0x{address:x} 0x{value:x}")

    def close(self):
        try:
            self.link.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.link.close()


class Pins:
    """The output lines of one device: their levels and every edge with the host's time at which it was seen."""

    def __init__(self, qtest):
        self.qtest, self.levels, self.edges = qtest, {}, []

    def poll(self, limit_s=0.0):
        """Takes in what happened; waits up to `limit_s` for the first edge. Returns the new edges (time, line, level)."""
        new, end = [], time.monotonic() + limit_s
        while True:
            try:
                seen_s, word = self.qtest.edges.get(timeout=max(0.0, end - time.monotonic()) if not new else 0.0)
            except queue.Empty:
                return new
            if word is None:
                self.qtest.edges.put((0.0, None))
                if new:
                    return new
                raise Gone("QEMU has ended")
            match = re.fullmatch(r"IRQ (raise|lower) (\d+)", word)
            if not match:
                continue
            line, level = int(match[2]), match[1] == "raise"
            if self.levels.get(line, False) == level:
                continue
            self.levels[line] = level
            new.append((seen_s, line, level))
            self.edges.append(new[-1])

    def level(self, line):
        self.poll()
        return self.levels.get(line, False)

    def wait(self, line, level, limit_s):
        """The host's time of the edge that brings `line` to `level`; that of the call if it has it already. None: too late."""
        if self.level(line) == level:
            return time.monotonic()
        end = time.monotonic() + limit_s
        while time.monotonic() < end:
            for seen_s, changed, to in self.poll(end - time.monotonic()):
                if changed == line and to == level:
                    return seen_s
        return None

    def hold(self, line, level, for_s):
        """Whether `line` stays at `level` for so long."""
        if self.level(line) != level:
            return False
        end = time.monotonic() + for_s
        while time.monotonic() < end:
            if any(changed == line for _, changed, _ in self.poll(end - time.monotonic())):
                return False
        return True


class Machine:
    """One QEMU with both sockets in `folder`, which also is its working directory."""

    def __init__(self, folder, command, log="qemu.log"):
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        for name in ("qmp.s", "qt.s"):
            (folder / name).unlink(missing_ok=True)
        # Paths of sockets are short by law; the working directory makes them so.
        with open(folder / log, "ab") as output:
            self.process = subprocess.Popen(
                [*map(str, command), "-accel", "tcg", "-qmp", "unix:qmp.s,server=on,wait=off",
                 "-qtest", "unix:qt.s,server=on,wait=off", "-qtest-log", "/dev/null"],
                cwd=folder, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                restore_signals=False)  # Python's: a write past fail_writes()'s limit fails and is no signal
        try:
            self.qmp, self.qtest = Qmp(self._short("qmp.s")), QTest(self._short("qt.s"))
        except Exception:
            self.kill()
            raise

    def _short(self, name):
        return f"/proc/{self.process.pid}/cwd/{name}"

    def find(self, kind, index=0):
        """The path of the index-th device whose QOM type begins with `kind`; for PL061s this is port A, B, ..."""
        for number in range(DEVICES_MAX):
            path = f"/machine/unattached/device[{number}]"
            try:
                found = self.qmp.execute("qom-get", path=path, property="type")
            except RuntimeError:
                continue
            if found.startswith(kind):
                if index == 0:
                    return path
                index -= 1
        raise RuntimeError(f"no device {kind}")

    def watch(self, path):
        """The output lines of one device; QEMU allows one device a run."""
        self.qtest.command(f"irq_intercept_out {path}")
        return Pins(self.qtest)

    def drive(self, path, line, level):
        self.qtest.command(f"set_irq_in {path} unnamed-gpio-in {line} {int(level)}")

    def set_link(self, name, up):
        self.qmp.execute("set_link", name=name, up=up)

    def fail_writes(self, fail):
        """From now on each write of QEMU to a file fails, or none: what it takes for storage is broken. Its sockets are not concerned."""
        hard = resource.prlimit(self.process.pid, resource.RLIMIT_FSIZE)[1]
        resource.prlimit(self.process.pid, resource.RLIMIT_FSIZE, (0 if fail else hard, hard))

    def pause(self):
        self.qmp.execute("stop")

    def go_on(self):
        self.qmp.execute("cont")

    def is_running(self):
        return self.process.poll() is None

    def kill(self):
        """The power is pulled."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        for link in ("qmp", "qtest"):
            if hasattr(self, link):
                getattr(self, link).close()
