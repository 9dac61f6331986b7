#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Packs the programs of a build into a Debian package, unpacks it, and looks at what a machine would get: programs that
start, units that systemd accepts and calls well confined, the stop helper, a rule for each kind of device file.

usage: deb_test.py BUILD     exit status 77 (skipped) where dpkg-deb or systemd-analyze is missing
"""

import re
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "packaging"))
import deb  # noqa: E402

BUILD = Path(sys.argv.pop(1)).resolve()
EXPOSURE_MAX = 2.5   # of 10, by systemd's own account
UNITS = "lib/systemd/system"
SKIPPED = 77


def run(*command, check=True):
    done = subprocess.run([str(part) for part in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if check and done.returncode != 0:
        raise RuntimeError(f"{command}: status {done.returncode}\n{done.stdout}")
    return done.stdout


class Package(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = Path(folder.name)
        cls.tree = cls.folder / "unpacked"
        architecture = deb.MACHINES[deb.platform.machine()]
        cls.package = deb.make(architecture, cls.folder, BUILD)
        run("dpkg-deb", "--raw-extract", cls.package, cls.tree)

    def text(self, path):
        return (self.tree / path).read_text()

    def test_programs_start_and_say_the_version_of_the_package(self):
        version = run("dpkg-deb", "--field", self.package, "Version").strip()
        for program in ("linux_node", "home_gateway", "wattproofctl"):
            self.assertIn(version, run(self.tree / "usr/bin" / program, "--version"), program)

    def test_depends_on_what_the_programs_link(self):
        depends = run("dpkg-deb", "--field", self.package, "Depends")
        for name in ("libc6", "libmosquitto1", "systemd"):
            self.assertIn(name, depends)

    def test_every_file_is_whole_and_roots(self):
        sums = self.text("DEBIAN/md5sums").splitlines()
        files = [path for path in self.tree.rglob("*") if path.is_file() and "DEBIAN" not in path.parts]
        self.assertEqual(len(sums), len(files))
        run("sh", "-c", f"cd '{self.tree}' && md5sum --check --quiet DEBIAN/md5sums")
        owners = {line.split()[1] for line in run("dpkg-deb", "--contents", self.package).splitlines()}
        self.assertEqual({"root/root"}, owners)

    def test_systemd_accepts_the_units_and_calls_them_confined(self):
        for unit in ("wattproof-node.service", "wattproof-gateway.service"):
            path = self.folder / unit
            path.write_text(self.text(f"{UNITS}/{unit}").replace("/usr/bin/", f"{self.tree}/usr/bin/"))
            said = run("systemd-analyze", "verify", "--man=no", "--recursive-errors=no", path)
            self.assertEqual("", said.strip(), unit)
            said = run("systemd-analyze", "security", "--offline=true", "--no-pager", path)
            exposure = float(re.search(r"exposure level for \S+: ([0-9.]+)", said)[1])
            self.assertLessEqual(exposure, EXPOSURE_MAX, said)

    def test_the_node_is_watched_made_safe_and_always_started_again(self):
        unit = self.text(f"{UNITS}/wattproof-node.service")
        self.assertRegex(unit, r"(?m)^ExecStopPost=/usr/bin/linux_node --config \S+ --make-safe$")
        self.assertRegex(unit, r"(?m)^WatchdogSec=\d+$")
        self.assertRegex(unit, r"(?m)^Restart=always$")
        self.assertRegex(unit, r"(?m)^StartLimitIntervalSec=0$")

    def test_the_service_may_open_what_drives_relays(self):
        rules = self.text("lib/udev/rules.d/60-wattproof-gpio.rules")
        users = self.text("usr/lib/sysusers.d/wattproof.conf")
        unit = self.text(f"{UNITS}/wattproof-node.service")
        for group, subsystem, device in (("gpio", "gpio", "char-gpiochip"), ("i2c", "i2c-dev", "char-i2c")):
            self.assertRegex(rules, rf'(?m)^SUBSYSTEM=="{subsystem}",.* GROUP="{group}", MODE="0660"$')
            self.assertRegex(users, rf"(?m)^g {group} ")
            self.assertRegex(users, rf"(?m)^m wattproof {group}$")
            self.assertIn(f"DeviceAllow={device} rw", unit)
            self.assertRegex(unit, rf"SupplementaryGroups=.*\b{group}\b")

    def test_the_scripts_of_the_package_are_shell(self):
        for name in ("postinst", "prerm", "postrm"):
            run("sh", "-n", self.tree / "DEBIAN" / name)


if __name__ == "__main__":
    for tool in ("dpkg-deb", "dpkg-shlibdeps", "systemd-analyze"):
        if not shutil.which(tool):
            print(f"skipped: {tool} is not installed")
            sys.exit(SKIPPED)
    unittest.main(verbosity=2)
