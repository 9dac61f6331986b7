# SPDX-License-Identifier: Apache-2.0
"""What is tried on geth's Clique signers: contracts, gateway and tools on them, a reorganisation, votes."""
import json
import secrets
import subprocess
import time

import namespaces
from demo_run import Demo, report, same_schedule
from comparison import compare
from networks import CliqueNetwork, NetworkError, ROOT, address_of, public_key
from record import Recording, header_entry
from verification import verify_all

GAS_PRICE_WEI = 2_000_000_000  # above the base fee that a London chain begins with; the accounts begin with coins


class Account:
    def __init__(self, folder, name):
        key = secrets.token_hex(32)
        self.file, self.address = folder / f"{name}.key", address_of(public_key(key))
        self.file.write_text(key + "\n")
        self.file.chmod(0o600)


def device_document(address, slots):
    return {"slots": slots, "slot_seconds": 3600, "device": {"type": "fixed", "profile_w": [100] * slots}, "min_w": 0,
            "max_w": 1000, "fallback_w": 0, "address": address}


class Community:
    """The contracts on a network and a gateway that reads them, without devices."""

    def __init__(self, run, network, folder, operator, gas_price_wei=GAS_PRICE_WEI):
        self.gas_price_wei = gas_price_wei
        self.run, self.network, self.folder, self.operator = run, network, folder, operator
        self.events_path, self.gateway = folder / "gateway.events", None

    def control(self, *arguments, document=None):
        done = subprocess.run([str(part) for part in [self.run.control, *arguments, "--url", self.network.nodes[0].url]],
                              input=json.dumps(document) if document else None, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise NetworkError(f"wattproofctl {arguments[0]}: {done.stdout}{done.stderr}")
        return json.loads(done.stdout)

    def deploy(self):
        self.contracts = self.control("deploy", "--artifacts", ROOT / "contracts/artifacts", "--key", self.operator.file,
                                      "--gas-price", self.gas_price_wei)

    def enrol_addresses(self, addresses, slots):
        devices = [device_document(address, slots) for address in addresses]
        return self.control("enrol", "--registry", self.contracts["registry"], "--engine", self.network.engine, "--key",
                            self.operator.file, "--gas-price", self.gas_price_wei, "-", document={"devices": devices})

    def enrol(self, count, wait=True):
        addresses = [address_of(public_key(secrets.token_hex(32))) for _ in range(count)]
        if wait:
            return self.enrol_addresses(addresses, 4)
        devices = [device_document(address, 4) for address in addresses]
        arguments = ("enrol", "--registry", self.contracts["registry"], "--engine", self.network.engine, "--key",
                     self.operator.file, "--gas-price", self.gas_price_wei, "-")
        return subprocess.Popen([str(part) for part in [self.run.control, *arguments, "--url", self.network.nodes[0].url]],
                                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True), devices

    def start_gateway(self, account, broker_port, password=None):
        secret = ""
        if password:
            (self.folder / "gateway.password").write_text(password + "\n")
            secret = "username = \"gateway\"\npassword_file = \"gateway.password\"\n"
        config = self.folder / "gateway.toml"
        config.write_text(
            f"[chain]\nurl = \"{self.network.nodes[0].url}\"\nid = {self.contracts['chain_id']}\n"
            f"registry = \"{self.contracts['registry']}\"\nengine = \"{self.network.engine}\"\n"
            f"first_block = {self.contracts['first_block']}\npoll_ms = 100\n\n[account]\nkey_file = \"{account.file}\"\n"
            f"gas_price_wei = {self.gas_price_wei}\n\n[mqtt]\nhost = \"127.0.0.1\"\nport = {broker_port}\n{secret}"
            "\n[batch]\ncount_max = 50\nwait_ms = 200\n")
        with open(self.folder / "gateway.log", "wb") as log:
            self.gateway = subprocess.Popen([str(self.run.host / "firmware/home_gateway/home_gateway"), "--config", str(config),
                                             "--events", str(self.events_path)], stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def events(self, kind):
        if not self.events_path.exists():
            return []
        lines = self.events_path.read_text().splitlines()
        return [event for event in map(json.loads, lines) if event["event"] == kind]

    def stop(self):
        if self.gateway and self.gateway.poll() is None:
            self.gateway.terminate()
            self.gateway.wait(15)


class PartedNetwork(CliqueNetwork):
    """Signers in namespaces, which can be cut off from one another."""

    def __init__(self, hub, *arguments, **options):
        self.hub = hub
        super().__init__(*arguments, **options)

    def host_of(self, index):
        self.hub.add(index)
        return f"10.77.0.{index + 1}"

    def rpc_host_of(self, index):
        return f"10.78.{index}.2"

    def wrapper(self, node):
        return self.hub.wrapper(node.index)


def clique_reorganisation(run, folder):
    """three geth signers are parted and come together: gateway and tools follow the heavier branch; then votes"""
    program = run.node("geth")
    if not namespaces.are_permitted():
        run.say("network namespaces are not permitted here: the signers are parted by removing peers instead")
        parted_signers(run, folder, program, False)
        return
    fault = namespaces.in_child(lambda: parted_signers(run, folder, program, True))
    if fault:
        raise NetworkError(fault)


def parted_signers(run, folder, program, has_namespaces):
    operator, gateway = Account(folder, "operator"), Account(folder, "gateway")
    options = {"spare": 1, "arguments": ["--fund", operator.address, "--fund", gateway.address]}
    if has_namespaces:
        hub = namespaces.Hub()
        network = PartedNetwork(hub, program, folder / "net", run.control, 3, **options)
    else:
        network = CliqueNetwork(program, folder / "net", run.control, 3, **options)
        hub = Parting(network)
    community = Community(run, network, folder, operator)
    try:
        network.start()
        community.deploy()
        community.enrol(2)
        community.start_gateway(gateway, 9)  # no broker there: the gateway keeps trying, and reads the chain meanwhile
        network.wait("the gateway's first look", 30, lambda: community.events("synced"))
        abandoned = part_and_join(network, hub, community)
        changed = vote_in_and_out(network)
        enrolled = community.control("status", "--registry", community.contracts["registry"], "--engine", "clique")
        run.say(f"clique: block {abandoned['number']} of a signer cut off was abandoned; the gateway followed; "
                f"{len(enrolled['devices'])} devices enrolled; set changed by block {changed}")
        compare(run, network, network.nodes[0])
        verify_all(run, network, changed)
        if run.options.record:
            record_clique(run, network, community, abandoned, changed)
    finally:
        community.stop()
        network.stop()
        hub.close()


def clique_main_job(run, folder):
    """eight devices agree and live a day on three geth signers, acting on what more than half have built on"""
    operator, gateway = Account(folder, "operator"), Account(folder, "gateway")
    network = CliqueNetwork(run.node("geth"), folder / "net", run.control, 3,
                            arguments=["--fund", operator.address, "--fund", gateway.address])
    demo = None
    try:
        network.start()
        demo = Demo(run, network, "clique", "--devices", 8, "--lead", 46, "--key", operator.file, "--gateway-key", gateway.file,
                    "--gas-price", GAS_PRICE_WEI)
        result = demo.finish()
    finally:
        if demo:
            demo.stop()
        network.stop()
    report(run, "clique", result)
    on_qbft = run.figures.get("qbft")
    if on_qbft:
        same_schedule(run, result, on_qbft, "on QBFT")


class Parting:
    """Cuts a node off by removing its peers, where namespaces are not permitted."""

    def __init__(self, network):
        self.network = network

    def cut_off(self, index):
        self._tell("admin_removePeer", index)

    def join(self, index):
        self._tell("admin_addPeer", index)

    def _tell(self, method, index):
        alone = self.network.nodes[index]
        for other in self.network.nodes:
            if other is not alone:
                alone.rpc.call(method, other.enode)
                other.rpc.call(method, alone.enode)

    def close(self):
        pass


def part_and_join(network, hub, community):
    """The first signer is cut off and seals one block, as it may; the other two seal more. Gives its abandoned header."""
    alone = network.nodes[0]
    for _ in range(6):
        before = network.height(alone)
        hub.cut_off(0)
        sender, devices = community.enrol(1, wait=False)
        sender.stdin.write(json.dumps({"devices": devices}))
        sender.stdin.close()
        time.sleep(5)
        top = network.height(alone)
        own = header_entry(alone.rpc, top, False)
        others = network.nodes[1].rpc.call("eth_getBlockByNumber", hex(top), False)
        hub.join(0)
        network.wait("one chain again", 60, lambda: same_block(network, top))
        sender.wait(60)
        if others and others["hash"] != own["hash"] and top > before:
            network.wait("the gateway's reorganisation", 30, lambda: community.events("reorganisation"))
            event = community.events("reorganisation")[0]
            if event["common_block"] >= top:
                raise NetworkError(f"the gateway went back to {event['common_block']} only, and block {top} was abandoned")
            return own
        network.wait_blocks(2, 30)  # it had sealed too recently to be allowed another block alone
    raise NetworkError("the signer that was cut off never sealed a block of its own")


def same_block(network, number):
    hashes = set()
    for node in network.nodes[:3]:
        block = node.rpc.call("eth_getBlockByNumber", hex(number), False)
        hashes.add(block["hash"] if block else None)
    return len(hashes) == 1 and None not in hashes


def vote_in_and_out(network):
    """The spare signer is voted in, then the third of the old ones out. Gives the block after which it is so."""
    joins, leaves = network.nodes[3], network.nodes[2]
    joined = [node for node in network.nodes[:3]]
    for node in joined:
        network.vote(node, joins.address, True)
    network.wait("the fourth signer", 60, lambda: joins.address in signers(network))
    for node in joined:
        node.rpc.call("clique_discard", joins.address)
        network.vote(node, leaves.address, False)
    network.vote(joins, leaves.address, False)
    network.wait("the departure of a signer", 90, lambda: leaves.address not in signers(network))
    network.wait_blocks(3, 60)
    return network.height(network.nodes[0])


def signers(network):
    return [address.lower() for address in network.nodes[0].rpc.call("clique_getSigners", "latest")]


def record_clique(run, network, community, abandoned, changed):
    recording = Recording(network, network.nodes[0])
    recording.take_headers(1, changed, "one of three signers cut off and back; then one voted in and one out")
    recording.side.append([abandoned])
    first = community.contracts["first_block"]
    recording.take_receipts(first)
    slot = "0x" + (1).to_bytes(32, "big").hex()
    recording.take_proof(changed, community.contracts["registry"], [slot, "0x" + bytes(32).hex()])
    recording.write(run.output / "geth_clique.json")
    run.say(f"recorded {len(recording.headers)} headers into {run.output / 'geth_clique.json'}")
