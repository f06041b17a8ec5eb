#!/bin/sh
# Stands in for ovs-vsctl as libvirtd runs it (virnetdevopenvswitch.c). While there is a file
# ovs-vsctl.hangs beside it, an interface whose name begins with "slow" is not found out about within
# the five seconds that libvirt gives it. Notes each call in ovs-vsctl.log.
echo "$(date +%s.%N) $*" >>"$0.log"
case "$*" in
# The name of the interface at a socket: --timeout=5 get Interface NAME name
*" get Interface "*) echo "$4" ;;
*columns=statistics*slow*)
  if [ -e "$0.hangs" ]; then
    sleep 5
    exit 142
  fi
  ;;
esac
case "$*" in
*columns=statistics*)
  echo '["map",[["rx_bytes",1000],["rx_dropped",1],["rx_errors",2],["rx_packets",10],["tx_bytes",2000],["tx_dropped",3],["tx_errors",4],["tx_packets",20]]]'
  ;;
esac
