import { describe, expect, it } from 'vitest';

import { DEFAULT_POLICY } from '../../../src/config/policy.ts';
import { assess } from '../../../src/overcommit/assess.ts';
import { computeAvailableMemory } from '../../../src/model/facts/available-memory.ts';
import type { Assessment } from '../../../src/overcommit/assessment.ts';
import { MomAverages } from '../../../src/overcommit/mom/mom-averages.ts';
import type { Snapshot } from '../../../src/model/snapshot.ts';
import type { GuestCgroupFacts } from '../../../src/model/domain.ts';

import { byPool, filesystemTraits } from '../../../src/sources/files/filesystem.ts';
import { parseKsm } from '../../../src/sources/host/ksm.ts';

import { failed } from '../../../src/runtime/result.ts';
import { parseSwaps } from '../../../src/sources/host/swap.ts';
import { networkLink } from '../network-link.ts';
import {
  balloon,
  blockDevice,
  config,
  disk,
  domain,
  emptyMemoryUsage,
  filesystem,
  GIB,
  host,
  MEMINFO,
  MIB,
  mount,
  NO_RESERVES,
  process,
  rawFile,
  snapshot,
} from './assess-fixture.ts';
import type { CgroupMemoryLimits } from '../../../src/model/cgroup.ts';
import type { DomainDisk } from '../../../src/model/storage.ts';
import type { NetworkLink } from '../../../src/model/network.ts';
import type { Filesystem, Mount } from '../../../src/model/filesystem.ts';

function assessed(more: Partial<Snapshot>, policy = NO_RESERVES): Assessment {
  const one = snapshot(more);
  return assess(one, policy, new MomAverages().add(one));
}

const OFF = { active: false, state: 'shutoff', reason: 'shutdown' } as const;

