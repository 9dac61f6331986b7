#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measures the light client: microseconds here, instructions, flash and RAM on a Cortex-M4.

usage: measure_chain.py [host] [cortex-m4]      default: both

Prints one JSON object a line: {"name", "value", "unit", "target", "command"}. Instructions are counted exactly in QEMU
(bench/icount) and are not cycles. Flash is the linked image of chain_flash less that of chain_empty. RAM is what a
device keeps for verifying, the largest header of the set, and the painted stack.
"""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "build"
CASES = BUILD / "bench" / "chain_cases"
QEMU = ["qemu-system-arm", "-M", "mps2-an386", "-nographic", "-monitor", "none", "-serial", "none",
        "-semihosting-config", "enable=on,target=native", "-kernel"]

# The best portable Keccak for 32 bits that we found a published figure of: Linux's crypto/sha3_generic.c, 63.0 cycles a
# byte of SHA3-256 on a Cortex-A57 in 32-bit mode (kernel commit beeb504adf3d), so 8,568 a permutation of 136 bytes. That
# core is wider than a Cortex-M4 and runs more than an instruction a cycle; 585 bytes are five permutations.
KECCAK_REFERENCE = 5 * 8_568
# With the largest set that a build can hold: RAM of the whole, recovery's own stack included.
RAM_TARGETS = {7: 8192, 21: None, 32: None}


def output(*command):
    done = subprocess.run(list(map(str, command)), cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}\n{done.stdout[-4000:]}{done.stderr[-4000:]}")
    return done.stdout


def say(name, value, unit, target=None):
    print(json.dumps({"name": name, "value": value, "unit": unit, "target": target,
                      "command": "python3 bench/chain/measure_chain.py"}), flush=True)


def host_program(validators):
    folder = BUILD / "host" if validators == 32 else BUILD / "bench" / f"host-{validators}"
    output("cmake", "--preset", "host", "-B", folder, "-D", "WATTPROOF_TESTS=ON", "-D",
           f"WATTPROOF_VALIDATOR_COUNT_MAX={validators}")
    output("cmake", "--build", folder, "--target", "chain_host")
    return folder / "bench" / "chain_host"


def flash_folder(name, *options):
    """The images whose size is looked at, in a build of their own."""
    folder = BUILD / "bench" / f"chain-{name}"
    output("cmake", "--preset", "cortex-m4", "-B", folder, *options)
    output("cmake", "--build", folder, "--target", "chain_flash", "chain_empty")
    return folder / "bench"


def image_folder(validators):
    cases = Path(f"{CASES}-{validators}.bin")
    cases.parent.mkdir(parents=True, exist_ok=True)
    output(host_program(validators), "--write", cases)
    folder = BUILD / "bench" / f"cortex-m4-{validators}"
    output("cmake", "--preset", "cortex-m4", "-B", folder, "-D", f"WATTPROOF_CASES={cases}",
           "-D", f"WATTPROOF_VALIDATOR_COUNT_MAX={validators}")
    output("cmake", "--build", folder, "--target", "chain_image")
    return folder / "bench"


def host():
    for line in output(host_program(32)).splitlines():
        entry = json.loads(line)
        say(entry["name"], entry["value"], entry["unit"], entry["target"])


def flash_of(image):
    text, data = output("arm-none-eabi-size", image).splitlines()[1].split()[:2]
    return int(text) + int(data)


def cortex_m4():
    folder = image_folder(32)
    counts = json.loads(output(sys.executable, "bench/icount/run.py", "--elf", folder / "chain_image.elf"))["passages"]
    keccak, three, four, proof, begin = counts
    say("keccak_585_bytes_cortex_m4", keccak, "instructions", int(1.5 * KECCAK_REFERENCE))
    say("qbft_header_3_seals_cortex_m4", three, "instructions", 4_200_000)
    say("qbft_header_4_seals_cortex_m4", four, "instructions", 5_500_000)
    say("proof_9_nodes_cortex_m4", proof, "instructions")
    # What a flood of headers can cost before a recovery; a step may take 640,000, some 10 ms at 64 MHz.
    say("qbft_begin_32_validators_cortex_m4", begin, "instructions", 640_000)
    # As a release is linked, and without link-time optimisation, which the curve library does not take part in.
    for name, options, target in (("flash", ["-D", "CMAKE_INTERPROCEDURAL_OPTIMIZATION=ON"], 25 * 1024),
                                  ("flash_without_lto", [], None)):
        folder = flash_folder(name, *options)
        say(f"light_client_qbft_{name}_cortex_m4",
            flash_of(folder / "chain_flash.elf") - flash_of(folder / "chain_empty.elf"), "bytes", target)
    # The image names the QBFT engine; the others may not be in it. The folder is the one without link-time optimisation.
    symbols = output("arm-none-eabi-nm", "-C", folder / "chain_flash.elf")
    if "BftVerifier" not in symbols:
        sys.exit("chain_flash.elf has no engine at all")
    others = [line for line in symbols.splitlines() if "Clique" in line or "Aura" in line]
    say("light_client_symbols_of_unused_engines", len(others), "symbols", 0)
    for validators, target in RAM_TARGETS.items():
        image = image_folder(validators) / "chain_image.elf"
        done = subprocess.run([*QEMU, image], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, timeout=60)
        if done.returncode != 0:
            sys.exit(f"{image}: ended with status {done.returncode}\n{done.stdout}")
        ram = {name: int(size) for name, size in map(str.split, done.stdout.splitlines())}
        say(f"light_client_ram_{validators}_validators_cortex_m4", sum(ram.values()), "bytes", target)
        for name, size in ram.items():
            say(f"light_client_ram_{validators}_validators_cortex_m4.{name}", size, "bytes")


def main():
    parts = {"host": host, "cortex-m4": cortex_m4}
    names = sys.argv[1:] or parts
    for name in names:
        if name not in parts:
            sys.exit(__doc__)
        parts[name]()


if __name__ == "__main__":
    main()
