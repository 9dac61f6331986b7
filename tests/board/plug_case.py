# SPDX-License-Identifier: Apache-2.0
"""What the cases of every plug image share: the community around one emulated plug, and how its relay is waited for."""
import sys
import time
import tomllib
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "cli"))
from broker_proxy import BrokerProxy  # noqa: E402
from community import Community, wait_until  # noqa: E402
from plug_board import HOST, PlugBoard, plug_line  # noqa: E402

SLOTS, SLOT_SECONDS = 60, 10
RATED_W = 1000
FRESHNESS_S = 6        # of a head: what the fallback waits for
SLACK_S = 1.0          # an emulated board shares two cores with a chain
# Off and on once, then on: every later case sees the schedule's "on" come back.
DEVICE = {"slots": SLOTS, "slot_seconds": SLOT_SECONDS, "device": {"type": "fixed", "profile_w": [RATED_W, 0] + [RATED_W] * (SLOTS - 2)}}


class PlugCase(unittest.TestCase):
    """A chain, a broker behind a proxy, a gateway and one provisioned plug, for all cases of a class; one open epoch.
    Whoever derives gives `image`, `build` and, if not the reference board, `board_class`."""

    image = build = None
    keep = False
    options = ()
    board_class = PlugBoard
    community_class = Community

    @classmethod
    def setUpClass(cls):
        cls.community = cls.community_class(cls.build, ["--period", "1"], keep=cls.keep)
        cls.addClassCleanup(cls.community.__exit__)
        cls.folder = cls.community.folder / "plug"
        cls.community.start_chain()
        cls.community.start_broker()
        cls.proxy = BrokerProxy(cls.device_port())
        cls.addClassCleanup(cls.proxy.close)
        cls.community.deploy()
        cls.switch_on()
        cls.addClassCleanup(lambda: cls.board.pull_the_plug())
        cls.address = cls.board.wait_for("identity", 5)["address"]
        answer = cls.community.ctl("enrol", "-", *cls.community.chain_arguments(key=True),
                                   document={"devices": [{**DEVICE, "address": cls.address}]})
        cls.id = answer["devices"][0]["id"]
        cls.community.start_gateway()
        cls.answers = cls.board.provision(cls.settings())
        cls.board.wait_for("mode", 30, mode="idle")
        cls.keep_flash()
        # Long enough ahead that a busy machine has the schedule proved before slot 0.
        cls.start_s = (int(time.time()) + 25 + SLOT_SECONDS - 1) // SLOT_SECONDS * SLOT_SECONDS
        cls.open_epoch(cls.start_s)

    @classmethod
    def open_epoch(cls, start_s):
        """Returns its number."""
        answer = cls.community.open_epoch({"slot_seconds": SLOT_SECONDS, "price": [80000] * SLOTS, "base_w": 0, "cap_w": 6000, "gamma": 65536},
                                          "--start", start_s, "--tolerance-w", 20, "--enter-seconds", 6)
        return answer["epoch"]

    @classmethod
    def keep_flash(cls):
        """For whoever needs a plug that is provisioned and knows no schedule yet."""

    @classmethod
    def settings(cls, output="", broker="anonymous = true\n"):
        """The document that provisions the plug, made from what wattproofctl gives, as an operator makes it."""
        community = cls.community
        text = community.ctl("provision", "-", "--url", community.url, "--registry", community.registry, "--id", cls.id, document=DEVICE)
        text = text.replace("[chain]\n", f"[chain]\nfreshness_s = {FRESHNESS_S}\n", 1)
        text += (f"[output]\non_ms_min = 0\noff_ms_min = 0\nstart_spread_ms_max = 0\nmismatch_pause_ms = 1000\nbutton_s = 30\n{output}\n"
                 f'[broker]\nhost = "{HOST}"\nport = {cls.proxy.port}\nkeepalive_s = 5\nbackoff_ms_min = 200\nbackoff_ms_max = 1000\n{broker}\n'
                 "[link]\nanswer_ms_max = 1000\npause_ms_min = 300\npause_ms_max = 1000\npoll_ms = 1000\n")
        return plug_line.settings_of(tomllib.loads(text), community.folder)

    @classmethod
    def device_port(cls):
        return cls.community.broker_port

    @classmethod
    def switch_on(cls):
        cls.board = cls.board_class(cls.folder, cls.image, cls.options)

    def tail_of_log(self):
        return "\n".join(line for _, line in self.board.log[-25:])

    def wait_closed(self, limit_s, what):
        at = self.board.wait_relay(True, limit_s)
        self.assertIsNotNone(at, f"{what}\n{self.tail_of_log()}")
        return at

    def wait_open(self, limit_s, what):
        at = self.board.wait_relay(False, limit_s)
        self.assertIsNotNone(at, f"{what}\n{self.tail_of_log()}")
        return at