describe('CPU of a snapshot', () => {
  it('counts the vCPUs of guests that run or are paused, not of those that are off', () => {
    const { cpu } = assessed({
      domains: [
        domain('web'),
        domain('stuck', { state: 'paused', reason: 'ioerror' }),
        domain('off', OFF),
      ],
    });
    expect(cpu?.shared.promised).toEqual({ current: 4, maximum: 4 });
    expect(cpu?.shared.capacity).toEqual({ cpus: 8, cores: 4 });
  });

  it('counts hot-pluggable vCPUs as a maximum, wherever the online ones are', () => {
    const vcpus = `<vcpu current='2'>4</vcpu><vcpus>
      <vcpu id='0' enabled='yes' hotpluggable='no'/>
      <vcpu id='1' enabled='no' hotpluggable='yes'/>
      <vcpu id='2' enabled='yes' hotpluggable='yes'/>
      <vcpu id='3' enabled='no' hotpluggable='yes'/></vcpus>`;
    // vCPU 2, which is online, is pinned; vCPU 1, which is not, would be elsewhere.
    const elements = `<cputune><vcpupin vcpu='1' cpuset='5'/><vcpupin vcpu='2' cpuset='6-7'/>
      </cputune>`;
    const { cpu } = assessed({
      domains: [domain('web', { config: config('web', { vcpu: vcpus, elements }) })],
    });
    expect(cpu?.guests[0]?.vcpus).toEqual({ current: 2, maximum: 4 });
    expect(cpu?.cpusets.find(({ cpus }) => cpus.join() === '6,7')?.promised.current).toBe(1);
  });

  it('lets a vcpupin go before the cpuset of <vcpu>, which the others follow', () => {
    const pinned = config('web', {
      vcpu: "<vcpu cpuset='0-3'>2</vcpu>",
      elements: "<cputune><vcpupin vcpu='1' cpuset='7'/></cputune>",
    });
    const { cpu } = assessed({ domains: [domain('web', { config: pinned })] });
    expect(cpu?.cpusets.map(({ cpus }) => cpus)).toEqual([[0, 1, 2, 3]]);
    // CPU 7 belongs to vCPU 1 alone.
    expect(cpu?.dedicated.cpus).toEqual([7]);
    expect(cpu?.shared.promised.current).toBe(1);
  });

  it('takes the CPUs numad chose from the process, since the XML only says auto', () => {
    const auto = config('web', { vcpu: "<vcpu placement='auto'>2</vcpu>" });
    const running = process({ VmRSS: 100 }, {}, 'Cpus_allowed_list:\t4-7\n');
    const { cpu } = assessed({ domains: [domain('web', { config: auto, process: running })] });
    expect(cpu?.cpusets.map(({ cpus }) => cpus)).toEqual([[4, 5, 6, 7]]);
  });

  it('reads quotas from the XML, with the default period, and the whole guest’s from its cgroup', () => {
    const capped = config('web', {
      elements: `<cputune><quota>50000</quota>
        <global_period>100000</global_period><global_quota>150000</global_quota></cputune>`,
    });
    const cgroup: GuestCgroupFacts = {
      cpu: {
        share: { kind: 'weight', weight: 200 },
        quota: { quotaSeconds: 0.1875, periodSeconds: 0.25 },
        usageSeconds: undefined,
        throttling: undefined,
        vcpus: new Map(),
        iothreads: new Map(),
        emulator: undefined,
      },
      memory: undefined,
      io: undefined,
      numa: undefined,
      pressure: { cpu: undefined, memory: undefined, io: undefined },
    };
    const { cpu } = assessed({
      domains: [domain('web', { config: capped }), domain('tighter', { config: capped, cgroup })],
    });
    // Two vCPUs of half a CPU each; then somebody set the cgroup to 0.75.
    expect(cpu?.guests.map(({ capCpus }) => capCpus)).toEqual([1, 0.75]);
  });

  it('shares CPUs by the weights of the cgroups', () => {
    const facts = (weight: number): GuestCgroupFacts => ({
      cpu: {
        share: { kind: 'weight', weight },
        quota: 'unlimited',
        usageSeconds: undefined,
        throttling: undefined,
        vcpus: new Map(),
        iothreads: new Map(),
        emulator: undefined,
      },
      memory: undefined,
      io: undefined,
      numa: undefined,
      pressure: { cpu: undefined, memory: undefined, io: undefined },
    });
    const onOneCore = (name: string) => config(name, { vcpu: "<vcpu cpuset='0'>1</vcpu>" });
    const { cpu } = assessed({
      domains: [
        domain('light', { config: onOneCore('light'), cgroup: facts(100) }),
        domain('heavy', { config: onOneCore('heavy'), cgroup: facts(300) }),
      ],
    });
    expect(cpu?.guests.map(({ guaranteedCpus }) => guaranteedCpus)).toEqual([0.25, 0.75]);
  });

  it('takes the policy’s reserve off the shared CPUs', () => {
    const policy = { ...NO_RESERVES, reserves: { ...NO_RESERVES.reserves, cpus: 2 } };
    expect(assessed({}, policy).cpu?.shared.capacity).toEqual({ cpus: 6, cores: 3 });
  });

  it('counts the vCPU threads of a guest whose XML did not arrive', () => {
    const vcpu = (index: number) => ({
      tid: 10 + index,
      comm: `CPU ${index}/KVM`,
      role: { kind: 'vcpu', index } as const,
      schedule: undefined,
      state: undefined,
      stillMs: 0,
    });
    const emulator = {
      tid: 9,
      comm: 'qemu-system-x86',
      role: { kind: 'emulator' } as const,
      schedule: undefined,
      state: undefined,
      stillMs: 0,
    };
    const { cpu } = assessed({
      domains: [
        domain('new', {
          config: undefined,
          process: process({}, { threads: [emulator, vcpu(0), vcpu(1), vcpu(2)] }),
        }),
        domain('unheard-of', { config: undefined }),
      ],
    });
    expect(cpu?.guests.map(({ name }) => name)).toEqual(['new']);
    expect(cpu?.shared.promised).toEqual({ current: 3, maximum: 3 });
  });
});

