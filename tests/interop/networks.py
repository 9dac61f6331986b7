# SPDX-License-Identifier: Apache-2.0
"""Real validators on this machine: GoQuorum (QBFT) and geth (Clique), each a process with a key, a folder and ports of its
own, on loopback. Whatever is started here is stopped here, by its process id."""
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools/demo"))
from chain_watch import Rpc  # noqa: E402
from keccak import keccak256  # noqa: E402

CHAIN_ID = 20772
GAS_LIMIT = 60_000_000
PASSWORD = "interop"  # of key files in a scratch folder that lives as long as the test

# secp256k1, as far as a node's identity needs it: one multiplication of the base point for each key.
P = 2**256 - 2**32 - 977
G = (0x79BE667EF9DCBBAC55A06295CE870B07029BFCDB2DCE28D959F2815B16F81798,
     0x483ADA7726A3C4655DA4FBFC0E1108A8FD17B448A68554199C47D08FFB10D4B8)


def add_points(a, b):
    if a is None or b is None:
        return a or b
    if a[0] == b[0] and (a[1] + b[1]) % P == 0:
        return None
    slope = (3 * a[0] * a[0] * pow(2 * a[1], -1, P) if a == b else (b[1] - a[1]) * pow(b[0] - a[0], -1, P)) % P
    x = (slope * slope - a[0] - b[0]) % P
    return x, (slope * (a[0] - x) - a[1]) % P


def public_key(key):
    """The 64 bytes of the public key, in hexadecimal."""
    scalar, point, result = int(key, 16), G, None
    while scalar:
        if scalar & 1:
            result = add_points(result, point)
        point, scalar = add_points(point, point), scalar >> 1
    return f"{result[0]:064x}{result[1]:064x}"


def address_of(public):
    return "0x" + keccak256(bytes.fromhex(public))[12:].hex()


def fresh_key(taken):
    """A key, its public key and its address, whose first digit is a decimal one and none of those taken.

    GoQuorum 22.7.4 orders validators by their bytes, and after a restart by their text in mixed case ("E5" before "a2"): a
    validator that was restarted then never agrees again on whose turn it is. Addresses such as these have one order."""
    while True:
        key = secrets.token_hex(32)
        public = public_key(key)
        address = address_of(public)
        if address[2].isdigit() and address[2] not in taken:
            return key, public, address


class NetworkError(Exception):
    """A network that did not come up or did not do what a scenario needs; the message says what and where to look."""


def free_ports(count, host="127.0.0.1"):
    probes = [socket.socket() for _ in range(count)]
    for probe in probes:
        probe.bind((host, 0))
    ports = [probe.getsockname()[1] for probe in probes]
    for probe in probes:
        probe.close()
    return ports


class Node:
    """One validator. It keeps its folder when it is killed, and can be started again."""

    def __init__(self, network, index):
        self.network, self.index, self.name = network, index, f"validator-{index + 1}"
        self.key, self.public, self.address = fresh_key({node.address[2] for node in network.nodes})
        self.folder = network.folder / self.name
        self.folder.mkdir(parents=True)
        self.host = network.host_of(index)
        self.port, self.http_port, self.auth_port = free_ports(3, "127.0.0.1")
        self.rpc_host = network.rpc_host_of(index)
        self.url = f"http://{self.rpc_host}:{self.http_port}"
        self.rpc = Rpc(self.url)
        self.process, self.is_new = None, True

    @property
    def enode(self):
        return f"enode://{self.public}@{self.host}:{self.port}"

    def is_running(self):
        return self.process is not None and self.process.poll() is None

    def start(self):
        with open(self.folder / "node.log", "ab") as log:
            self.process = subprocess.Popen([*self.network.wrapper(self), *map(str, self.network.command(self))],
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            env={**os.environ, "PRIVATE_CONFIG": "ignore"})
        self.is_new = False

    def stop(self, how=signal.SIGTERM):
        if not self.is_running():
            return
        self.process.send_signal(how)
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def kill(self):
        self.stop(signal.SIGKILL)


