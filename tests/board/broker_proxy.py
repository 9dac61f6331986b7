# SPDX-License-Identifier: Apache-2.0
"""Stands between a device and its broker and misbehaves as it is told: passes on, holds back, cuts, or says something of its
own. One connection at a time, as a device makes them."""
import select
import socket
import threading
import time


class BrokerProxy:
    def __init__(self, broker_port):
        self.broker_port, self.down, self.is_held, self.inject = broker_port, [], False, b""
        self.on_down = lambda data: None  # called before bytes go to the device
        self.cut_now, self.connections, self.is_ended = False, 0, False
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def _serve(self):
        while not self.is_ended:
            ready, _, _ = select.select([self.listener], [], [], 0.1)
            if not ready:
                continue
            device, _ = self.listener.accept()
            self.connections += 1
            try:
                with device, socket.create_connection(("127.0.0.1", self.broker_port)) as broker:
                    self._pass_on(device, broker)
            except OSError:
                pass

    def _pass_on(self, device, broker):
        while not self.is_ended:
            if self.cut_now:
                self.cut_now = False
                return
            if self.inject:
                data, self.inject = self.inject, b""
                device.sendall(data)
            if self.is_held:
                time.sleep(0.02)
                continue
            ready, _, _ = select.select([device, broker], [], [], 0.02)
            for end in ready:
                data = end.recv(4096)
                if not data:
                    return
                if end is broker:
                    self.on_down(data)
                (broker if end is device else device).sendall(data)

    def close(self):
        self.is_ended = True
        self.thread.join(5)
        self.listener.close()
