import { describe, expect, it } from 'vitest';

import {
  computeResident,
  computeSwapped,
  findMemoryKind,
  swappedBytes,
} from '../../../../src/model/facts/guest-memory.ts';
import type { GuestRam, MemoryKind } from '../../../../src/model/facts/memory-traits.ts';
import { exampleCgroup } from '../../../support/metrics/example-guest.ts';
import { balloon, config, domain, GIB, MIB, process } from '../../overcommit/assess-fixture.ts';

const PAGES = { baseBytes: 4096, defaultHugeBytes: 2 * MIB };

function ram(kind: 'anonymous' | 'shared' | 'file'): GuestRam {
  return { backing: { kind }, hugepageCells: [], pinned: false, mergeable: false };
}

describe('what the memory of a guest is', () => {
  const kind = (of: GuestRam | undefined, mebibytes: Readonly<Record<string, number>>) =>
    findMemoryKind(of, process(mebibytes).status, PAGES).kind;

  it('is what its XML says', () => {
    expect(kind(ram('shared'), { RssAnon: 1024 })).toBe('shared');
    expect(kind(ram('file'), { RssFile: 1024, RssShmem: 16 })).toBe('file');
  });

  it('is shared where its file lies on a tmpfs', () => {
    expect(kind(ram('file'), { RssFile: 16, RssShmem: 1024 })).toBe('shared');
  });

  it('is without an XML what its process holds most of', () => {
    expect(kind(undefined, { RssAnon: 1024, RssShmem: 16 })).toBe('anonymous');
    expect(kind(undefined, { RssAnon: 16, RssShmem: 1024 })).toBe('shared');
    expect(kind(undefined, { RssAnon: 16, HugetlbPages: 1024 })).toBe('hugepages');
    expect(findMemoryKind(undefined, undefined, PAGES).kind).toBe('anonymous');
  });
});

describe('memory of a guest in RAM', () => {
  const anonymous: MemoryKind = { kind: 'anonymous' };

  it('leaves the files of QEMU out, unless they are its memory', () => {
    const guest = domain('web', { process: process({ RssAnon: 1024, RssShmem: 1, RssFile: 40 }) });
    expect(computeResident(guest, anonymous)).toBe(1025 * MIB);
    expect(computeResident(guest, { kind: 'file' })).toBe(1065 * MIB);
  });

  it('is VmRSS on an old kernel, libvirt’s figure without /proc, else not known', () => {
    const old = domain('web', { process: process({ VmRSS: 900 }) });
    expect(computeResident(old, anonymous)).toBe(900 * MIB);
    const told = { ...balloon(GIB, GIB), residentBytes: 700 * MIB };
    expect(computeResident(domain('web', { balloon: told }), anonymous)).toBe(700 * MIB);
    expect(computeResident(domain('web'), anonymous)).toBeUndefined();
  });
});

describe('memory of a guest in swap', () => {
  // 130 MiB in swap.
  const cgroup = exampleCgroup();
  const guest = domain('web', { process: process({ VmSwap: 20 }), cgroup });

  it('is VmSwap, of shared memory what its cgroup says', () => {
    expect(computeSwapped(guest, { kind: 'anonymous' })).toBe(20 * MIB);
    expect(computeSwapped(guest, { kind: 'shared' })).toBe(130 * MIB);
  });

  it('is one of them where the other is not known', () => {
    const shared: MemoryKind = { kind: 'shared' };
    expect(computeSwapped({ ...guest, cgroup: undefined }, shared)).toBe(20 * MIB);
    expect(computeSwapped({ ...guest, process: undefined }, shared)).toBe(130 * MIB);
    expect(computeSwapped(domain('web'), shared)).toBeUndefined();
  });

  it('is found also of a guest nobody has assessed', () => {
    const memfd = config('web', {
      elements: "<memoryBacking><source type='memfd'/></memoryBacking>",
    });
    expect(swappedBytes({ ...guest, config: memfd }, PAGES)).toBe(130 * MIB);
    const unknown = { ...guest, config: undefined };
    expect(swappedBytes(unknown, PAGES)).toBe(20 * MIB);
    const status = process({ RssAnon: 10, RssShmem: 500, VmSwap: 20 });
    expect(swappedBytes({ ...unknown, process: status }, PAGES)).toBe(130 * MIB);
  });
});
