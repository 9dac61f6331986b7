# SPDX-License-Identifier: Apache-2.0
"""A small community for tests: a development chain, a broker, a gateway and devices, each a process on loopback.

Everything that is started here is stopped here. Folders are scratch; ports are free ones.
"""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
START_S = 20


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until(condition, seconds, what):
    """Polls until `condition()` gives something true and returns it; raises after `seconds`."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = condition()
        if found:
            return found
        time.sleep(0.05)
    raise TimeoutError(f"not within {seconds} s: {what}")


class Community:
    """Use as a context: `with Community(build) as community`."""

    def __init__(self, build, chain_options=(), keep=False):
        self.build = Path(build).resolve()
        self.folder = Path(tempfile.mkdtemp(prefix="wattproof-"))
        self.chain_options = list(chain_options)
        self.keep = keep
        self.processes = {}
        self.logs = {}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for name in reversed(list(self.processes)):
            self.stop(name)
        if self.keep:
            print("kept:", self.folder, file=sys.stderr)
        else:
            shutil.rmtree(self.folder, ignore_errors=True)

    # -- processes --

    def start(self, name, command):
        log = open(self.folder / f"{name}.log", "a")
        self.logs[name] = log
        self.processes[name] = subprocess.Popen([str(part) for part in command], stdin=subprocess.DEVNULL, stdout=log,
                                                stderr=subprocess.STDOUT, cwd=self.folder)

    def stop(self, name, how=signal.SIGTERM):
        process = self.processes.pop(name)
        self.logs.pop(name).close()
        if process.poll() is None:
            process.send_signal(how)
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        return process.returncode

    def pause(self, name):
        self.processes[name].send_signal(signal.SIGSTOP)

    def resume(self, name):
        self.processes[name].send_signal(signal.SIGCONT)

    def log_text(self, name):
        path = self.folder / f"{name}.log"
        return path.read_text() if path.exists() else ""

    def events(self, name, kind=None):
        """The JSON lines that a process wrote to its events file."""
        path = self.folder / f"{name}.events"
        lines = path.read_text().splitlines() if path.exists() else []
        events = []
        for line in lines:
            try:
                events.append(json.loads(line))
            except ValueError:
                pass  # half a line that is being written
        return [event for event in events if kind is None or event["event"] == kind]

    def ctl(self, *arguments, document=None, status=0):
        """Runs wattproofctl; gives its JSON output."""
        done = subprocess.run([str(self.build / "tools/wattproofctl/wattproofctl"), *map(str, arguments)],
                              input=None if document is None else json.dumps(document), capture_output=True, text=True,
                              cwd=self.folder, timeout=180)
        if done.returncode != status:
            raise AssertionError(f"wattproofctl {arguments}: status {done.returncode}: {done.stdout}{done.stderr}")
        return json.loads(done.stdout) if done.stdout.startswith("{") else done.stdout

    # -- parts --

    def start_chain(self):
        self.start("chain", ["node", ROOT / "contracts/devnet/src/main.js", "--chain-id", 1337, *self.chain_options])
        line = wait_until(lambda: self.log_text("chain").splitlines()[:1], START_S, "the chain is ready")[0]
        self.url = json.loads(line)["url"]
        self.validators = json.loads(line)["validators"]

    def start_broker(self, port=None):
        self.broker_port = port or free_port()
        (self.folder / "broker.conf").write_text(f"listener {self.broker_port} 127.0.0.1\nallow_anonymous true\n")
        self.start("broker", ["mosquitto", "-c", "broker.conf"])

        def listens():
            with socket.socket() as probe:
                return probe.connect_ex(("127.0.0.1", self.broker_port)) == 0

        wait_until(listens, START_S, "the broker listens")

    def deploy(self):
        answer = self.ctl("deploy", "--url", self.url, "--key", "operator.key")
        self.registry, self.first_block = answer["registry"], answer["first_block"]
        return answer

    def chain_arguments(self, key=False):
        return ["--url", self.url, "--registry", self.registry, *(["--key", "operator.key"] if key else [])]

    def start_gateway(self, *options, name="gateway", batch="", url=None):
        (self.folder / f"{name}.toml").write_text(
            f'[chain]\nurl = "{url or self.url}"\nid = 1337\nregistry = "{self.registry}"\nfirst_block = {self.first_block}\n'
            f'poll_ms = 100\n[account]\nkey_file = "{name}.key"\n'
            f'[mqtt]\nhost = "127.0.0.1"\nport = {self.broker_port}\nclient_id = "{name}"\n[batch]\n{batch}\n')
        program = self.build / "firmware/home_gateway/home_gateway"
        self.start(name, [program, "--config", f"{name}.toml", "--events", f"{name}.events", *options])
        wait_until(lambda: self.events(name, "synced"), START_S, "the gateway is synced")

    def add_devices(self, devices, outputs):
        """Gives each device a key, enrols all, provisions each. `outputs`: its [output] section, as TOML text."""
        program = self.build / "firmware/linux_node/linux_node"
        self.devices = []
        for index, device in enumerate(devices):
            name = f"device{index + 1}"
            (self.folder / f"{name}.state").mkdir()
            placeholder = self.tail(name, outputs[index])
            self.write_config(name, self.head_without_chain(device) + placeholder)
            done = subprocess.run([program, "--config", f"{name}.toml", "--print-identity"], cwd=self.folder,
                                  capture_output=True, text=True, timeout=30)
            address = [word for word in done.stdout.replace('"', " ").split() if word.startswith("0x") and len(word) == 42]
            if not address:
                raise AssertionError(f"no identity: {done.stdout}{done.stderr}")
            self.devices.append({"name": name, "address": address[0], "document": device, "output": outputs[index]})
        documents = [{**device["document"], "address": device["address"]} for device in self.devices]
        answer = self.ctl("enrol", "-", *self.chain_arguments(key=True), document={"devices": documents})
        for device, enrolled in zip(self.devices, answer["devices"]):
            device["id"] = enrolled["id"]
            text = self.ctl("provision", "-", "--url", self.url, "--registry", self.registry, "--id", enrolled["id"],
                            document=device["document"])
            self.write_config(device["name"], text + self.tail(device["name"], device["output"]))

    def head_without_chain(self, device):
        spec = device["device"]
        kind = "\n".join(f"{key} = {json.dumps(value)}" for key, value in spec.items() if key != "type")
        return (f'[device]\nid = 1\nkind = "{spec["type"]}"\nslots = {device["slots"]}\nslot_seconds = {device["slot_seconds"]}\n'
                f'{kind}\n[limits]\nmin_w = -2000000\nmax_w = 2000000\n[chain]\nid = 1337\nregistry = "{self.registry}"\n'
                f'[chain.checkpoint]\nnumber = 0\nvalidators = {json.dumps(self.validators)}\n')

    def tail(self, name, output):
        return (f'[output]\n{output}\n[broker]\nhost = "127.0.0.1"\nport = {self.broker_port}\nanonymous = true\n'
                f'backoff_ms_min = 200\nbackoff_ms_max = 1000\n'
                f'[store]\nfolder = "{name}.state"\n[link]\nanswer_ms_max = 1000\npause_ms_min = 300\npause_ms_max = 2000\n'
                f'poll_ms = 3000\n')

    def write_config(self, name, text):
        (self.folder / f"{name}.toml").write_text(text)

    def start_device(self, device):
        name = device["name"]
        program = self.build / "firmware/linux_node/linux_node"
        self.start(name, [program, "--config", f"{name}.toml", "--events", f"{name}.events"])

    def start_devices(self):
        for device in self.devices:
            self.start_device(device)

    def open_epoch(self, parameters, *options):
        return self.ctl("epoch", "open", "-", *self.chain_arguments(key=True), *options, document=parameters)


def mixed_devices(slots=24):
    """Five devices of five kinds, small enough to settle in a few rounds; with the [output] section of each."""
    def of(device):
        return {"slots": slots, "slot_seconds": 86400 // slots, "device": device}

    devices = [
        of({"type": "fixed", "profile_w": [300 + 10 * t for t in range(slots)]}),
        of({"type": "curtailable", "min_w": -3000, "max_w": 0}),
        of({"type": "shapeable", "power_min_w": 0, "power_max_w": 7000, "energy_wh": 20000, "start_slot": 0,
            "end_slot": slots}),
        of({"type": "battery", "power_min_w": -2500, "power_max_w": 2500, "energy_min_wh": 500, "energy_max_wh": 5000,
            "energy_start_wh": 2000, "energy_end_min_wh": 2000, "energy_end_max_wh": 5000}),
        of({"type": "appliance", "run_w": [2000, 500, 1200], "earliest_slot": 2, "latest_end_slot": slots - 2}),
    ]
    setpoint = 'relay = "none"\nsetpoint = "log"'
    relay = 'relay = "simulated"\nrated_w = 2000'
    return devices, [setpoint, setpoint, setpoint, setpoint, relay]


def day_parameters(slots=24, cap_w=6000, slot_seconds=None):
    return {"slot_seconds": slot_seconds or 86400 // slots, "price": [80000 + 4000 * ((t * 7) % 24) for t in range(slots)], "base_w": 1000,
            "cap_w": cap_w, "gamma": 65536}
