#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What goes away comes back: chain, broker, gateway and a device, in the middle of a negotiation."""

import os
import signal
import socket
import sys
import time
import unittest

from community import Community, day_parameters, mixed_devices, wait_until

BUILD = sys.argv.pop(1)
KEEP = "--keep" in sys.argv


class Outage(unittest.TestCase):
    def setUp(self):
        self.community = Community(BUILD, ["--period", "0.3"], keep=KEEP)
        self.addCleanup(self.community.__exit__)
        self.community.start_chain()
        self.community.start_broker()
        self.community.deploy()
        self.community.add_devices(*mixed_devices())
        self.community.start_gateway()
        self.community.start_devices()
        wait_until(lambda: len(self.community.events("gateway", "checked_in")) >= 5, 60, "all devices have checked in")

    def ended(self, name="gateway"):
        return self.community.events(name, "final") + self.community.events(name, "failed")

    def wait_for_round(self, number):
        wait_until(lambda: self.ended() or any(r["round"] >= number for r in self.community.events("gateway", "round")), 60,
                   f"round {number}")

    def test_everything_goes_away_once_and_the_epoch_still_ends(self):
        community = self.community
        community.open_epoch(day_parameters(), "--tolerance-w", 0, "--enter-seconds", 10, "--round-seconds", 12,
                             "--grace-seconds", 6)
        self.wait_for_round(3)
        community.pause("chain")
        time.sleep(4)
        community.resume("chain")
        self.wait_for_round(6)
        community.stop("broker", signal.SIGKILL)
        time.sleep(2)
        community.start_broker(community.broker_port)
        wait_until(lambda: community.events("gateway", "broker_up")[1:], 30, "the gateway finds the broker again")
        self.wait_for_round(9)
        community.stop("gateway", signal.SIGKILL)
        community.start_gateway()
        community.stop("device3", signal.SIGKILL)
        community.start_device(community.devices[2])
        ended = wait_until(self.ended, 150, "the epoch ends")
        self.assertEqual(ended[0]["event"], "final", ended)
        shown = community.ctl("schedule", "show", "--json", *community.chain_arguments())
        self.assertTrue(shown["aggregate_matches_profiles"])
        self.assertEqual([], community.events("gateway", "event_refused"))

    def test_chain_and_broker_are_away_for_a_minute(self):
        community = self.community
        community.open_epoch(day_parameters(), "--tolerance-w", 0, "--enter-seconds", 10, "--round-seconds", 12,
                             "--grace-seconds", 6)
        self.wait_for_round(2)
        self.assertEqual([], self.ended())
        community.pause("chain")
        community.stop("broker", signal.SIGKILL)
        time.sleep(60)
        others = [name for name in community.processes if name != "broker"]
        self.assertGreaterEqual(len(others), 7)
        for name in others:
            self.assertIsNone(community.processes[name].poll(), f"{name} has stopped:\n{community.log_text(name)[-2000:]}")
        community.resume("chain")
        community.start_broker(community.broker_port)
        ended = wait_until(self.ended, 150, "the epoch ends")
        self.assertEqual(ended[0]["event"], "final", ended)
        shown = community.ctl("schedule", "show", "--json", *community.chain_arguments())
        self.assertTrue(shown["aggregate_matches_profiles"])

    def test_rubbish_on_the_wire_is_counted_and_survived(self):
        community = self.community
        addresses = [device["address"][2:] for device in community.devices]
        rubbish = [b"", b"\x00", b"\xff" * 1024, os.urandom(1024), b"\x9a\x01\x00\x00\x00", b"\x82\x01\x02", b"\x85\x01\x01\x00\x00\x00",
                   b"\x82\x18\x01\x01", b"\x9f\x01\x01\xff", os.urandom(2000)]
        with Publisher(community.broker_port) as publisher:
            for frame in rubbish:
                for topic in (f"wp/v1/{addresses[0]}/up", "wp/v1/xyz/up", "wp/v1/" + "AB" * 20 + "/up"):
                    publisher.publish(topic, frame)
            publisher.publish(f"wp/v1/{addresses[0]}/up", b"\x85\x01\x01\x00\x01\x01", retain=True)
        community.open_epoch(day_parameters(), "--tolerance-w", 20, "--enter-seconds", 10)
        self.wait_for_round(3)
        self.assertIsNone(community.processes["gateway"].poll())
        self.assertIn("refused", community.log_text("gateway"))
        community.stop("gateway")
        end = [event for event in community.events("gateway", "end")][0]
        self.assertGreaterEqual(end["refused_frames"], 6)


class Publisher:
    """Enough of MQTT 3.1.1 to publish with QoS 0."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.sendall(b"\x10\x10\x00\x04MQTT\x04\x02\x00\x3c\x00\x04test")
        if self.socket.recv(4) != b"\x20\x02\x00\x00":
            raise ConnectionError("the broker refuses the test")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.sendall(b"\xe0\x00")
        self.socket.close()

    def publish(self, topic, payload, retain=False):
        body = len(topic).to_bytes(2, "big") + topic.encode() + payload
        size = bytearray()
        rest = len(body)
        while True:
            size.append(rest % 128 | (0x80 if rest >= 128 else 0))
            rest //= 128
            if rest == 0:
                break
        self.socket.sendall(bytes([0x30 | (1 if retain else 0)]) + bytes(size) + body)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0]])
