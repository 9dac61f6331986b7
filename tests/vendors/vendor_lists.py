#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Holds what vendors read to what this repository is: the plain list of sources, the versions in each place, the bill of
materials, the list of MISRA deviations."""

import json
import re
import subprocess
import sys
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "packaging"))
import sbom  # noqa: E402


def text(name):
    return (ROOT / name).read_text()


VERSION = re.search(r"project\(wattproof VERSION ([0-9.]+)", text("CMakeLists.txt"))[1]


class VendorLists(unittest.TestCase):
    def test_the_source_list_is_that_of_lib(self):
        built = set()
        for path in (ROOT / "lib").glob("*/CMakeLists.txt"):
            for words in re.findall(r"target_sources\(wattproof PRIVATE\s([^)]*)\)", path.read_text()):
                built |= {f"lib/{path.parent.name}/{word}" for word in words.split() if word.endswith(".cpp")}
        listed = [line for line in text("vendors/sources.txt").splitlines() if line.startswith("lib/")]
        self.assertEqual(sorted(built), listed)
        self.assertGreater(len(listed), 50)

    def test_every_place_states_one_version(self):
        header = text("lib/capi/wattproof.h")
        stated = ".".join(re.search(rf"WATTPROOF_VERSION_{part} (\d+)", header)[1] for part in ("MAJOR", "MINOR", "PATCH"))
        self.assertEqual(VERSION, stated)
        self.assertIn(f'version: "{VERSION}"', text("vendors/esp_idf/wattproof/idf_component.yml"))
        self.assertIn(f"@{VERSION}", text("vendors/zephyr/module.yml"))

    def test_the_bill_of_materials_names_what_is_linked(self):
        bill = sbom.make(VERSION, {"libsecp256k1": "0.2.0-2", "mbedtls": "2.28.3-1", "lwip": "2.1.3"})
        again = sbom.make(VERSION, {"libsecp256k1": "0.2.0-2", "mbedtls": "2.28.3-1", "lwip": "2.1.3"})
        self.assertEqual(json.dumps(bill), json.dumps(again))
        names = {package["name"] for package in bill["packages"]}
        self.assertLessEqual({"wattproof", "libsecp256k1", "mbedtls", "lwip", "libmosquitto", "libgpiod", "tomlplusplus"}, names)
        ids = [package["SPDXID"] for package in bill["packages"]]
        self.assertEqual(len(ids), len(set(ids)))
        for relation in bill["relationships"]:
            self.assertIn(relation["spdxElementId"], [*ids, "SPDXRef-DOCUMENT"])
            self.assertIn(relation["relatedSpdxElement"], ids)
        for package in bill["packages"]:
            for field in ("name", "SPDXID", "versionInfo", "downloadLocation", "licenseConcluded", "licenseDeclared", "copyrightText"):
                self.assertTrue(package.get(field), f"{package['name']}: {field}")

    def test_what_cmake_links_is_in_the_bill(self):
        wanted = set()
        for path in [*ROOT.glob("*/CMakeLists.txt"), *ROOT.glob("*/*/CMakeLists.txt"), ROOT / "toolchains/ThirdParty.cmake"]:
            if path.parts[len(ROOT.parts)] in ("tests", "bench", "build", "vendors"):
                continue
            content = path.read_text()
            wanted |= set(re.findall(r"pkg_check_modules\(\w+ .*?(lib\w+)[ )<]", content))
        self.assertGreater(len(wanted), 2)
        known = {alias for part in sbom.PARTS for alias in part["aliases"]}
        self.assertEqual(set(), wanted - known)

    def test_every_deviation_names_files_that_are_there(self):
        rows = re.findall(r"^\| (\d+\.\d+(?:\.\d+)?) \|.*\| ([^|]+) \|$", text("docs/MISRA.md"), re.MULTILINE)
        self.assertGreater(len(rows), 8)
        listed = subprocess.run(["git", "-c", "safe.directory=*", "ls-files"], cwd=ROOT, capture_output=True, text=True).stdout.split()
        for rule, where in rows:
            for name in re.findall(r"`([^`]+)`", where):
                self.assertTrue((ROOT / name).exists() or any(Path(each).name == name for each in listed), f"{rule}: {name}")


if __name__ == "__main__":
    unittest.main()
