# SPDX-License-Identifier: Apache-2.0
"""The demonstration on a chain that somebody else runs. Its clock is the real one and cannot be scaled, so the day is made
short in another way: its slots have few seconds, its energies shrink with them, and it begins as soon as the devices can
have agreed. Everything else is as on the embedded chain."""
import json
import time

from processes import RealClock


class RealChain:
    """How the demonstration's figures follow from the real clock."""
    clock = RealClock()

    def __init__(self, options, rpc):
        self.rpc, self.url = rpc, options.chain
        self.period, self.slot_seconds = options.period, options.slot_seconds
        self.lead_s = options.lead or max(30, round(32 * self.period))
        self.engine = options.engine
        self.validators_file = options.validators
        with open(options.validators, encoding="utf-8") as file:
            self.validators = json.load(file)
        self.chain_id = int(rpc.call("eth_chainId"), 16)
        self.round_s, self.grace_s = max(6, round(14 * self.period)), max(3, round(5 * self.period))
        self.empty_period = options.empty_period
        # GoQuorum stamps an empty block when it prepares it: it may be as old as the pause when it comes, and then stays the newest
        # for a pause more.
        self.freshness_s = options.freshness or max(30, round(12 * self.period)) + 2 * self.empty_period

    def first_slot_s(self):
        """When the day begins: so long after the newest block as agreement takes, on the grid of the slots."""
        newest = int(self.rpc.call("eth_getBlockByNumber", "latest", False)["timestamp"], 16)
        now = max(newest, int(time.time()))
        return -(-(now + self.lead_s) // self.slot_seconds) * self.slot_seconds

    def output_text(self, rated_w, relay_only):
        """The times of the relay and of the link, for slots of seconds in place of hours."""
        return ("\n[output]\nrelay = \"simulated\"\n" + f"rated_w = {rated_w}\n" +
                f"on_ms_min = 0\noff_ms_min = 0\nstart_spread_ms_max = 0\nfallback_ms = {self.freshness_s * 1000}\n"
                "mismatch_ms_max = 60000\nmismatch_pause_ms = 60000\n" +
                ("" if relay_only else "setpoint = \"log\"\nsetpoint_fallback_w = 0\n"))

    def link_text(self):
        return (f"\n[link]\nanswer_ms_max = 2000\ntries_max = 4\npause_ms_min = 200\npause_ms_max = 2000\n"
                f"poll_ms = {round(4000 * self.period)}\nstatus_ms = 60000\n")
