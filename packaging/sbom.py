#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the software bill of materials as SPDX 2.3 (JSON): this repository and every library that its programs link.

usage: sbom.py [OUTPUT]      default: standard output

Versions are those that this machine builds with: Debian's packages on Linux, the unpacked source packages for
microcontrollers. The same inputs give the same bytes.
"""

import datetime
import json
import subprocess
import sys
import uuid
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import deb  # noqa: E402

ROOT = Path(__file__).resolve().parent.parent
# Where each is linked: device (every target), linux (node, gateway), gateway, tools, plug (bare metal).
PARTS = [
    {"name": "libsecp256k1", "package": "libsecp256k1-dev", "license": "MIT", "where": "device", "aliases": ["libsecp256k1"]},
    {"name": "mbedtls", "package": "libmbedtls-dev", "license": "Apache-2.0 OR GPL-2.0-or-later", "where": "device", "aliases": ["mbedtls"]},
    {"name": "lwip", "package": "", "license": "BSD-3-Clause", "where": "plug", "aliases": ["lwip"]},
    {"name": "newlib", "package": "libnewlib-arm-none-eabi", "license": "BSD-3-Clause", "where": "plug", "aliases": ["newlib"]},
    {"name": "libmosquitto", "package": "libmosquitto-dev", "license": "EPL-2.0 OR BSD-3-Clause", "where": "linux", "aliases": ["libmosquitto"]},
    {"name": "libgpiod", "package": "libgpiod-dev", "license": "LGPL-2.1-or-later", "where": "linux", "aliases": ["libgpiod"]},
    {"name": "tomlplusplus", "package": "libtomlplusplus-dev", "license": "MIT", "where": "linux", "aliases": ["tomlplusplus"]},
    {"name": "libcbor", "package": "libcbor-dev", "license": "MIT", "where": "gateway", "aliases": ["libcbor"]},
    {"name": "libcurl", "package": "libcurl4-openssl-dev", "license": "curl", "where": "gateway", "aliases": ["libcurl"]},
    {"name": "libmicrohttpd", "package": "libmicrohttpd-dev", "license": "LGPL-2.1-or-later", "where": "gateway", "aliases": ["libmicrohttpd"]},
    {"name": "sqlite", "package": "libsqlite3-dev", "license": "blessing", "where": "gateway", "aliases": ["libsqlite3", "sqlite3"]},
    {"name": "libsystemd", "package": "libsystemd-dev", "license": "LGPL-2.1-or-later", "where": "gateway", "aliases": ["libsystemd"]},
    {"name": "nlohmann-json", "package": "nlohmann-json3-dev", "license": "MIT", "where": "gateway", "aliases": ["nlohmann_json"]},
    {"name": "cli11", "package": "libcli11-dev", "license": "BSD-3-Clause", "where": "tools", "aliases": ["cli11"]},
]


def installed_versions():
    versions = {}
    for part in PARTS:
        if not part["package"]:
            continue
        done = subprocess.run(["dpkg-query", "-W", "-f=${Version}\n", part["package"]], capture_output=True, text=True)
        if done.returncode == 0 and done.stdout.strip():
            versions[part["name"]] = done.stdout.split()[0]
    sources = ROOT / ".cache/src/versions"
    if sources.exists():
        versions |= {name: version for name, version in (line.split() for line in sources.read_text().splitlines()) if name not in versions}
    return versions


def package(name, version, licence, comment):
    return {"name": name, "SPDXID": f"SPDXRef-{name}", "versionInfo": version, "downloadLocation": "NOASSERTION", "filesAnalyzed": False,
            "licenseConcluded": licence, "licenseDeclared": licence, "copyrightText": "NOASSERTION", "comment": comment}


def make(version, versions, date=0):
    packages = [package("wattproof", version, "Apache-2.0", "this repository")]
    relations = [{"spdxElementId": "SPDXRef-DOCUMENT", "relationshipType": "DESCRIBES", "relatedSpdxElement": "SPDXRef-wattproof"}]
    for part in PARTS:
        packages.append(package(part["name"], versions.get(part["name"], "NOASSERTION"), part["license"], f"linked by: {part['where']}"))
        relations.append({"spdxElementId": "SPDXRef-wattproof", "relationshipType": "DEPENDS_ON", "relatedSpdxElement": f"SPDXRef-{part['name']}"})
    name = f"wattproof-{version}"
    content = json.dumps([packages, relations], sort_keys=True)
    return {"spdxVersion": "SPDX-2.3", "dataLicense": "CC0-1.0", "SPDXID": "SPDXRef-DOCUMENT", "name": name,
            "documentNamespace": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_OID, name + content)}",
            "creationInfo": {"created": datetime.datetime.fromtimestamp(date, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
                             "creators": ["Tool: wattproof-sbom"]},
            "packages": packages, "relationships": relations}


def main():
    bill = json.dumps(make(deb.version(), installed_versions(), deb.source_date()), indent=2) + "\n"
    if len(sys.argv) > 1:
        Path(sys.argv[1]).write_text(bill)
    else:
        sys.stdout.write(bill)


if __name__ == "__main__":
    main()
