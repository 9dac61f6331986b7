# SPDX-License-Identifier: Apache-2.0
"""The demonstration on a chain that somebody else runs. Its clock is the real one and cannot be scaled, so the day is made
short in another way: its slots have few seconds, its energies shrink with them, and it begins as soon as the devices can
have agreed. Everything else is as on the embedded chain."""
import json
import re
import time
from pathlib import Path

from processes import RealClock
from scenario import BadData


def read_validators(path):
    """The file that --validators names, or BadData that says what is wrong with it."""
    try:
        validators = json.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise BadData(f"--validators {path}: {error.strerror}") from None
    except ValueError as error:
        raise BadData(f"--validators {path}: not JSON: {error}") from None
    if not isinstance(validators, list) or not validators or not all(
            isinstance(each, str) and re.fullmatch("0x[0-9a-fA-F]{40}", each) for each in validators):
        raise BadData(f"--validators {path}: not a JSON array of addresses, each 0x and 40 hexadecimal digits")
    return validators


def read_chain_id(url, rpc):
    """The first question to the node that --chain names, or BadData that says why there is no answer."""
    if not url.startswith(("http://", "https://")):
        raise BadData(f"--chain {url}: a URL begins with http:// or https://")
    try:
        return int(rpc.call("eth_chainId"), 16)
    except (OSError, RuntimeError, ValueError, KeyError, TypeError) as error:
        raise BadData(f"--chain {url}: no JSON-RPC answer: {getattr(error, 'reason', error)}") from None


class RealChain:
    """How the demonstration's figures follow from the real clock."""
    clock = RealClock()

    def __init__(self, options, rpc):
        self.rpc, self.url = rpc, options.chain
        self.period, self.slot_seconds = options.period, options.slot_seconds
        self.lead_s = options.lead or max(30, round(32 * self.period))
        self.engine = options.engine
        self.validators_file = options.validators
        self.validators = read_validators(options.validators)
        self.chain_id = read_chain_id(options.chain, rpc)
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
