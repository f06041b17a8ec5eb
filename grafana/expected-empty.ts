const NO_CRITICAL_NETWORK_LIMIT = each(
  'the policy sets no critical limit for what uplinks promise',
  ['kvm-capacity / What is left until it is critical / D'],
);

/**
 * Queries that have no data on the demo host, each with the reason. Entries which name no query,
 * or one that has data after all, fail the test that uses this list.
 */
export const EMPTY_ON_DEMO_HOST: ReadonlyMap<string, string> = new Map([
  ...NO_CRITICAL_NETWORK_LIMIT,
  ...each('what the demo host promised does not grow', [
    'kvm-capacity / When it will be used up / A',
    'kvm-capacity / When it will be used up / B',
    'kvm-capacity / When it will be used up / C',
    'kvm-capacity / When it will be used up / D',
  ]),
  ...each('all collectors of the demo host work', ['kvm-fleet / Collectors that fail / A']),
  ...each('guests of the demo host have no CPU quota', ['kvm-guest / Stopped by its quota / A']),
  ...each('guests of the demo host have no memory limit', [
    'kvm-guest / Memory limits of its cgroup / B',
  ]),
  ...each('disks of the demo host have no I/O limits', [
    'kvm-guest / Disk traffic per second / C',
    'kvm-guest / Disk requests per second / C',
  ]),
  ...each('interfaces of the demo host have no bandwidth limits', [
    'kvm-guest / Network traffic per second / C',
    'kvm-network / Limits of interfaces / A',
  ]),
  ...each('no guest waits longer than the policy allows at that moment of the story', [
    'kvm-host / Fairness among guests that wait / A',
  ]),
  ...each('the demo host has no huge page pools', ['kvm-memory / Huge page pools / A']),
  ...each('the demo host swaps to a disk, without zram and zswap', [
    'kvm-memory / Compressed memory: zswap and zram / C',
    'kvm-memory / Compressed memory: zswap and zram / D',
    'kvm-memory / zswap traffic per second / A',
    'kvm-memory / zswap traffic per second / B',
    'kvm-memory / zswap traffic per second / C',
  ]),
  ...each('every guest of the demo host reports memory statistics', [
    'kvm-memory / Guests that page because of their balloon / B',
  ]),
  ...each('the demo host does not simulate compaction and the making of huge pages', [
    'kvm-memory / Merging against huge pages per second / B',
    'kvm-memory / Balloons against huge pages per second / A',
    'kvm-memory / Balloons against huge pages per second / B',
    'kvm-memory / Huge pages given and refused per second / B',
    'kvm-memory / Compaction per second / A',
    'kvm-memory / Compaction per second / B',
    'kvm-memory / Compaction per second / C',
  ]),
  ...each('the demo host has one NUMA node, so nothing to balance', [
    'kvm-memory / Faults taken for NUMA balancing per second / A',
  ]),
  ...each('the demo host has no thin pools', thinPools()),
  ...each('images of the demo host do not grow at that moment of the story, so nothing fills up', [
    'kvm-storage / Filesystems with images / F',
    'kvm-storage / Time until full, pace of six hours / A',
    'kvm-storage / Time until full, pace of ten minutes / A',
  ]),
  ...each('guests of the demo host have no I/O pressure of their own', [
    'kvm-storage / Guests that wait for I/O / A',
  ]),
]);

/** What not every kernel under the lab has. */
export interface LabMachine {
  /** Pressure stall information: off in Debian's kernels unless booted with psi=1. */
  readonly pressure: boolean;
  /** RAM with errors is taken out of use (CONFIG_MEMORY_FAILURE). */
  readonly memoryErrors: boolean;
  /** The multi-generational LRU (CONFIG_LRU_GEN). */
  readonly mglru: boolean;
}

/**
 * Queries that have no data in the lab's dashboards test, each with the reason. What depends on the
 * machine is asked, not excused: where the kernel has a thing its queries must have data.
 */
export function emptyInLab(machine: LabMachine): ReadonlyMap<string, string> {
  return new Map([
    ...EMPTY_IN_ANY_LAB,
    ...(machine.pressure
      ? []
      : each('the kernel runs without PSI', [
          'kvm-fleet / Host stalled on memory / A',
          'kvm-fleet / Tasks waiting for I/O / A',
          'kvm-guest / The guest waits for a resource / A',
          'kvm-guest / The guest is stalled by a resource / A',
          'kvm-host / CPU pressure and load / A',
          'kvm-host / Memory pressure / A',
          'kvm-host / Memory pressure / B',
          'kvm-host / I/O pressure / A',
          'kvm-memory / Memory pressure / A',
          'kvm-memory / Memory pressure / B',
          'kvm-storage / I/O pressure / A',
          'kvm-storage / Guests that wait for I/O / A',
        ])),
    ...(machine.memoryErrors
      ? []
      : each('the kernel does not take RAM with errors out of use', [
          'kvm-memory / RAM with errors / A',
        ])),
    ...(machine.mglru
      ? []
      : each('the kernel has no multi-generational LRU', [
          'kvm-memory / Over-commit, swap and NUMA / G',
        ])),
  ]);
}

const EMPTY_IN_ANY_LAB = [
  ...NO_CRITICAL_NETWORK_LIMIT,
  ...each('the lab takes memory from single guests, which is no reclaim of the host', [
    'kvm-memory / How hard it is to free memory / A',
  ]),
  ...each('the lab swaps to a file, without zram', [
    'kvm-memory / Compressed memory: zswap and zram / C',
    'kvm-memory / Compressed memory: zswap and zram / D',
  ]),
  ...each('a lab guest’s block devices are loop devices, not thin volumes', thinPools()),
];

function thinPools(): readonly string[] {
  return ['A', 'B', 'C', 'D', 'E', 'F', 'G', 'H'].map(
    (id) => `kvm-storage / Thin pools of LVM / ${id}`,
  );
}

function each(reason: string, keys: readonly string[]): readonly (readonly [string, string])[] {
  return keys.map((key) => [key, reason]);
}
