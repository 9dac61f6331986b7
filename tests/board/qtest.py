# SPDX-License-Identifier: Apache-2.0
"""The pins of an emulated board, seen and driven from outside of it, over two sockets of QEMU: QMP tells of the machine
and changes it, qtest sees every edge of one GPIO block and drives its inputs.

QEMU needs these arguments (`arguments` below gives them):
    -qmp unix:PATH,server=on,wait=off -qtest unix:PATH,server=on,wait=off -qtest-log /dev/null -accel tcg
"""

import json
import queue
import socket
import threading
import time

ANSWER_S = 10
DEVICES_MAX = 80


def arguments(folder):
    """QEMU's arguments for the two sockets, which are in `folder`."""
    return ["-qmp", f"unix:{folder}/qmp.sock,server=on,wait=off", "-qtest", f"unix:{folder}/qtest.sock,server=on,wait=off",
            "-qtest-log", "/dev/null", "-accel", "tcg"]


def connect(path, seconds=ANSWER_S):
    """QEMU makes its sockets a moment after it was started."""
    end = time.monotonic() + seconds
    while True:
        connection = socket.socket(socket.AF_UNIX)
        try:
            connection.connect(str(path))
            return connection
        except (FileNotFoundError, ConnectionRefusedError):
            connection.close()
            if time.monotonic() > end:
                raise
            time.sleep(0.02)


class Qmp:
    """QEMU's machine protocol: one question, one answer; events in between are passed over."""

    def __init__(self, path):
        self.socket = connect(path)
        self.socket.settimeout(ANSWER_S)
        self.lines = self.socket.makefile("rw")
        self.lines.readline()  # the greeting
        self.ask("qmp_capabilities")

    def ask(self, name, **arguments):
        self.lines.write(json.dumps({"execute": name, "arguments": arguments}) + "\n")
        self.lines.flush()
        while True:
            line = self.lines.readline()
            if not line:
                raise ConnectionError("QEMU is gone")
            answer = json.loads(line)
            if "error" in answer:
                raise RuntimeError(f"{name}: {answer['error']['desc']}")
            if "return" in answer:
                return answer["return"]

    def devices(self, prefix):
        """The paths of the machine's devices whose type begins with `prefix`, in the order of the machine."""
        found = []
        for index in range(DEVICES_MAX):
            path = f"/machine/unattached/device[{index}]"
            try:
                if self.ask("qom-get", path=path, property="type").startswith(prefix):
                    found.append(path)
            except RuntimeError:
                break
        return found

    def close(self):
        self.lines.close()
        self.socket.close()


class QTest:
    """The test protocol. A thread takes every line at once: QEMU would stand still if nobody read its edges."""

    def __init__(self, path):
        self.socket = connect(path)
        self.answers = queue.Queue()
        self.edges = queue.Queue()  # (time.monotonic(), line, level)
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        try:
            for line in self.socket.makefile():
                words = line.split()
                if words and words[0] == "IRQ":
                    self.edges.put((time.monotonic(), int(words[2]), words[1] == "raise"))
                else:
                    self.answers.put(line.strip())
        except OSError:
            pass  # QEMU was killed: to a test that is a power cut

    def ask(self, command):
        self.socket.sendall((command + "\n").encode())
        answer = self.answers.get(timeout=ANSWER_S)
        if not answer.startswith("OK"):
            raise RuntimeError(f"qtest {command}: {answer}")
        return answer[2:].strip()

    def close(self):
        self.socket.close()


class Pins:
    """One GPIO block (a PL061): its outputs as they are driven, its inputs as the test drives them."""

    def __init__(self, qtest, path):
        self.qtest = qtest
        self.path = path
        self.levels = {}
        self.history = []  # every edge, in order: (time.monotonic(), line, level)
        qtest.ask(f"irq_intercept_out {path}")

    def drive(self, line, level):
        """Puts an input line to a level, as a button or a contact would."""
        self.qtest.ask(f"set_irq_in {self.path} unnamed-gpio-in {line} {int(level)}")

    def _take(self, seconds):
        edge = self.qtest.edges.get(timeout=seconds) if seconds > 0 else self.qtest.edges.get_nowait()
        self.history.append(edge)
        self.levels[edge[1]] = edge[2]

    def settle(self):
        """Takes in what has happened so far."""
        try:
            while True:
                self._take(0)
        except queue.Empty:
            pass

    def level(self, line):
        """The level that the guest drives on an output; low before its first edge."""
        self.settle()
        return self.levels.get(line, False)

    def wait(self, line, level, seconds, what):
        """Waits until the output has this level and returns when it took it (time.monotonic())."""
        self.settle()
        end = time.monotonic() + seconds
        while self.levels.get(line, False) != level:
            try:
                self._take(max(0.001, end - time.monotonic()))
            except queue.Empty:
                pass
            if time.monotonic() > end and self.levels.get(line, False) != level:
                raise TimeoutError(f"line {line} not {'high' if level else 'low'} within {seconds} s: {what}")
        times = [edge[0] for edge in self.history if edge[1] == line and edge[2] == level]
        return times[-1] if times else time.monotonic()

    def stays(self, line, level, seconds):
        """Whether the output keeps this level for so long."""
        count = len(self.history)
        time.sleep(seconds)
        self.settle()
        moved = [edge for edge in self.history[count:] if edge[1] == line]
        return not moved and self.levels.get(line, False) == level
