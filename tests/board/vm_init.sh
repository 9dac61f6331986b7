#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The first process of the emulated board: mounts, loads the drivers of its virtual devices, then obeys the test, whose
# commands arrive on a virtual serial port.
/bin/busybox --install -s /bin
mount -t proc p /proc
mount -t sysfs s /sys
mount -t devtmpfs d /dev
mount -t tmpfs t /run
for module in virtio_mmio failover net_failover virtio_net virtio_console virtio_blk \
  crc16 crc32c_generic mbcache jbd2 ext4 i2c-algo-bit i2c-gpio i2c-dev; do
  [ ! -e /modules/$module.ko ] || insmod /modules/$module.ko
done
ifconfig lo 127.0.0.1 up
ifconfig eth0 10.0.2.15 netmask 255.255.255.0 up
route add default gw 10.0.2.2
mount -t ext4 /dev/vda /state || echo "the board's disk cannot be mounted"
[ ! -x /state/boot ] || /state/boot
while :; do
  sh 0<> /dev/vport0p1 1>&0 2>&0  # opened once: the port admits one user
  sleep 0.1
done
