#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The plug on a second board, another processor, linked by a serial line: the same firmware, so the same behaviour.

usage: plug_serial_test.py HOST_BUILD PLUG_IMAGE [--keep] [CASE...]
"""
import os
import signal
import socket
import subprocess
import sys
import time
import unittest
from pathlib import Path

from plug_board import ROOT, Mps2Board, missing
from plug_case import FRESHNESS_S, SLACK_S, SLOT_SECONDS, PlugCase

HOST_BUILD, IMAGE = Path(sys.argv.pop(1)).resolve(), Path(sys.argv.pop(1)).resolve()
KEEP = "--keep" in sys.argv and not sys.argv.remove("--keep")


class Cases(PlugCase):
    image, build, keep = IMAGE, HOST_BUILD, KEEP
    board_class = Mps2Board

    @classmethod
    def switch_on(cls):
        super().switch_on()
        address = cls.board.wait_for("identity", 5)["address"]
        cls.start_bridge(address)

    @classmethod
    def start_bridge(cls, address):
        cls.community.start("bridge", [sys.executable, ROOT / "tools/plug/serial_bridge.py", cls.board.link, "--device", address,
                                       "--broker", f"127.0.0.1:{cls.proxy.port}"])

    def test_a_takes_part_in_an_epoch_and_switches_with_the_slots(self):
        self.assertTrue(all(answer.startswith("ok") for answer in self.answers), self.answers)
        self.assertFalse(self.board.is_closed(), "open until a schedule is proved")
        closed = self.wait_closed(60, "slot 0")
        self.assertEqual("schedule", self.board.wait_for("relay", 2, on="1")["reason"])
        opened = self.wait_open(SLOT_SECONDS + 2, "slot 1")
        self.assertAlmostEqual(opened - closed, SLOT_SECONDS, delta=2)
        self.wait_closed(SLOT_SECONDS + 2, "slot 2")

    def test_b_without_a_bridge_the_relay_opens_in_time_and_rubbish_on_the_line_moves_nothing(self):
        self.community.stop("bridge", signal.SIGKILL)
        cut = time.monotonic()
        with socket.socket(socket.AF_UNIX) as line:
            line.connect(self.board.link.removeprefix("unix:"))
            line.sendall(b"\xc0" + os.urandom(6000) + b"\xc0\xdb\xc0\xdb\xdb\xc0")
            opened = self.wait_open(FRESHNESS_S + 10, "the fallback") - cut
        self.assertLessEqual(opened, FRESHNESS_S + 1 + SLACK_S)
        self.start_bridge(self.address)
        self.wait_closed(30, "the bridge is back")
        print(f"  bridge killed: open after {opened:.1f} s, {FRESHNESS_S} s configured")

    def test_c_pulled_power_loses_nothing(self):
        self.community.stop("bridge")
        self.board.pull_the_plug()
        self.switch_on()
        self.assertEqual(self.address, self.board.events("identity")[0]["address"])
        self.wait_closed(30, "its schedule is followed after its own check-in was seen")


if __name__ == "__main__":
    if missing():
        sys.exit(missing())
    unittest.main(argv=[sys.argv[0], *sys.argv[1:]])