describe('memory of a snapshot', () => {
  it('compares what guests can still claim with the supply', () => {
    const { memory } = assessed({
      domains: [
        // Promised 3.5 GiB, of 4 at most; 2 GiB in memory, 0.5 GiB in swap.
        domain('web', {
          balloon: balloon(3.5 * GIB, 4 * GIB),
          process: process({ RssAnon: 2040, RssFile: 30, RssShmem: 8, VmSwap: 512 }),
        }),
        domain('off', OFF),
      ],
    });
    expect(memory?.promised).toEqual({
      guests: 1,
      currentBytes: 3.5 * GIB,
      maximumBytes: 4 * GIB,
    });
    expect(memory?.capacityBytes).toBe(64 * GIB);
    expect(memory?.current.claimableBytes).toBe(1 * GIB);
    expect(memory?.maximum.claimableBytes).toBe(1.5 * GIB);
    // 20 GiB available; of 6 GiB free swap only what the guest can be swapped to: 2 + 1 GiB.
    expect(memory?.current.supplyBytes).toBe(23 * GIB);
  });

  it('keeps the promise of a guest whose monitor hangs, from its XML', () => {
    const { memory } = assessed({
      domains: [domain('hung', { monitor: 'unresponsive', process: process({ RssAnon: 1024 }) })],
    });
    expect(memory?.promised).toEqual({ guests: 1, currentBytes: 3 * GIB, maximumBytes: 4 * GIB });
    expect(memory?.current.claimableBytes).toBe(2 * GIB);
  });

  it('believes the monitor and not the XML while the guest has not obeyed yet', () => {
    const { memory } = assessed({
      domains: [domain('slow', { balloon: balloon(4 * GIB, 4 * GIB) })],
    });
    expect(memory?.promised.currentBytes).toBe(4 * GIB);
  });

  it('counts a guest of which /proc tells nothing as promised, its claim as unknown', () => {
    const { memory } = assessed({ domains: [domain('gone', { process: undefined })] });
    expect(memory?.promised.currentBytes).toBe(3 * GIB);
    expect(memory?.guestsWithUnknownResident).toBe(1);
    expect(memory?.current.claimableBytes).toBe(0);
  });

  it('falls back to the resident size libvirt gives', () => {
    const { memory } = assessed({
      domains: [domain('far', { balloon: balloon(4 * GIB, 4 * GIB, { residentBytes: GIB }) })],
    });
    expect(memory?.guests[0]?.claimableBytes).toBe(3 * GIB);
  });

  it('goes by what the process holds when the XML did not arrive', () => {
    const unknown = { config: undefined, balloon: balloon(2 * GIB, 2 * GIB) };
    const { memory } = assessed({
      domains: [
        domain('memfd', { ...unknown, process: process({ RssAnon: 20, RssShmem: 1500 }) }),
        domain('huge', { ...unknown, process: process({ RssAnon: 20, HugetlbPages: 2048 }) }),
        domain('plain', { ...unknown, process: process({ RssAnon: 1800 }) }),
        domain('pinned', { ...unknown, process: process({ RssAnon: 2060, VmPin: 2048 }) }),
        domain('silent', { config: undefined }),
      ],
    });
    expect(memory?.guests.map((guest) => [guest.name, guest.class])).toEqual([
      ['memfd', 'shared'],
      ['huge', 'hugepages'],
      ['plain', 'anonymous'],
      ['pinned', 'locked'],
    ]);
  });

  it('tells from the XML what a guest’s memory is made of', () => {
    const backed = (name: string, elements: string, devices = '') =>
      domain(name, { config: config(name, { elements, devices }) });
    const vfio = `<hostdev mode='subsystem' type='pci' managed='yes'>
      <source><address domain='0' bus='1' slot='0' function='0'/></source></hostdev>`;
    const { memory } = assessed({
      domains: [
        backed('plain', '', "<memballoon model='virtio'/>"),
        backed(
          'virtiofs',
          "<memoryBacking><source type='memfd'/><access mode='shared'/></memoryBacking>",
        ),
        backed('memfd', "<memoryBacking><source type='memfd'/></memoryBacking>"),
        backed(
          'huge1g',
          "<memoryBacking><hugepages><page size='1' unit='GiB'/></hugepages></memoryBacking>",
        ),
        backed('huge', '<memoryBacking><hugepages/></memoryBacking>'),
        backed('locked', '<memoryBacking><locked/></memoryBacking>'),
        backed('passthrough', '', vfio),
        backed('secret', "<launchSecurity type='sev'><policy>0x3</policy></launchSecurity>"),
      ],
    });
    expect(memory?.guests.map(({ name, class: kind, balloon: is }) => [name, kind, is])).toEqual([
      ['plain', 'anonymous', 'effective'],
      ['virtiofs', 'shared', 'absent'],
      ['memfd', 'shared', 'absent'],
      ['huge1g', 'hugepages', 'absent'],
      ['huge', 'hugepages', 'absent'],
      ['locked', 'locked', 'absent'],
      ['passthrough', 'locked', 'absent'],
      ['secret', 'locked', 'absent'],
    ]);
    expect(memory?.hugepages.map(({ pageBytes }) => pageBytes)).toEqual([2 * MIB, GIB]);
  });

  it('takes memory for locked only when about all of it is', () => {
    const { memory } = assessed({
      domains: [
        domain('little', { process: process({ RssAnon: 3100, VmLck: 64 }) }),
        domain('all', { process: process({ RssAnon: 3100, VmLck: 3072 }) }),
      ],
    });
    expect(memory?.guests.map((guest) => guest.class)).toEqual(['anonymous', 'locked']);
  });

  it('does not count zram as swap', () => {
    const areas = parseSwaps(
      `Filename Type Size Used Priority
/dev/dm-1 partition 4194304 1048576 -2
/dev/zram0 partition 4194304 1048576 100
`,
      '/proc/swaps',
    );
    const swapAreas = areas.ok ? areas.value : undefined;
    const big = domain('big', {
      balloon: balloon(30 * GIB, 30 * GIB),
      process: process({ RssAnon: 1024 }),
    });
    const { memory } = assessed({ host: host({ swapAreas }), domains: [big] });
    expect(memory?.current.supplyBytes).toBe(20 * GIB + 3 * GIB);
  });

  const memoryCgroup = (
    swapBytes: number,
    limits: Partial<CgroupMemoryLimits> = {},
  ): GuestCgroupFacts => ({
    cpu: undefined,
    memory: {
      usage: { ...emptyMemoryUsage(3 * GIB), swapBytes },
      limits: {
        maxBytes: 'unlimited',
        highBytes: undefined,
        swapMaxBytes: 'unlimited',
        swapIncludesMemory: false,
        ...limits,
      },
      events: undefined,
    },
    io: undefined,
    numa: undefined,
    pressure: { cpu: undefined, memory: undefined, io: undefined },
  });

  it('takes swapped shared memory from the cgroup, since VmSwap lacks it', () => {
    const memfd = config('memfd', {
      elements: "<memoryBacking><source type='memfd'/></memoryBacking>",
    });
    const claim = (more: Parameters<typeof domain>[1]) =>
      assessed({ domains: [domain('memfd', { config: memfd, ...more })] }).memory?.current
        .claimableBytes;
    // 4 GiB, 1 GiB of it in RAM and 2 GiB in swap: 1 GiB was never touched.
    const held = {
      balloon: balloon(4 * GIB, 4 * GIB),
      process: process({ RssAnon: 0, RssShmem: 1024, VmSwap: 0 }),
    };
    expect(claim({ ...held, cgroup: memoryCgroup(2 * GIB) })).toBe(1 * GIB);
    expect(claim(held)).toBe(3 * GIB);
    // Of private memory VmSwap knows all, and the cgroup may hold more than this process.
    const plain = { ...held, config: config('memfd'), cgroup: memoryCgroup(2 * GIB) };
    expect(claim(plain)).toBe(3 * GIB);
  });

  it('says what of a guest is in swap as it counts it, and nothing where nothing is known', () => {
    const memfd = config('memfd', {
      elements: "<memoryBacking><source type='memfd'/></memoryBacking>",
    });
    const inSwap = (more: Parameters<typeof domain>[1]) =>
      assessed({ domains: [domain('web', more)] }).memory?.guests[0]?.swapBytes;
    const held = process({ RssAnon: 0, RssShmem: 1024, VmSwap: 0 });
    expect(inSwap({ config: memfd, process: held, cgroup: memoryCgroup(2 * GIB) })).toBe(2 * GIB);
    expect(inSwap({ config: memfd, process: held })).toBe(0);
    expect(inSwap({ process: process({ RssAnon: 1024, VmSwap: 512 }) })).toBe(512 * MIB);
    expect(inSwap({ process: undefined })).toBeUndefined();
  });

  it('heeds the limit of the cgroup on swap', () => {
    const limited = (
      swapMaxBytes: number,
      maxBytes: number | 'unlimited',
      swapIncludesMemory: boolean,
    ) =>
      domain('web', {
        balloon: balloon(4 * GIB, 4 * GIB),
        process: process({ RssAnon: 3072 }),
        cgroup: memoryCgroup(0, { swapMaxBytes, maxBytes, swapIncludesMemory }),
      });
    const usableSwap = (one: ReturnType<typeof domain>) =>
      (assessed({ domains: [one] }).memory?.current.supplyBytes ?? 0) - 20 * GIB;
    expect(usableSwap(limited(1 * GIB, 'unlimited', false))).toBe(1 * GIB);
    // v1: memory and swap together 7 GiB, memory alone 5 GiB.
    expect(usableSwap(limited(7 * GIB, 5 * GIB, true))).toBe(2 * GIB);
  });

  it('counts what un-merging would cost, and takes hugepages and reserve off the capacity', () => {
    const ksm = parseKsm(
      new Map([
        ['run', '1'],
        ['pages_shared', '1000'],
        ['pages_sharing', '262144'],
        ['ksm_zero_pages', '131072'],
      ]),
      '/sys/kernel/mm/ksm',
    );
    const hugePages = [
      { pageBytes: 2 * MIB, total: 512, free: 256, surplus: 0, reserved: 56, overcommitLimit: 0 },
    ];
    const { memory } = assessed(
      { host: host({ ksm: ksm.ok ? ksm.value : undefined, hugePages }), domains: [] },
      DEFAULT_POLICY,
    );
    expect(memory?.ksmUnmergeBytes).toBe(1 * GIB);
    expect(memory?.ksmSavedBytes).toBe(1.5 * GIB);
    // 64 GiB less 1 GiB of hugepages less the default reserve of 512 MiB.
    expect(memory?.capacityBytes).toBe(62.5 * GIB);
    expect(memory?.hugepages[0]?.unreservedBytes).toBe(400 * MIB);
  });
});

