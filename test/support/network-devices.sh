#!/bin/sh
# Process 1 of a machine that makes one network device of each kind there is, and sends what /sys
# and /proc show of them over its serial port, as a tar archive in base64.
mount -t devtmpfs dev /dev
mount -t proc proc /proc
mount -t sysfs sys /sys
for module in $(cat /modules/order); do
  insmod "/modules/$module.ko" >/dev/null 2>&1
done
while [ ! -e /sys/class/net/eth3 ]; do sleep 0.1; done

{
  set -x
  # Of a driver that makes its first device by itself, that is the one.
  [ -e /sys/class/net/bond0 ] || ip link add bond0 type bond
  echo 802.3ad > /sys/class/net/bond0/bonding/mode
  for nic in eth0 eth1; do ip link set $nic master bond0; done
  ip link set bond0 up
  vconfig add bond0 100
  ip link set bond0.100 up
  brctl addbr br100
  brctl addif br100 bond0.100
  tunctl -t vnet0
  brctl addif br100 vnet0
  ip link set br100 up

  # A VLAN of a bridge, as port of another bridge.
  brctl addbr br0
  brctl addif br0 eth4
  ip link set eth4 up
  vconfig add br0 7
  brctl addbr br7
  brctl addif br7 br0.7
  tunctl -t vnet2
  brctl addif br7 vnet2

  ip link set eth2 up
  ip link add link eth2 name macvtap0 type macvtap
  ip link add link eth2 name macvlan0 type macvlan

  ip link add team0 type team
  ip link set eth3 master team0
  ip link set team0 up
  ip link set eth3 up
  brctl addbr br1
  brctl addif br1 team0
  tunctl -t vnet1
  brctl addif br1 vnet1

  [ -e /sys/class/net/dummy0 ] || ip link add dummy0 type dummy
  ip link add type veth
  set +x
  # Until carriers are seen, and speeds with them.
  sleep 2
} >/setup.log 2>&1

for device in /sys/class/net/*; do
  [ -d "$device" ] || continue
  mkdir -p "/out$device"
  for entry in "$device"/*; do
    if [ -L "$entry" ]; then
      cp -d "$entry" "/out$entry"
    elif [ -d "$entry" ]; then
      mkdir "/out$entry"
      for file in "$entry"/*; do
        [ -f "$file" ] && { cat "$file" >"/out$file" 2>/dev/null || rm -f "/out$file"; }
      done
    else
      # What cannot be read (EINVAL) is left out.
      cat "$entry" >"/out$entry" 2>/dev/null || rm -f "/out$entry"
    fi
  done
done
cp /sys/class/net/bonding_masters /out/sys/class/net/
mkdir -p /out/proc/1/net/vlan
cat /proc/net/dev >/out/proc/1/net/dev
for file in /proc/net/vlan/*; do cat "$file" >"/out/proc/1/net/vlan/${file##*/}"; done
cp /setup.log /out/

stty -opost </dev/ttyS0
{
  echo BEGIN
  tar -c -C /out . | gzip | base64
  echo END
} >/dev/ttyS0
poweroff -f
