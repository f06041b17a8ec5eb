/**
 * Everything that can be switched on its own, with `--collector.<name>`, `--no-collector.<name>`,
 * `?collect[]=<name>` and `?exclude[]=<name>`, and that reports its own success and duration.
 *
 * A collector is off by default when it costs more than a scrape should (it walks page tables, or
 * runs a program in the background) or when most hosts have nothing to show for it.
 */
export const COLLECTORS = [
  on('cpu', 'host CPU time, load, topology and CPU sets'),
  on('memory', 'host memory, hugepage pools, THP mode and memory sysctls'),
  on('vmstat', 'host paging, reclaim, compaction, THP and NUMA counters'),
  on('swap', 'swap devices, zram and zswap'),
  on('pressure', 'host pressure stall information'),
  on('ksm', 'kernel samepage merging, host-wide'),
  on('numa', 'memory of each NUMA node'),
  on('kernelthreads', 'CPU time of ksmd, kswapd, kcompactd and khugepaged'),
  on('inventory', 'CPU model, kernel, operating system and file handles, read in the background'),
  on('domain', 'guests, their state and their configuration, from libvirt'),
  on('balloon', 'balloon size and guest memory statistics, from the QEMU monitor through libvirt'),
  on('block', 'disk counters, from the QEMU monitor through libvirt'),
  on('nic', 'guest network interface counters'),
  on('process', 'CPU, run-queue delay, memory and swap of each QEMU process'),
  on('guestksm', 'samepage merging of each guest'),
  on('cgroup', 'CPU weight, throttling, memory limits, device I/O and pressure of each guest'),
  on('pool', 'libvirt storage pools'),
  on('image', 'disk images, their backing chains and the filesystems they lie on'),
  on('network', 'bridges, uplinks and the way guests reach them'),
  on('mom', "what MOM's default policy would do here"),
  off('smaps', 'proportional memory of each guest; walks its page tables on each scrape'),
  off('thinpool', 'LVM thin pools; runs lvs in the background'),
  off(
    'cgroupdetail',
    'low memory protection, refused swap, forced idle time and bursts of each guest',
  ),
  off('perf', 'perf events and resctrl monitors of guests that have them configured'),
  off('job', 'running migration, save, dump and backup jobs; one more libvirt call per guest'),
] as const;

export type CollectorName = (typeof COLLECTORS)[number]['name'];

function on<const Name extends string>(name: Name, help: string) {
  return { name, help, enabledByDefault: true } as const;
}

function off<const Name extends string>(name: Name, help: string) {
  return { name, help, enabledByDefault: false } as const;
}

export function isCollectorName(name: string): name is CollectorName {
  return COLLECTORS.some((collector) => collector.name === name);
}

/**
 * The collector without which another cannot even begin: it reads about the guests, QEMU processes or
 * images that one has found.
 */
const BEGINS_WITH: ReadonlyMap<CollectorName, CollectorName> = new Map([
  ['balloon', 'domain'],
  ['block', 'domain'],
  ['nic', 'domain'],
  ['process', 'domain'],
  ['image', 'domain'],
  ['mom', 'domain'],
  ['perf', 'domain'],
  ['job', 'domain'],
  ['guestksm', 'process'],
  ['cgroup', 'process'],
  ['cgroupdetail', 'cgroup'],
  ['smaps', 'process'],
  ['thinpool', 'image'],
]);

/** All that have nothing to read where this collector found nothing, in the order of COLLECTORS. */
export function findDependants(collector: CollectorName): readonly CollectorName[] {
  return COLLECTORS.map(({ name }) => name).filter((name) =>
    findPrerequisites(name).includes(collector),
  );
}

/** The same collectors and those they cannot do without. */
export function withDependencies(
  collectors: ReadonlySet<CollectorName>,
): ReadonlySet<CollectorName> {
  return new Set([...collectors].flatMap((name) => [name, ...findPrerequisites(name)]));
}

/** The nearest first. */
function findPrerequisites(collector: CollectorName): readonly CollectorName[] {
  const first = BEGINS_WITH.get(collector);
  return first === undefined ? [] : [first, ...findPrerequisites(first)];
}
