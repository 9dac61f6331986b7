# SPDX-License-Identifier: Apache-2.0
"""Holds the headers that a network has just made against the library, by `wattproofctl verify header`: all are accepted one
after another from the first validators on, and none with a flipped bit."""
import json
import random
import subprocess

from networks import NetworkError
from record import raw_header

FLIPS = 20


def verify(run, network, headers):
    document = {"engine": network.engine, "trusted": {"number": 0, "validators": network.validators},
                "headers": ["0x" + header.hex() for header in headers]}
    done = subprocess.run([str(run.control), "verify", "header", "-"], input=json.dumps(document), capture_output=True, text=True,
                          check=False, timeout=120)
    return json.loads(done.stdout)


def verify_all(run, network, last):
    """Every header from block 1 on."""
    rpc = next(node for node in network.nodes if node.is_running()).rpc
    headers = [raw_header(rpc, number) for number in range(1, last + 1)]
    answer = verify(run, network, headers)
    if answer.get("accepted") != last:
        raise NetworkError(f"header {answer.get('index', -1) + 1} of {last} was refused: {answer}")
    for index in random.sample(range(last), min(FLIPS, last)):
        bit = random.randrange(8 * len(headers[index]))
        flipped = bytearray(headers[index])
        flipped[bit // 8] ^= 1 << bit % 8
        answer = verify(run, network, [*headers[:index], bytes(flipped)])
        if "accepted" in answer or answer["index"] != index:
            raise NetworkError(f"header {index + 1} with bit {bit} flipped: {answer}")
    run.say(f"{network.engine}: each of {last} headers verified, and {min(FLIPS, last)} refused with a bit flipped")