describe('the cache of ZFS', () => {
  const zfsArc = {
    sizeBytes: 30 * GIB,
    minimumBytes: 2 * GIB,
    maximumBytes: 32 * GIB,
    reclaimableBytes: 24 * GIB,
  };
  const supplyUnder = (policy: typeof NO_RESERVES) =>
    assessed({ host: host({ zfsArc }), domains: [] }, policy).memory?.current.supplyBytes;

  it('is available memory that MemAvailable lacks', () => {
    expect(computeAvailableMemory(host({ zfsArc }))).toBe(20 * GIB + 24 * GIB);
    expect(computeAvailableMemory(host())).toBe(20 * GIB);
    const untold = { ...zfsArc, reclaimableBytes: undefined };
    expect(computeAvailableMemory(host({ zfsArc: untold }))).toBe(20 * GIB);
  });

  it('is no supply for the worst case, as it may shrink too slowly, unless the policy says so', () => {
    expect(supplyUnder(NO_RESERVES)).toBe(20 * GIB);
    expect(supplyUnder({ ...NO_RESERVES, supply: { zfsArc: true } })).toBe(44 * GIB);
  });
});

describe('hugepages of a snapshot', () => {
  it('come off the capacity also where only meminfo tells of them', () => {
    const meminfo = {
      ...MEMINFO,
      defaultHugePages: { pageBytes: 2 * MIB, total: 512, free: 256, reserved: 56, surplus: 0 },
    };
    const { memory } = assessed({ host: host({ meminfo, hugePages: undefined }), domains: [] });
    expect(memory?.capacityBytes).toBe(63 * GIB);
    expect(memory?.hugepages).toMatchObject([{ totalBytes: 1 * GIB, unreservedBytes: 400 * MIB }]);
  });
});