class Network:
    """What both kinds share. A subclass says how a node is set up and started, and which genesis it needs."""
    engine = fork = modules = None

    def __init__(self, program, folder, control, count, period=1, spare=0, empty_period=None, arguments=(),
                 gas_limit=GAS_LIMIT):
        """`spare` nodes follow the chain, and are no validators until they are voted in. Without `empty_period` empty blocks
        come as wattproofctl genesis has it."""
        self.program, self.folder, self.control = program, Path(folder), control
        self.period, self.empty_period, self.extra, self.gas_limit = period, empty_period, list(arguments), gas_limit
        self.nodes = []
        for index in range(count + spare):
            self.nodes.append(Node(self, index))
        self.validators = [node.address for node in self.nodes[:count]]

    def host_of(self, _index):
        return "127.0.0.1"

    def rpc_host_of(self, index):
        return self.host_of(index)

    def wrapper(self, _node):
        return []

    def genesis(self):
        command = [self.control, "genesis", "--engine", self.engine, "--validators", "-", "--period", self.period,
                   "--chain-id", CHAIN_ID, "--fork", self.fork, "--gas-limit", self.gas_limit, *self.extra]
        if self.empty_period is not None:
            command += ["--empty-period", self.empty_period]
        done = subprocess.run([str(part) for part in command], input=json.dumps(self.validators), capture_output=True,
                              text=True, check=False)
        if done.returncode != 0:
            raise NetworkError(f"wattproofctl genesis: {done.stdout}{done.stderr}")
        return self.changed(json.loads(done.stdout))

    def changed(self, genesis):
        """What a scenario wants otherwise than wattproofctl makes it."""
        return genesis

    def prepare(self):
        (self.folder / "genesis.json").write_text(json.dumps(self.genesis(), indent=1) + "\n")
        (self.folder / "validators.json").write_text(json.dumps(self.validators) + "\n")
        for node in self.nodes:
            (node.folder / "nodekey").write_text(node.key)
            peers = json.dumps([peer.enode for peer in self.nodes if peer is not node])
            (node.folder / "config.toml").write_text(
                f"[Node.P2P]\nListenAddr = \"{node.host}:{node.port}\"\nNoDiscovery = true\nMaxPeers = 20\n"
                f"StaticNodes = {peers}\nBootstrapNodes = []\nBootstrapNodesV5 = []\n")
            self.run(node, "init", self.folder / "genesis.json")
            self.prepare_node(node)

    def prepare_node(self, node):
        """What a node needs beyond genesis and key."""

    def run(self, node, *arguments):
        done = subprocess.run([str(part) for part in [self.program, "--datadir", node.folder, *arguments]],
                              capture_output=True, text=True, check=False, timeout=60, env={**os.environ, "PRIVATE_CONFIG": "ignore"})
        if done.returncode != 0:
            raise NetworkError(f"{node.name}: {arguments[0]}: {done.stderr[-600:]}")

    def common_options(self, node):
        return [self.program, "--datadir", node.folder, "--config", node.folder / "config.toml", "--nodekey",
                node.folder / "nodekey", "--networkid", CHAIN_ID, "--syncmode", "full", "--nat", "none", "--ipcdisable",
                "--http", "--http.addr", node.rpc_host, "--http.port", node.http_port, "--http.api", self.modules,
                "--http.vhosts", "*", "--miner.gasprice", 0, "--miner.gaslimit", self.gas_limit, "--txpool.pricelimit", 1,
                "--rpc.allow-unprotected-txs=false", "--verbosity", 3]

    def start(self, seconds=60):
        self.prepare()
        for node in self.nodes:
            node.start()
        # Where empty blocks are rare the first one would be long in coming.
        first = 0 if (self.empty_period or 0) > 2 * self.period else 2
        self.wait("the first blocks", seconds, lambda: all(self.height(node) >= first for node in self.nodes))

    def height(self, node):
        try:
            return node.rpc.block_number()
        except (OSError, RuntimeError, ValueError):
            return -1

    def wait(self, what, seconds, condition):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            value = condition()
            if value:
                return value
            time.sleep(0.1)
        raise NetworkError(f"{what} did not happen within {seconds} s; see {self.folder}/*/node.log")

    def wait_blocks(self, count, seconds, node=None):
        """Waits for so many more blocks on a node that runs."""
        node = node or next(one for one in self.nodes if one.is_running())
        goal = self.height(node) + count
        self.wait(f"{count} more blocks", seconds, lambda: self.height(node) >= goal)

    def stop(self):
        for node in reversed(self.nodes):
            if node.is_running():
                node.process.send_signal(signal.SIGTERM)
        for node in self.nodes:
            node.stop()


class QbftNetwork(Network):
    """GoQuorum validators. GoQuorum 22.7.4 knows the rules of Berlin, not of London: its headers have 15 fields."""
    engine, fork, modules = "qbft", "berlin", "eth,net,web3,istanbul,admin,debug,txpool"

    def command(self, node):
        return [*self.common_options(node), "--mine", "--miner.gastarget", self.gas_limit, "--miner.recommit", "1s", "--nousb"]

    def vote(self, node, address, add):
        node.rpc.call("istanbul_propose", address, add)


class CliqueNetwork(Network):
    """geth signers: 1.13 is the last series that seals Clique blocks."""
    engine, fork, modules = "clique", "london", "eth,net,web3,clique,admin,debug,txpool,miner"
    ready_s = 25  # until every signer has been told to seal
    genesis_s = None

    # Block 1 of a chain that begins in the past is due at once, whoever's turn it is: where signers are told to seal in the
    # same moment each makes its own, and none of them may make block 2. So the chain begins when all are ready.
    def changed(self, genesis):
        self.genesis_s = self.genesis_s or int(time.time()) + self.ready_s
        return {**genesis, "timestamp": hex(self.genesis_s)}

    # Signers that seal before they have met begin with a fork that takes them long to leave: so they meet first.
    def start(self, seconds=60):
        self.prepare()
        for node in self.nodes:
            node.start()
        self.wait("signers that know each other", seconds, lambda: all(self.peers(node) >= 2 for node in self.nodes))
        # geth unlocks the account beside all else, and a signer that is told to seal before that never tries again.
        self.wait("unlocked accounts", seconds, lambda: all(self.is_unlocked(node) for node in self.nodes))
        for node in self.nodes:
            node.rpc.call("miner_start")
        self.wait("the first two blocks", seconds, lambda: all(self.height(node) >= 2 for node in self.nodes))

    def is_unlocked(self, node):
        return "Unlocked account" in (node.folder / "node.log").read_text(errors="replace")

    def peers(self, node):
        try:
            return int(node.rpc.call("net_peerCount"), 16)
        except (OSError, RuntimeError, ValueError):
            return -1

    def prepare_node(self, node):
        (node.folder / "password").write_text(PASSWORD + "\n")
        self.run(node, "account", "import", "--lightkdf", "--password", node.folder / "password", node.folder / "nodekey")

    def command(self, node):
        mine = [] if node.is_new else ["--mine"]
        return [*self.common_options(node), *mine, "--authrpc.port", node.auth_port, "--miner.etherbase", node.address, "--unlock",
                node.address, "--password", node.folder / "password", "--allow-insecure-unlock", "--miner.recommit", "1s"]

    def vote(self, node, address, add):
        node.rpc.call("clique_propose", address, add)
