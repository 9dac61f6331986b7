# SPDX-License-Identifier: Apache-2.0
"""Runs a real network's blocks through the embedded chain's state: the same transactions must give the same state roots,
receipts roots, blooms and gas."""
import json
import subprocess

from networks import CHAIN_ID, NetworkError, ROOT

FIELDS = ("number", "hash", "parentHash", "timestamp", "gasLimit", "gasUsed", "difficulty", "stateRoot", "receiptsRoot", "logsBloom",
          "baseFeePerGas")


def block_entry(rpc, number, engine):
    block = rpc.call("eth_getBlockByNumber", hex(number), False)
    entry = {name: block[name] for name in FIELDS if name in block}
    # What COINBASE gives: under Clique the signer, whom no field names.
    entry["author"] = rpc.call("clique_getSigner", block["hash"]) if engine == "clique" else block["miner"]
    entry["raw"] = [rpc.call("eth_getRawTransactionByHash", transaction) for transaction in block["transactions"]]
    return entry


def compare(run, network, node):
    """Every block from the first one on. Raises NetworkError with the first differences."""
    alloc = {address: account["balance"] for address, account in network.genesis()["alloc"].items()}
    last = network.height(node)
    document = {"chainId": CHAIN_ID, "fork": network.fork, "alloc": alloc,
                "blocks": [block_entry(node.rpc, number, network.engine) for number in range(1, last + 1)]}
    done = subprocess.run(["node", "replay.js"], input=json.dumps(document), capture_output=True, text=True, check=False,
                          cwd=ROOT / "contracts/devnet", timeout=120)
    if done.returncode not in (0, 1) or not done.stdout:
        raise NetworkError(f"replay.js: {done.stderr[-600:]}")
    summary = json.loads(done.stdout)
    if summary["differences"]:
        raise NetworkError("the embedded chain differs: " + "; ".join(summary["differences"][:3]))
    run.figures[f"comparison-{network.engine}"] = summary
    run.say(f"{network.engine}: {summary['blocks']} blocks with {summary['transactions']} transactions and {summary['gas']} gas "
            "give the same roots, blooms and gas on the embedded chain")
