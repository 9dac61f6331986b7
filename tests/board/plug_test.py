#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A plug on an emulated board: the real image against a chain, a broker and a gateway outside of it, its relay pin watched from
outside.

usage: plug_test.py HOST_BUILD PLUG_IMAGE [--keep] [CASE...]

The cases share one community and one epoch and run in the order of their names.
"""
import sys
import time
import tomllib
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "cli"))
from plug_board import HOST, RELAY, PlugBoard, plug_line  # noqa: E402
from community import Community, wait_until  # noqa: E402

HOST_BUILD, IMAGE = Path(sys.argv.pop(1)).resolve(), Path(sys.argv.pop(1)).resolve()
KEEP = "--keep" in sys.argv and not sys.argv.remove("--keep")
SLOTS, SLOT_SECONDS = 60, 10
RATED_W = 1000
FRESHNESS_S = 6
# The relay changes with every slot, so that every case sees an edge soon.
DEVICE = {"slots": SLOTS, "slot_seconds": SLOT_SECONDS, "device": {"type": "fixed", "profile_w": [RATED_W, 0] * (SLOTS // 2)}}


def settings(community, id, output="", broker="", chain=f"freshness_s = {FRESHNESS_S}\n"):
    """The document that provisions the plug, made from what wattproofctl gives, as an operator makes it."""
    text = community.ctl("provision", "-", "--url", community.url, "--registry", community.registry, "--id", id, document=DEVICE)
    text = text.replace("[chain]\n", f"[chain]\n{chain}", 1)
    text += (f"[output]\non_ms_min = 0\noff_ms_min = 0\nstart_spread_ms_max = 0\n{output}\n"
             f'[broker]\nhost = "{HOST}"\nport = {community.broker_port}\nanonymous = true\nkeepalive_s = 5\n'
             f"backoff_ms_min = 200\nbackoff_ms_max = 1000\n{broker}\n"
             "[link]\nanswer_ms_max = 1000\npause_ms_min = 300\npause_ms_max = 2000\npoll_ms = 2000\n")
    return plug_line.settings_of(tomllib.loads(text), community.folder)


class Plug(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.community = Community(HOST_BUILD, ["--period", "1"], keep=KEEP)
        cls.addClassCleanup(cls.community.__exit__)
        cls.folder = cls.community.folder / "plug"
        cls.community.start_chain()
        cls.community.start_broker()
        cls.community.deploy()
        cls.switch_on()
        cls.addClassCleanup(lambda: cls.board.pull_the_plug())
        cls.address = cls.board.wait_for("identity", 5)["address"]
        answer = cls.community.ctl("enrol", "-", *cls.community.chain_arguments(key=True),
                                   document={"devices": [{**DEVICE, "address": cls.address}]})
        cls.id = answer["devices"][0]["id"]
        cls.community.start_gateway()
        cls.answers = cls.board.provision(settings(cls.community, cls.id))
        cls.board.wait_for("mode", 30, mode="idle")
        cls.start_s = (int(time.time()) + 20) // SLOT_SECONDS * SLOT_SECONDS
        cls.community.open_epoch({"slot_seconds": SLOT_SECONDS, "price": [80000] * SLOTS, "base_w": 0, "cap_w": 6000, "gamma": 65536},
                                 "--start", cls.start_s, "--tolerance-w", 20, "--enter-seconds", 8)

    @classmethod
    def switch_on(cls):
        cls.board = PlugBoard(cls.folder, IMAGE)

    def wait_for_slot_change(self, level, limit_s=25):
        return self.board.pins.wait(RELAY, level, limit_s)

    def test_a_takes_part_in_an_epoch_and_switches(self):
        self.assertTrue(all(answer.startswith("ok") for answer in self.answers), self.answers)
        self.board.wait_for("mode", 40, mode="following")
        wait_until(lambda: self.community.events("gateway", "final"), 5, "the epoch is final")
        self.assertIsNotNone(self.wait_for_slot_change(True))
        self.assertIsNotNone(self.wait_for_slot_change(False, 12))
        self.assertIsNotNone(self.wait_for_slot_change(True, 12))
        told = self.board.events("relay")[-1]
        self.assertEqual("schedule", told["reason"])
        self.assertGreater(int(told["block"]), 0)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[1:]])
