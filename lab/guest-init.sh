#!/bin/sh
# PID 1 of a lab guest. Takes its jobs from the kernel command line (`lab.job=spin:2,touch:32:same`)
# and, while it runs, from the second serial port, one per line: `<id> <job> <words>`, answered there
# with `<id> ok` or `<id> failed`. Progress goes to the console (ttyS0) in lines that start `lab:`.

mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
mount -t tmpfs -o size=100% tmpfs /mem

say() { echo "lab: $*" >/dev/console; }

while read -r module; do
  insmod "/modules/$module.ko" || say "module $module not loaded"
done </modules/order

ip link set lo up
job=
addresses=
for word in $(cat /proc/cmdline); do
  case $word in
  lab.job=*) job=${word#lab.job=} ;;
  lab.ip=*) addresses=${word#lab.ip=} ;;
  esac
done
nic=0
for address in $(echo "$addresses" | tr ',' ' '); do
  [ "$address" = none ] || ip address add "$address" dev "eth$nic"
  ip link set "eth$nic" up
  nic=$((nic + 1))
done

# 1 MiB of 256 different pages, the same in every guest: KSM merges them across guests, never with
# the zero page. awk because it makes the text in one process, which matters under emulation.
make_block() {
  [ -s /block ] && return
  awk 'BEGIN { for (page = 0; page < 256; page++)
    for (line = 0; line < 64; line++) printf "%-63s\n", "overcommit lab page " page }' >/block
}

# touch MIB same|zero|unique [SLOT]: holds MIB of memory. A second touch of a slot writes over the
# same guest pages, which is how merged pages are parted again.
touch_memory() {
  mib=$1 pattern=$2 file=/mem/${3:-0}
  case $pattern in
  zero) dd if=/dev/zero "of=$file" bs=1M "count=$mib" conv=notrunc status=none ;;
  unique) dd if=/dev/urandom "of=$file" bs=1M "count=$mib" conv=notrunc status=none ;;
  same)
    make_block
    n=0
    while [ "$n" -lt "$mib" ]; do
      cat /block || return 1
      n=$((n + 1))
    done | dd "of=$file" bs=1M iflag=fullblock conv=notrunc status=none
    ;;
  *) return 1 ;;
  esac && [ "$(stat -c %s "$file")" -ge $((mib * 1048576)) ]
}

# Sleeps as long as moving KIB should take at KIB_PER_SECOND; 0 means no limit.
pace() { [ "$2" -eq 0 ] || usleep $(($1 * 1000000 / $2)); }

# fill DEVICE MIB KIB_PER_SECOND PASSES: writes the first MIB of a disk, non-zero, past the guest's
# cache. PASSES 0 means for ever. At a rate it writes little at a time: a MiB every few seconds is a
# file now and then, not a disk that fills.
fill_disk() {
  disk=/dev/$1 mib=$2 rate=$3 passes=$4 pass=0 step=1024
  [ "$rate" -eq 0 ] || step=64
  make_block
  while [ "$passes" -eq 0 ] || [ "$pass" -lt "$passes" ]; do
    n=0
    while [ "$((n * step))" -lt "$((mib * 1024))" ]; do
      if ! dd if=/block "of=$disk" bs="${step}k" count=1 seek="$n" oflag=direct conv=notrunc status=none; then
        say "fill $1 error after $((n * step / 1024)) MiB"
        return 1
      fi
      n=$((n + 1))
      [ $((n * step % 8192)) -ne 0 ] || say "fill $1 $((n * step / 1024)) MiB"
      pace "$step" "$rate"
    done
    pass=$((pass + 1))
    say "fill $1 pass $pass done"
  done
}

# disk DEVICE MILLISECONDS: one 64 KiB write and one 64 KiB read, then a rest, for ever.
poke_disk() {
  make_block
  while :; do
    dd if=/block "of=/dev/$1" bs=64k count=1 oflag=direct conv=notrunc status=none
    dd "if=/dev/$1" of=/dev/null bs=64k count=1 skip=1 iflag=direct status=none
    usleep $(($2 * 1000))
  done
}

# traffic tx|rx PEER KIB_PER_SECOND: TCP to the peer's discard port, or from its generator port,
# which reads the wanted rate from the first line.
traffic() {
  make_block
  while :; do
    case $1 in
    tx) while cat /block; do pace 1024 "$3"; done | nc "$2" 9 >/dev/null ;;
    rx) echo "$3" | nc "$2" 19 >/dev/null ;;
    esac
    say "traffic $1 connection ended"
    sleep 1
  done
}

# Ends a process and all it has started; stopped first, so that it starts nothing more.
end_tree() {
  local children child
  kill -STOP "$1" 2>/dev/null
  children=$(cat "/proc/$1/task/$1/children" 2>/dev/null)
  kill -9 "$1" 2>/dev/null
  for child in $children; do end_tree "$child"; done
}

# Runs one job. Those that go on for ever go to the background and count as done when started.
run_job() {
  name=$1
  shift
  case $name in
  idle) ;;
  spin)
    n=0
    while [ "$n" -lt "$1" ]; do
      (while :; do :; done) &
      echo $! >>/run/spin
      n=$((n + 1))
    done
    ;;
  touch) touch_memory "$@" ;;
  release) rm -f "/mem/${1:-0}" ;;
  fill) fill_disk "$@" & echo $! >>/run/fill ;;
  write) fill_disk "$1" "$2" 0 1 ;;
  disk) poke_disk "$@" & echo $! >>/run/disk ;;
  traffic) traffic "$@" & echo $! >>/run/traffic ;;
  ping) ping -q -c "$2" "$1" >/dev/console ;;
  after) (sleep "$1"; shift; run_job "$@") & ;;
  stop)
    [ -s "/run/$1" ] && while read -r pid; do end_tree "$pid"; done <"/run/$1"
    rm -f "/run/$1"
    ;;
  sh) eval "$*" >/dev/console ;;
  poweroff) poweroff -f ;;
  *) false ;;
  esac
  result=$?
  if [ "$result" -eq 0 ]; then say "$name $* done"; else say "$name $* failed"; fi
  return "$result"
}

mkdir -p /run
say ready
for one in $(echo "$job" | tr ',' ' '); do
  # shellcheck disable=SC2046 # a job's words are separated by colons on the command line
  run_job $(echo "$one" | tr ':' ' ')
done
# Opened before "started" is said: opening a serial port throws away what has come in before.
channel=
if [ -c /dev/ttyS1 ] && stty -F /dev/ttyS1 raw -echo 2>/dev/null; then
  exec 3<>/dev/ttyS1
  channel=open
fi
say started

while [ -n "$channel" ] && read -r id command <&3; do
  [ -n "$id" ] || continue
  # shellcheck disable=SC2086
  if run_job $command; then echo "$id ok" >&3; else echo "$id failed" >&3; fi
done
while :; do sleep 3600; done
