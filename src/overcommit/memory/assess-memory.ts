/** From the snapshot to the inputs of memory.ts. */

import type { Policy } from '../../config/policy.ts';
import type { DomainConfig } from '../../model/domain-config.ts';
import type { Domain, GuestCgroupFacts } from '../../model/domain.ts';
import type { Host } from '../../model/host.ts';

import { promisedMemory } from './assess-promise.ts';
import { computeAvailableMemory } from '../../model/facts/available-memory.ts';
import {
  computeResident,
  computeSwapped,
  findMemoryKind,
  isContainer,
} from '../../model/facts/guest-memory.ts';
import { computeHostSwap } from '../../model/facts/host-swap.ts';
import { computeKsmSavings } from '../../model/facts/ksm-savings.ts';
import { guestRam, type HostPages } from '../../model/facts/memory-traits.ts';
import { computeSwapLimit } from '../../model/facts/swap-limit.ts';
import type { HugepagePool, MemoryGuest, MemoryHost } from './memory.ts';
import type { Meminfo } from '../../model/host-memory.ts';

/** What its cgroup keeps for it; a word for all of it is what it was promised. */
function toKept(cgroup: GuestCgroupFacts | undefined, promisedBytes: number): number | undefined {
  const kept = cgroup?.memory?.limits.guaranteedBytes;
  return kept === 'unlimited' ? promisedBytes : kept === 0 ? undefined : kept;
}

function greatest(one: number | undefined, other: number | undefined): number | undefined {
  return one === undefined || other === undefined ? (one ?? other) : Math.max(one, other);
}

function virtioMem(config: DomainConfig | undefined): number {
  return (config?.memory.devices ?? [])
    .filter(({ model }) => model === 'virtio-mem')
    .reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
}

/** Part of a guest's memory that must be locked or pinned for all of it to count as such. */
const ABOUT_ALL = 0.9;

/** Undefined where the kernel does not say how much memory is available (before 3.14). */
export function toMemoryHost(host: Host, meminfo: Meminfo, policy: Policy): MemoryHost | undefined {
  const availableBytes = computeAvailableMemory(host, policy.supply.zfsArc);
  if (availableBytes === undefined) return undefined;
  const swap = computeHostSwap(host);
  return {
    totalBytes: meminfo.totalBytes,
    availableBytes,
    // A kernel that has neither /proc/swaps nor these lines of meminfo was built without swap.
    swapTotalBytes: swap.totalBytes ?? 0,
    swapFreeBytes: swap.freeBytes ?? 0,
    hugepagePools: toHugepagePools(host, meminfo),
    reserveBytes: policy.reserves.memoryBytes,
    ksm: computeKsmSavings(host),
  };
}

/** All pools; where /sys tells of none, that of the default size, which meminfo has as well. */
function toHugepagePools({ hugePages }: Host, meminfo: Meminfo): readonly HugepagePool[] {
  const pools = hugePages ?? (meminfo.defaultHugePages ? [meminfo.defaultHugePages] : []);
  return pools.map(({ pageBytes, total, free, reserved }) => ({
    pageBytes,
    totalBytes: total * pageBytes,
    freeBytes: free * pageBytes,
    reservedBytes: (reserved ?? 0) * pageBytes,
  }));
}

export function toHostPages({ pageBytes, meminfo }: Host): HostPages {
  return { baseBytes: pageBytes, defaultHugeBytes: meminfo?.defaultHugePages?.pageBytes };
}

/** One running guest; undefined where nothing tells what it was promised. */
export function toMemoryGuest(domain: Domain, pages: HostPages): MemoryGuest | undefined {
  const promise = promisedMemory(domain);
  if (promise === undefined) return undefined;
  const { config, cgroup } = domain;
  const status = domain.process?.status;
  const ram = config && guestRam(config, pages);
  const backing = findMemoryKind(ram, status, pages);
  const isAboutAll = (bytes: number | undefined): boolean =>
    bytes !== undefined && bytes > 0 && bytes >= promise.currentBytes * ABOUT_ALL;
  return {
    name: domain.name,
    ...promise,
    residentBytes: computeResident(domain, backing),
    hugetlbBytes: status?.hugetlbBytes ?? 0,
    swapBytes: computeSwapped(domain, backing),
    swapLimitBytes: computeSwapLimit(
      cgroup?.memory?.limits ?? {
        maxBytes: config?.memory.hardLimitBytes,
        swapMaxBytes: config?.memory.swapHardLimitBytes,
        swapIncludesMemory: true,
      },
    ),
    backing,
    hugepageCells: ram?.hugepageCells ?? [],
    locked: isAboutAll(status?.lockedBytes),
    vfio: ram?.pinned === true || isAboutAll(status?.pinnedBytes),
    minimumBytes: greatest(config?.memory.minimumBytes, toKept(cgroup, promise.maximumBytes)),
    virtioMemBytes: virtioMem(config),
    // libvirt gives every guest a balloon that does not ask for none.
    balloonPresent: config === undefined || config.balloon !== undefined,
    container: isContainer(domain),
  };
}
