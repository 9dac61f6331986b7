#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The plug with TLS-PSK to a real mosquitto: its identity is its address, and the broker's access rules hold it to its own topics.

usage: plug_tls_test.py HOST_BUILD PLUG_IMAGE [--keep] [CASE...]
"""
import os
import secrets
import signal
import sys
import time
import unittest
from pathlib import Path

from plug_board import missing
from plug_case import FRESHNESS_S, SLACK_S, SLOT_SECONDS, PlugCase
from community import START_S, Community, free_port, wait_until

HOST_BUILD, IMAGE = Path(sys.argv.pop(1)).resolve(), Path(sys.argv.pop(1)).resolve()
KEEP = "--keep" in sys.argv and not sys.argv.remove("--keep")


class TlsCommunity(Community):
    """The gateway, on this machine, uses a plain listener; devices have one that asks for their key."""

    def start_broker(self, port=None):
        self.broker_port, self.tls_port = free_port(), free_port()
        (self.folder / "psk").touch(mode=0o600)
        # Who has no name (the gateway) may use all topics here; who has one, its own.
        (self.folder / "access").write_text("topic readwrite wp/v1/#\n\npattern readwrite wp/v1/%u/#\n")
        (self.folder / "access").chmod(0o600)
        user = "user root\n" if os.getuid() == 0 else ""
        (self.folder / "broker.conf").write_text(
            f"per_listener_settings true\n{user}listener {self.broker_port} 127.0.0.1\nallow_anonymous true\n"
            f"listener {self.tls_port} 127.0.0.1\nallow_anonymous true\nuse_identity_as_username true\npsk_hint home\n"
            f"psk_file psk\ntls_version tlsv1.2\nacl_file access\n")
        self.start("broker", ["mosquitto", "-c", "broker.conf"])
        wait_until(lambda: "running" in self.log_text("broker"), START_S, "the broker runs")

    def allow(self, identity, key):
        (self.folder / "psk").write_text(f"{identity}:{key}\n")
        self.processes["broker"].send_signal(signal.SIGHUP)
        time.sleep(0.5)


class Cases(PlugCase):
    image, build, keep = IMAGE, HOST_BUILD, KEEP
    community_class = TlsCommunity
    key = secrets.token_hex(32)

    @classmethod
    def device_port(cls):
        return cls.community.tls_port

    @classmethod
    def settings(cls, output="", broker=""):
        (cls.community.folder / "plug.psk").write_text(cls.key + "\n")
        cls.community.allow(cls.address[2:], cls.key)
        return super().settings(output, 'psk_file = "plug.psk"\n')

    def test_a_takes_part_in_an_epoch_over_tls(self):
        self.assertTrue(all(answer.startswith("ok") for answer in self.answers), self.answers)
        self.wait_closed(60, "slot 0")
        self.wait_open(SLOT_SECONDS + 2, "slot 1")
        self.wait_closed(SLOT_SECONDS + 2, "slot 2")
        status = self.board.status()
        print(f"  stack used {status['stack']} bytes, of the room for TLS {status['room']}")

    def test_b_a_broken_record_costs_a_connection_and_nothing_else(self):
        before = len(self.board.log)
        self.proxy.inject = os.urandom(700)
        self.board.wait_for("link_down", 5, since=before)
        self.board.wait_for("link_up", 15, since=before)
        self.assertTrue(self.board.pins.hold(0, True, 0.5))

    def test_c_a_wrong_key_is_refused_and_leads_to_the_fallback(self):
        self.community.allow(self.address[2:], secrets.token_hex(32))
        before = len(self.board.log)
        self.proxy.cut_now = True
        refused = time.monotonic()
        self.board.wait_for("link_refused", 20, since=before)
        opened = self.wait_open(FRESHNESS_S + 10, "the fallback") - refused
        self.assertLessEqual(opened, FRESHNESS_S + 1 + SLACK_S)
        self.community.allow(self.address[2:], self.key)
        self.wait_closed(30, "the right key again")


if __name__ == "__main__":
    if missing():
        sys.exit(missing())
    unittest.main(argv=[sys.argv[0], *sys.argv[1:]])