describe('storage of a snapshot', () => {
  const images = filesystem('/images', 1000 * GIB, 200 * GIB);
  const storageWith = (disks: ReturnType<typeof disk>[], policy = NO_RESERVES) =>
    assessed(
      { storage: { disks, filesystems: [images], thin: undefined, unwatchedThinPools: undefined } },
      policy,
    ).storage;

  it('counts the disks of all guests, on the filesystem of their images', () => {
    const storage = storageWith([
      disk('web', [rawFile('/images/web', 100 * GIB, 30 * GIB)]),
      disk('off', [rawFile('/images/off', 100 * GIB, 10 * GIB)]),
    ]);
    expect(storage?.containers).toMatchObject([
      { name: '/images', promisedBytes: 200 * GIB, claimableBytes: 160 * GIB, images: 2 },
    ]);
    expect(storage?.containers[0]?.shortfallBytes).toBe(-40 * GIB);
  });

  it('takes the reserve off what is available, as bytes or as a part of the filesystem', () => {
    const withReserve = (storage: { bytes: number } | { ratio: number }) =>
      storageWith([], { ...NO_RESERVES, reserves: { ...NO_RESERVES.reserves, storage } });
    expect(withReserve({ bytes: 50 * GIB })?.containers[0]?.availBytes).toBe(150 * GIB);
    expect(withReserve({ ratio: 0.05 })?.containers[0]?.availBytes).toBe(150 * GIB);
    expect(withReserve({ ratio: 0.5 })?.containers[0]?.availBytes).toBe(0);
  });

  it('lets a backing image and a read-only disk grow no further', () => {
    const base = rawFile('/images/base', 10 * GIB, 2 * GIB);
    const storage = storageWith([
      disk('web1', [rawFile('/images/web1', 10 * GIB, GIB), base]),
      disk('web2', [rawFile('/images/web2', 10 * GIB, GIB), base]),
      disk('web2', [rawFile('/images/tools', 5 * GIB, GIB)], { device: 'vdb', readOnly: true }),
    ]);
    expect(storage?.host).toMatchObject({
      images: 4,
      promisedBytes: 23 * GIB,
      claimableBytes: 18 * GIB,
    });
  });

  it('counts an image that could not be read as unknown, not as nothing', () => {
    const error = failed('timeout', '/images/web', 'no answer');
    const end = { kind: 'unreadable', path: '/images/web', error: error.error } as const;
    const storage = storageWith([disk('web', [], { end })]);
    expect(storage?.unplaced).toMatchObject({ images: 1, imagesUnknown: 1 });
  });

  it('finds the thin pool of a volume by device number; other devices are thick', () => {
    const volume = {
      vgName: 'vg0',
      name: 'web',
      poolName: 'pool',
      sizeBytes: 100 * GIB,
      usedBytes: 25 * GIB,
      device: '253:7',
      origin: undefined,
    };
    const pool = {
      vgName: 'vg0',
      name: 'pool',
      sizeBytes: 400 * GIB,
      dataUsedBytes: 350 * GIB,
      metadataSizeBytes: GIB,
      metadataUsedBytes: 0,
      state: 'rw',
      needsCheck: false,
      queueWhenFull: true,
      monitored: true,
      vgFreeBytes: 10 * GIB,
    } as const;
    const disks = [
      disk('web', [blockDevice('/dev/vg0/web', 100 * GIB, '253:7', 'vg0-web')]),
      disk('db', [blockDevice('/dev/vg0/db', 50 * GIB, '253:8', 'vg0-db')]),
      disk('san', [blockDevice('/dev/sdb', 80 * GIB, '8:16')]),
    ];
    const { storage } = assessed({
      storage: {
        disks,
        filesystems: [],
        thin: { storage: { pools: [pool], volumes: [volume] }, readAtSeconds: 0 },
        unwatchedThinPools: 0,
      },
    });
    expect(storage?.containers).toMatchObject([
      { id: 'vg0/pool', claimableBytes: 75 * GIB, availBytes: 50 * GIB, shortfallBytes: 25 * GIB },
    ]);
    expect(storage?.thick).toMatchObject({ images: 2, promisedBytes: 130 * GIB });

    // Nobody asked LVM, or dmsetup, which knows pools only: its volumes may be thin or not, the
    // plain disk is what it is.
    for (const thin of [
      undefined,
      { storage: { pools: [pool], volumes: undefined }, readAtSeconds: 0 },
    ]) {
      const unasked = assessed({
        storage: { disks, filesystems: [], thin, unwatchedThinPools: 0 },
      }).storage;
      expect(unasked?.unplaced).toMatchObject({ images: 2, imagesUnknown: 2 });
      expect(unasked?.thick.promisedBytes).toBe(80 * GIB);
    }
  });

  it('takes no device for thick that has its space from elsewhere', () => {
    const device = (name: string, number: string) =>
      disk(name, [blockDevice(`/dev/${name}`, 10 * GIB, number, undefined, name)]);
    const storage = storageWith([
      device('sdb', '8:16'),
      device('nvme1n1', '259:3'),
      device('zd16', '230:16'),
      device('rbd0', '252:0'),
      device('nbd7p1', '43:225'),
    ]);
    expect(storage?.thick).toMatchObject({ images: 2, promisedBytes: 20 * GIB });
    // What of a ZFS volume is backed, only ZFS can tell.
    expect(storage?.unplaced).toMatchObject({ images: 1, imagesUnknown: 1, allocatedBytes: 0 });
    expect(storage?.remote).toMatchObject({ images: 2 });
  });

  it('says that sums are not exact where files can share extents', () => {
    const { storage } = assessed({
      storage: {
        disks: [],
        filesystems: [images, filesystem('/fast', GIB, GIB)],
        thin: undefined,
        unwatchedThinPools: undefined,
      },
    });
    expect(storage?.containers.map((one) => [one.name, one.sharedExtents])).toEqual([
      ['/images', false],
      ['/fast', true],
    ]);
  });

  it('names a container by the device number of its mount', () => {
    expect(storageWith([])?.containers[0]?.id).toBe(mount('/images').device);
  });
});

