#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The main job from end to end on one machine: an embedded chain, a broker, a gateway that nobody trusts, and devices that
each run as a process with a key of their own. They agree on tomorrow through the contract and then live that day, fast.

`./run demo` builds and calls this. Exit status 0 only if the schedule keeps the cap, is as good as a central optimum, and
no output moved without verified evidence."""
import argparse
import json
import math
import os
import secrets
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from chain_watch import Justification, Rpc, gas_of, profiles_of  # noqa: E402
from picture import draw  # noqa: E402
from processes import EventFile, Processes, ScaledClock, start_broker  # noqa: E402
from real_chain import RealChain  # noqa: E402
from scenario import BadData, Community  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
LIES = ("old-head few-seals doubled-seal outsider forged-node truncated-proof other-contract other-device withheld-update "
        "replayed-day slow-clock silence flood").split()
# Under these the devices can still agree; under the others no evidence reaches them, and a few rounds show it.
LIES_WITH_AGREEMENT = ("withheld-update", "replayed-day", "flood")
CHAIN_ID = 20771
EVENING_S = 1_795_219_200 - 6 * 3600  # 18:00 UTC on the day before the one that is planned
OPENED_AT_ONCE_MAX = 24               # devices that are up before the first round is long open
NEGOTIATION_RATE = 20                 # chain seconds a second while the devices agree


class Failure(Exception):
    """Something that ends the demonstration; the message says what and where to look."""


def parse(arguments):
    parser = argparse.ArgumentParser(prog="./run demo", description=__doc__.split("\n\n")[0])
    parser.add_argument("--devices", type=int, default=12, metavar="N", help="devices, 3 to 200 (default 12)")
    parser.add_argument("--slots", type=int, default=24, choices=[4, 24, 48, 96], help="slots of the day (default 24)")
    parser.add_argument("--speed", type=float, default=4320, metavar="X",
                        help="chain seconds a second while the day is played (default 4320: a day in 20 s)")
    parser.add_argument("--data", metavar="DIR", help="CSV files of prices and home loads in place of the built-in figures")
    parser.add_argument("--silent", type=int, default=0, metavar="K", help="kill K devices after round 3")
    parser.add_argument("--lie", choices=[*LIES, "list"], metavar="KIND", help="the gateway lies so; 'list' prints the kinds")
    chain = parser.add_argument_group("on a chain that runs already", "Its clock is real: the day's slots have seconds, not hours.")
    chain.add_argument("--chain", metavar="URL", help="JSON-RPC of a node")
    chain.add_argument("--validators", metavar="FILE", help="JSON array of the addresses that the devices are to trust")
    chain.add_argument("--engine", choices=["qbft", "ibft2", "clique"], default="qbft", help="how it seals (default qbft)")
    chain.add_argument("--period", type=float, default=1, metavar="S", help="seconds between blocks (default 1)")
    chain.add_argument("--empty-period", type=int, default=0, metavar="S", help="seconds between empty blocks, if longer")
    chain.add_argument("--slot-seconds", type=int, default=1, metavar="S", help="seconds of a slot (default 1)")
    chain.add_argument("--lead", type=int, metavar="S", help="from the opening to the first slot (default 32 periods)")
    chain.add_argument("--freshness", type=int, metavar="S", help="oldest header that devices act on (default 30 s or more)")
    chain.add_argument("--key", metavar="FILE", help="the operator's key (default: a fresh one)")
    chain.add_argument("--gateway-key", metavar="FILE", help="the gateway's key (default: a fresh one)")
    chain.add_argument("--gas-price", type=int, default=0, metavar="WEI", help="where nodes demand one; both keys need coins")
    parser.add_argument("--arch", choices=["host", "aarch64"], default="host", help="aarch64: gateway and devices under QEMU")
    parser.add_argument("--build", default="build/host", help=argparse.SUPPRESS)
    parser.add_argument("--output", default="build/demo", help="folder of picture, result and logs (default build/demo)")
    options = parser.parse_args(arguments)
    if options.lie == "list":
        print("\n".join(LIES))
        sys.exit(0)
    if not 3 <= options.devices <= 200:
        parser.error("--devices must be 3 to 200")
    if not 0 <= options.silent <= options.devices - 2:
        parser.error("--silent must leave at least two devices")
    if not 60 <= options.speed <= 20_000:
        parser.error("--speed must be 60 to 20000")
    if bool(options.chain) != bool(options.validators):
        parser.error("--chain and --validators go together: trust begins with the validators, not with what a node says")
    if options.chain and (options.slot_seconds < 1 or 3600 % options.slot_seconds):
        parser.error("--slot-seconds must divide 3600")
    return options


class Demo:
    def __init__(self, options):
        self.options = options
        self.folder = (ROOT / options.output).resolve()
        self.folder.mkdir(parents=True, exist_ok=True)
        for old in self.folder.glob("*"):
            if old.is_file():
                old.unlink()
        self.work = self.folder / "work"
        subprocess.run(["rm", "-rf", str(self.work)], check=True)
        self.work.mkdir()
        self.host = ROOT / options.build
        self.processes = Processes(self.work)
        self.real = RealChain(options, Rpc(options.chain)) if options.chain else None
        self.chain_id, self.engine = (self.real.chain_id, options.engine) if self.real else (CHAIN_ID, "qbft")
        self.community = Community(options.devices, options.slots, options.data, self.real and self.real.slot_seconds)
        self.first_block = 1
        self.started = time.monotonic()
        self.rounds, self.reason = [], ""

    # ---- helpers

    def say(self, text):
        print(f"[{time.monotonic() - self.started:6.1f} s] {text}", flush=True)

    def program(self, path):
        """A program of the architecture that gateway and devices run on."""
        if self.options.arch == "host":
            return [self.host / path]
        emulator = ["qemu-aarch64"] if os.uname().machine != "aarch64" else []
        return [*emulator, ROOT / "build/aarch64" / path]

    def control(self, *arguments, document=None):
        command = [str(self.host / "tools/wattproofctl/wattproofctl"), *map(str, arguments)]
        text = json.dumps(document) if document is not None else None
        done = subprocess.run(command, input=text, capture_output=True, text=True, check=False, timeout=120)
        if done.returncode != 0:
            raise Failure(f"wattproofctl {' '.join(map(str, arguments[:2]))}: {done.stderr.strip() or done.stdout.strip()}")
        return json.loads(done.stdout) if done.stdout.strip().startswith("{") else done.stdout

    def chain_options(self, with_key=True):
        options = ["--url", self.url]
        if hasattr(self, "registry"):
            options += ["--registry", self.registry, "--engine", self.engine, "--first-block", str(self.first_block)]
        if with_key:
            options += ["--key", self.options.key or str(self.work / "operator.key"), "--gas-price", str(self.options.gas_price)]
        return options

    def wait(self, what, seconds, condition):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            value = condition()
            if value:
                return value
            ended = self.processes.check()
            if ended:
                raise Failure(f"{ended} has ended; see {self.work / (ended + '.log')}")
            time.sleep(0.05)
        raise Failure(f"{what} did not happen within {seconds:.0f} s; see the logs in {self.work}")

    # ---- setting up

    def join_chain(self):
        self.clock, self.period, self.url, self.rpc = self.real.clock, self.real.period, self.real.url, self.real.rpc
        self.say(f"chain {self.chain_id}: {self.engine}, {len(self.real.validators)} trusted validators, a block every "
                 f"{self.period:g} s, at {self.url}, block {self.rpc.block_number()}")

    def start_chain(self):
        if self.real:
            return self.join_chain()
        self.clock = ScaledClock(self.work / "clock", EVENING_S)
        self.clock.set_rate(NEGOTIATION_RATE)
        self.period = 0.25 if self.options.arch == "host" and self.options.devices <= 24 else 0.6
        command = ["node", ROOT / "contracts/devnet/src/main.js", "--port", "0", "--validators", "4", "--period", self.period,
                   "--chain-id", CHAIN_ID, "--clock", self.work / "clock"]
        ready = open(self.work / "chain.json", "wb")
        self.processes.start("chain", command, stdout=ready)
        line = self.wait("the chain's start", 20, lambda: (self.work / "chain.json").read_text().strip().split("\n")[0])
        started = json.loads(line)
        self.url = started.get("url") or f"http://127.0.0.1:{started['port']}"
        self.rpc = Rpc(self.url)
        self.say(f"chain {CHAIN_ID}: QBFT, {len(started['validators'])} validators, a block every {self.period} s, at {self.url}")

    def deploy(self):
        deployed = self.control("deploy", *self.chain_options(), "--artifacts", ROOT / "contracts/artifacts")
        self.registry, self.scheduler, self.first_block = deployed["registry"], deployed["scheduler"], deployed["first_block"]
        self.operator = deployed["operator"]
        self.say(f"contracts: DeviceRegistry {self.registry}, Scheduler {self.scheduler}")

    def write_device_config(self, device, password, broker_port):
        folder = self.work / device.name
        folder.mkdir(exist_ok=True)
        (folder / "password").write_text(password + "\n")
        (folder / "password").chmod(0o600)
        config = folder / "device.toml"
        text = config.read_text() if config.exists() else ""
        if not text:
            # Enough to make the key; the operator fills in the rest once the address is enrolled.
            kind = ("kind = \"appliance\"\nrun_w = [1]\nlatest_end_slot = 24\n" if device.is_relay_only else
                    "kind = \"curtailable\"\nmin_w = 0\nmax_w = 0\n")
            text = (f"[device]\nid = 1\n{kind}[limits]\nmin_w = 0\nmax_w = 1\n"
                    f"[chain]\nid = {self.chain_id}\nregistry = \"{self.registry}\"\n"
                    "[chain.checkpoint]\nnumber = 0\nvalidators = [\"0x" + "11" * 20 + "\"]\n")
        text = text.replace("[device]\n", f"[device]\nown_cost_quadratic = {device.own_quadratic_q16}\n", 1)
        fresh = self.real.freshness_s if self.real else max(900, round(self.options.speed * 5))
        text = text.replace("[chain]\n", f"[chain]\nfreshness_s = {fresh}\nskew_s = {15 if self.real else 60}\n", 1)
        highest = max(map(abs, device.device.get("run_w", []) or [0])) or 1
        config.write_text(text + self.output_text(device.is_relay_only, highest) +
                          f"\n[broker]\nhost = \"127.0.0.1\"\nport = {broker_port}\npassword_file = \"password\"\n"
                          "backoff_ms_min = 200\nbackoff_ms_max = 2000\n\n[store]\nfolder = \"state\"\n" + self.link_text())
        return config

    def output_text(self, relay_only, highest):
        if self.real:
            return self.real.output_text(highest, relay_only)
        return ("\n[output]\nrelay = \"simulated\"\n" + f"rated_w = {highest}\n" +
                 ("on_ms_min = 600000\noff_ms_min = 300000\n" if relay_only else "on_ms_min = 0\noff_ms_min = 0\n") +
                 "start_spread_ms_max = 0\nmismatch_ms_max = 1200000\nmismatch_pause_ms = 1200000\n" +
                 ("" if relay_only else "setpoint = \"log\"\nsetpoint_fallback_w = 0\n"))

    def link_text(self):
        if self.real:
            return self.real.link_text()
        return ("\n[clock]\nscaled_file = \"../clock\"\n"
                "\n[link]\nanswer_ms_max = 600000\ntries_max = 4\npause_ms_min = 1000\npause_ms_max = 120000\n"
                "poll_ms = 900000\nstatus_ms = 3600000\n")

    def make_keys(self):
        """Each device makes its key itself; the operator sees the address alone. The broker then knows who may come."""
        self.passwords = {device.name: secrets.token_hex(16) for device in self.community.devices}
        for device in self.community.devices:
            config = self.write_device_config(device, self.passwords[device.name], 1)
            done = subprocess.run([str(part) for part in [*self.program("firmware/linux_node/linux_node"), "--config", config,
                                                          "--print-identity"]], capture_output=True, text=True, check=False)
            if done.returncode != 0:
                raise Failure(f"{device.name}: {done.stderr.strip() or done.stdout.strip()}")
            device.address = done.stdout.strip().split()[-1].lower()
            config.unlink()
        users = {device.address[2:]: self.passwords[device.name] for device in self.community.devices}
        self.gateway_password = secrets.token_hex(16)
        self.broker_port = start_broker(self.processes, self.work, users | {"gateway": self.gateway_password})

    def enrol(self):
        documents = [self.document(device) | {"address": device.address} for device in self.community.devices]
        enrolled = self.control("enrol", *self.chain_options(), "-", document={"devices": documents})
        for device, entry in zip(self.community.devices, enrolled["devices"]):
            device.id = entry["id"]

    def enrol_and_open(self):
        """The opening follows the enrolment into the same block: the operator's transactions are in order by their nonces."""
        def sent():
            return int(self.rpc.call("eth_getTransactionCount", self.operator, "pending"), 16)
        all_sent = sent() + len(self.community.devices)
        with ThreadPoolExecutor(1) as pool:
            enrolment = pool.submit(self.enrol)
            self.wait("the sending of the enrolments", 30, lambda: enrolment.done() or sent() >= all_sent)
            if not enrolment.done():
                self.open_epoch()
            enrolment.result()

    def provision(self):
        for device in self.community.devices:
            self.control("provision", *self.chain_options(False), *self.trust_options(), "--id", device.id, "--output",
                         self.work / device.name / "device.toml", "-", document=self.document(device))
            self.write_device_config(device, self.passwords[device.name], self.broker_port)
        self.say(f"{len(self.community.devices)} devices enrolled and provisioned; broker on port {self.broker_port}, "
                 "an identity and an access rule each")

    def trust_options(self):
        return ["--validators", self.real.validators_file] if self.real else []

    def document(self, device):
        return {"slots": self.community.slots, "slot_seconds": self.community.slot_seconds, "device": device.device,
                "min_w": device.min_w, "max_w": device.max_w, "fallback_w": device.fallback_w}

    def start_gateway(self):
        (self.work / "gateway.password").write_text(self.gateway_password + "\n")
        (self.work / "gateway.password").chmod(0o600)
        config = self.work / "gateway.toml"
        config.write_text(f"[chain]\nurl = \"{self.url}\"\nid = {self.chain_id}\nregistry = \"{self.registry}\"\n"
                          f"engine = \"{self.engine}\"\nfirst_block = {self.first_block}\n"
                          f"poll_ms = {100 if self.real else round(self.period * 400)}\n\n[account]\nkey_file = \"{self.options.gateway_key or 'gateway.key'}\"\n"
                          f"gas_price_wei = {self.options.gas_price}\n\n"
                          f"[mqtt]\nhost = \"127.0.0.1\"\nport = {self.broker_port}\nusername = \"gateway\"\n"
                          "password_file = \"gateway.password\"\n\n[batch]\ncount_max = 50\nwait_ms = 100\n")
        lie = ["--lie", self.options.lie] if self.options.lie else []
        self.gateway = self.processes.start("gateway", [*self.program("firmware/home_gateway/home_gateway"), "--config", config,
                                                        "--events", self.work / "gateway.events", *lie])
        self.gateway_events = EventFile(self.work / "gateway.events")
        self.wait("the gateway's first look at the chain", 30,
                  lambda: any(event["event"] == "synced" for event in self.gateway_events.read()))

    def start_devices(self):
        for device in self.community.devices:
            folder = self.work / device.name
            device.process = self.processes.start(device.name, [
                *self.program("firmware/linux_node/linux_node"), "--config", folder / "device.toml",
                "--events", folder / "events"])
            device.event_file = EventFile(folder / "events")

    # ---- negotiating

    def choose_cap(self):
        """A cap that binds: between the peak that the community would choose without one, and its mean."""
        before = [device.before for device in self.community.devices]
        free = self.reference(before)
        wish = free["aggregate_w"]
        peak, mean = max(wish), sum(wish) / len(wish)
        share = 0.72
        while True:
            self.community.cap_w = [math.ceil((mean + share * (peak - mean)) * 1.005 / 100) * 100] * self.community.slots
            if share >= 1 or self.reference(before, must_exist=False)["reference_free_feasible"]:
                break
            share += 0.07  # the loads that cannot move need more
        self.say(f"without a cap the feeder would peak at {peak / 1000:.1f} kW; cap {self.community.cap_w[0] / 1000:.1f} kW")

    def reference(self, profiles, must_exist=True):
        done = subprocess.run([str(self.host / "tools/reference/wattproof-reference"), "-"], capture_output=True, text=True,
                              input=json.dumps(self.community.problem(profiles)), check=False, timeout=600)
        if done.returncode not in (0, 1) or not done.stdout:
            raise Failure(f"wattproof-reference: {done.stderr.strip()}")
        result = json.loads(done.stdout)
        if must_exist and not (result["reference_feasible"] and result["reference_free_feasible"]):
            raise Failure("the community's limits and cap cannot be met together: no central optimum exists")
        return result

    def open_epoch(self):
        community = self.community
        path = self.work / "day.json"
        path.write_text(json.dumps({"slot_seconds": community.slot_seconds, "gamma": community.gamma_q16,
                                    "price": community.price, "base_w": community.base_w, "cap_w": community.cap_w}))
        block_s = self.period * NEGOTIATION_RATE
        round_s, grace_s = (self.real.round_s, self.real.grace_s) if self.real else (round(14 * block_s), round(5 * block_s))
        self.first_slot_s = self.real.first_slot_s() if self.real else EVENING_S + 6 * 3600
        rounds_max = 8 if self.options.lie and self.options.lie not in LIES_WITH_AGREEMENT else 60
        opened = self.control("epoch", "open", *self.chain_options(), "--start", self.first_slot_s, "--round-seconds", round_s,
                              "--grace-seconds", grace_s, "--enter-seconds", round_s, "--rounds-max", rounds_max,
                              "--tolerance-w", 4, path)
        self.epoch = opened["epoch"]
        self.say(f"epoch {self.epoch} opened: {community.slots} slots of {community.slot_seconds} s; {community.source}")

    def on_gateway_event(self, event):
        kind = event["event"]
        if kind == "round":
            self.rounds.append(event)
            cap = event.get("cap_excess_w", 0)
            self.say(f"round {event['round']:2d}: {event['answered']:3d} of {event['participants']} answered, residuals "
                     f"primal {event.get('primal', 0):.5f} dual {event.get('dual', 0):.5f}, "
                     + (f"cap exceeded by {cap} W" if cap > 0 else "cap kept"))
            if event["round"] == 3:
                for device in self.community.devices[:self.options.silent]:
                    device.process.may_end = True
                    self.processes.kill(device.process)
                    self.say(f"killed {device.name}")
        elif kind in ("final", "failed"):
            return event
        return None

    def negotiate(self):
        def ended():
            for event in self.gateway_events.read():
                end = self.on_gateway_event(event)
                if end:
                    return end
            return None
        end = self.wait("the end of the epoch", 900 if self.options.arch == "aarch64" else 240, ended)
        self.final_block = end.get("block")
        self.is_final = end["event"] == "final"
        self.reason = "" if self.is_final else str(end.get("reason"))
        self.say(f"schedule final in block {end.get('block')} after {end['round'] if 'round' in end else len(self.rounds)} rounds"
                 if self.is_final else f"epoch failed: {self.reason}; devices take their fallback")

    # ---- living the day

    def play(self):
        start, end = self.first_slot_s, self.first_slot_s + self.community.slots * self.community.slot_seconds
        self.wait("the devices' proof of the schedule", 60, lambda: self.devices_know() or self.options.lie)
        self.agreed_s = round(time.monotonic() - self.started, 1)
        # To just before midnight at double pace, then the day.
        self.clock.set_rate(self.options.speed * 2)
        while self.clock.now_s() < start - (0 if self.real else 1200):
            time.sleep(0.02)
        self.clock.set_rate(self.options.speed)
        self.late_slots = max(0, int((self.clock.now_s() - start) // self.community.slot_seconds)) if self.real else 0
        if self.late_slots:
            self.say(f"{self.late_slots} slots had passed before the schedule was final: a longer --lead would have left time for them")
        self.say(f"living {self.community.slots} slots of {self.community.slot_seconds} s" if self.real else
                 f"playing the day at {self.options.speed:g} times its pace")
        shown = -1
        while self.clock.now_s() < end + (0.5 if self.real else 600):
            slot = int((self.clock.now_s() - start) // self.community.slot_seconds)
            if slot != shown and slot >= 0 and slot % max(1, self.community.slots // 6) == 0 and slot < self.community.slots:
                shown = slot
                self.say(f"  slot {slot:2d}: {self.running_now()}")
            ended = self.processes.check()
            if ended:
                raise Failure(f"{ended} has ended; see {self.work / (ended + '.log')}")
            time.sleep(0.02)
        self.clock.set_rate(1)

    def read_events(self):
        for device in self.community.devices:
            device.events += device.event_file.read()

    def devices_know(self):
        self.read_events()
        alive = [device for device in self.community.devices if device.process.poll() is None]
        return all(any(event["event"] in ("final", "failed") for event in device.events) for device in alive)

    def running_now(self):
        self.read_events()
        on, power = 0, 0
        for device in self.community.devices:
            relay = next((e["on"] for e in reversed(device.events) if e["event"] == "relay"), False)
            on += relay
            power += next((e["power_w"] for e in reversed(device.events) if e["event"] == "setpoint"), 0)
        return f"{on} relays on, setpoints sum to {power} W"

    # ---- judging

    def judge(self):
        self.read_events()
        community = self.community
        on_chain = profiles_of(self.rpc, self.scheduler, self.epoch)
        profiles = []
        for device in community.devices:
            fallback = device.fallback_w if isinstance(device.fallback_w, list) else [device.fallback_w] * community.slots
            profiles.append(on_chain.get(device.id, fallback) if self.is_final else fallback)
        after = community.aggregate(profiles)
        justification = Justification(self.rpc)
        unverified, switches = [], 0
        for device, profile in zip(community.devices, profiles):
            for event in device.events:
                if event["event"] not in ("relay", "setpoint"):
                    continue
                fault = justification.fault(event, device, profile if self.is_final else None, self.epoch, self.final_block)
                if fault:
                    unverified.append(f"{device.name}: {fault}")
                switches += event["event"] == "relay" and event["reason"] == "schedule"
        refused = {}
        for device in community.devices:
            for event in device.events:
                if event["event"] == "refused":
                    refused[event["error"]] = refused.get(event["error"], 0) + 1
        per_device, alone, close = gas_of(self.rpc, self.scheduler, community.slots, self.first_block)
        result = {
            "devices": len(community.devices), "slots": community.slots,
            "rounds": max((event["round"] for event in self.rounds), default=0),
            "objective": None, "reference_objective": None, "reference_objective_free": None,
            "cap_w": community.cap_w,
            "cap_violation_w": [max(0, after[t] - community.cap_w[t]) for t in range(community.slots)],
            "peak_before_w": max(community.before()), "peak_after_w": max(after), "relay_switches": switches,
            "unverified_actions": len(unverified), "gas_update_per_device": per_device, "gas_update_alone": alone,
            "gas_close": close, "seconds": round(time.monotonic() - self.started, 1), "seconds_to_proof": self.agreed_s,
            "slot_seconds": community.slot_seconds, "late_slots": self.late_slots, "profiles_w": profiles, "reason": self.reason,
            "lie": self.options.lie, "refused": refused, "epoch": self.epoch, "final_block": self.final_block,
        }
        if self.is_final:
            reference = self.reference(self.real_profiles(profiles))
            for name in ("objective", "reference_objective", "reference_objective_free", "reference_free_is_bound"):
                result[name] = reference[name]
        result["seconds"] = round(time.monotonic() - self.started, 1)
        for text in unverified[:10]:
            self.say("NOT JUSTIFIED: " + text)
        return result, profiles, after

    def real_profiles(self, profiles):
        """An appliance that was killed before it answered counts with its fallback: nothing, which is none of its starts."""
        return [profile if device.kind != "appliance" or any(profile) else device.before
                for device, profile in zip(self.community.devices, profiles)]

    def verdict(self, result):
        faults = []
        if result["unverified_actions"]:
            faults.append(f"{result['unverified_actions']} changes of an output without verified evidence")
        if self.options.lie:
            return faults
        if not self.is_final:
            return [*faults, f"no schedule: {self.reason}"]
        if any(result["cap_violation_w"]):
            faults.append(f"the cap is exceeded by up to {max(result['cap_violation_w'])} W")
        if self.options.silent:
            return faults
        for name, limit in (("reference_objective", 0.001), ("reference_objective_free", 0.003)):
            gap = (result["objective"] - result[name]) / max(1, abs(result[name]))
            if gap > limit:
                faults.append(f"the objective is {100 * gap:.3f} % above {name}, more than {100 * limit:g} %")
        return faults

    def table(self, profiles):
        print(f"\n{'device':<12} {'kind':<12} {'energy':>10} {'cost before':>12} {'cost after':>12} {'switches':>9}")
        total_before = total_after = 0.0
        for device, profile in zip(self.community.devices, profiles):
            before, after = (self.community.cost(device, p) / 1e6 for p in (device.before, profile))
            total_before, total_after = total_before + before, total_after + after
            energy = sum(profile) * self.community.slot_seconds / 3600 / 1000
            changes = [e for e in device.events if e["event"] in ("relay", "setpoint") and e["reason"] == "schedule"]
            print(f"{device.name:<12} {device.kind:<12} {energy:>7.2f} kWh {before:>12.3f} {after:>12.3f} {len(changes):>9}")
        print(f"{'all':<12} {'':<12} {'':>11} {total_before:>12.3f} {total_after:>12.3f}\n")

    def run(self):
        print(f"wattproof demo: {self.options.devices} devices, {self.options.slots} slots"
              + (f", the gateway lies: {self.options.lie}" if self.options.lie else ""), flush=True)
        self.start_chain()
        self.deploy()
        self.make_keys()
        self.choose_cap()
        self.start_gateway()
        if self.real and len(self.community.devices) <= OPENED_AT_ONCE_MAX:
            self.enrol_and_open()
            self.provision()
            self.start_devices()
        else:
            self.enrol()
            self.provision()
            self.start_devices()
            self.open_epoch()
        self.negotiate()
        self.play()
        result, profiles, after = self.judge()
        self.table(profiles)
        community = self.community
        draw(self.folder / "schedule.svg", community.before(), after, community.cap_w, community.price,
             f"{len(community.devices)} devices, {community.slots} slots, {result['rounds']} rounds"
             + ("" if self.is_final else ": no schedule"), community.source, self.is_final)
        (self.folder / "result.json").write_text(json.dumps(result, indent=1) + "\n")
        if self.is_final:
            self.say(f"objective {result['objective']} against {result['reference_objective']} with these starts and "
                     f"{result['reference_objective_free']} with the best ones; peak {result['peak_before_w']} W before, "
                     f"{result['peak_after_w']} W after")
        self.say(f"gas: {result['gas_update_per_device']} an update in a batch, {result['gas_update_alone']} alone, "
                 f"{result['gas_close']} to close a round")
        if self.options.lie:
            self.say(f"the lie '{self.options.lie}' was answered by {sum(result['refused'].values())} refusals; "
                     f"{result['unverified_actions']} outputs moved on it")
        if result["refused"]:
            self.say("refused by devices: " + ", ".join(f"{name} {count}" for name, count in sorted(result["refused"].items())))
        self.say(f"picture and figures: {self.folder / 'schedule.svg'}, {self.folder / 'result.json'}")
        return self.verdict(result)


def main():
    options = parse(sys.argv[1:])
    try:
        demo = Demo(options)
    except (BadData, OSError) as error:
        print(f"demo: {error}", file=sys.stderr)
        return 2
    try:
        faults = demo.run()
    except (Failure, subprocess.TimeoutExpired, OSError, RuntimeError) as error:
        faults = [str(error)]
    except KeyboardInterrupt:
        faults = ["interrupted"]
    finally:
        demo.processes.stop()
    for fault in faults:
        print(f"demo: {fault}", file=sys.stderr)
    if not faults:
        print("demo: ok")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
