#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A plug on an emulated board: the real image against a chain, a broker and a gateway outside of it, its relay pin watched from
outside.

usage: plug_test.py HOST_BUILD PLUG_IMAGE [--keep] [CASE...]

The cases share one community and one epoch and run in the order of their names.
"""
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import unittest
from pathlib import Path

from plug_board import CONTACT, FLASH_FAILS, PORT_B, RELAY, PlugBoard, missing  # noqa: E402
from plug_case import FRESHNESS_S, SLACK_S, SLOT_SECONDS, PlugCase, wait_until  # noqa: E402

HOST_BUILD, IMAGE = Path(sys.argv.pop(1)).resolve(), Path(sys.argv.pop(1)).resolve()
KEEP = "--keep" in sys.argv and not sys.argv.remove("--keep")
WATCHDOG_S = 8
COUNTED = ("-icount", "shift=5,align=off,sleep=on")  # 31 million instructions a second, as the chip makes about
EDGE_MS_MAX = 1000
EVIDENCE, DATA = (17, 18, 19), 19                    # kinds of frames: header, nodes of a proof, data
FIGURES = os.environ.get("WATTPROOF_FIGURES")        # a file
SYSTICK_CONTROL = 0xe000e010


class Cases(PlugCase):
    image, build, keep = IMAGE, HOST_BUILD, KEEP

    @classmethod
    def keep_flash(cls):
        shutil.copy(cls.folder / "flash.bin", cls.folder / "flash.provisioned")

    def test_a_takes_part_in_an_epoch_and_switches_with_the_slots(self):
        self.assertTrue(all(answer.startswith("ok") for answer in self.answers), self.answers)
        self.assertFalse(self.board.pins.level(RELAY), "open until a schedule is proved")
        closed = self.wait_closed(60, "slot 0")
        told = self.board.wait_for("relay", 2, on="1")
        self.assertEqual("schedule", told["reason"])
        self.assertGreater(int(told["block"]), 0)
        self.assertTrue(self.community.events("gateway", "final"))
        opened = self.wait_open(SLOT_SECONDS + 2, "slot 1")
        self.assertAlmostEqual(opened - closed, SLOT_SECONDS, delta=2)
        self.wait_closed(SLOT_SECONDS + 2, "slot 2")
        self.assertEqual([True, False, True], [level for _, line, level in self.board.pins.edges if line == RELAY], "no other click")
        self.assertTrue(self.board.led(), "lit while following")
        print(f"  stack used {self.board.status()['stack']} bytes")

    def test_b_without_a_network_the_relay_opens_in_time_and_closes_again_with_it(self):
        self.board.machine.set_link("n0", False)
        cut = time.monotonic()
        opened = self.wait_open(FRESHNESS_S + 10, "the fallback") - cut
        self.assertLessEqual(opened, FRESHNESS_S + 1 + SLACK_S)
        self.board.machine.set_link("n0", True)
        closed = self.wait_closed(30, "the network is back") - cut - opened
        print(f"  network cut: open after {opened:.1f} s, {FRESHNESS_S} s configured; closed {closed:.1f} s after it was back")

    def test_c_a_packet_of_256_megabytes_costs_a_connection_and_nothing_else(self):
        for what, data in (("256 MB", b"\x30\xff\xff\xff\x7f" + b"x" * 3000), ("no length at all", b"\x30" + b"\xff" * 600),
                           ("4 kB for our topic", b"\x30\x80\x20" + b"y" * 1000)):
            before, connections = len(self.board.log), self.proxy.connections
            self.proxy.inject = data
            ended = self.board.wait_for("link_down", 5, since=before)
            self.assertIn("too large", ended["text"], what)
            self.board.wait_for("link_up", 5, since=before)
            self.assertGreater(self.proxy.connections, connections)
            self.assertTrue(self.board.pins.level(RELAY), what)

    def test_d_rubbish_in_frames_is_counted_and_moves_nothing(self):
        before = len(self.board.log)
        topic = f"wp/v1/{self.address[2:]}/down"
        for payload in (b"", b"\x00", os.urandom(64), os.urandom(1024), b"z" * 1500):
            self.proxy.inject = packet(topic, payload)
            time.sleep(0.15)
        self.board.wait_for("refused", 5, since=before)
        self.assertTrue(self.board.pins.hold(RELAY, True, 0.5))
        self.board.machine.qtest.command("readl 0x20000000")

    def test_e_a_broker_that_is_paused_or_killed_comes_back(self):
        self.community.pause("broker")
        paused = time.monotonic()
        opened = self.wait_open(FRESHNESS_S + 10, "the fallback") - paused
        self.assertLessEqual(opened, FRESHNESS_S + 1 + SLACK_S)
        self.community.resume("broker")
        self.wait_closed(30, "the broker goes on")
        self.community.stop("broker", signal.SIGKILL)
        killed = time.monotonic()
        opened = self.wait_open(FRESHNESS_S + 10, "the fallback") - killed
        self.assertLessEqual(opened, FRESHNESS_S + 1 + SLACK_S)
        self.community.start_broker(self.community.broker_port)
        self.wait_closed(30, "the broker is back")

    def test_f_the_button_wins_for_a_while_and_gives_back(self):
        before = len(self.board.log)
        self.board.press(True)
        time.sleep(0.2)
        released = time.monotonic()
        self.board.press(False)
        opened = self.wait_open(5, "a short press opens the relay") - released
        self.assertLess(opened, 1)
        self.assertEqual("override", self.board.wait_for("relay", 2, since=before, on="0")["reason"])
        self.assertTrue(self.board.pins.hold(RELAY, False, 1.0))
        self.board.press(True)
        self.wait_closed(4, "a long press gives the relay back while it is held")
        self.board.press(False)
        self.assertTrue(self.board.pins.hold(RELAY, True, 0.5))
        print(f"  button: open {opened * 1000:.0f} ms after it was let go")

    def test_g_settings_that_break_off_or_are_wrong_change_nothing(self):
        board = self.board
        board.command("begin 300 12345678")
        board.command("data 0 " + "00" * 64)
        board.send(b"data 64 0011223")  # the line is cut here
        self.assertEqual("error truncated", board.answer(5))
        self.assertEqual("error truncated", board.command("commit"))
        self.assertEqual("error not_ready", board.command("commit"))
        self.assertEqual("error too_large", board.command("begin 999999 12345678"))
        self.assertEqual("error too_large", board.command("x" * 500))
        self.assertEqual("error unknown_kind", board.command("open sesame"))
        board.command("begin 3 00000000")
        self.assertEqual("error unexpected", board.command("data 1 00"))
        self.assertEqual("error too_large", board.command("data 0 00000000"))
        board.command("data 0 000000")
        self.assertEqual("error record_corrupt", board.command("commit"))
        self.assertEqual("running", board.status()["life"])
        self.assertTrue(board.pins.hold(RELAY, True, 0.3))
        # Whole, with a right checksum, and still nothing that a plug can live on: the old settings stay.
        before = len(board.log)
        self.assertTrue(board.provision(bytes.fromhex("8101"))[-1].startswith("error"))
        board.wait_for("started", 5, since=before)
        self.wait_closed(30, "the old settings are there after the reset")

    def test_h_pulled_power_loses_nothing(self):
        self.board.pull_the_plug()
        time.sleep(0.2)
        self.switch_on()
        self.assertFalse(self.board.pins.level(RELAY), "open at once")
        self.assertEqual(self.address, self.board.wait_for("identity", 5)["address"])
        self.assertEqual("power", self.board.events("boot")[0]["cause"])
        self.wait_closed(30, "its schedule is followed after its own check-in was seen")
        self.assertEqual([True], [level for _, line, level in self.board.pins.edges if line == RELAY])

    def test_i_a_clock_that_stops_ends_in_the_watchdog(self):
        before = len(self.board.log)
        self.board.machine.qtest.write_u32(SYSTICK_CONTROL, 0)
        stopped = time.monotonic()
        opened = self.wait_open(WATCHDOG_S + 4, "the watchdog") - stopped
        self.assertLessEqual(opened, WATCHDOG_S + SLACK_S)
        self.assertEqual("watchdog", self.board.wait_for("boot", 5, since=before)["cause"])
        self.wait_closed(30, "and the plug goes on")
        print(f"  clock stopped: open after {opened:.1f} s")

    def test_j_a_contact_that_does_not_follow_leads_to_the_fallback(self):
        before = len(self.board.log)
        port_b = self.board.machine.find("pl061", PORT_B)
        self.assertTrue(self.board.provision(self.settings("contact = true\n"))[-1].startswith("ok"))
        self.board.wait_for("mode", 30, since=before, mode="following")
        self.wait_closed(10, "new settings")
        self.board.machine.drive(port_b, CONTACT, True)
        self.assertTrue(self.board.pins.hold(RELAY, True, 2.5))
        self.board.machine.drive(port_b, CONTACT, False)  # the contact falls off
        fallen = time.monotonic()
        opened = self.wait_open(6, "the mismatch") - fallen
        print(f"  contact fell off: commanded open after {opened:.1f} s")
        self.assertLessEqual(opened, 2 + 2 + SLACK_S)

    def test_k_a_verified_instruction_moves_the_relay_within_a_second_of_emulated_time(self):
        """From the last piece of evidence, before it is handed to the plug, to the edge of the relay line, after it was seen: both
        by the plug's own clock, which counts instructions here. So what is measured is never less than what it stands for."""
        time.sleep(max(0.0, self.start_s + 2 * SLOT_SECONDS + 1 - time.time()))  # slot 2, and from it on: closed
        whole, kept = self.measure_edge(knows_schedule=False), self.measure_edge(knows_schedule=True)
        print(f"  last evidence to relay edge: {whole} ms of emulated time for a new schedule, {kept} ms for one on record")
        if FIGURES:
            Path(FIGURES).write_text(json.dumps({"edge_ms_max": max(whole, kept)}))
        self.assertLessEqual(max(whole, kept), EDGE_MS_MAX)

    def measure_edge(self, knows_schedule):
        """One boot of a plug whose schedule is due already: it has to prove all of the epoch, or the head and its check-in alone."""
        self.board.pull_the_plug()
        if not knows_schedule:
            shutil.copy(self.folder / "flash.provisioned", self.folder / "flash.bin")
        handed = []
        type(self).board = PlugBoard(self.folder, IMAGE, COUNTED)
        clock = int(re.search(r"^([0-9a-f]+) .*board.*tick_msE?$", output_of("arm-none-eabi-nm", IMAGE), re.MULTILINE)[1], 16)
        now_ms = lambda: self.board.machine.qtest.read_u32(clock)  # noqa: E731
        stream = DownStream(lambda kind: handed.append((time.monotonic(), now_ms(), kind)))
        self.proxy.on_down = stream.take
        try:
            edge_s, edge_ms = self.wait_edge(now_ms, 60)
        finally:
            self.proxy.on_down = lambda data: None
        before = [(ms, kind) for seen_s, ms, kind in handed if seen_s < edge_s and kind in EVIDENCE]
        self.assertTrue(before, "evidence came before the edge")
        if not knows_schedule:
            self.assertEqual(DATA, before[-1][1], "the device's own record is the last piece")
        told = self.board.wait_for("relay", 2, on="1")
        self.assertEqual("schedule", told["reason"])
        self.assertLessEqual(told["ms"], edge_ms)
        return edge_ms - before[-1][0]

    def wait_edge(self, now_ms, limit_s):
        end = time.monotonic() + limit_s
        while time.monotonic() < end:
            for seen_s, line, level in self.board.pins.poll(0.5):
                if line == RELAY and level:
                    return seen_s, now_ms()
        self.fail("no edge\n" + self.tail_of_log())


    def test_l_a_flash_that_begins_to_fail_costs_an_answer_and_comes_back_by_itself(self):
        self.wait_closed(60, "a schedule is followed")
        before, told = len(self.board.log), len(self.community.events("gateway"))
        self.board.machine.fail_writes(True)
        start_s = (int(time.time()) + 20 + SLOT_SECONDS - 1) // SLOT_SECONDS * SLOT_SECONDS
        epoch = self.open_epoch(start_s)
        self.assertEqual("storage_failed", self.board.wait_for("store_failed", 20, since=before)["error"])
        self.assertEqual("storage_failed", self.board.wait_for("refused", 5, since=before)["error"])
        wait_until(lambda: self.told_on_link(told, "storage_failed"), 5, "the gateway is told")
        self.assertTrue(self.board.pins.hold(RELAY, True, 2), "what was proved and stored before is followed on")
        self.assertEqual([], self.finals(epoch), "an answer that is not on record is not given")
        self.board.machine.fail_writes(False)
        wait_until(lambda: self.finals(epoch), 30, "the flash works and the answer is given")
        wait_until(lambda: self.board.status()["epoch"] == str(epoch), 40, "the new schedule is stored and followed")
        # Power comes back to a flash that fails: without its boot on record the plug proves nothing and closes nothing.
        self.board.pull_the_plug()
        type(self).board = PlugBoard(self.folder, IMAGE, starts_with=FLASH_FAILS)
        self.assertEqual("storage_failed", self.board.wait_for("store_failed", 10)["error"])
        self.board.wait_for("link_up", 20)
        self.assertTrue(self.board.pins.hold(RELAY, False, 3))
        self.assertEqual("starting", self.board.status()["mode"])
        self.board.machine.fail_writes(False)
        self.wait_closed(40, "and goes on when it works")

    def told_on_link(self, since, error):
        return any(event["event"] == "device_status" and event["last_error"] == error for event in self.community.events("gateway")[since:])

    def finals(self, epoch):
        return [event for event in self.community.events("gateway", "final") if event["epoch"] == epoch]


