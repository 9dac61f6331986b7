# SPDX-License-Identifier: Apache-2.0
"""What is tried on real networks. Each scenario is a function of the run and a scratch folder; it raises if something is
not as it must be."""
import json
import subprocess
import sys
import time
from types import SimpleNamespace

from clique_scenarios import clique_main_job, clique_reorganisation
from comparison import compare
from demo_run import Demo, report, same_schedule
from load_scenarios import qbft_load
from networks import NetworkError, QbftNetwork, ROOT
from record import Recording, raw, round_of
from keccak import keccak256
from processes import Processes
from verification import verify_all

MAIN_JOB_S_MAX = 60  # from the deployment of the contracts to the end of the day, which itself has 24 s


def qbft_main_job(run, folder):
    """eight devices agree and live a day on four GoQuorum validators with a block every second"""
    network = QbftNetwork(run.node("goquorum"), folder / "net", run.control, 4)
    chain, demo, embedded = EmbeddedChain(folder), None, None
    try:
        network.start()
        chain.start()
        demo = Demo(run, network, "qbft", "--devices", 8, "--lead", 22)
        embedded = Demo(run, chain, "embedded", "--devices", 8, "--lead", 22)
        result = demo.finish()
        same_schedule(run, result, embedded.finish())
        compare(run, network, network.nodes[0])
    finally:
        for one in (demo, embedded):
            if one:
                one.stop()
        network.stop()
        chain.stop()
    report(run, "qbft", result)
    check_time(run, result)


def check_time(run, result):
    """The whole day was lived, and all of it took no longer than it may."""
    if result["late_slots"]:
        run.too_slow(f"{result['late_slots']} slots of the day had passed before the schedule was final")
    if result["seconds"] > MAIN_JOB_S_MAX:
        run.too_slow(f"the main job took {result['seconds']} s, more than {MAIN_JOB_S_MAX} s")


def qbft_every_second(run, folder):
    """the main job where empty blocks come every second too: GoQuorum then takes a transaction one block later"""
    network = QbftNetwork(run.node("goquorum"), folder / "net", run.control, 4, empty_period=1)
    demo = None
    try:
        network.start()
        demo = Demo(run, network, "qbft-every-second", "--devices", 8, "--lead", 28)
        result = demo.finish()
    finally:
        if demo:
            demo.stop()
        network.stop()
    report(run, "qbft-every-second", result)
    check_time(run, result)


class EmbeddedChain:
    """contracts/devnet, with blocks in real time, as a network that the main job is run on."""
    engine, period = "qbft", 1

    def __init__(self, folder):
        self.folder, self.processes, self.nodes = folder, Processes(folder), []

    def start(self):
        with open(self.folder / "devnet.json", "wb") as ready:
            self.processes.start("devnet", ["node", ROOT / "contracts/devnet/src/main.js", "--port", 0, "--validators", 4,
                                            "--period", self.period, "--chain-id", 20771], stdout=ready)
        end = time.monotonic() + 20
        while not (self.folder / "devnet.json").read_text().endswith("\n"):
            if time.monotonic() > end:
                raise NetworkError("the embedded chain does not start")
            time.sleep(0.05)
        started = json.loads((self.folder / "devnet.json").read_text().splitlines()[0])
        (self.folder / "validators.json").write_text(json.dumps(started["validators"]))
        self.nodes = [SimpleNamespace(url=started["url"])]

    def stop(self):
        self.processes.stop()


def rounds_of(network, first, last):
    """{block: round} from the headers' extraData, as the first running node has them."""
    node = next(one for one in network.nodes if one.is_running())
    return {number: round_of(raw(node.rpc.call("eth_getBlockByNumber", hex(number), False)["extraData"]))
            for number in range(first, last + 1)}


