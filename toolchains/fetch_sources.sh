#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Unpacks Debian's source packages that a microcontroller build compiles (libsecp256k1, mbedTLS, lwIP) under .cache/src,
# with package lists of its own: the machine's apt configuration is not touched and nothing is installed. Versions are
# whatever the configured mirror has, since security updates move them; the file `versions` says which were taken.
# Does nothing if they are there already; `--refresh` fetches anew.
set -eu

packages="libsecp256k1 mbedtls lwip"
here=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
cache=${WATTPROOF_SOURCE_CACHE:-$here/.cache/src}

[ "${1:-}" = "" ] || [ "$1" = "--refresh" ] || { echo "usage: $0 [--refresh]" >&2; exit 2; }
if [ "${1:-}" != "--refresh" ] && [ -f "$cache/versions" ]; then
  echo "sources are in $cache"
  exit 0
fi
mkdir -p "$cache/parts" "$cache/lists/partial"
cd "$cache"
rm -rf versions versions.new parts/* ./*.dsc

# Debian 12 has deb822 files on cloud and container images, the one-line form on machines installed from a disc.
if [ -f /etc/apt/sources.list.d/debian.sources ]; then
  sed 's/^Types:.*/Types: deb-src/' /etc/apt/sources.list.d/debian.sources > parts/source.sources
elif [ -f /etc/apt/sources.list ]; then
  sed -n '/cdrom:/d; s/^deb \(\[[^]]*\] \)\{0,1\}/deb-src \1/p' /etc/apt/sources.list > parts/source.list
else
  echo "no Debian package source configured in /etc/apt" >&2
  exit 1
fi

apt_get() {
  apt-get -q -o Dir::Etc::SourceList=/dev/null -o "Dir::Etc::SourceParts=$cache/parts" \
    -o "Dir::State::Lists=$cache/lists" -o APT::Sandbox::User=root "$@"
}
apt_get update
# shellcheck disable=SC2086  # a list of words
apt_get source --download-only $packages

# apt-get has checked each file against the signed index, so that dpkg-source need not look for keys.
for description in *.dsc; do
  name=$(sed -n 's/^Source: //p' "$description")
  version=$(sed -n 's/^Version: //p' "$description")
  upstream=$(printf '%s' "$version" | sed 's/^[0-9]*://; s/-[^-]*$//')
  rm -rf "$name-$upstream"  # a half unpacked one
  dpkg-source --no-check -x "$description"
  printf '%s %s\n' "$name" "$version" >> versions.new
done
mv versions.new versions
cat versions