class DownStream:
    """Cuts what a broker sends into packets and tells of each frame for the device, by its kind, as soon as it is whole."""

    def __init__(self, tell):
        self.tell, self.rest = tell, b""

    def take(self, data):
        self.rest += data
        while len(self.rest) >= 2:
            length, at = 0, 1
            while True:
                if at == len(self.rest):
                    return
                length |= (self.rest[at] & 127) << 7 * (at - 1)
                at += 1
                if self.rest[at - 1] < 128:
                    break
            if len(self.rest) < at + length:
                return
            whole, self.rest, is_publish = self.rest[at:at + length], self.rest[at + length:], self.rest[0] >> 4 == 3
            if is_publish:
                payload = whole[2 + int.from_bytes(whole[:2], "big"):]
                if len(payload) > 2:
                    self.tell(payload[2])


def output_of(*command):
    return subprocess.run(list(map(str, command)), capture_output=True, text=True, check=True).stdout


def packet(topic, payload):
    """An MQTT publish."""
    body = len(topic).to_bytes(2, "big") + topic.encode() + payload
    length = len(body)
    head = b""
    while True:
        head += bytes([length & 127 | (128 if length > 127 else 0)])
        length >>= 7
        if not length:
            return b"\x30" + head + body


class Alone(unittest.TestCase):
    """What needs no community."""

    def board(self, name, **options):
        import tempfile
        folder = Path(tempfile.mkdtemp(prefix="wattproof-plug-"))
        self.addCleanup(subprocess.run, ["rm", "-rf", folder], check=True)
        if name == "broken_flash":
            (folder / "flash.bin").mkdir()
        board = PlugBoard(folder, IMAGE, network=False, **options)
        self.addCleanup(board.pull_the_plug)
        return board

    def test_without_healthy_noise_there_is_no_key_and_no_relay(self):
        for noise in ("/dev/zero", None):
            board = self.board("noise", noise=noise)
            self.assertEqual("entropy_failed", board.wait_for("refused", 5)["error"])
            self.assertEqual("safe", board.status()["life"])
            self.assertFalse(board.pins.level(RELAY))

    def test_a_flash_that_fails_is_told_and_the_relay_stays_open(self):
        board = self.board("broken_flash")
        self.assertEqual("storage_failed", board.wait_for("refused", 5)["error"])
        self.assertEqual("safe", board.status()["life"])

    def test_two_plugs_of_one_image_have_two_keys_and_forget_them_when_told(self):
        first, second = self.board("first"), self.board("second")
        addresses = {board.wait_for("identity", 5)["address"] for board in (first, second)}
        self.assertEqual(2, len(addresses))
        self.assertEqual("unprovisioned", first.status()["life"])
        before = len(first.log)
        self.assertEqual("ok", first.command("forget everything"))
        self.assertNotIn(first.wait_for("identity", 5, since=before)["address"], addresses)


if __name__ == "__main__":
    if missing():
        sys.exit(missing())
    unittest.main(argv=[sys.argv[0], *sys.argv[1:]])