describe('network of a snapshot', () => {
  const link = (name: string, more: Partial<NetworkLink>): [string, NetworkLink] => [
    name,
    networkLink(name, more),
  ];
  const network = {
    links: new Map([
      link('eno1', {
        kind: 'physical',
        master: 'br0',
        state: {
          operational: 'up',
          carrier: true,
          speed: { known: true, bitsPerSecond: 1e9 },
        },
      }),
      link('br0', { kind: 'bridge', lower: ['eno1', 'vnet0', 'vnet1'] }),
      link('virbr0', { kind: 'bridge', lower: ['vnet2'] }),
      link('vnet0', { master: 'br0' }),
      link('vnet1', { master: 'br0' }),
      link('vnet2', { master: 'virbr0' }),
    ]),
  };
  const nic = (bridge: string, target: string, bandwidth = '') =>
    `<interface type='bridge'><mac address='52:54:00:00:00:01'/><source bridge='${bridge}'/>
     <target dev='${target}'/>${bandwidth}</interface>`;

  it('follows the taps of running guests to the wire', () => {
    const limits = "<bandwidth><inbound average='25000' floor='1000'/></bandwidth>";
    const { network: found } = assessed({
      network,
      domains: [
        domain('web', { config: config('web', { devices: nic('br0', 'vnet0', limits) }) }),
        domain('db', { config: config('db', { devices: nic('br0', 'vnet1') }) }),
        domain('nat', { config: config('nat', { devices: nic('virbr0', 'vnet2') }) }),
        domain('off', { ...OFF, config: config('off', { devices: nic('br0', 'vnet9') }) }),
      ],
    });
    expect(found?.nics).toBe(3);
    expect(found?.nicsWithoutUplink).toBe(1);
    expect(found?.uplinks).toMatchObject([
      {
        id: 'eno1',
        up: true,
        speedBytesPerSecond: 125e6,
        nics: 2,
        // 25,000 kB/s for one, the whole wire for the other.
        inbound: { cappedNics: 1, promisedBytesPerSecond: 150e6 },
        outbound: { cappedNics: 0, promisedBytesPerSecond: 250e6 },
        floorBytesPerSecond: 1e6,
      },
    ]);
  });

  it('does not say that an uplink is down whose state could not be read', () => {
    const up = (state: NetworkLink['state']) =>
      assessed({ network: { links: new Map([link('eno1', { kind: 'physical', state })]) } }).network
        ?.uplinks[0]?.up;
    const speed = { known: false, because: 'none' } as const;
    expect(up({ operational: 'down', carrier: undefined, speed })).toBe(false);
    expect(up({ operational: undefined, carrier: undefined, speed })).toBeUndefined();
    expect(up(undefined)).toBeUndefined();
  });

  it('goes by the bridge of the XML where the tap is out of sight, and by the taps without XML', () => {
    const counters = {
      device: 'vnet1',
      receiveBytes: 0n,
      receivePackets: 0n,
      receiveErrors: 0n,
      receiveDrops: 0n,
      transmitBytes: 0n,
      transmitPackets: 0n,
      transmitErrors: 0n,
      transmitDrops: 0n,
    };
    const { network: found } = assessed({
      network,
      domains: [
        domain('hidden', { config: config('hidden', { devices: nic('br0', 'tap77') }) }),
        domain('new', { config: undefined, nics: [counters] }),
      ],
    });
    expect(found?.uplinks[0]?.nics).toBe(2);
  });
});

