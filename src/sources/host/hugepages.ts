import { listKernelDirectory, readKernelInteger } from '../kernel/kernel-file.ts';
import { Faults, type Result } from '../../runtime/result.ts';
import type { Roots } from '../kernel/roots.ts';
import type { HugePagePool } from '../../model/host-memory.ts';

/** The host's pools, `/sys/kernel/mm/hugepages/*`. `absent` on kernels without hugetlbfs. */
export function readHugePagePools(roots: Roots): Result<readonly HugePagePool[]> {
  return readPools(`${roots.sysfs}/kernel/mm/hugepages`);
}

/** The pools of one NUMA node, `/sys/devices/system/node/node<n>/hugepages/*`. */
export function readNodeHugePagePools(roots: Roots, node: number): Result<readonly HugePagePool[]> {
  return readPools(`${roots.sysfs}/devices/system/node/node${node}/hugepages`);
}

function readPools(directory: string): Result<readonly HugePagePool[]> {
  const names = listKernelDirectory(directory);
  if (!names.ok) return names;
  const faults = new Faults();
  const pools: HugePagePool[] = [];
  for (const name of names.value) {
    const kibibytes = /^hugepages-(\d{1,15})kB$/.exec(name)?.[1];
    if (kibibytes === undefined) continue;
    const pages = (file: string): number | undefined =>
      faults.optional(readKernelInteger(`${directory}/${name}/${file}`));
    const total = pages('nr_hugepages');
    const free = pages('free_hugepages');
    const surplus = pages('surplus_hugepages');
    if (total === undefined || free === undefined || surplus === undefined) continue;
    pools.push({
      pageBytes: Number(kibibytes) * 1024,
      total,
      free,
      surplus,
      reserved: pages('resv_hugepages'),
      overcommitLimit: pages('nr_overcommit_hugepages'),
    });
  }
  return faults.found(pools.sort((a, b) => a.pageBytes - b.pageBytes));
}
