/** What of a guest's memory is in RAM and what in swap, and what it is made of. */

import type { Domain } from '../domain.ts';
import type { ProcessStatus } from '../process.ts';
import { guestRam, type GuestRam, type HostPages, type MemoryKind } from './memory-traits.ts';

/** A container, which is a group of the host's own processes. */
export function isContainer({ config }: Pick<Domain, 'config'>): boolean {
  return config?.type === 'lxc';
}

/**
 * What most of its memory is, from the XML; without one, by the kind of memory its process holds most
 * of (/proc/<pid>/status).
 */
export function findMemoryKind(
  ram: GuestRam | undefined,
  status: ProcessStatus | undefined,
  pages: HostPages,
): MemoryKind {
  const shared = status?.residentSharedBytes ?? 0;
  if (ram !== undefined) {
    // A file that the process maps as shared memory lies on a tmpfs, and is swapped like a memfd.
    const onTmpfs = ram.backing.kind === 'file' && shared > (status?.residentFileBytes ?? 0);
    return onTmpfs ? { kind: 'shared' } : ram.backing;
  }
  const anonymous = status?.residentAnonymousBytes ?? 0;
  const hugetlb = status?.hugetlbBytes ?? 0;
  const pageBytes = pages.defaultHugeBytes;
  if (hugetlb > anonymous + shared && pageBytes !== undefined) {
    return { kind: 'hugepages', pageBytes };
  }
  return { kind: shared > anonymous ? 'shared' : 'anonymous' };
}

/**
 * Bytes in RAM: RssAnon + RssShmem of /proc/<pid>/status, of memory in a file RssFile too. That, and
 * what libvirt says where /proc of the guest is out of reach, holds some ten MiB of QEMU's own program
 * text as well. Undefined: not readable.
 */
export function computeResident(
  { process, balloon, config, cgroup }: Domain,
  { kind }: MemoryKind,
): number | undefined {
  if (isContainer({ config })) {
    // Without its page cache, which the host can take back.
    const usage = cgroup?.memory?.usage;
    return usage?.anonymousBytes === undefined
      ? undefined
      : usage.anonymousBytes + (usage.sharedMemoryBytes ?? 0);
  }
  const anonymous = process?.status?.residentAnonymousBytes;
  const shared = process?.status?.residentSharedBytes;
  const file = kind === 'file' ? process?.status?.residentFileBytes : undefined;
  if (anonymous !== undefined || shared !== undefined) {
    return (anonymous ?? 0) + (shared ?? 0) + (file ?? 0);
  }
  // Kernels before 4.5 have VmRSS alone.
  return process?.status?.residentBytes ?? balloon?.residentBytes;
}

/**
 * Bytes in swap: VmSwap of /proc/<pid>/status. It lacks swapped shared memory (proc.rst); of that only
 * the guest's own cgroup tells (memory.swap.current). Undefined: not readable.
 */
export function computeSwapped(
  { process, cgroup, config }: Domain,
  { kind }: MemoryKind,
): number | undefined {
  if (isContainer({ config })) return cgroup?.memory?.usage.swapBytes;
  const ofProcess = process?.status?.swappedBytes;
  const ofCgroup = kind === 'shared' ? cgroup?.memory?.usage.swapBytes : undefined;
  return ofProcess === undefined || ofCgroup === undefined
    ? (ofProcess ?? ofCgroup)
    : Math.max(ofProcess, ofCgroup);
}

/** As {@link computeSwapped}, of a guest of which nobody has said what its memory is made of. */
export function swappedBytes(domain: Domain, pages: HostPages): number | undefined {
  const ram = domain.config && guestRam(domain.config, pages);
  return computeSwapped(domain, findMemoryKind(ram, domain.process?.status, pages));
}
