#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Stands in for systemd on the emulated board: starts the node again whenever it has ended, until /run/stop exists.
while [ ! -e /run/stop ]; do
  linux_node --config /state/device.toml --events /run/device.events >> /run/node.log 2>&1 &
  echo $! > /run/node.pid
  wait $!
  echo "ended with status $?" >> /run/node.log
  sleep 0.3
done
rm -f /run/node.pid
