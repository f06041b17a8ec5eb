/** From the snapshot to the inputs of memory.ts. */

import type { Policy } from '../config/policy.ts';
import type { Domain } from '../snapshot/domain.ts';
import type { Host } from '../snapshot/host.ts';
import type { Meminfo } from '../sources/meminfo.ts';
import type { ProcessStatus } from '../sources/process-status.ts';
import { promisedMemory } from './assess-promise.ts';
import { guestRam, type GuestRam, type HostPages } from './memory-traits.ts';
import type { HugepagePool, KsmSavings, MemoryKind, MemoryGuest, MemoryHost } from './memory.ts';

/** Part of a guest's memory that must be locked or pinned for all of it to count as such. */
const ABOUT_ALL = 0.9;

/** Undefined where the kernel does not say how much memory is available (before 3.14). */
export function toMemoryHost(host: Host, meminfo: Meminfo, policy: Policy): MemoryHost | undefined {
  if (meminfo.availableBytes === undefined) return undefined;
  const swap = computeSwap(host, meminfo);
  return {
    totalBytes: meminfo.totalBytes,
    availableBytes:
      meminfo.availableBytes + (policy.supply.zfsArc ? (host.zfsArc?.reclaimableBytes ?? 0) : 0),
    swapTotalBytes: swap.totalBytes,
    swapFreeBytes: swap.freeBytes,
    hugepagePools: toHugepagePools(host, meminfo),
    reserveBytes: policy.reserves.memoryBytes,
    ksm: ksmSavings(host),
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

/** By area, zram left out; the kernel's sum where the areas were not read. */
function computeSwap(host: Host, meminfo: Meminfo): { totalBytes: number; freeBytes: number } {
  if (host.swapAreas === undefined) {
    // A kernel without these lines was built without swap.
    return { totalBytes: meminfo.swapTotalBytes ?? 0, freeBytes: meminfo.swapFreeBytes ?? 0 };
  }
  const areas = host.swapAreas.filter((area) => area.kind !== 'zram');
  const totalBytes = areas.reduce((sum, area) => sum + area.sizeBytes, 0);
  const usedBytes = areas.reduce((sum, area) => sum + area.usedBytes, 0);
  return { totalBytes, freeBytes: totalBytes - usedBytes };
}

function ksmSavings({ ksm, pageBytes }: Host): KsmSavings | undefined {
  if (ksm?.pagesSharing === undefined) return undefined;
  return {
    sharingBytes: ksm.pagesSharing * pageBytes,
    zeroBytes: (ksm.zeroPages ?? 0) * pageBytes,
  };
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
  const backing = ram === undefined ? backingSeen(status, pages) : toMemoryKind(ram, status);
  const isAboutAll = (bytes: number | undefined): boolean =>
    bytes !== undefined && bytes > 0 && bytes >= promise.currentBytes * ABOUT_ALL;
  return {
    name: domain.name,
    ...promise,
    residentBytes: computeResident(domain, backing),
    hugetlbBytes: status?.hugetlbBytes ?? 0,
    swapBytes: computeSwapped(domain, backing),
    swapLimitBytes:
      cgroup?.memory === undefined
        ? swapLimit(config?.memory.swapHardLimitBytes, config?.memory.hardLimitBytes, true)
        : swapLimit(
            cgroup.memory.limits.swapMaxBytes,
            cgroup.memory.limits.maxBytes,
            cgroup.memory.limits.swapIncludesMemory,
          ),
    backing,
    hugepageCells: ram?.hugepageCells ?? [],
    locked: isAboutAll(status?.lockedBytes),
    vfio: ram?.pinned === true || isAboutAll(status?.pinnedBytes),
    // libvirt gives every guest a balloon that does not ask for none.
    balloonPresent: config === undefined || config.balloon !== undefined,
  };
}

/**
 * RssAnon + RssShmem, of memory in a file RssFile too. That, and what libvirt says where /proc of
 * the guest is out of reach, holds some ten MiB of QEMU's own program text as well.
 */
function computeResident({ process, balloon }: Domain, backing: MemoryKind): number | undefined {
  const anonymous = process?.status?.residentAnonymousBytes;
  const shared = process?.status?.residentSharedBytes;
  const file = backing.kind === 'file' ? process?.status?.residentFileBytes : undefined;
  if (anonymous !== undefined || shared !== undefined) {
    return (anonymous ?? 0) + (shared ?? 0) + (file ?? 0);
  }
  // Kernels before 4.5 have VmRSS alone.
  return process?.status?.residentBytes ?? balloon?.residentBytes;
}

/** VmSwap lacks swapped shared memory (proc.rst); of that only the guest's own cgroup tells. */
function computeSwapped({ process, cgroup }: Domain, backing: MemoryKind): number | undefined {
  const ofProcess = process?.status?.swappedBytes;
  const ofCgroup = backing.kind === 'shared' ? cgroup?.memory?.usage.swapBytes : undefined;
  return ofProcess === undefined || ofCgroup === undefined
    ? (ofProcess ?? ofCgroup)
    : Math.max(ofProcess, ofCgroup);
}

/** Swap alone; where the limit is on memory and swap together, what is above the memory limit. */
function swapLimit(
  swap: number | 'unlimited' | undefined,
  memory: number | 'unlimited' | undefined,
  includesMemory: boolean,
): number | undefined {
  if (typeof swap !== 'number') return undefined;
  return includesMemory && typeof memory === 'number' ? Math.max(0, swap - memory) : swap;
}

/** A file that the process maps as shared memory lies on a tmpfs, and is swapped like a memfd. */
function toMemoryKind({ backing }: GuestRam, status: ProcessStatus | undefined): MemoryKind {
  const shared = status?.residentSharedBytes ?? 0;
  const onTmpfs = backing.kind === 'file' && shared > (status?.residentFileBytes ?? 0);
  return onTmpfs ? { kind: 'shared' } : backing;
}

/** Without XML: by the kind of memory the process holds most of. */
function backingSeen(status: ProcessStatus | undefined, pages: HostPages): MemoryKind {
  const anonymous = status?.residentAnonymousBytes ?? 0;
  const shared = status?.residentSharedBytes ?? 0;
  const hugetlb = status?.hugetlbBytes ?? 0;
  const pageBytes = pages.defaultHugeBytes;
  if (hugetlb > anonymous + shared && pageBytes !== undefined) {
    return { kind: 'hugepages', pageBytes };
  }
  return { kind: shared > anonymous ? 'shared' : 'anonymous' };
}
