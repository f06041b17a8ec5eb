/** Parts of snapshots, from text as the kernel and libvirt write it. */

import { DEFAULT_POLICY, type Policy } from '../../../src/config/policy.ts';
import type { CgroupMemoryUsage } from '../../../src/model/cgroup.ts';
import type { Domain, GuestProcess } from '../../../src/model/domain.ts';
import { emptyHost, type Host } from '../../../src/model/host.ts';
import type { Snapshot } from '../../../src/model/snapshot.ts';

import type { DomainConfig } from '../../../src/model/domain-config.ts';
import { parseDomainXml } from '../../../src/sources/domain-xml/domain-xml.ts';
import { filesystemTraits } from '../../../src/sources/files/filesystem.ts';

import { parseMeminfo } from '../../../src/sources/host/meminfo.ts';
import { parseMountinfo } from '../../../src/sources/files/mounts.ts';
import { parseProcessStat } from '../../../src/sources/process/stat.ts';
import { parseProcessStatus } from '../../../src/sources/process/status.ts';
import { found, type Result } from '../../../src/runtime/result.ts';
import { rawWorstCase } from '../../../src/sources/images/qcow2-size.ts';
import type { CpuTopology } from '../../../src/model/host-cpu.ts';
import type { DomainDisk } from '../../../src/model/storage.ts';
import type { ChainEnd, ImageFile } from '../../../src/model/image.ts';
import type { Filesystem, Mount } from '../../../src/model/filesystem.ts';

import { unknownGuest } from '../../support/metrics/example-guest.ts';
import { LIBVIRT_UP, unknownSnapshot } from '../../support/metrics/example-snapshot.ts';

export const MIB = 2 ** 20;
export const GIB = 2 ** 30;

function readable<T>(reading: Result<T>): T {
  if (!reading.ok) throw new Error(`${reading.error.subject}: ${reading.error.detail}`);
  return reading.value;
}

/** Nothing kept for the host, so that sums are easy to follow. */
export const NO_RESERVES: Policy = {
  ...DEFAULT_POLICY,
  reserves: { memoryBytes: 0, cpus: 0, storage: { bytes: 0 } },
};

/** 4 cores with two threads each: CPU n and n + 4. */
const TOPOLOGY: CpuTopology = {
  present: [0, 1, 2, 3, 4, 5, 6, 7],
  online: [0, 1, 2, 3, 4, 5, 6, 7],
  offline: [],
  isolated: [],
  tickless: [],
  cpus: [0, 1, 2, 3, 4, 5, 6, 7].map((cpu) => ({
    cpu,
    siblings: [cpu % 4, (cpu % 4) + 4],
    package: 0,
    node: 0,
  })),
  coreCount: 4,
  packageCount: 1,
  threadsPerCpu: 1,
};

/** 64 GiB, of which 20 GiB are available; 8 GiB of swap, 6 GiB of it free. */
export const MEMINFO = readable(
  parseMeminfo(
    `MemTotal:       67108864 kB
MemFree:         4194304 kB
MemAvailable:   20971520 kB
Buffers:         1048576 kB
Cached:         16777216 kB
SwapTotal:       8388608 kB
SwapFree:        6291456 kB
HugePages_Total:       0
HugePages_Free:        0
HugePages_Rsvd:        0
HugePages_Surp:        0
Hugepagesize:       2048 kB
`,
    '/proc/meminfo',
  ),
);

export function host(more: Partial<Host> = {}): Host {
  return { ...emptyHost(4096), cpuTopology: TOPOLOGY, meminfo: MEMINFO, ...more };
}

export function snapshot(more: Partial<Snapshot> = {}): Snapshot {
  return unknownSnapshot({ host: host(), libvirt: LIBVIRT_UP, domains: [], ...more });
}

/** The XML of a guest with 2 vCPUs, 4 GiB and `<currentMemory>` 3 GiB, and whatever else. */
export function config(
  name: string,
  {
    vcpu = '<vcpu>2</vcpu>',
    elements = '',
    devices = "<memballoon model='virtio'/>",
  }: { readonly vcpu?: string; readonly elements?: string; readonly devices?: string } = {},
): DomainConfig {
  const xml = `<domain type='kvm' id='1'>
    <name>${name}</name><uuid>${uuidOf(name)}</uuid>
    <memory unit='GiB'>4</memory><currentMemory unit='GiB'>3</currentMemory>
    ${vcpu}${elements}<os><type>hvm</type></os><devices>${devices}</devices></domain>`;
  return readable(parseDomainXml(xml, name));
}

/** A running guest whose XML is known, and nothing else. */
export function domain(name: string, more: Partial<Domain> = {}): Domain {
  return unknownGuest({
    name,
    uuid: uuidOf(name),
    reason: 'booted',
    persistent: true,
    autostart: false,
    config: config(name),
    ...more,
  });
}

function uuidOf(name: string): string {
  const hex = Buffer.from(name).toString('hex').padEnd(12, '0').slice(0, 12);
  return `00000000-0000-4000-8000-${hex}`;
}