def qbft_faults(run, folder):
    """validators die, return, come and go while the devices agree and live their day"""
    network = QbftNetwork(run.node("goquorum"), folder / "net", run.control, 4, spare=1, empty_period=1)
    demo = None
    try:
        network.start()
        demo = Demo(run, network, "qbft-faults", "--devices", 8, "--lead", 52, "--slot-seconds", 3, "--freshness", 12)
        away = one_validator_away(run, network, demo)
        demo.wait_text("schedule final", 120)
        demo.wait_text("living 24 slots", 90)
        chain_stalls(run, network, demo)
        changed = set_changes(run, network, demo)
        result = demo.finish()
        behind = [name for name, head in demo.last_heads().items() if head < changed[1]]
        if behind:
            raise NetworkError(f"{behind} did not follow the change of the validator set in block {changed[1]}")
        verify_all(run, network, network.height(network.nodes[0]))
        if run.options.record:
            record_qbft(run, network, demo, result, away, changed)
    finally:
        if demo:
            demo.stop()
        network.stop()
    report(run, "qbft-faults", result)


def one_validator_away(run, network, demo):
    """Three of four go on; the turns of the fourth end in a round above 0; back again it takes part."""
    demo.wait_text("round  2:", 60)
    before = network.height(network.nodes[0])
    network.nodes[3].kill()
    network.wait_blocks(9, 90)
    network.nodes[3].start()
    network.wait_blocks(4, 60)
    rounds = rounds_of(network, before, network.height(network.nodes[0]))
    above = [number for number, value in rounds.items() if value > 0]
    if not above:
        raise NetworkError("no header with a round above 0 although a validator was away")
    network.wait("the returned validator at the head", 30,
                 lambda: network.height(network.nodes[3]) + 1 >= network.height(network.nodes[0]))
    run.say(f"a validator away: blocks {above} were sealed in rounds {[rounds[number] for number in above]}, and believed")
    return above[0] - 2, above[-1] + 2


def chain_stalls(run, network, demo):
    """Two of four are too few: no block, the devices fall back; when the two return, so do chain and devices."""
    known = {name: len(modes) for name, modes in demo.modes().items()}
    network.nodes[2].kill()
    network.nodes[3].kill()
    stalled = network.height(network.nodes[0])

    def all_in(mode):
        return all(mode in modes[known[name]:] for name, modes in demo.modes().items())
    demo.wait_for("every device's fallback", 60, lambda: all_in("stale"))
    if network.height(network.nodes[0]) > stalled + 1:
        raise NetworkError("two of four validators went on sealing")
    known = {name: len(modes) for name, modes in demo.modes().items()}
    network.nodes[2].start()
    network.nodes[3].start()
    begun = time.monotonic()
    demo.wait_for("every device following again", 90, lambda: all_in("following"))
    run.say(f"two validators away: stalled at block {stalled}, every device fell back; "
            f"{time.monotonic() - begun:.1f} s after their return every device followed again")


def set_changes(run, network, demo):
    """The spare node is voted in and the first of the old ones but the gateway's is voted out: two headers change the set."""
    joins, leaves = network.nodes[4], network.nodes[1]
    first = network.height(network.nodes[0])
    for node in network.nodes[:4]:
        network.vote(node, joins.address, True)
    network.wait("the fifth validator", 30, lambda: joins.address in listed(network))
    for node in network.nodes[:4]:
        network.vote(node, leaves.address, False)
    network.wait("the departure of a validator", 40, lambda: leaves.address not in listed(network))
    last = network.height(network.nodes[0])
    run.say(f"{joins.name} voted in and {leaves.name} out by block {last}")
    return first, last + 2


def record_qbft(run, network, demo, result, away, changed):
    recording = Recording(network, network.nodes[0])
    recording.take_headers(1, 6, "round 0")
    recording.take_headers(*away, "a validator is away, so some rounds are above 0; then it is back")
    recording.take_headers(*changed, "votes: one validator is added, then another removed")
    final = result["final_block"]
    recording.take_receipts(final)
    contracts = demo.contracts()
    epoch_word, record_word = (word(result["epoch"] % 8), mapping_slot((result["epoch"] % 8) << 32 | 1, 8))
    recording.take_proof(final, contracts["scheduler"], [epoch_word, record_word, word(12345)])
    recording.take_proof(final, contracts["registry"], [mapping_slot(int.from_bytes(b"Scheduler".ljust(32, b"\0"), "big"), 0)])
    recording.write(run.output / "goquorum_qbft.json")
    run.say(f"recorded {len(recording.headers)} headers into {run.output / 'goquorum_qbft.json'}")


