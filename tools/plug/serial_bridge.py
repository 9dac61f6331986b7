#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Carries frames between a plug's serial link and the MQTT broker. Trusted with nothing: it can delay, as any network can.

usage: serial_bridge.py PORT --device ADDRESS --broker HOST:PORT [--password-file FILE]

PORT is a serial device (115200 8N1), tcp:HOST:PORT or unix:PATH.
"""
import argparse
import select
import socket
import sys
import time
import zlib
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from plug_line import PlugLine  # noqa: E402

FRAME_SIZE_MAX = 1024
SIGN_S = 2
KEEPALIVE_S = 30
END, ESCAPE = b"\xc0", b"\xdb"


def slip(frame):
    data = frame + zlib.crc32(frame).to_bytes(4, "big")
    return END + data.replace(ESCAPE, ESCAPE + b"\xdd").replace(END, ESCAPE + b"\xdc") + END


class SlipCutter:
    """Whole and sound frames out of a line's bytes."""

    def __init__(self):
        self.rest = b""

    def take(self, data):
        *pieces, self.rest = (self.rest + data).split(END)
        self.rest = self.rest[-4 * FRAME_SIZE_MAX:]
        for piece in pieces:
            whole = piece.replace(ESCAPE + b"\xdc", END).replace(ESCAPE + b"\xdd", ESCAPE)
            if len(whole) >= 4 and zlib.crc32(whole[:-4]) == int.from_bytes(whole[-4:], "big"):
                yield whole[:-4]


def text(value):
    return len(value).to_bytes(2, "big") + value


def packet(kind, body):
    length, head = len(body), bytes([kind])
    while True:
        head += bytes([length & 127 | (128 if length > 127 else 0)])
        length >>= 7
        if not length:
            return head + body


class Mqtt:
    """MQTT 3.1.1, quality of service 0, one subscription."""

    def __init__(self, host, port, name, password, topic):
        self.socket = socket.create_connection((host, port), 10)
        self.rest = b""
        flags = 2 | (0xc0 if password else 0)
        credentials = text(name) + text(password) if password else b""
        self.socket.sendall(packet(0x10, text(b"MQTT") + bytes([4, flags]) + KEEPALIVE_S.to_bytes(2, "big") + text(name) + credentials))
        self.socket.sendall(packet(0x82, b"\0\1" + text(topic) + b"\0"))
        self.pinged = time.monotonic()

    def publish(self, topic, payload):
        self.socket.sendall(packet(0x30, text(topic) + payload))

    def keep_alive(self):
        if time.monotonic() - self.pinged > KEEPALIVE_S / 2:
            self.pinged = time.monotonic()
            self.socket.sendall(b"\xc0\0")

    def payloads(self):
        data = self.socket.recv(4096)
        if not data:
            raise OSError("the broker has closed the connection")
        self.rest += data
        while True:
            length, at, shift = 0, 1, 0
            while at < len(self.rest) and at < 5:
                length |= (self.rest[at] & 127) << shift
                shift += 7
                at += 1
                if not self.rest[at - 1] & 128:
                    break
            else:
                return
            if len(self.rest) < at + length:
                return
            kind, body, self.rest = self.rest[0], self.rest[at:at + length], self.rest[at + length:]
            if kind == 0x20 and body[1]:
                raise OSError(f"the broker refused: {body[1]}")
            if kind & 0xf0 == 0x30 and not kind & 1:
                yield body[2 + int.from_bytes(body[:2], "big"):]


def bridge(line, options, password):
    name = options.device.lower().removeprefix("0x").encode()
    host, port = options.broker.rsplit(":", 1)
    mqtt = Mqtt(host, int(port), name, password, b"wp/v1/" + name + b"/down")
    cutter, signed = SlipCutter(), 0.0
    serial = line.socket or line.file
    while True:
        ready, _, _ = select.select([serial, mqtt.socket], [], [], 0.5)
        if serial in ready:
            for frame in cutter.take(line._read()):
                if frame:
                    mqtt.publish(b"wp/v1/" + name + b"/up", frame)
        if mqtt.socket in ready:
            for payload in mqtt.payloads():
                if 0 < len(payload) <= FRAME_SIZE_MAX:
                    line.send(slip(payload))
        mqtt.keep_alive()
        if time.monotonic() - signed > SIGN_S:
            signed = time.monotonic()
            line.send(slip(b""))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("port")
    parser.add_argument("--device", required=True, help="the plug's address")
    parser.add_argument("--broker", required=True, metavar="HOST:PORT")
    parser.add_argument("--password-file", metavar="FILE")
    options = parser.parse_args()
    password = Path(options.password_file).read_text().splitlines()[0].encode() if options.password_file else b""
    line = PlugLine(options.port)
    while True:
        try:
            bridge(line, options, password)
        except OSError as error:
            print(f"serial_bridge.py: {error}", file=sys.stderr, flush=True)
            time.sleep(1)


if __name__ == "__main__":
    sys.exit(main())
