#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""An I2C relay board on the emulated 64-bit ARM board: the real program on the kernel's own I2C, down to the two wires, at
whose other end this test answers as Seeed's board of four relays does. And the stop helper, where no keeper is left.

usage: vm_i2c_test.py ARM_BUILD [CASE...]
"""

import functools
import sys
import tempfile
import unittest
from pathlib import Path

import vm
from i2c_chip import I2cChip

ARM_BUILD = Path(sys.argv.pop(1)).resolve()
BUTTON, SDA, SCL = 1, 6, 7
ADDRESS, REGISTER = 0x20, 6
ON, OTHERS_ON = 0xfe, 0xf7   # a cleared bit closes; the fourth relay is somebody else's
KEEPER_S = 10
PUSH_S = 0.6
LIMIT_S = 90       # of a command: the board's seconds are longer than this machine's, by how much depends on it
BOARD_FILE = vm.ROOT / "boards/raspberry_pi_4/seeed_relay_4ch.toml"

DEVICE = """[device]
id = 1
kind = "fixed"
slots = 24
slot_seconds = 3600
profile_w = 1000
[limits]
min_w = 0
max_w = 2000
[chain]
id = 1337
registry = "0x5fbdb2315678afecb367f032d93f642f64180aa3"
[chain.checkpoint]
number = 0
validators = ["0x1111111111111111111111111111111111111111", "0x2222222222222222222222222222222222222222",
 "0x3333333333333333333333333333333333333333", "0x4444444444444444444444444444444444444444"]
[broker]
host = "127.0.0.1"
anonymous = true
[store]
folder = "/state/store"
"""
OUTPUT = ('[output]\nrelay = "i2c"\nboard = "board.toml"\nrelay_name = "ch1"\n'
          f"rated_w = 1000\non_ms_min = 0\noff_ms_min = 0\nstart_spread_ms_max = 0\nkeeper_deadline_ms = {KEEPER_S * 1000}\n")
PUSH = f'[button]\nchip_label = "{vm.GPIO_LABEL}"\nline = {BUTTON}\nactive_low = false\nduration_s = 600\n'


def watched(test):
    """The far end of the wires is a thread of this test. Where it looked less often than the clock can change, it may have
    misread a byte, and a failure says nothing about the board's program: then the case is skipped and says so."""
    @functools.wraps(test)
    def run(self):
        self.chip.slowest_look_s = 0.0
        try:
            test(self)
        except AssertionError:
            if self.chip.slowest_look_s > vm.WIRE_US / 1e6:
                self.skipTest(f"this machine was too busy to watch the wires: {1000 * self.chip.slowest_look_s:.0f} ms between two looks")
            raise
    return run


class I2cBoard(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = Path(folder.name)
        vm.make_initramfs(cls.folder, [ARM_BUILD / "firmware/linux_node/linux_node", ARM_BUILD / "tools/wattproofctl/wattproofctl"])
        vm.make_disk(cls.folder)
        vm.make_device_tree(cls.folder, SDA, SCL)
        cls.board = vm.Board(cls.folder)
        cls.addClassCleanup(lambda: cls.board.pull_the_plug())
        cls.board.machine.drive(cls.board.chip, BUTTON, False)
        cls.chip = I2cChip(cls.board.machine, cls.board.chip, SDA, SCL, ADDRESS)
        cls.addClassCleanup(cls.chip.stop)
        cls.board.write("/state/board.toml", BOARD_FILE.read_text().replace("/dev/i2c-1", "/dev/i2c-0"))

    def tearDown(self):
        self.chip.is_present = True

    def start_node(self):
        self.board.write("/state/device.toml", DEVICE + OUTPUT + PUSH)
        self.board.run(": > /run/node.log; (vm_node >/dev/null 2>&1 </dev/null &)\nuntil grep -q started /run/node.log; do sleep 0.1; done", LIMIT_S)

    def log(self):
        return self.board.run("cat /run/node.log")

    def wait_written(self, value, what):
        if not self.chip.wait(REGISTER, value, LIMIT_S):
            self.fail(f"{what}: {self.chip.writes}\n{self.log()[-3000:]}")

    @watched
    def test_1_board_check_reads_the_boards_register(self):
        self.chip.registers[REGISTER] = ON
        answer = self.board.run("wattproofctl board check /state/board.toml; echo status $?", LIMIT_S)
        self.assertIn("relay ch1: /dev/i2c-0 0x20, register 0x06, bits 0x01, closed, closes when low", answer)
        self.assertIn("relay ch2: /dev/i2c-0 0x20, register 0x06, bits 0x02, open, closes when low", answer)
        self.assertIn("status 0", answer)
        self.assertEqual([], self.chip.writes, "a check moves nothing")

    @watched
    def test_2_board_check_says_that_a_board_or_its_bus_is_not_there(self):
        self.chip.is_present = False
        answer = self.board.run("wattproofctl board check /state/board.toml; echo status $?", LIMIT_S)
        self.assertIn("problem: ch1: /dev/i2c-0 0x20: read:", answer)
        self.assertIn("nobody answers; check the address switches", answer)
        self.assertIn("status 1", answer)
        answer = self.board.run("sed s/i2c-0/i2c-9/ /state/board.toml > /tmp/b.toml; wattproofctl board check /tmp/b.toml; echo status $?", LIMIT_S)
        self.assertIn("problem: ch1: /dev/i2c-9 0x20: open: No such file or directory: switch the bus on", answer)
        self.board.write("/tmp/absent.toml", DEVICE.replace("/state/store", "/tmp/store1") + OUTPUT.replace("board.toml", "/state/board.toml"))
        answer = self.board.run("linux_node --config /tmp/absent.toml; echo status $?", LIMIT_S)
        self.assertIn("nobody answers", answer)
        self.assertIn("status 1", answer)

    @watched
    def test_3_the_node_moves_its_own_bit_alone_and_its_keeper_opens_it_when_the_node_is_killed(self):
        self.chip.registers[REGISTER] = OTHERS_ON
        self.start_node()
        self.assertEqual(OTHERS_ON, self.chip.registers[REGISTER], "taking the relay leaves the others alone")
        self.board.press(BUTTON, PUSH_S)
        self.wait_written(OTHERS_ON & ON, "a push closes the relay")
        self.board.run("touch /run/stop; kill -KILL $(cat /run/node.pid)", LIMIT_S)
        self.wait_written(OTHERS_ON, "the keeper opens")
        self.board.run("until [ -z \"$(pidof relay-keeper)\" ]; do sleep 0.1; done", LIMIT_S)
        # The stop helper, where a relay was left closed.
        self.chip.registers[REGISTER] = OTHERS_ON & ON
        self.board.run("linux_node --config /state/device.toml --make-safe", LIMIT_S)
        self.assertEqual(OTHERS_ON, self.chip.registers[REGISTER])


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *(f"I2cBoard.{name}" for name in sys.argv[1:])], verbosity=2)
