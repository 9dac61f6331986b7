# SPDX-License-Identifier: Apache-2.0
"""The demonstration's own look at the chain, by plain JSON-RPC: what the contracts hold, what it cost, and whether every
change of an output was justified by a block. Shares no code with devices or gateway."""
import json
import urllib.request

from keccak import keccak256


def selector(signature):
    return keccak256(signature.encode())[:4].hex()


def topic(signature):
    return "0x" + keccak256(signature.encode()).hex()


PROFILE = topic("Profile(uint64,uint32,uint32,bytes)")
SUBMIT = selector("submit(uint64,uint32,bytes)")
CLOSE = selector("close(uint64,bytes,bytes,bytes)")


class Rpc:
    def __init__(self, url):
        self.url, self.id = url, 0

    def call(self, method, *params):
        self.id += 1
        body = json.dumps({"jsonrpc": "2.0", "id": self.id, "method": method, "params": list(params)}).encode()
        request = urllib.request.Request(self.url, body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=30) as answer:
            result = json.load(answer)
        if "error" in result:
            raise RuntimeError(f"{method}: {result['error'].get('message')}")
        return result["result"]

    def block_number(self):
        return int(self.call("eth_blockNumber"), 16)


def number(data, offset):
    return int.from_bytes(data[offset:offset + 32], "big")


def profiles_of(rpc, scheduler, epoch):
    """The last profile of each device in an epoch, from the contract's events: {id: [W]}."""
    logs = rpc.call("eth_getLogs", {"address": scheduler, "fromBlock": "0x0", "toBlock": "latest",
                                    "topics": [PROFILE, "0x" + epoch.to_bytes(32, "big").hex()]})
    profiles = {}
    for log in logs:
        data = bytes.fromhex(log["data"][2:])
        start = number(data, 0)
        raw = data[start + 32:start + 32 + number(data, start)]
        words = [int.from_bytes(raw[i:i + 4], "big", signed=True) for i in range(0, len(raw), 4)]
        profiles[int(log["topics"][3], 16)] = words
    return profiles


def entry_size(entry, slots):
    """Bytes of one packed update (docs/SPEC.md section 5): fixed fields, limits, old and new profile."""
    limits = int.from_bytes(entry[89:91], "big")
    return 91 + 8 * limits + 8 * slots


def gas_of(rpc, scheduler, slots, first_block=1):
    """Gas per device of the fullest later batch, of one update alone, and of closing a round (event not subtracted)."""
    per_device, alone, close = None, None, None
    fullest = 0
    for block in range(first_block, rpc.block_number() + 1):
        content = rpc.call("eth_getBlockByNumber", hex(block), True)
        for transaction in content["transactions"]:
            if (transaction.get("to") or "").lower() != scheduler.lower():
                continue
            call = transaction["input"][2:10]
            if call not in (SUBMIT, CLOSE):
                continue
            receipt = rpc.call("eth_getTransactionReceipt", transaction["hash"])
            if int(receipt["status"], 16) != 1:
                continue
            gas = int(receipt["gasUsed"], 16)
            if call == CLOSE:
                close = gas if close is None else max(close, gas)
                continue
            count = sum(log["topics"][0] == PROFILE for log in receipt["logs"])
            data = bytes.fromhex(transaction["input"][10:])
            if count == 0 or number(data, 32) < 3:  # from round 3 on every word that is written was there before
                continue
            if count >= fullest:
                fullest, per_device = count, round(gas / count)
            if alone is None:
                alone = gas_alone(rpc, scheduler, transaction, data, slots, block)
    return per_device, alone, close


def gas_alone(rpc, scheduler, transaction, data, slots, block):
    """What the first update of a batch would have cost in a transaction of its own, asked of the node at the block before."""
    start = 32 + number(data, 64)
    entries = data[start:start + number(data, start - 32)]
    first = entries[:entry_size(entries, slots)]
    padded = first + bytes(-len(first) % 32)
    call = data[:96] + len(first).to_bytes(32, "big") + padded
    try:
        gas = rpc.call("eth_estimateGas", {"from": transaction["from"], "to": scheduler, "data": "0x" + SUBMIT + call.hex()},
                       hex(block - 1))
    except RuntimeError:
        return None
    return int(gas, 16)


class Justification:
    """Holds every change of an output against the chain: the block that it names must exist with that hash, and the value
    must be what the contract's event says of that device in that slot."""

    def __init__(self, rpc):
        self.rpc, self.hashes = rpc, {}

    def hash_of(self, block):
        if block not in self.hashes:
            content = self.rpc.call("eth_getBlockByNumber", hex(block), False)
            self.hashes[block] = content["hash"].lower() if content else None
        return self.hashes[block]

    def fault(self, event, device, profile, epoch, final_block):
        """None if the change is justified, else what is wrong with it."""
        if event["reason"] != "schedule":
            return None  # a fallback, a person or a trip: none of them claims anything of the chain
        if event["epoch"] != epoch or profile is None:
            return f"follows epoch {event['epoch']}, which is not this day's"
        if final_block is None or event["block"] < final_block:
            return f"names block {event['block']}, before the schedule was final"
        if self.hash_of(event["block"]) != event["block_hash"].lower():
            return f"names block {event['block']} with another hash than the chain's"
        wanted = profile[event["slot"]]
        if event["event"] == "setpoint" and event["power_w"] != wanted:
            return f"drives {event['power_w']} W in slot {event['slot']} where the chain says {wanted} W"
        if event["event"] == "relay" and event["on"] != (wanted != 0) and not device.is_relay_only:
            return f"switches {'on' if event['on'] else 'off'} in slot {event['slot']} against the chain"
        if event["event"] == "relay" and event["on"] and device.is_relay_only and wanted == 0:
            return f"switches on in slot {event['slot']}, which is not part of its cycle"
        return None
