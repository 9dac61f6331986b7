#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Speaks to a plug over its serial line: who are you, how are you, take these settings, forget them.

usage: plug_line.py PORT identity | status | log | forget settings | forget everything
       plug_line.py PORT provision FILE.toml
       plug_line.py check FILE.toml

PORT is a serial device (115200 8N1), tcp:HOST:PORT or unix:PATH. FILE.toml is what `wattproofctl provision` writes plus [output], [broker]
and, if not by DHCP, [network]; firmware/plug/README.md lists the keys. The plug's key is made on the plug and never leaves it: its
address is what `identity` prints.
"""
import os
import re
import socket
import sys
import termios
import time
import tomllib
import zlib
from pathlib import Path

DATA_BYTES = 64     # of a document, in one line
ANSWER_LIMIT_S = 10


class Refused(Exception):
    """The plug said no, or nothing; or the settings cannot be."""


# ---- the document: see firmware/plug/plug_settings.hpp

def cbor(value):
    """The one encoding of bool, int, bytes, text, None and lists of them that the plug takes."""
    def head(major, number):
        for bits, code in ((8, 24), (16, 25), (32, 26), (64, 27)):
            if number < 24:
                return bytes([major << 5 | number])
            if number < 1 << bits:
                return bytes([major << 5 | code]) + number.to_bytes(bits // 8, "big")
        raise Refused(f"{number} is too large")
    if value is None:
        return b"\xf6"
    if isinstance(value, bool):
        return b"\xf5" if value else b"\xf4"
    if isinstance(value, int):
        return head(0, value) if value >= 0 else head(1, -1 - value)
    if isinstance(value, bytes):
        return head(2, len(value)) + value
    if isinstance(value, str):
        return head(3, len(value.encode())) + value.encode()
    return head(4, len(value)) + b"".join(map(cbor, value))


class Section:
    """One table of the TOML file; says which key is missing, and in the end which were never asked for."""

    def __init__(self, name, table):
        self.name, self.table, self.asked = name, table, set()

    def get(self, key, *default, kind=int):
        self.asked.add(key)
        if key not in self.table:
            if default:
                return default[0]
            raise Refused(f"{self.name}.{key} is missing")
        value = self.table[key]
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise Refused(f"{self.name}.{key} is not what it should be")
        return value

    def choice(self, key, words, default):
        word = self.get(key, default, kind=str)
        if word not in words:
            raise Refused(f"{self.name}.{key} must be one of {', '.join(words)}")
        return words.index(word)

    def hex(self, key, size, *default):
        text = self.get(key, *default, kind=str)
        if not re.fullmatch(rf"0x[0-9a-fA-F]{{{2 * size}}}", text):
            raise Refused(f"{self.name}.{key} must be 0x and {2 * size} hexadecimal digits")
        return bytes.fromhex(text[2:])

    def series(self, key, slots, *default):
        """One number, or exactly one a slot."""
        value = self.get(key, *default, kind=(int, list))
        if isinstance(value, list) and len(value) == 1:
            return value[0]
        if isinstance(value, list) and len(value) != slots:
            raise Refused(f"{self.name}.{key} has {len(value)} entries; there are {slots} slots")
        return value

    def section(self, key, required=True):
        self.asked.add(key)
        if key not in self.table and required:
            raise Refused(f"[{key}] is missing")
        return Section(f"{self.name}.{key}".lstrip("."), self.table.get(key, {}))

    def finish(self):
        unknown = sorted(self.table.keys() - self.asked)
        if unknown:
            raise Refused(f"{self.name}.{unknown[0]} is not known here".lstrip("."))


def four_bytes(text):
    try:
        return socket.inet_aton(text) if text.count(".") == 3 else None
    except OSError:
        return None


def device_of(section, limits):
    slots = section.get("slots", 24)
    kinds = ["fixed", "curtailable", "shapeable", "battery", "appliance", "thermal", "switched", "generator"]
    kind = kinds[section.choice("kind", kinds, "")]
    number = section.get
    powers = lambda low="power_min_w", high="power_max_w": [section.series(low, slots), section.series(high, slots)]  # noqa: E731
    window = lambda first, last: [number(first, 0), number(last, slots)]  # noqa: E731
    if kind == "fixed":
        profile = section.series("profile_w", slots)
        fields = [profile if isinstance(profile, list) else [profile] * slots]
    elif kind == "curtailable":
        fields = powers("min_w", "max_w")
    elif kind == "shapeable":
        fields = [*powers(), number("energy_wh"), *window("start_slot", "end_slot")]
    elif kind == "battery":
        fields = [*powers(), *(number(f"energy_{word}_wh") for word in ("min", "max", "start", "end_min", "end_max")),
                  number("charge_efficiency_permille", 1000), number("discharge_efficiency_permille", 1000),
                  number("standing_loss_w", 0)]
    elif kind == "appliance":
        fields = [section.get("run_w", kind=list), *window("earliest_slot", "latest_end_slot"), number("runs", 1),
                  section.get("interruptible", False, kind=bool)]
    elif kind == "thermal":
        fields = [number("power_min_w", 0), number("power_max_w"), number("gain_mk_per_wh"), number("leak_permyriad_per_slot"),
                  section.series("ambient_mc", slots), number("start_mc"), section.series("min_mc", slots),
                  section.series("max_mc", slots), section.get("soft", False, kind=bool)]
    elif kind == "switched":
        fields = [number("power_w"), number("energy_wh"), number("min_on_slots"), number("min_off_slots"),
                  *window("start_slot", "end_slot")]
    else:
        fields = [*powers(), number("cost_linear"), number("cost_quadratic")]
    document = [number("id"), slots, number("slot_seconds", 3600), number("own_cost_quadratic", 0), kinds.index(kind), fields,
                limits.series("fallback_w", slots, 0)]
    limits.get("min_w", 0, kind=(int, list)), limits.get("max_w", 0, kind=(int, list))  # the registry's; a plug needs none
    limits.finish()
    section.finish()
    return document


def chain_of(section):
    checkpoint = section.section("checkpoint")
    is_linked = "hash" in checkpoint.table or "timestamp" in checkpoint.table
    validators = checkpoint.get("validators", kind=list)
    if not all(isinstance(each, str) and re.fullmatch("0x[0-9a-fA-F]{40}", each) for each in validators):
        raise Refused("chain.checkpoint.validators must be addresses")
    document = [
        section.get("id"), section.hex("registry", 20), section.choice("engine", ["qbft", "ibft2"], "qbft"),
        section.choice("header", ["frontier", "london", "shanghai", "cancun", "prague"], "london"),
        section.choice("validators", ["header", "configuration"], "header"), section.get("period_s", 1),
        section.get("trusting_period_s", 30 * 86400), section.get("freshness_s", 900), section.get("skew_s", 15),
        section.get("drift_ppm", 200), checkpoint.get("number"), is_linked,
        checkpoint.hex("hash", 32) if is_linked else bytes(32), checkpoint.get("timestamp") if is_linked else 0,
        sorted(bytes.fromhex(each[2:]) for each in validators)]
    checkpoint.finish()
    section.finish()
    return document


def output_of(section, override_s_max):
    number = section.get
    spread = min(300_000, number("fallback_ms", 900_000))
    document = [
        number("on_ms_min", 180_000), number("off_ms_min", 300_000), number("fallback_ms", 900_000),
        number("start_spread_ms_max", spread), section.get("fallback_on", False, kind=bool), number("trip_w", 0),
        number("trip_ms", 10_000), number("trip_pause_ms", 300_000), number("trip_count_max", 5),
        number("mismatch_ms_max", 2_000), number("mismatch_pause_ms", 600_000), section.get("setpoint", False, kind=bool),
        number("setpoint_fallback_w", 0), number("setpoint_override_w", 0), section.get("contact", False, kind=bool),
        override_s_max, number("button_s", min(3600, override_s_max))]
    section.finish()
    return document


def secret_of(section, key, folder):
    """A secret stands in a file of its own, one line."""
    name = section.get(key, "", kind=str)
    return (folder / name).read_text().splitlines()[0].strip() if name else ""


def broker_of(section, folder):
    host = four_bytes(section.get("host", kind=str))
    if host is None:
        raise Refused("broker.host must be four numbers: a plug resolves no names")
    password, psk = secret_of(section, "password_file", folder), secret_of(section, "psk_file", folder)
    document = [host, section.get("port", 8883 if psk else 1883), section.get("keepalive_s", 30), section.get("backoff_ms_min", 1000),
                section.get("backoff_ms_max", 300_000), section.get("anonymous", False, kind=bool), password, bytes.fromhex(psk)]
    if not document[5] and not password and not psk:
        raise Refused("broker.host needs password_file or psk_file, or anonymous = true")
    section.finish()
    return document


def network_of(section):
    if not section.table:
        return None
    document = [four_bytes(section.get(key, kind=str)) for key in ("address", "mask", "gateway")]
    if None in document:
        raise Refused("network.address, mask and gateway must be four numbers each")
    section.finish()
    return document


def settings_of(table, folder):
    root = Section("", table)
    override = root.section("override", required=False)
    override_s_max = override.get("duration_s_max", 4 * 3600)
    override.finish()
    link = root.section("link", required=False)
    document = [
        1, chain_of(root.section("chain")), device_of(root.section("device"), root.section("limits")),
        output_of(root.section("output"), override_s_max),
        [link.get("answer_ms_max", 5000), link.get("tries_max", 4), link.get("pause_ms_min", 1000),
         link.get("pause_ms_max", 60_000), link.get("poll_ms", 30_000), link.get("status_ms", 60_000)],
        broker_of(root.section("broker"), folder), network_of(root.section("network", required=False))]
    link.finish()
    root.finish()
    return cbor(document)


# ---- the line

class PlugLine:
    def __init__(self, port):
        self.rest, self.log = b"", []
        if port.startswith("tcp:"):
            host, number = port[4:].rsplit(":", 1)
            self.socket = socket.create_connection((host, int(number)))
        elif port.startswith("unix:"):
            self.socket = socket.socket(socket.AF_UNIX)
            self.socket.connect(port[5:])
        else:
            self.socket = None
            self.file = os.open(port, os.O_RDWR | os.O_NOCTTY)
            mode = termios.tcgetattr(self.file)
            mode[0] = mode[1] = mode[3] = 0
            mode[2] = termios.CS8 | termios.CREAD | termios.CLOCAL
            mode[4] = mode[5] = termios.B115200
            mode[6][termios.VMIN], mode[6][termios.VTIME] = 0, 1
            termios.tcsetattr(self.file, termios.TCSANOW, mode)
        if self.socket:
            self.socket.settimeout(0.1)

    def _read(self):
        if not self.socket:
            return os.read(self.file, 4096)
        try:
            data = self.socket.recv(4096)
        except TimeoutError:
            return b""
        if not data:
            raise Refused("the line was closed")
        return data

    def send(self, data):
        if self.socket:
            self.socket.sendall(data)
        else:
            while data:
                data = data[os.write(self.file, data):]

    def lines(self):
        """What has come since, as whole lines."""
        parts = (self.rest + self._read()).split(b"\n")
        self.rest = parts.pop()
        return [part.decode(errors="replace").rstrip("\r") for part in parts]

    def command(self, text, limit_s=ANSWER_LIMIT_S):
        """The words of the answer behind "ok". What else comes meanwhile goes to `log`."""
        self.send(text.encode() + b"\n")
        end = time.monotonic() + limit_s
        while time.monotonic() < end:
            lines = self.lines()
            answers = [line for line in lines if line.startswith(("ok", "error "))]
            self.log += [line for line in lines if line not in answers]
            if answers:
                if answers[0].startswith("error"):
                    raise Refused(f"{text.split()[0]}: {answers[0]}")
                return answers[0][2:].strip()
        raise Refused(f"{text.split()[0]}: no answer within {limit_s} s")

    def provision(self, document):
        # A line that somebody left half done would swallow our first one.
        self.send(b"\n")
        self.command(f"begin {len(document)} {zlib.crc32(document):08x}")
        for offset in range(0, len(document), DATA_BYTES):
            self.command(f"data {offset} {document[offset:offset + DATA_BYTES].hex()}")
        return self.command("commit")


def main():
    arguments = sys.argv[1:]
    try:
        if len(arguments) == 2 and arguments[0] == "check":
            path = Path(arguments[1])
            print(f"{path}: ok, {len(settings_of(tomllib.loads(path.read_text()), path.parent))} bytes")
        elif len(arguments) == 3 and arguments[1] == "provision":
            path = Path(arguments[2])
            document = settings_of(tomllib.loads(path.read_text()), path.parent)
            print(PlugLine(arguments[0]).provision(document) or "ok")
        elif len(arguments) >= 2 and " ".join(arguments[1:]) in ("identity", "status", "forget settings", "forget everything"):
            line = PlugLine(arguments[0])
            line.send(b"\n")
            print(line.command(" ".join(arguments[1:])) or "ok")
        elif len(arguments) == 2 and arguments[1] == "log":
            line = PlugLine(arguments[0])
            while True:
                for text in line.lines():
                    print(text, flush=True)
        else:
            print(__doc__.split("\n\n", 1)[1], file=sys.stderr)
            return 2
    except (Refused, OSError, ValueError) as error:
        print(f"plug_line.py: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        pass
    return 0


if __name__ == "__main__":
    sys.exit(main())
