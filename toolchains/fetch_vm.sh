#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Unpacks what an emulated 64-bit ARM board boots (Debian's cloud kernel for arm64 and a static busybox) under .cache/vm.
# Nothing is installed; the version is whatever the configured mirror has, and the file `versions` says which.
# Does nothing if they are there already; `--refresh` fetches anew.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
cache=${WATTPROOF_VM_CACHE:-$here/.cache/vm}

[ "${1:-}" = "" ] || [ "$1" = "--refresh" ] || { echo "usage: $0 [--refresh]" >&2; exit 2; }
if [ "${1:-}" != "--refresh" ] && [ -f "$cache/versions" ]; then
  echo "the board's kernel is in $cache"
  exit 0
fi
rm -rf "$cache"
mkdir -p "$cache"
cd "$cache"

# The name of the kernel's package moves with its version; a package that is always named the same depends on it.
kernel=$(apt-cache depends linux-image-cloud-arm64:arm64 2>/dev/null | sed -n 's/.*Depends: \(linux-image[^:]*\):arm64$/\1/p')
[ -n "$kernel" ] || { echo "apt knows no linux-image-cloud-arm64:arm64 (dpkg --add-architecture arm64; apt-get update)" >&2; exit 1; }
apt-get -q -o APT::Sandbox::User=root download "$kernel:arm64" busybox-static:arm64
for package in *.deb; do dpkg -x "$package" root; done

mv root/boot/vmlinuz-* vmlinuz
mv root/bin/busybox busybox
mkdir modules
for module in virtio_ring virtio virtio_mmio failover net_failover virtio_net virtio_console virtio_blk; do
  file=$(find root/lib/modules -name "$module.ko")
  [ -z "$file" ] || mv "$file" modules/
done
# shellcheck disable=SC2016  # the format is dpkg-deb's
for package in *.deb; do dpkg-deb -W --showformat='${Package} ${Version}\n' "$package" >> versions.new; done
rm -rf root ./*.deb
mv versions.new versions
cat versions
