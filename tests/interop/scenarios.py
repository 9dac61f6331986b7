# SPDX-License-Identifier: Apache-2.0
"""What is tried on real networks. Each scenario is a function of the run and a scratch folder; it raises if something is
not as it must be."""
import json
import subprocess
import sys

from networks import NetworkError, QbftNetwork, ROOT

DEMO_S_MAX = 240
MAIN_JOB_S_MAX = 60  # to the moment at which every device has proved the schedule


def demo(run, folder, network, name, *options):
    """The main job on a network, by the program that a user calls. Gives its result.json."""
    output = run.output / name
    command = [sys.executable, ROOT / "tools/demo/demo.py", "--build", run.options.build, "--output", output, "--chain",
               network.nodes[0].url, "--validators", network.folder / "validators.json", "--engine", network.engine,
               "--period", network.period, *options]
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False, timeout=DEMO_S_MAX)
    (output / "demo.log").write_text(done.stdout + done.stderr)
    if done.returncode != 0 or not done.stdout.rstrip().endswith("demo: ok"):
        raise NetworkError(f"{name}: the demo ended with {done.returncode}: {done.stderr.strip()[-400:]}; see {output}/demo.log")
    return json.loads((output / "result.json").read_text())


def qbft_main_job(run, folder):
    """eight devices agree and live a day on four GoQuorum validators with a block every second"""
    network = QbftNetwork(run.node("goquorum"), folder / "net", run.control, 4)
    try:
        network.start()
        result = demo(run, folder, network, "qbft", "--devices", 8, "--lead", 42)
    finally:
        network.stop()
    run.say(f"qbft: {result['rounds']} rounds, proved by every device after {result['seconds_to_proof']} s, day lived after "
            f"{result['seconds']} s; {result['gas_update_per_device']} gas an update, {result['gas_close']} to close")
    if result["seconds_to_proof"] > MAIN_JOB_S_MAX:
        raise NetworkError(f"the devices took {result['seconds_to_proof']} s to prove a schedule, more than {MAIN_JOB_S_MAX} s")


QUICK = ("qbft_main_job",)
ALL = {scenario.__name__: scenario for scenario in (qbft_main_job,)}
