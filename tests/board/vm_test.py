#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A device on an emulated 64-bit ARM board: the real program on libgpiod and MQTT, against a chain, a broker and a gateway
outside of it. Its relay line is watched from outside while the network, the process and the power misbehave.

usage: vm_test.py HOST_BUILD ARM_BUILD [--keep] [CASE...]

The cases share one board and one epoch, and run in the order of their names.
"""

import json
import re
import sys
import threading
import time
import unittest
import urllib.request
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "cli"))
import vm  # noqa: E402
from community import Community, wait_until  # noqa: E402

HOST_BUILD, ARM_BUILD = Path(sys.argv.pop(1)).resolve(), Path(sys.argv.pop(1)).resolve()
KEEP = "--keep" in sys.argv and not sys.argv.remove("--keep")
RELAY, SENSE, BUTTON = 5, 2, 1
FRESHNESS_S = 6        # of a head: what the fallback waits for
KEEPER_S = 2           # the relay keeper's deadline
SLOTS, SLOT_SECONDS = 60, 10
RATED_W = 1000
HEADS_S = 4            # the head that the device has then was seen when it was new
LOOK_S = 0.05          # between two looks at the chain's head

DEVICE = {"slots": SLOTS, "slot_seconds": SLOT_SECONDS, "device": {"type": "fixed", "profile_w": [RATED_W] * SLOTS}}


class Heads:
    """When each block of the chain was first seen here: no device can have verified it before it was made."""

    def __init__(self, url):
        self.url, self.seen_s, self.has_ended = url, {}, threading.Event()
        threading.Thread(target=self.watch, daemon=True).start()

    def watch(self):
        question = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "eth_blockNumber", "params": []}).encode()
        while not self.has_ended.wait(LOOK_S):
            request = urllib.request.Request(self.url, question, {"Content-Type": "application/json"})
            asked_s = time.monotonic()
            with urllib.request.urlopen(request, timeout=10) as answer:
                self.seen_s.setdefault(int(json.load(answer)["result"], 16), asked_s)


class VirtualBoard(unittest.TestCase):
    backend = "libgpiod"

    @classmethod
    def setUpClass(cls):
        cls.community = Community(HOST_BUILD, ["--period", "1"], keep=KEEP)
        cls.addClassCleanup(cls.community.__exit__)
        cls.folder = cls.community.folder / "board"
        cls.folder.mkdir()
        vm.make_initramfs(cls.folder, [ARM_BUILD / "firmware/linux_node/linux_node", ARM_BUILD / "tools/wattproofctl/wattproofctl"])
        vm.make_disk(cls.folder)
        cls.community.start_chain()
        cls.community.start_broker()
        cls.community.deploy()
        cls.switch_on()
        cls.addClassCleanup(lambda: cls.board.pull_the_plug())
        cls.provision()
        cls.community.start_gateway()
        cls.start_node()
        cls.community.open_epoch({"slot_seconds": SLOT_SECONDS, "price": [80000] * SLOTS, "base_w": 0, "cap_w": 6000, "gamma": 65536},
                                 "--start", (int(time.time()) + 20) // SLOT_SECONDS * SLOT_SECONDS, "--tolerance-w", 20, "--enter-seconds", 8)

    # ---- the board and what surrounds it

    @classmethod
    def switch_on(cls):
        cls.board = vm.Board(cls.folder)
        cls.pins = cls.board.pins
        cls.board.machine.drive(cls.board.chip, BUTTON, False)

    @classmethod
    def output(cls, more=""):
        return (f'relay = "gpio"\ngpio_backend = "{cls.backend}"\nchip_label = "{vm.GPIO_LABEL}"\nline = {RELAY}\nactive_low = false\n'
                f'rated_w = {RATED_W}\non_ms_min = 0\noff_ms_min = 0\nstart_spread_ms_max = 0\nkeeper_deadline_ms = {KEEPER_S * 1000}\n{more}')

    @classmethod
    def tail(cls, output):
        return (f'[output]\n{output}\n[broker]\nhost = "{vm.HOST}"\nport = {cls.community.broker_port}\nanonymous = true\n'
                f'backoff_ms_min = 200\nbackoff_ms_max = 1000\nkeepalive_s = 5\n[store]\nfolder = "/state/store"\n'
                f'[link]\nanswer_ms_max = 1000\npause_ms_min = 300\npause_ms_max = 1000\npoll_ms = 1000\n'
                f'[button]\nchip_label = "{vm.GPIO_LABEL}"\nline = {BUTTON}\nactive_low = false\nduration_s = 30\n')

    @classmethod
    def provision(cls):
        """The key is made on the board and only its address leaves it."""
        community, board = cls.community, cls.board
        board.write("/state/device.toml", community.head_without_chain(DEVICE) + cls.tail(cls.output()))
        cls.address = board.run("linux_node --config /state/device.toml --print-identity").split()[-1]
        answer = community.ctl("enrol", "-", *community.chain_arguments(key=True),
                               document={"devices": [{**DEVICE, "address": cls.address}]})
        text = community.ctl("provision", "-", "--url", community.url, "--registry", community.registry, "--id",
                             answer["devices"][0]["id"], document=DEVICE)
        cls.provisioned = text.replace("[chain]\n", f"[chain]\nfreshness_s = {FRESHNESS_S}\n")
        board.write("/state/device.toml", cls.provisioned + cls.tail(cls.output()))

    @classmethod
    def start_node(cls):
        cls.board.run("rm -f /run/stop; (vm_node >/dev/null 2>&1 </dev/null &)")

    def stop_node(self):
        self.board.run("touch /run/stop; kill -TERM $(cat /run/node.pid); while [ -e /run/node.pid ]; do sleep 0.1; done")

    def log(self):
        return self.board.run("cat /run/node.log")

    def wait_closed(self, seconds, what):
        at = self.pins.wait(RELAY, True, seconds)
        self.assertIsNotNone(at, f"{what}\n{self.log()[-3000:]}")
        return at

    def wait_open(self, seconds, what):
        at = self.pins.wait(RELAY, False, seconds)
        self.assertIsNotNone(at, f"{what}\n{self.log()[-3000:]}")
        return at

    # ---- the cases

    def test_1_the_relay_stays_open_until_a_schedule_is_proved_and_closes_then(self):
        self.assertFalse(self.pins.level(RELAY))
        closed = self.wait_closed(60, "a schedule is followed")
        text = self.log()
        self.assertIn("reason=schedule", text)
        self.assertLess(text.index("final "), text.index("relay on=true"))
        self.assertEqual([True], [level for _, line, level in self.pins.edges if line == RELAY], "one edge, no click before")
        print(f"  boot {self.board.boot_s:.1f} s; relay closed {closed - self.board.started:.1f} s after power")

    def test_2_without_a_network_the_relay_opens_in_time_and_closes_again_with_it(self):
        heads = Heads(self.community.url)
        self.addCleanup(heads.has_ended.set)
        time.sleep(HEADS_S)
        stale = self.log().count("mode=stale")
        self.board.machine.set_link("net0", False)
        cut = time.monotonic()
        opened = self.wait_open(FRESHNESS_S + 10, "the fallback")
        # Counted from when the last block that it verified was made, which is stricter than from when it was verified. That a second
        # is enough on a busy machine is the check-in's: a head's age is reckoned as if its block had come with the question, which the
        # gateway alone keeps for 0.4 s.
        self.board.run(f"until [ $(grep -c mode=stale /run/node.log) -gt {stale} ]; do sleep 0.1; done")
        last = int(re.findall(r"mode=stale head=(\d+)", self.log())[-1])
        after = opened - heads.seen_s[last]
        print(f"  network cut: open after {opened - cut:.1f} s, {after:.1f} s after the last verified block was made; {FRESHNESS_S} s configured")
        self.assertLessEqual(after, FRESHNESS_S + 1)
        self.board.machine.set_link("net0", True)
        closed = self.wait_closed(30, "the network is back") - opened
        print(f"  network back: closed after {closed:.1f} s")

    def test_3_the_button_wins_for_a_while_and_gives_back(self):
        before = time.monotonic()
        self.board.press(BUTTON, 0.2)
        opened = self.wait_open(5, "a push opens the relay") - before - 0.2
        print(f"  button: open {opened * 1000:.0f} ms after it was let go")
        self.assertLess(opened, 1)
        self.assertTrue(self.pins.hold(RELAY, False, 0.5))
        self.board.press(BUTTON, 3.3)
        closed = self.wait_closed(5, "a long push gives the relay back to the schedule")
        self.assertLess(closed, time.monotonic())
        text = self.log()
        self.assertIn("reason=override_by_person", text)
        self.assertIn("push=long", text)

    def test_4_a_killed_node_lets_go_of_the_relay_at_once(self):
        before = time.monotonic()
        self.board.run("kill -KILL $(cat /run/node.pid)")
        opened = self.wait_open(5, "the keeper opens") - before
        print(f"  SIGKILL: open after {opened * 1000:.0f} ms")
        self.assertLess(opened, 1)
        self.wait_closed(30, "the node was started again, has checked in and follows its stored schedule")

    def test_5_a_frozen_node_is_overruled_by_the_keeper(self):
        before = time.monotonic()
        self.board.run("kill -STOP $(cat /run/node.pid)")
        opened = self.wait_open(KEEPER_S + 3, "the keeper opens") - before
        print(f"  SIGSTOP: open after {opened:.2f} s, {KEEPER_S} s configured")
        self.assertLessEqual(opened, KEEPER_S + 1)
        self.board.run("kill -CONT $(cat /run/node.pid)")
        self.wait_closed(40, "the node goes on")
        self.assertIn("relay_overruled", self.log())

    def test_6_a_stopped_node_opens_its_relay(self):
        before = time.monotonic()
        self.stop_node()
        opened = self.wait_open(5, "the safe state") - before
        print(f"  SIGTERM: open after {opened * 1000:.0f} ms")
        self.assertTrue(self.pins.hold(RELAY, False, 0.5))
        self.assertIn("stopped", self.log())
        self.start_node()
        self.wait_closed(30, "started again")
        # What systemd's ExecStopPost is for: the keeper dies with its node, and the line stays driven.
        self.board.run("touch /run/stop; NODE=$(cat /run/node.pid); kill -KILL $(cat /proc/$NODE/task/$NODE/children) $NODE")
        self.assertTrue(self.pins.hold(RELAY, True, 1.0), "nobody has opened it")
        self.board.run("linux_node --config /state/device.toml --make-safe")
        self.wait_open(2, "the stop helper opens it")
        self.start_node()
        self.wait_closed(30, "and it is taken up again")

    def test_7_the_kernels_own_interface_and_a_contact_that_tells_the_truth(self):
        self.stop_node()
        type(self).backend = "chardev"
        self.board.write("/state/device.toml", self.provisioned + self.tail(self.output(f"sense_line = {SENSE}\nmismatch_pause_ms = 1000\n")))
        self.start_node()
        closed = self.wait_closed(40, "the character device drives the line")
        self.board.machine.drive(self.board.chip, SENSE, True)
        self.assertTrue(self.pins.hold(RELAY, True, 1.0))
        self.board.machine.drive(self.board.chip, SENSE, False)  # the contact falls off
        fallen = time.monotonic()
        opened = self.wait_open(5, "a contact that does not follow leads to the fallback") - fallen
        print(f"  contact fell off: commanded open after {opened:.1f} s")
        self.assertGreater(fallen, closed)
        self.assertIn("relay_mismatch", self.log())
        # A file with the wrong polarity: the contact closes when it is driven to off.
        self.stop_node()
        wrong = self.tail(self.output(f"sense_line = {SENSE}\n")).replace(f"line = {RELAY}\nactive_low = false", f"line = {RELAY}\nactive_low = true")
        self.board.write("/tmp/wrong.toml", self.provisioned + wrong)
        contact = threading.Thread(target=self.follow_the_line, args=(3,))
        contact.start()
        answer = self.board.run("linux_node --config /tmp/wrong.toml; echo status $?")
        contact.join()
        self.assertIn("active_low is wrong", answer)
        self.assertIn("status 3", answer)
        self.assertFalse(self.pins.level(RELAY), "and it is left open")
        contact = threading.Thread(target=self.follow_the_line, args=(3,))
        contact.start()
        self.assertIn("active_low is wrong", self.board.run("linux_node --config /tmp/wrong.toml --make-safe", check=False))
        contact.join()
        self.assertFalse(self.pins.level(RELAY), "the stop helper, which ran after it, leaves it open too")
        self.start_without_sense()

    def follow_the_line(self, seconds):
        """A contact that closes when its line is high."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for _, line, level in self.pins.poll(0.05):
                if line == RELAY:
                    self.board.machine.drive(self.board.chip, SENSE, level)

    def start_without_sense(self):
        type(self).backend = "libgpiod"
        self.board.write("/state/device.toml", self.provisioned + self.tail(self.output()))
        self.start_node()
        self.wait_closed(40, "follows again")

    def test_8_after_a_power_cut_the_board_is_itself_again(self):
        head = int(self.log().split("head=")[-1].split()[0])
        for _ in range(2):  # brown-outs
            self.board.pull_the_plug()
            self.switch_on()
            self.start_node()
            self.board.run("until grep -q started /run/node.log; do sleep 0.1; done")
        self.board.pull_the_plug()
        self.switch_on()
        self.assertFalse(self.pins.level(RELAY))
        self.assertEqual(self.address, self.board.run("linux_node --config /state/device.toml --print-identity").split()[-1])
        self.start_node()
        self.wait_closed(40, "follows again")
        started = next(line for line in self.log().splitlines() if "started " in line)
        print(f"  power cut: head {head} before, restored {started.split('head=')[1]}; boot {self.board.boot_s:.1f} s")
        self.assertGreaterEqual(int(started.split("head=")[1]), head - 10, "the head is not what it was at first")
        self.assertEqual([True], [level for _, line, level in self.pins.edges if line == RELAY], "one edge, no click before")
        self.board.run("kill -KILL $(cat /run/node.pid)")  # the fifth start that does not last
        self.wait_open(5, "the keeper opens")
        self.board.run("for i in 1 2 3 4 5 6 7 8 9; do grep -q safe_mode /run/node.log && break; sleep 0.5; done")
        self.assertIn("safe_mode starts=5", self.log())
        self.assertTrue(self.pins.hold(RELAY, False, 2))
        self.stop_node()  # somebody ends it on purpose, and it counts from the beginning
        self.start_node()
        self.wait_closed(40, "follows again")

    def test_9_a_wrong_label_and_a_busy_line_are_named(self):
        board = self.board
        text = board.run("cat /state/device.toml")
        board.write("/tmp/wrong.toml", text.replace(vm.GPIO_LABEL, "pinctrl-bcm2711").replace("/state/store", "/tmp/store1"))
        answer = board.run("linux_node --config /tmp/wrong.toml", check=False)
        self.assertIn("no GPIO chip with the label pinctrl-bcm2711; there are: gpiochip0 [9030000.pl061]", answer)
        board.write("/tmp/busy.toml", text.replace("/state/store", "/tmp/store2"))
        answer = board.run("linux_node --config /tmp/busy.toml", check=False)
        self.assertIn("busy", answer)
        self.assertIn("used by wattproof", answer)
        self.assertTrue(self.pins.level(RELAY), "the other program's relay is untouched")

        file = f'[relay.main]\nchip_label = "{vm.GPIO_LABEL}"\nline = {RELAY}\nactive_low = false\n'
        board.write("/tmp/board.toml", file + f'[relay.other]\nchip_label = "{vm.GPIO_LABEL}"\nline = 9\nactive_low = false\n')
        answer = board.run("wattproofctl board check /tmp/board.toml; echo status $?")
        self.assertIn(f"chip: /dev/gpiochip0 [{vm.GPIO_LABEL}], lines 0 to 7", answer)
        self.assertIn(f"relay main: {vm.GPIO_LABEL} line {RELAY}, output, used by wattproof, closes when high", answer)
        self.assertIn(f"problem: other: no line 9; {vm.GPIO_LABEL} has 0 to 7", answer)
        self.assertIn("status 1", answer)
        board.write("/tmp/board.toml", file.replace("false", "true"))
        self.assertIn("other polarity", board.run("wattproofctl board check /tmp/board.toml", check=False))


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *(f"VirtualBoard.{name}" for name in sys.argv[1:])], verbosity=2, failfast=True)
