import { VCPUS, type FakeGuest } from './fake-guest.ts';
import type { FileTree } from './file-tree.ts';

/**
 * Writes the cgroups (v2, under systemd) of a guest: its scope, libvirt's group, each thread's; and
 * the block devices its I/O is counted on.
 */
export function writeGuestCgroups(sysfs: FileTree, guest: FakeGuest): void {
  const scope = `fs/cgroup${guest.scope}`;
  sysfs.writeAll(scope, {
    'cpu.weight': '200\n',
    'cpu.max': 'max 100000\n',
    'cpu.stat': cpuStat(987_654_321),
    'cpu.pressure': PRESSURE,
    'io.pressure': PRESSURE,
    'io.stat': ioStat(guest),
    'memory.pressure': PRESSURE,
    'memory.current': '8724152320\n',
    'memory.stat': MEMORY_STAT,
    'memory.numa_stat': NUMA_STAT,
    'memory.events': 'low 0\nhigh 12\nmax 34\noom 0\noom_kill 0\noom_group_kill 0\n',
    'memory.swap.current': '536870912\n',
    'memory.zswap.current': '67108864\n',
    ...MEMORY_LIMITS,
  });
  writeBlockDevices(sysfs, guest);
  sysfs.writeAll(`${scope}/libvirt`, {
    'cpu.weight': '100\n',
    'cpu.max': '300000 100000\n',
    'cpu.stat': cpuStat(987_654_000),
    ...MEMORY_LIMITS,
  });
  const threads = ['emulator', ...Array.from({ length: VCPUS }, (_, vcpu) => `vcpu${vcpu}`)];
  for (const thread of threads) {
    sysfs.writeAll(`${scope}/libvirt/${thread}`, {
      'cpu.weight': '100\n',
      'cpu.max': '90000 100000\n',
      'cpu.stat': cpuStat(200_000_000),
    });
  }
}

const MEMORY_LIMITS = { 'memory.max': 'max\n', 'memory.high': 'max\n', 'memory.swap.max': 'max\n' };

const PRESSURE =
  'some avg10=3.00 avg60=2.00 avg300=1.00 total=7500000\n' +
  'full avg10=1.00 avg60=1.00 avg300=1.00 total=2500000\n';

/** A volume of its own, which is the most expensive to name, on a disk all share. */
function ioStat({ index }: FakeGuest): string {
  const values = 'rbytes=98765432101 wbytes=314773504123 rios=1920001 wios=3530002';
  return `253:${index} ${values} dbytes=0 dios=0\n259:0 ${values} dbytes=4096 dios=1\n`;
}

/** What {@link ioStat} names. */
function writeBlockDevices(sysfs: FileTree, { index }: FakeGuest): void {
  const write = (number: string, name: string): void => {
    const [major, minor] = number.split(':');
    const uevent = `MAJOR=${major}\nMINOR=${minor}\nDEVNAME=${name}\nDEVTYPE=disk\nDISKSEQ=7\n`;
    sysfs.write(`dev/block/${number}/uevent`, uevent);
  };
  write(`253:${index}`, `dm-${index}`);
  write('259:0', 'nvme0n1');
}

function cpuStat(usageMicroseconds: number): string {
  return `usage_usec ${usageMicroseconds}
user_usec ${Math.floor(usageMicroseconds / 2)}
system_usec ${Math.ceil(usageMicroseconds / 2)}
nice_usec 0
core_sched.force_idle_usec 0
nr_periods 5000
nr_throttled 1250
throttled_usec 2500000
nr_bursts 0
burst_usec 0
`;
}

/** The keys of kernel 6.18 (mm/memcontrol.c), most of them of no interest here. */
const MEMORY_STAT = [
  ...['anon 8589934592', 'file 268435456', 'kernel 41943040', 'kernel_stack 262144'],
  ...['pagetables 29360128', 'sec_pagetables 25165824', 'percpu 4096', 'sock 0', 'vmalloc 0'],
  ...['shmem 246022144', 'zswap 67108864', 'zswapped 201326592', 'file_mapped 22413312'],
  ...['file_dirty 0', 'file_writeback 0', 'swapcached 4096', 'anon_thp 6442450944'],
  ...['file_thp 0', 'shmem_thp 0', 'inactive_anon 8388608', 'active_anon 8581545984'],
  ...['inactive_file 134217728', 'active_file 134217728', 'unevictable 0'],
  ...['slab_reclaimable 1048576', 'slab_unreclaimable 2097152', 'slab 3145728'],
  ...['workingset_refault_anon 5', 'workingset_refault_file 6', 'workingset_activate_anon 1'],
  ...['workingset_activate_file 1', 'workingset_restore_anon 1', 'workingset_restore_file 1'],
  ...['workingset_nodereclaim 0', 'pgdemote_kswapd 0', 'pgdemote_direct 0', 'pgscan 1000'],
  ...['pgsteal 900', 'pgscan_kswapd 800', 'pgscan_direct 200', 'pgscan_khugepaged 0'],
  ...['pgsteal_kswapd 700', 'pgsteal_direct 200', 'pgsteal_khugepaged 0', 'pgfault 5296000'],
  ...['pgmajfault 712', 'pgrefill 0', 'pgactivate 0', 'pgdeactivate 0', 'pglazyfree 0'],
  ...['pglazyfreed 0', 'swpin_zero 0', 'swpout_zero 0', 'zswpin 0', 'zswpout 0', 'zswpwb 0'],
  ...['thp_fault_alloc 3072', 'thp_collapse_alloc 10', 'thp_swpout 0', 'thp_swpout_fallback 0'],
  '',
].join('\n');

const NUMA_STAT = [
  'anon N0=8589934592 N1=0',
  'file N0=268435456 N1=0',
  'kernel_stack N0=262144 N1=0',
  'pagetables N0=29360128 N1=0',
  'sec_pagetables N0=25165824 N1=0',
  'shmem N0=246022144 N1=0',
  'file_mapped N0=22413312 N1=0',
  'anon_thp N0=6442450944 N1=0',
  'inactive_anon N0=8388608 N1=0',
  'active_anon N0=8581545984 N1=0',
  'unevictable N0=0 N1=0',
  '',
].join('\n');
