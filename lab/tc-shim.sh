#!/bin/sh
# Stands before tc(8) in the lab daemon's PATH (whose first directory holds only this). libvirt sets
# <bandwidth> with pieces some small kernels lack, and then refuses to start the guest. What the
# kernel has is used as libvirt wants it. Otherwise sfq becomes pfifo and the fw filter is left out,
# so that <inbound> is still enforced by HTB's default class; without a policer <outbound> stays in
# the XML but is not enforced.
PATH=${PATH#*:}
message=$(tc "$@" 2>&1) && {
  [ -z "$message" ] || printf '%s\n' "$message"
  exit 0
}
case "$*" in
'qdisc add dev '*' sfq perturb 10') exec tc qdisc add dev "$4" parent "$6" handle "$8" pfifo ;;
'filter add dev '*' fw flowid '* | 'filter add dev '*' police '*) exit 0 ;;
esac
printf '%s\n' "$message" >&2
exit 2
