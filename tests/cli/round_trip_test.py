#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""An epoch from its opening to a final schedule, with real devices, over a real broker and chain."""

import sys
import unittest

from community import Community, day_parameters, mixed_devices, wait_until

BUILD = sys.argv.pop(1)
KEEP = "--keep" in sys.argv


class RoundTrip(unittest.TestCase):
    def test_five_devices_agree_under_a_cap(self):
        with Community(BUILD, ["--period", "0.3"], keep=KEEP) as community:
            community.start_chain()
            community.start_broker()
            community.deploy()
            community.add_devices(*mixed_devices())
            community.start_gateway()
            community.start_devices()
            wait_until(lambda: len(community.events("gateway", "checked_in")) >= 5, 60, "all devices have checked in")
            community.open_epoch(day_parameters(), "--tolerance-w", 20, "--enter-seconds", 10)
            ended = wait_until(lambda: community.events("gateway", "final") + community.events("gateway", "failed"), 120,
                               "the epoch ends")
            self.assertEqual(ended[0]["event"], "final", ended)
            rounds = community.events("gateway", "round")
            self.assertEqual(rounds[-1]["answered"], 5)
            self.assertLessEqual(rounds[-1]["cap_excess_w"], 0)
            self.assertLess(rounds[-1]["round"], 60)
            shown = community.ctl("schedule", "show", "--json", *community.chain_arguments())
            self.assertEqual(shown["status"], "final")
            self.assertTrue(shown["aggregate_matches_profiles"])
            for slot, total in enumerate(shown["aggregate_w"]):
                self.assertEqual(total, sum(device["profile_w"][slot] for device in shown["devices"]))
                self.assertLessEqual(total + shown["base_w"][slot], shown["cap_w"][slot])
            wait_until(lambda: all(community.events(device["name"], "final") for device in community.devices), 30,
                       "every device has proved the schedule")


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0]])
