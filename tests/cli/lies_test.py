#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A gateway that lies: rebooted devices, in the middle of a day whose schedule is final, move nothing on what it says."""

import sys
import time
import unittest

from community import Community, day_parameters, wait_until

BUILD = sys.argv.pop(1)
KEEP = "--keep" in sys.argv
SLOT_S = 10
SCHEDULE_RECORD = "record-4"  # lib/node/node.hpp, RecordId
LIE_S = 5

# Each lie with the reasons that devices may give for refusing it; None: there is nothing to refuse.
LIES = {
    "old-head": None,
    "few-seals": {"seal_below_quorum"},
    "doubled-seal": {"seal_below_quorum", "duplicate_signer"},
    "outsider": {"unknown_signer"},
    "forged-node": {"trie_hash_mismatch"},
    "truncated-proof": {"trie_truncated"},
    "other-contract": {"trie_hash_mismatch", "trie_truncated"},
    "other-device": {"trie_hash_mismatch", "trie_truncated", "value_mismatch"},
    "replayed-day": None,
    "silence": None,
}

# Under these a rebooted device cannot even see its own check-in, so that nothing at all may move. Under the others it proves
# that it sees the present, and must then refuse what it is told of its schedule.
HEAD_LIES = {"old-head", "few-seals", "doubled-seal", "outsider", "forged-node", "truncated-proof", "replayed-day", "silence"}


def short_day_devices():
    def of(device):
        return {"slots": 24, "slot_seconds": SLOT_S, "device": device}

    devices = [of({"type": "fixed", "profile_w": [300 + 10 * t for t in range(24)]}),
               of({"type": "curtailable", "min_w": -3000, "max_w": -100}), of({"type": "curtailable", "min_w": 100, "max_w": 2000})]
    return devices, ['relay = "none"\nsetpoint = "log"'] * len(devices)


class Lies(unittest.TestCase):
    def setUp(self):
        self.community = Community(BUILD, ["--period", "0.3"], keep=KEEP)
        self.addCleanup(self.community.__exit__)
        community = self.community
        community.start_chain()
        community.start_broker()
        community.deploy()
        community.add_devices(*short_day_devices())
        community.start_gateway()
        community.start_devices()
        wait_until(lambda: len(community.events("gateway", "checked_in")) >= 3, 60, "all devices have checked in")
        start = (int(time.time()) + 30) // SLOT_S * SLOT_S
        community.open_epoch(day_parameters(cap_w=1000, slot_seconds=SLOT_S), "--tolerance-w", 20, "--enter-seconds", 10,
                             "--start", start)
        wait_until(lambda: community.events("gateway", "final"), 60, "the epoch is final")
        wait_until(lambda: all(self.moves(device) for device in community.devices), 60, "all devices follow the schedule")
        self.shown = community.ctl("schedule", "show", "--json", *community.chain_arguments())

    def moves(self, device):
        """Output changes for which the device claims a verified schedule."""
        return [event for kind in ("relay", "setpoint") for event in self.community.events(device["name"], kind)
                if event["reason"] == "schedule"]

    def check_moves(self, lie):
        """Of the schedule that was proved before the reboot the device may take nothing but the truth."""
        for device, told in zip(self.community.devices, self.shown["devices"]):
            for move in self.moves(device):
                self.assertNotIn(lie, HEAD_LIES)
                self.assertEqual(move["power_w"], told["profile_w"][move["slot"]])

    def restart(self, *options, forgets_schedule=False):
        community = self.community
        for device in community.devices:
            community.stop(device["name"])
            if forgets_schedule:
                (community.folder / f"{device['name']}.state" / SCHEDULE_RECORD).unlink(missing_ok=True)
            (community.folder / f"{device['name']}.events").unlink()
        community.stop("gateway")
        (community.folder / "gateway.events").unlink()
        community.start_gateway(*options)
        community.start_devices()

    def test_nothing_moves_on_a_lie(self):
        community = self.community
        for lie, reasons in LIES.items():
            with self.subTest(lie=lie):
                self.restart("--lie", lie, forgets_schedule=lie not in HEAD_LIES)
                time.sleep(LIE_S)
                self.check_moves(lie)
                for device in community.devices:
                    self.assertIsNone(community.processes[device["name"]].poll())
                refused = {event["error"] for device in community.devices
                           for event in community.events(device["name"], "refused")}
                if reasons:
                    self.assertTrue(refused & reasons, f"{lie}: refused for {refused}")
        self.restart()  # the truth again, with the same devices: so it was the lie that held them
        wait_until(lambda: all(self.moves(device) for device in community.devices), 60, "the truth is followed again")

    def test_a_flood_delays_but_does_not_move(self):
        community = self.community
        self.restart("--lie", "flood")
        time.sleep(LIE_S)
        self.check_moves("flood")


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0]])
