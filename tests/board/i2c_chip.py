# SPDX-License-Identifier: Apache-2.0
"""A chip with registers on a two-wire bus, as a relay board carries one. The emulated board's kernel makes the bus of two
lines of its PL061; this end sees through the test socket what it does with them, and answers on the data line.
"""

import threading
import time

import qtest

LEVELS, DIRECTION = 0x90303fc, 0x9030400   # of the PL061: the open-drain data line is an output exactly while it is pulled low
BUSY_S, IDLE_S = 0.0005, 0.002
REGISTERS = 256


class I2cChip:
    def __init__(self, machine, device, sda, scl, address):
        self.machine, self.device, self.sda, self.scl, self.address = machine, device, sda, scl, address
        self.registers = bytearray(b"\xff" * REGISTERS)
        self.writes = []          # (host's time, register, value)
        self.is_present = True    # False: it has lost its power, and the pull-ups are still there
        self.slowest_look_s = 0.0  # between two looks at the wires while something is said on them
        self._idle()
        self.sda_was_low, self.clock_is_high, self.is_over = False, True, False
        self.driven = None        # what this end has put on the data line since the kernel let go of it
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def stop(self):
        self.is_over = True
        self.thread.join()

    def wait(self, register, value, limit_s):
        """The host's time at which `register` was given `value`, from now on. None: too late."""
        start, end = time.monotonic(), time.monotonic() + limit_s
        while time.monotonic() < end:
            for at, where, what in self.writes[-8:]:
                if at >= start and (where, what) == (register, value):
                    return at
            time.sleep(0.005)
        return None

    # ---- the wires

    def _serve(self):
        read = self.machine.qtest.read_u32
        looked = time.monotonic()
        try:
            while not self.is_over:
                now = time.monotonic()
                if self.expects is not None:
                    self.slowest_look_s = max(self.slowest_look_s, now - looked)
                looked = now
                clock_is_high = bool(read(LEVELS) >> self.scl & 1)
                self._look(bool(read(DIRECTION) >> self.sda & 1), clock_is_high)
                time.sleep(IDLE_S if self.expects is None and clock_is_high else BUSY_S)
        except qtest.Gone:
            pass

    def _look(self, sda_is_low, clock_is_high):
        if clock_is_high and self.clock_is_high and sda_is_low != self.sda_was_low:
            if sda_is_low:
                self._begin()
            else:
                self._idle()
        if self.clock_is_high and not clock_is_high:
            self._fell(sda_is_low)
        if sda_is_low:
            self.driven = None
        elif self.driven != self.answer:
            self.machine.drive(self.device, self.sda, self.answer)
            self.driven = self.answer
        if clock_is_high and not self.clock_is_high:
            self._rose(not sda_is_low and self.answer)
        if clock_is_high:
            self.sda_was_low = sda_is_low
        self.clock_is_high = clock_is_high

    # ---- what is said on them

    def _idle(self):
        self.expects, self.answer = None, True

    def _begin(self):
        self.expects, self.clocks, self.byte, self.answer = "address", 0, 0, True

    def _rose(self, level):
        if self.expects is None:
            return
        self.clocks += 1
        if self.clocks <= 8:
            self.byte = (self.byte << 1 | level) & 0xff
        self.was_acknowledged = not level

    def _fell(self, sda_is_low):
        # Data changes only after the clock has fallen: a start that was not seen for itself.
        if sda_is_low and not self.sda_was_low and (self.expects is None or (self.expects == "value" and self.clocks == 1)):
            self._begin()
        self.answer = True
        if self.expects is None or self.clocks == 0:
            return
        if self.clocks == 8 and self.expects != "reader":
            self.answer = not self._take(self.byte)
        elif self.clocks == 9:
            self.clocks = self.byte = 0
            if self.expects == "read_soon":
                self.expects = "reader"
            elif self.expects == "reader" and not self.was_acknowledged:
                self._idle()
        if self.expects == "reader" and self.clocks < 8:
            self.answer = bool(self.registers[self.register] >> (7 - self.clocks) & 1)

    def _take(self, byte):
        """Takes a byte; says whether to acknowledge it."""
        if not self.is_present or (self.expects == "address" and byte >> 1 != self.address):
            self._idle()
            return False
        if self.expects == "address":
            # The bit of the acknowledgement is still to come, so that a reader's first bit follows it.
            self.expects = "read_soon" if byte & 1 else "register"
        elif self.expects == "register":
            self.register, self.expects = byte, "value"
        elif self.expects == "value":
            self.registers[self.register] = byte
            self.writes.append((time.monotonic(), self.register, byte))
        return True
