#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Unpacks what an emulated 64-bit ARM board boots (Debian's kernel for arm64 and a static busybox) under .cache/vm.
# Nothing is installed; the version is whatever the configured mirror has, and the file `versions` says which.
# Does nothing if they are there already; `--refresh` fetches anew.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
cache=${WATTPROOF_VM_CACHE:-$here/.cache/vm}

[ "${1:-}" = "" ] || [ "$1" = "--refresh" ] || { echo "usage: $0 [--refresh]" >&2; exit 2; }
if [ "${1:-}" != "--refresh" ] && [ -f "$cache/versions" ] && [ -f "$cache/modules/i2c-gpio.ko" ]; then
  echo "the board's kernel is in $cache"
  exit 0
fi
rm -rf "$cache"
mkdir -p "$cache"
cd "$cache"

# The name of the kernel's package moves with its version; a package that is always named the same depends on it.
# Not the kernel for clouds: that one has no I2C.
kernel=$(apt-cache depends linux-image-arm64:arm64 2>/dev/null | sed -n 's/.*Depends: \(linux-image[^:]*\):arm64$/\1/p')
[ -n "$kernel" ] || { echo "apt knows no linux-image-arm64:arm64 (dpkg --add-architecture arm64; apt-get update)" >&2; exit 1; }
apt-get -q -o APT::Sandbox::User=root download "$kernel:arm64" busybox-static:arm64
dpkg -x busybox-static_*.deb root
# Of the kernel only what is used: its modules alone are 300 MB.
dpkg-deb --fsys-tarfile linux-image-*.deb | tar -x -C root --wildcards './boot/vmlinuz-*' '*/kernel/drivers/virtio/*' '*/kernel/drivers/net/*failover.ko' \
  '*/kernel/net/core/failover.ko' '*/kernel/drivers/net/virtio_net.ko' '*/kernel/drivers/char/virtio_console.ko' \
  '*/kernel/drivers/block/virtio_blk.ko' '*/kernel/fs/ext4/*' '*/kernel/fs/jbd2/*' '*/kernel/fs/mbcache.ko' '*/kernel/lib/crc16.ko' \
  '*/kernel/crypto/crc32c_generic.ko' '*/kernel/drivers/i2c/algos/i2c-algo-bit.ko' '*/kernel/drivers/i2c/busses/i2c-gpio.ko' \
  '*/kernel/drivers/i2c/i2c-dev.ko'

mv root/boot/vmlinuz-* vmlinuz
mv root/bin/busybox busybox
mkdir modules
find root/lib/modules -name '*.ko' -exec mv {} modules/ ';'
# shellcheck disable=SC2016  # the format is dpkg-deb's
for package in *.deb; do dpkg-deb -W --showformat='${Package} ${Version}\n' "$package" >> versions.new; done
rm -rf root ./*.deb
mv versions.new versions
cat versions