/** Of a group nothing but its size is known. */
export function emptyMemoryUsage(currentBytes: number): CgroupMemoryUsage {
  return {
    currentBytes,
    peakBytes: undefined,
    swapBytes: undefined,
    zswapBytes: undefined,
    anonymousBytes: undefined,
    fileBytes: undefined,
    sharedMemoryBytes: undefined,
    anonymousHugePageBytes: undefined,
  };
}

/** balloon.current and balloon.maximum, and what the guest's driver says. */
export function balloon(
  currentBytes: number,
  maximumBytes: number,
  more: Partial<NonNullable<Domain['balloon']>> = {},
): NonNullable<Domain['balloon']> {
  return {
    currentBytes,
    maximumBytes,
    guestTotalBytes: undefined,
    guestFreeBytes: undefined,
    guestAvailableBytes: undefined,
    guestDiskCachesBytes: undefined,
    guestSwapInBytes: undefined,
    guestSwapOutBytes: undefined,
    guestMajorFaults: undefined,
    guestMinorFaults: undefined,
    guestHugetlbAllocations: undefined,
    guestHugetlbFailures: undefined,
    residentBytes: undefined,
    lastUpdateSeconds: undefined,
    ...more,
  };
}

const STAT =
  '4711 (qemu-system-x86) S 1 4711 4711 0 -1 138412416 90 0 2 0 6100 900 0 0 20 0 5 0 8600 ' +
  '5368709120 270000 18446744073709551615 0 0 0 0 0 0 0 0 0 0 0 0 17 1 0 0 0 5800 0 0 0 0 0 0 0 0 0';

/** A QEMU process by lines of its status file, in MiB. */
export function process(
  mebibytes: Readonly<Record<string, number>>,
  more: Partial<GuestProcess> = {},
  otherLines = '',
): GuestProcess {
  const lines = Object.entries(mebibytes).map(([key, size]) => `${key}:\t${size * 1024} kB\n`);
  return {
    pid: 4711,
    startSeconds: undefined,
    stat: readable(parseProcessStat(STAT, 'stat')),
    status: readable(
      parseProcessStatus(`Name:\tqemu\n${lines.join('')}${otherLines}Threads:\t5\n`, 'status'),
    ),
    threads: undefined,
    ksm: undefined,
    smaps: undefined,
    ...more,
  };
}

const MOUNTS = readable(
  parseMountinfo(
    `22 1 8:1 / / rw - ext4 /dev/sda1 rw
30 22 253:2 / /images rw - ext4 /dev/mapper/vg0-images rw
31 22 253:3 / /fast rw - xfs /dev/mapper/vg0-fast rw
32 22 0:6 / /dev rw - devtmpfs udev rw
`,
    'mountinfo',
  ),
);

export function mount(path: string): Mount {
  const at = MOUNTS.findMount(path);
  if (at === undefined) throw new Error(`no mount for ${path}`);
  return at;
}

export function filesystem(
  mountpoint: string,
  sizeBytes: number,
  availableBytes: number,
): Filesystem {
  const at = mount(mountpoint);
  return {
    mount: at,
    traits: filesystemTraits(at),
    space: found({
      sizeBytes,
      freeBytes: availableBytes,
      availableBytes,
      inodes: undefined,
      inodesFree: undefined,
    }),
  };
}

/** A sparse raw file. */
export function rawFile(
  path: string,
  capacityBytes: number,
  allocatedBytes: number,
  more: Partial<ImageFile> = {},
): ImageFile {
  return {
    path,
    resolvedPath: path,
    identity: `inode of ${path}`,
    kind: 'file',
    mount: mount(path),
    blockDevice: undefined,
    fileSizeBytes: capacityBytes,
    allocatedBytes,
    format: 'raw',
    formatFrom: 'declared',
    capacityBytes,
    qcow2: undefined,
    headerError: undefined,
    below: { kind: 'nothing' },
    dataFiles: [],
    worstCase: rawWorstCase(capacityBytes),
    ...more,
  };
}

/** A block device by its number. */
export function blockDevice(
  path: string,
  sizeBytes: number,
  device: string,
  deviceMapperName?: string,
  name?: string,
): ImageFile {
  return rawFile(path, sizeBytes, 0, {
    kind: 'block',
    identity: `block ${device}`,
    allocatedBytes: undefined,
    blockDevice: { device, name, deviceMapperName, readOnly: false },
  });
}

/** The disk of a guest: its image first, then the backing images. */
export function disk(
  guest: string,
  images: readonly ImageFile[],
  more: { readonly readOnly?: boolean; readonly end?: ChainEnd; readonly device?: string } = {},
): DomainDisk {
  return {
    domainName: guest,
    domainUuid: uuidOf(guest),
    device: more.device ?? 'vda',
    readOnly: more.readOnly ?? false,
    part: 'disk',
    source: {
      kind: 'local',
      chain: {
        disk: {
          declared: [{ path: images[0]?.path ?? '/gone', declaredFormat: 'raw' }],
          declaredToTheEnd: true,
        },
        images: images.map((image, depth) => ({
          role: depth === 0 ? 'leaf' : 'backing',
          depth,
          image,
        })),
        end: more.end ?? { kind: 'complete' },
      },
    },
  };
}
