# SPDX-License-Identifier: Apache-2.0
"""How many signed updates a second one gateway brings onto four real QBFT validators, round after round."""
import json
import secrets
import subprocess
import sys
import time

from clique_scenarios import Account, Community
from networks import QbftNetwork, ROOT

sys.path.insert(0, str(ROOT / "tools/demo"))
from chain_watch import PROFILE  # noqa: E402
from processes import Processes, start_broker  # noqa: E402

DEVICES = 800
SLOTS = 24
ROUNDS = 10
UPDATES_PER_S_MIN = 200


def qbft_load(run, folder):
    """800 devices answer round after round through one gateway: at least 200 updates a second, sustained"""
    network = QbftNetwork(run.node("goquorum"), folder / "net", run.control, 4, gas_limit=100_000_000)
    processes = Processes(folder)
    fleet_program = run.host / "tools/fleet/wattproof-fleet"
    try:
        network.start()
        operator, gateway = Account(folder, "operator"), Account(folder, "gateway")
        community = Community(run, network, folder, operator, gas_price_wei=0)
        community.deploy()
        enrol_fleet(community, fleet_program)
        word = secrets.token_hex(16)
        broker_port = start_broker(processes, folder, {"gateway": word})
        community.start_gateway(gateway, broker_port, word)
        network.wait("the gateway's first look", 60, lambda: community.events("synced"))
        contracts = community.events("contracts")[0]
        fleet = processes.start("fleet", [fleet_program, "--devices", DEVICES, "--slots", SLOTS, "--broker", broker_port,
                                          "--password-file", folder / "gateway.password", "--chain-id",
                                          community.contracts["chain_id"], "--scheduler", contracts["scheduler"]])
        open_epoch(community)
        network.wait(f"{ROUNDS} rounds", 200, lambda: len(community.events("round")) >= ROUNDS or fleet.poll() is not None)
        figures = rate_of(network, contracts["scheduler"], community.events("round")[:ROUNDS])
    finally:
        processes.stop()
        if "community" in locals():
            community.stop()
        network.stop()
    run.figures["load"] = figures
    run.say(f"load: {figures['updates']} updates of {DEVICES} devices in {figures['seconds']} s, {figures['per_second']} a second; "
            f"{figures['gas_per_update']} gas an update, fullest block {figures['gas_block_max']} gas")
    if figures["per_second"] < UPDATES_PER_S_MIN:
        run.too_slow(f"{figures['per_second']} updates a second are fewer than {UPDATES_PER_S_MIN}")


def enrol_fleet(community, program):
    addresses = json.loads(subprocess.run([program, "--devices", str(DEVICES), "--addresses"], capture_output=True, text=True,
                                          check=True).stdout)
    for first in range(0, DEVICES, 200):
        community.enrol_addresses(addresses[first:first + 200], SLOTS)


def open_epoch(community):
    day = {"slot_seconds": 3600, "gamma": 65536, "price": [50_000] * SLOTS, "base_w": [0] * SLOTS, "cap_w": [2_000_000] * SLOTS}
    start = (int(time.time()) // 3600 + 24) * 3600
    community.control("epoch", "open", "--registry", community.contracts["registry"], "--engine", "qbft", "--key",
                      community.operator.file, "--start", start, "--round-seconds", 60, "--grace-seconds", 40, "--enter-seconds",
                      120, "--rounds-max", 60, "--tolerance-w", 1, "-", document=day)


def rate_of(network, scheduler, rounds):
    """From the first round's closing block to the last one's: updates that the contract took, and the time by headers."""
    rpc = network.nodes[0].rpc
    logs = rpc.call("eth_getLogs", {"address": scheduler, "fromBlock": "0x0", "toBlock": "latest", "topics": [PROFILE]})
    by_round = {}
    for log in logs:
        by_round.setdefault(int(log["topics"][2], 16), []).append(int(log["blockNumber"], 16))
    first, last = rounds[0]["round"], rounds[-1]["round"]
    begin, end = max(by_round[first]), max(by_round[last])
    blocks = {number: rpc.call("eth_getBlockByNumber", hex(number), False) for number in range(begin, end + 1)}
    updates = sum(len(by_round[number]) for number in range(first + 1, last + 1))
    seconds = int(blocks[end]["timestamp"], 16) - int(blocks[begin]["timestamp"], 16)
    gas = [int(block["gasUsed"], 16) for number, block in blocks.items() if number > begin]
    return {"devices": DEVICES, "rounds": last - first, "updates": updates, "seconds": seconds,
            "per_second": round(updates / max(1, seconds)), "gas_per_update": round(sum(gas) / max(1, updates)),
            "gas_block_max": max(gas)}