describe('ZFS datasets of one pool', () => {
  /** A dataset as statfs shows it: what it holds itself, and what is free in its pool. */
  function dataset(source: string, heldBytes: number, availableBytes: number): Filesystem {
    const minor = 40 + source.length;
    const mount: Mount = {
      id: minor,
      parentId: 1,
      device: `0:${minor}`,
      root: '/',
      mountpoint: `/${source}`,
      type: 'zfs',
      source,
      options: ['rw'],
      superOptions: ['rw', 'xattr'],
      readOnly: false,
    };
    const sizeBytes = heldBytes + availableBytes;
    const space = { sizeBytes, freeBytes: availableBytes, availableBytes };
    return {
      mount,
      traits: filesystemTraits(mount),
      space: { ok: true, value: { ...space, inodes: undefined, inodesFree: undefined } },
    };
  }
  const web = dataset('tank/web', 40 * GIB, 100 * GIB);
  // Asked a moment later, when 3 MiB more were written.
  const db = dataset('tank/db', 20 * GIB, 100 * GIB - 3 * MIB);
  const imageOn = ({ mount }: Filesystem, promised: number, allocated: number) => ({
    ...rawFile(`/images/on ${mount.source}`, promised, allocated),
    mount,
  });
  const storageOn = (all: readonly Filesystem[], disks: readonly DomainDisk[]) =>
    assessed({
      storage: { disks, filesystems: byPool(all), thin: undefined, unwatchedThinPools: undefined },
    }).storage;

  it('are set together against its free space, which is there once', () => {
    const storage = storageOn(
      [web, db],
      [
        disk('web', [imageOn(web, 100 * GIB, 40 * GIB)]),
        disk('db', [imageOn(db, 80 * GIB, 20 * GIB)]),
      ],
    );
    // Each alone would fit: 60 GiB to go, 100 free.
    expect(storage?.containers).toMatchObject([
      {
        name: '/tank/db',
        images: 2,
        claimableBytes: 120 * GIB,
        availBytes: 100 * GIB - 3 * MIB,
        shortfallBytes: 20 * GIB + 3 * MIB,
        sizeBytes: 160 * GIB - 3 * MIB,
      },
    ]);
    expect(storage?.unplaced.images).toBe(0);
  });

  it('stand alone with a quota, in another pool, and while they do not answer', () => {
    const quota = dataset('tank/quota', 5 * GIB, 10 * GIB);
    const other = dataset('rpool/images', 5 * GIB, 100 * GIB);
    const hung: Filesystem = {
      ...dataset('tank/hung-one', 0, 0),
      space: { ok: false, error: { kind: 'timeout', subject: '/tank/hung-one', detail: '' } },
    };
    expect(byPool([web, db, quota, other, hung]).map(({ mount }) => mount.source)).toEqual([
      'rpool/images',
      'tank/db',
      'tank/hung-one',
      'tank/quota',
    ]);
  });

  it('are not mistaken for other filesystems with the same source', () => {
    const ext4 = { ...web, mount: { ...web.mount, type: 'ext4', device: '8:1' } };
    expect(byPool([ext4, db])).toHaveLength(2);
  });
});

