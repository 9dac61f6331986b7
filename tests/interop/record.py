# SPDX-License-Identifier: Apache-2.0
"""Records headers, proofs and receipts of a real network, so that unit tests have them where no Go is: tests/vectors holds
what came of it. Bytes are the node's own (debug_*Rlp, debug_getRaw*) or rebuilt from its JSON and held against its roots."""
import json

from keccak import keccak256


def rlp(item):
    """RLP of bytes, of an integer, or of a list of such."""
    if isinstance(item, int):
        item = item.to_bytes((item.bit_length() + 7) // 8, "big")
    if isinstance(item, list):
        payload, base = b"".join(rlp(one) for one in item), 0xc0
    else:
        if len(item) == 1 and item[0] < 0x80:
            return item
        payload, base = item, 0x80
    if len(payload) < 56:
        return bytes([base + len(payload)]) + payload
    size = len(payload).to_bytes((len(payload).bit_length() + 7) // 8, "big")
    return bytes([base + 55 + len(size)]) + size + payload


def read_rlp(data):
    """The item that starts `data`, and what comes behind it. Lists as lists, strings as bytes."""
    first = data[0]
    if first < 0x80:
        return data[:1], data[1:]
    size, start = first & 0x3f if first >= 0xc0 else first - 0x80, 1
    if size > 55:
        start = 1 + size - 55
        size = int.from_bytes(data[1:start], "big")
    payload, rest = data[start:start + size], data[start + size:]
    if first < 0xc0:
        return payload, rest
    items = []
    while payload:
        item, payload = read_rlp(payload)
        items.append(item)
    return items, rest


def raw(text):
    return bytes.fromhex(text[2:] if text.startswith("0x") else text)


def raw_header(rpc, number):
    """The header as the node stores it, seals and all."""
    try:
        return raw(rpc.call("debug_getRawHeader", hex(number)))
    except RuntimeError:
        block, _ = read_rlp(raw(rpc.call("debug_getBlockRlp", number)))
        return rlp(block[0])


def round_of(extra_data):
    """The round of QBFT's extraData."""
    return int.from_bytes(read_rlp(extra_data)[0][3], "big")


def header_entry(rpc, number, is_bft):
    block = rpc.call("eth_getBlockByNumber", hex(number), False)
    encoded = raw_header(rpc, number)
    extra = read_rlp(encoded)[0][12]
    entry = {"number": number, "hash": block["hash"], "rlp": "0x" + encoded.hex()}
    if is_bft:
        entry["round"] = round_of(extra)
        entry["validators"] = ["0x" + address.hex() for address in read_rlp(extra)[0][1]]
    elif keccak256(encoded).hex() != block["hash"][2:]:
        raise RuntimeError(f"block {number}: the header's bytes do not have the node's hash")
    return entry


def receipt_bytes(receipt):
    """The consensus encoding of a receipt: status, gas, bloom and logs, behind its type if it has one."""
    logs = [[raw(log["address"]), [raw(topic) for topic in log["topics"]], raw(log["data"])] for log in receipt["logs"]]
    body = rlp([int(receipt["status"], 16), int(receipt["cumulativeGasUsed"], 16), raw(receipt["logsBloom"]), logs])
    kind = int(receipt.get("type", "0x0"), 16)
    return (bytes([kind]) if kind else b"") + body


def receipts_entry(rpc, number):
    """All receipts of a block. Whoever reads them builds their trie and holds its root against the header's."""
    block = rpc.call("eth_getBlockByNumber", hex(number), False)
    receipts = [rpc.call("eth_getTransactionReceipt", transaction) for transaction in block["transactions"]]
    return {"number": number, "receipts": ["0x" + receipt_bytes(receipt).hex() for receipt in receipts]}


def proof_entry(rpc, number, address, slots):
    """A contract's account and some of its words, as eth_getProof gives them."""
    answer = rpc.call("eth_getProof", address, slots, hex(number))
    return {"number": number, "address": address, "account": answer["accountProof"],
            "words": [{"slot": slot, "value": word["value"], "nodes": word["proof"]}
                      for slot, word in zip(slots, answer["storageProof"])]}


class Recording:
    """What one network gave, and the file that it becomes."""

    def __init__(self, network, node):
        self.network, self.node = network, node
        self.is_bft = network.engine in ("qbft", "ibft2")
        self.headers, self.side, self.receipts, self.proofs, self.notes = {}, [], [], [], []

    def take_headers(self, first, last, why):
        for number in range(first, last + 1):
            if number not in self.headers:
                self.headers[number] = header_entry(self.node.rpc, number, self.is_bft)
        self.notes.append(f"{first} to {last}: {why}")

    def take_receipts(self, number):
        self.receipts.append(receipts_entry(self.node.rpc, number))
        self.take_headers(number, number, "receipts")

    def take_proof(self, number, address, slots):
        self.proofs.append(proof_entry(self.node.rpc, number, address, slots))
        self.take_headers(number, number, "proofs")

    def write(self, path):
        document = {"client": self.node.rpc.call("web3_clientVersion"), "engine": self.network.engine,
                    "fork": self.network.fork, "period_s": self.network.period, "validators": self.network.validators,
                    "notes": self.notes, "headers": [self.headers[number] for number in sorted(self.headers)]}
        if self.side:
            document["abandoned"] = self.side
        document |= {"receipts": self.receipts, "proofs": self.proofs}
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(document, indent=1) + "\n")
