#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measures the plug image for the LM3S6965: flash by part, RAM, and the bound of its stack.

Prints one JSON object {name: {"value": n, "unit": "", "target": n}}. The image is optimised as a whole, so a part is known by the
names of its functions; what one part inlined from another counts for the first.
"""
import json
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FLASH_MAX, FLASH_TLS_MAX, RAM_MAX, STACK_MAX = 128 * 1024, 184 * 1024, 40 * 1024, 8 * 1024

PARTS = [
    ("cryptography", r"secp256k1_|mbedtls_|wattproof::crypto|block_cipher|ctr_drbg|[FR]T\d|FS[bB]|RCON|[KG]\.\d|add_mod"),
    ("tls", r"(mbedtls_)?ssl_|mbedtls_(cipher|md|chacha|poly)|chacha|poly1305"),
    ("lwip", r"(tcp|udp|dhcp|etharp|ip4|pbuf|mem|memp|netif|mqtt|sys|inet|ethernet|icmp|lwip|altcp|pub_ack|msg_generate)_?"),
    ("solver", r"wattproof::solver"),
    ("node and schedule", r"wattproof::(node|schedule|message|control|meter)"),
    ("light client", r"wattproof::(chain|codec)"),
    ("store", r"wattproof::store"),
    ("board and link", r"wattproof::(hal|board|cortex_m)|reset_handler|\w+_handler|fault_"),
    ("plug", r"wattproof::firmware|main"),
]


def run(*command):
    done = subprocess.run(list(map(str, command)), cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(done.stdout + done.stderr)
    return done.stdout


def build(name, *options):
    folder = ROOT / "build" / name
    run("cmake", "--preset", "plug-lm3s6965evb", "-B", folder, *options)
    run("cmake", "--build", folder, "--target", "plug")
    return folder / "firmware/plug/plug.elf"


def sections(image):
    text, data, bss = map(int, run("arm-none-eabi-size", image).splitlines()[-1].split()[:3])
    return text + data, data + bss


def parts(image, flash):
    found = dict.fromkeys([name for name, _ in PARTS], 0)
    for line in run("arm-none-eabi-nm", "-S", "-C", image).splitlines():
        match = re.match(r"[0-9a-f]+ ([0-9a-f]+) ([tTrRvVwW]) (?:vtable for |non-virtual thunk to )?(.*)", line)
        if match:
            part = next((name for name, pattern in PARTS if re.match(pattern, match[3])), None)
            if part:
                found[part] += int(match[1], 16)
    found["rest (C library, texts)"] = flash - sum(found.values())
    return found


def main():
    figures = {}

    def add(name, value, target=None):
        figures[f"plug.{name}"] = {"value": value, "unit": "bytes", "target": target}

    image = build("plug-lm3s6965evb", "-D", "WATTPROOF_PLUG_TLS=OFF")
    flash, ram = sections(image)
    add("flash", flash, FLASH_MAX)
    add("ram_with_stack", ram, RAM_MAX)
    for name, size in parts(image, flash).items():
        add(f"flash.{name.replace(' ', '_')}", size)
    flash, ram = sections(build("plug-lm3s6965evb-tls", "-D", "WATTPROOF_PLUG_TLS=ON"))
    add("tls.flash", flash, FLASH_TLS_MAX)
    add("tls.ram_with_stack", ram, RAM_MAX)
    for name, options in (("stack.bound", ()), ("tls.stack.bound", ("--tls",))):
        add(name, json.loads(run(sys.executable, "bench/stack/plug_bound.py", "--json", *options))["stack_bound"], STACK_MAX)
    json.dump(figures, sys.stdout, indent=1)
    print()
    return 0


if __name__ == "__main__":
    sys.exit(main())
