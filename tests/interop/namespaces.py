# SPDX-License-Identifier: Apache-2.0
"""A network of network namespaces, so that validators can be cut off from each other while everybody still reaches their
JSON-RPC. It exists only as long as the processes in it: nothing of the machine's own network is touched.

    hub (this process): bridge 10.77.0.254 between the validators     10.77.0.1, .2, ... one namespace a validator
                        one more wire to each, for JSON-RPC           10.78.i.1 here, 10.78.i.2 there
"""
import ctypes
import os
import subprocess

CLONE_NEWNET = 0x40000000


def ip(*arguments, inside=None):
    prefix = ["nsenter", f"--net=/proc/{inside}/ns/net"] if inside else []
    subprocess.run([*prefix, "ip", *map(str, arguments)], check=True, capture_output=True, timeout=20)


def are_permitted():
    """Whether this process may make network namespaces and wires between them."""
    try:
        probe = subprocess.run(["unshare", "--net", "sh", "-c", "ip link set lo up && ip link add one type veth peer name two && "
                                "ip link add three type bridge"], capture_output=True, check=False, timeout=20)
        return probe.returncode == 0
    except OSError:
        return False


class Hub:
    """Moves the calling process into a namespace of its own. A process that still needs the machine's network forks first."""

    def __init__(self):
        if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), "unshare")
        ip("link", "set", "lo", "up")
        ip("link", "add", "hub", "type", "bridge", "forward_delay", 0)
        ip("addr", "add", "10.77.0.254/24", "dev", "hub")
        ip("link", "set", "hub", "up")
        self.holders = []

    def add(self, index):
        """A namespace for a validator; it lives as long as the small process that holds it."""
        holder = subprocess.Popen(["unshare", "--net", "sh", "-c", "ip link set lo up; echo; exec sleep 3600"],
                                  stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        holder.stdout.read(1)
        self.holders.append(holder)
        ip("link", "add", f"peer{index}", "type", "veth", "peer", "name", "eth0", "netns", holder.pid)
        ip("link", "set", f"peer{index}", "master", "hub", "up")
        ip("addr", "add", f"10.77.0.{index + 1}/24", "dev", "eth0", inside=holder.pid)
        ip("link", "set", "eth0", "up", inside=holder.pid)
        ip("link", "add", f"rpc{index}", "type", "veth", "peer", "name", "eth1", "netns", holder.pid)
        ip("addr", "add", f"10.78.{index}.1/24", "dev", f"rpc{index}")
        ip("link", "set", f"rpc{index}", "up")
        ip("addr", "add", f"10.78.{index}.2/24", "dev", "eth1", inside=holder.pid)
        ip("link", "set", "eth1", "up", inside=holder.pid)

    def wrapper(self, index):
        return ["nsenter", f"--net=/proc/{self.holders[index].pid}/ns/net"]

    def cut_off(self, index):
        ip("link", "set", f"peer{index}", "nomaster")

    def join(self, index):
        ip("link", "set", f"peer{index}", "master", "hub")

    def close(self):
        for holder in self.holders:
            holder.kill()
            holder.wait()


def in_child(function):
    """Runs a function in a child process, whose namespace ends with it. Gives None, or what went wrong as text."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        text = ""
        try:
            function()
        except Exception as error:  # whatever it is, the parent is to hear of it
            text = f"{type(error).__name__}: {error}"
        os.write(writer, text.encode()[:4000])
        os._exit(0 if not text else 1)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        text = pipe.read().decode(errors="replace")
    _, status = os.waitpid(child, 0)
    return text or (None if status == 0 else f"ended with status {status}")