def word(number):
    return "0x" + number.to_bytes(32, "big").hex()


def mapping_slot(key, base):
    return "0x" + keccak256(key.to_bytes(32, "big") + base.to_bytes(32, "big")).hex()


def listed(network):
    return [address.lower() for address in network.nodes[0].rpc.call("istanbul_getValidators", "latest")]


def qbft_empty_blocks(run, folder):
    """empty blocks come every 30 s only, blocks with transactions every second: the main job goes on as before"""
    network = QbftNetwork(run.node("goquorum"), folder / "net", run.control, 4, empty_period=30)
    demo = None
    try:
        network.start()
        demo = Demo(run, network, "qbft-empty", "--devices", 8, "--empty-period", 30, "--lead", 30)
        longest = longest_pause(network, demo)
        result = demo.finish()
        if longest < 25:
            raise NetworkError(f"no pause between blocks was longer than {longest:.1f} s")
        fell_back = [name for name, modes in demo.modes().items() if "stale" in modes]
        if fell_back:
            raise NetworkError(f"{fell_back} fell back although blocks were as frequent as they may be rare")
    finally:
        if demo:
            demo.stop()
        network.stop()
    report(run, "qbft-empty", result)
    run.say(f"empty blocks: the longest pause between two blocks was {longest:.1f} s, and no device fell back")


def longest_pause(network, demo):
    """By the clock, while the demo runs. The headers' times do not show it: GoQuorum 22.7.4 stamps an empty block when it is
    prepared, and seals it a whole pause later."""
    longest, height, since = 0, network.height(network.nodes[0]), time.monotonic()
    while demo.process.poll() is None:
        time.sleep(0.2)
        newest, now = network.height(network.nodes[0]), time.monotonic()
        if newest != height:
            longest, height, since = max(longest, now - since), newest, now
    return longest


class SmallQuorumNetwork(QbftNetwork):
    """As GoQuorum does it where ceil2Nby3Block is not reached: 2F + 1 seals, which are three of five."""

    def changed(self, genesis):
        genesis["config"]["qbft"]["ceil2Nby3Block"] = 1_000_000_000
        return genesis


def qbft_small_quorum(run, folder):
    """a GoQuorum network without ceil2Nby3Block 0 is refused, and the refusal names it"""
    network = SmallQuorumNetwork(run.node("goquorum"), folder / "net", run.control, 5)
    device = {"slots": 4, "slot_seconds": 3600, "device": {"type": "fixed", "profile_w": [1] * 4}, "min_w": 0, "max_w": 10,
              "fallback_w": 0}
    refusals = 0
    try:
        network.start()
        for _ in range(5):
            network.wait_blocks(1, 20)
            done = subprocess.run([str(part) for part in [
                run.control, "provision", "--url", network.nodes[0].url, "--registry", "0x" + "11" * 20, "--id", 1,
                "--validators", network.folder / "validators.json", "-"]], input=json.dumps(device), capture_output=True,
                text=True, check=False)
            refusals += "seal_below_quorum" in done.stdout and "ceil2Nby3Block" in done.stdout
    finally:
        network.stop()
    if refusals < 4:  # a fourth seal may happen to be there in time
        raise NetworkError(f"only {refusals} of 5 headers were refused for too few seals")
    run.say(f"a network with 2F + 1 seals: {refusals} of 5 headers refused as seal_below_quorum, naming ceil2Nby3Block")


TIMED = ("qbft_main_job", "qbft_every_second", "qbft_load")  # nothing runs beside these
QUICK = ("qbft_main_job", "clique_main_job")
ALL = {scenario.__name__: scenario for scenario in (
    qbft_main_job, qbft_every_second, qbft_faults, qbft_empty_blocks, qbft_small_quorum, qbft_load, clique_main_job,
    clique_reorganisation)}
