# SPDX-License-Identifier: Apache-2.0
"""The main job as a process beside which a scenario may do what it likes to the network."""
import json
import subprocess
import sys
import time

from networks import NetworkError, ROOT

DEMO_S_MAX = 300


class Demo:
    """The main job on a network, by the program that a user calls, beside which a scenario may do what it likes."""

    def __init__(self, run, network, name, *options):
        self.output, self.name = run.output / name, name
        self.output.mkdir(parents=True, exist_ok=True)
        self.log_path = run.output / f"{name}.log"  # the demo empties its own folder
        self.gateway_events = self.output / "work/gateway.events"
        self.gateway_events.unlink(missing_ok=True)
        command = [sys.executable, ROOT / "tools/demo/demo.py", "--build", run.options.build, "--output", self.output, "--chain",
                   network.nodes[0].url, "--validators", network.folder / "validators.json", "--engine", network.engine,
                   "--period", network.period, *options]
        with open(self.log_path, "wb") as log:
            self.process = subprocess.Popen([str(part) for part in command], stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def text(self):
        return self.log_path.read_text(errors="replace")

    def wait_for(self, what, seconds, condition):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if condition():
                return
            if self.process.poll() is not None:
                raise NetworkError(f"{self.name}: the demo ended before {what}; see {self.log_path}")
            time.sleep(0.1)
        raise NetworkError(f"{self.name}: {what} did not happen within {seconds} s; see {self.log_path}")

    def wait_text(self, text, seconds):
        self.wait_for(f"'{text}'", seconds, lambda: text in self.text())

    def finish(self):
        """Its result.json, after it has ended well."""
        self.process.wait(DEMO_S_MAX)
        text = self.text()
        if self.process.returncode != 0 or not text.rstrip().endswith("demo: ok"):
            raise NetworkError(f"{self.name}: the demo ended with {self.process.returncode}: {text.strip()[-300:]}; "
                               f"see {self.log_path}")
        return json.loads((self.output / "result.json").read_text())

    def device_events(self):
        """{device: [event]} of what each device has written so far."""
        found = {}
        for path in sorted((self.output / "work").glob("*-[0-9][0-9]/events")):
            lines = path.read_text(errors="replace").splitlines()
            found[path.parent.name] = [json.loads(line) for line in lines if line.startswith("{") and line.endswith("}")]
        return found

    def contracts(self):
        """Where the contracts stand, as the gateway said."""
        lines = self.gateway_events.read_text().splitlines()
        return next(event for event in map(json.loads, lines) if event["event"] == "contracts")

    def last_heads(self):
        """{device: the highest head that it has named}"""
        return {name: max((event.get("head", 0) for event in events), default=0)
                for name, events in self.device_events().items()}

    def modes(self):
        return {name: [event["mode"] for event in events if event["event"] == "mode"]
                for name, events in self.device_events().items()}

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(30)


def report(run, name, result):
    run.figures[name] = result
    run.say(f"{name}: {result['rounds']} rounds, proved by every device after {result['seconds_to_proof']} s, day lived after "
            f"{result['seconds']} s; {result['gas_update_per_device']} gas an update, {result['gas_close']} to close")


def same_schedule(run, real, other, whose="on the embedded chain"):
    """What the community agrees on depends on the devices alone, not on who seals the blocks."""
    for name in ("rounds", "profiles_w", "objective", "gas_close"):
        if real[name] != other[name]:
            raise NetworkError(f"{name} differs from that {whose}: {real[name]} and {other[name]}")
    run.say(f"the same schedule to the watt as {whose}: objective {real['objective']} after {real['rounds']} rounds")