describe('the boot storm of a snapshot', () => {
  it('adds up what all persistent guests would want, with the memory they boot with', () => {
    const { bootStorm } = assessed({
      domains: [
        // Blown up to 1 GiB now, but it boots with its 4.
        domain('web', { autostart: true, balloon: balloon(GIB, 4 * GIB) }),
        domain('off', { ...OFF, autostart: true }),
        domain('spare', OFF),
        domain('passing', { persistent: false }),
      ],
      storage: {
        disks: [disk('off', [rawFile('/images/off', 100 * GIB, 40 * GIB)])],
        filesystems: [filesystem('/images', 1000 * GIB, 200 * GIB)],
        thin: undefined,
        unwatchedThinPools: undefined,
      },
    });
    expect(bootStorm?.autostart.afterReboot).toMatchObject({
      domains: 2,
      vcpus: 4,
      maximumMemoryBytes: 8 * GIB,
      claimableStorageBytes: 60 * GIB,
    });
    expect(bootStorm?.all.added.domains).toBe(2);
    expect(bootStorm?.activeWithoutAutostart).toBe(1);
  });

  it('takes a guest for persistent, and not for autostarted, where libvirt did not say', () => {
    const { bootStorm } = assessed({
      domains: [domain('web', { persistent: undefined, autostart: undefined })],
    });
    expect(bootStorm?.all.afterReboot.domains).toBe(1);
    expect(bootStorm?.autostart.afterReboot.domains).toBe(0);
  });
});

describe('MOM on a snapshot', () => {
  const ksm = parseKsm(
    new Map([
      ['run', '1'],
      ['pages_to_scan', '100'],
    ]),
    'ksm',
  );
  const measured = host({ ksm: ksm.ok ? ksm.value : undefined });

  it('decides by its own measurements and by the corrected ones', () => {
    const { mom } = assessed({ host: measured, domains: [] });
    expect(mom.map(({ variant }) => variant)).toEqual(['mom', 'corrected']);
    // (4 + 1 + 16) of 64 GiB; 20 of 64 GiB.
    expect(mom.map(({ hostFreeRatio }) => hostFreeRatio)).toEqual([21 / 64, 20 / 64]);
  });

  it('takes for shareable what KSM can merge, where MOM takes every address space', () => {
    const virtiofs = config('virtiofs', {
      elements: "<memoryBacking><source type='memfd'/><access mode='shared'/></memoryBacking>",
    });
    const { mom } = assessed({
      host: measured,
      domains: [
        domain('plain', { process: process({ VmSize: 30 * 1024, RssAnon: 3 * 1024 }) }),
        domain('virtiofs', {
          config: virtiofs,
          process: process({ VmSize: 30 * 1024, RssAnon: 20, RssShmem: 3 * 1024 }),
        }),
      ],
    });
    // 60 GiB of addresses + 12.8 GiB > 64 GiB; 3 GiB of memory are not.
    expect(mom.map(({ ksm: setting }) => setting?.run)).toEqual([true, false]);
  });

  it('leaves out guests whose balloon is not known, and has no target without statistics', () => {
    const { mom } = assessed({
      host: measured,
      domains: [
        domain('hung', { monitor: 'unresponsive' }),
        domain('silent', { balloon: balloon(3 * GIB, 4 * GIB) }),
        domain('web', {
          balloon: balloon(2 * GIB, 4 * GIB, {
            guestFreeBytes: 0.1 * GIB,
            guestAvailableBytes: GIB,
          }),
        }),
      ],
    });
    // Used 1.9 GiB and 0.2 of 2 GiB on top: 2.3 GiB; with 1 GiB usable, 5 % more at once.
    expect(mom.map(({ guests }) => guests)).toEqual([
      [
        { name: 'silent', targetBytes: undefined },
        { name: 'web', targetBytes: Math.trunc((2.3 * GIB) / 1024) * 1024 },
      ],
      [
        { name: 'silent', targetBytes: undefined },
        { name: 'web', targetBytes: Math.trunc((2.1 * GIB) / 1024) * 1024 },
      ],
    ]);
  });

  it('says nothing of a host whose memory is not known', () => {
    expect(assessed({ host: host({ meminfo: undefined }) }).mom).toEqual([]);
  });
});

describe('a snapshot of which parts are missing', () => {
  it('leaves out what cannot be told, and nothing else', () => {
    const withoutLibvirt = assessed({ domains: undefined });
    expect(withoutLibvirt).toEqual({
      cpu: undefined,
      memory: undefined,
      storage: undefined,
      network: undefined,
      bootStorm: undefined,
      mom: [],
    });
    const withoutTopology = assessed({ host: host({ cpuTopology: undefined }) });
    expect(withoutTopology.cpu).toBeUndefined();
    expect(withoutTopology.memory).toBeDefined();
    const oldKernel = host({ meminfo: { ...MEMINFO, availableBytes: undefined } });
    expect(assessed({ host: oldKernel }).memory).toBeUndefined();
  });
});
