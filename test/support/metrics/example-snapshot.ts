import { DEFAULT_POLICY } from '../../../src/config/policy.ts';
import { writeCatalogue } from '../../../src/metrics/catalogue.ts';
import { ScrapeMemory } from '../../../src/view/scrape-memory.ts';
import { toView, type View } from '../../../src/view/view.ts';
import { assess } from '../../../src/overcommit/assess.ts';
import { MomAverages } from '../../../src/overcommit/mom/mom-averages.ts';
import type { Format } from '../../../src/exposition/format.ts';
import { render } from '../../../src/exposition/render.ts';
import type { Domain } from '../../../src/model/domain.ts';
import type { Snapshot } from '../../../src/model/snapshot.ts';
import type { Recently } from '../../../src/risk/recent-counters.ts';
import {
  detachedInterface,
  exampleBandwidth,
  exampleConfig,
  exampleDisk,
  exampleInterface,
  exampleVirtioMem,
} from './example-config.ts';
import {
  exampleBalloon,
  exampleCgroup,
  exampleDiskCounters,
  exampleKvm,
  exampleLibvirtCpu,
  exampleNicCounters,
  exampleProcess,
  unknownGuest,
} from './example-guest.ts';
import { exampleHost, unknownHost } from './example-host.ts';
import { exampleNetwork } from './example-network.ts';
import {
  brokenDiskOf,
  diskOf,
  exampleBase,
  exampleImage,
  examplePools,
  exampleQcow2Header,
  exampleStorage,
  remoteDiskOf,
  thinImage,
} from './example-storage.ts';

const MIB = 2 ** 20;

export const WEB = '11111111-1111-4111-8111-111111111111';
const HOSTILE = '22222222-2222-4222-8222-222222222222';
const ARCHIVE = '33333333-3333-4333-8333-333333333333';
const FAR = '44444444-4444-4444-8444-444444444444';

/** A name somebody chose to break exporters. */
export const HOSTILE_NAME = 'a"b\\c\nd-ü';

/** What is known of the last minutes at the first look. */
export const NOTHING_RECENT: Recently = { rates: undefined, oomKills: undefined, history: [] };

/** A libvirt that answers at once. */
export const LIBVIRT_UP: Snapshot['libvirt'] = {
  up: true,
  versions: { driver: 'QEMU', libvirt: '9.0.0', hypervisor: '7.2.0', uri: 'qemu:///system' },
  calls: { outstanding: 0, stuck: 0, timeouts: 0, lateReplies: 0, connects: 1 },
};

/**
 * A collection that found out nothing, not even libvirt answers, but for what is given. The snapshots of
 * all tests are made of it.
 */
export function unknownSnapshot(overrides: Partial<Snapshot> = {}): Snapshot {
  return {
    takenAtSeconds: 1_700_100_000,
    demo: false,
    host: unknownHost(),
    libvirt: {
      up: false,
      versions: undefined,
      calls: { outstanding: 0, stuck: 0, timeouts: 0, lateReplies: 0, connects: 0 },
    },
    domains: undefined,
    pools: undefined,
    storage: undefined,
    network: undefined,
    outcomes: [],
    ...overrides,
  };
}

/** A guest of OpenStack that shows everything there is. */
export function webGuest(): Domain {
  return unknownGuest({
    name: 'web',
    uuid: WEB,
    reason: 'booted',
    persistent: true,
    autostart: true,
    monitor: 'responsive',
    unaskedReason: undefined,
    config: exampleConfig({
      memory: { ...exampleConfig().memory, devices: [exampleVirtioMem()] },
      disks: [
        exampleDisk({
          serial: 'abc',
          iotune: {
            totalBytesPerSecond: 100e6,
            readBytesPerSecond: undefined,
            writeBytesPerSecond: undefined,
            totalRequestsPerSecond: undefined,
            readRequestsPerSecond: 1000,
            writeRequestsPerSecond: 500,
            totalBytesPerSecondMax: 200e6,
            readBytesPerSecondMax: undefined,
            writeBytesPerSecondMax: undefined,
            totalRequestsPerSecondMax: undefined,
            readRequestsPerSecondMax: undefined,
            writeRequestsPerSecondMax: 600,
            group: undefined,
          },
        }),
        exampleDisk({
          type: 'block',
          target: 'vdb',
          source: { kind: 'block', path: '/dev/vg0/web-data' },
        }),
      ],
      interfaces: [
        exampleInterface({
          inbound: exampleBandwidth({
            averageBytesPerSecond: 125e6,
            peakBytesPerSecond: 250e6,
            burstBytes: MIB,
            floorBytesPerSecond: 1e6,
          }),
          outbound: exampleBandwidth({
            averageBytesPerSecond: 62.5e6,
            peakBytesPerSecond: 250e6,
            burstBytes: 2 * MIB,
          }),
        }),
        detachedInterface({ type: 'user', alias: 'net1', mac: '52:54:00:00:00:02' }),
      ],
      nova: {
        instanceName: 'web-1',
        flavor: 'm1.small',
        user: { name: 'alice', id: 'u1' },
        project: { name: 'shop', id: 'p1' },
      },
      owner: {
        manager: 'openstack',
        tenant: 'shop',
        project: 'shop',
        user: 'alice',
        flavor: 'm1.small',
        image: '6a5b4c3d-2e1f-4a0b-9c8d-7e6f5a4b3c2d',
        namespace: undefined,
      },
    }),
    balloon: exampleBalloon(),
    disks: [exampleDiskCounters('vda'), exampleDiskCounters('vdb')],
    nics: [exampleNicCounters('vnet0')],
    process: exampleProcess({
      smaps: {
        residentBytes: 1310 * MIB,
        proportionalBytes: 1000 * MIB,
        proportionalDirtyBytes: undefined,
        proportionalAnonymousBytes: 980 * MIB,
        proportionalFileBytes: 20 * MIB,
        proportionalSharedMemoryBytes: 0,
        sharedCleanBytes: 0,
        sharedDirtyBytes: 0,
        privateCleanBytes: 0,
        privateDirtyBytes: 0,
        referencedBytes: undefined,
        anonymousBytes: 1280 * MIB,
        ksmBytes: undefined,
        lazyFreeBytes: undefined,
        anonymousHugePageBytes: 1000 * MIB,
        sharedMemoryHugePageBytes: undefined,
        fileHugePageBytes: undefined,
        sharedHugetlbBytes: undefined,
        privateHugetlbBytes: undefined,
        swappedBytes: 128 * MIB,
        proportionalSwappedBytes: 127 * MIB,
        lockedBytes: 0,
      },
    }),
    cgroup: exampleCgroup(),
    job: {
      operation: 'outgoing migration',
      elapsedSeconds: 12.5,
      remainingSeconds: 30,
      dataTotalBytes: 4_294_967_296n,
      dataProcessedBytes: 1_000_000_000n,
      dataRemainingBytes: 3_294_967_296n,
    },
    perf: {
      events: new Map([
        ['cpu_cycles', 18_446_744_073_709_551_615n],
        ['cmt', 5n],
      ]),
      bandwidth: [{ monitor: 'vcpus_0-1', node: 0, localBytes: 100n, totalBytes: 150n }],
    },
  });
}

/** A guest whose monitor hangs, with a name made to break exporters and NICs nobody named. */
export function hostileGuest(): Domain {
  const config = exampleConfig();
  return unknownGuest({
    name: HOSTILE_NAME,
    uuid: HOSTILE,
    state: 'paused',
    reason: 'ioerror',
    persistent: true,
    autostart: false,
    monitor: 'unresponsive',
    unaskedReason: 'timed_out',
    config: exampleConfig({
      name: HOSTILE_NAME,
      uuid: HOSTILE,
      memory: {
        ...config.memory,
        backing: {
          ...config.memory.backing,
          hugepages: [{ pageBytes: 2 * MIB, guestNodes: undefined }],
        },
      },
      vcpu: { current: 1, maximum: 1, placement: 'static', cpus: [2, 3], list: [] },
      numa: { memory: { mode: 'strict', hostNodes: [1] }, cells: [], guestCells: [] },
      disks: [
        exampleDisk({ source: { kind: 'file', path: '/mnt/nfs/gone.img' } }),
        exampleDisk({ target: 'sda', bus: 'sata', device: 'cdrom', source: undefined }),
      ],
      interfaces: [
        detachedInterface({ type: 'user', mac: '52:54:00:00:00:03' }),
        detachedInterface({ type: 'hostdev', model: undefined, mac: '52:54:00:00:00:04' }),
      ],
    }),
    process: exampleProcess({
      pid: 5000,
      startSeconds: undefined,
      threads: undefined,
      ksm: undefined,
    }),
    cgroup: {
      cpu: {
        share: { kind: 'shares', shares: 1024 },
        quota: 'unlimited',
        usageSeconds: undefined,
        throttling: undefined,
        vcpus: new Map(),
        iothreads: new Map(),
        emulator: undefined,
      },
      memory: undefined,
      io: [],
      numa: undefined,
      pressure: { cpu: undefined, memory: undefined, io: undefined },
    },
  });
}

/** A guest that is switched off, on Ceph. */
export function archiveGuest(): Domain {
  return unknownGuest({
    name: 'archive',
    uuid: ARCHIVE,
    state: 'shutoff',
    reason: 'destroyed',
    active: false,
    persistent: true,
    autostart: true,
    config: exampleConfig({
      name: 'archive',
      uuid: ARCHIVE,
      balloon: undefined,
      disks: [
        exampleDisk({
          type: 'network',
          source: { kind: 'network', protocol: 'rbd', name: 'vms/archive', hosts: [] },
        }),
        exampleDisk({ target: 'vdb', source: { kind: 'file', path: '/srv/clone.qcow2' } }),
      ],
      interfaces: [
        exampleInterface({
          mac: '52:54:00:00:00:05',
          target: undefined,
          alias: undefined,
          linkUp: false,
        }),
      ],
    }),
  });
}

/** A guest whose process is in another pid namespace and whose XML did not arrive. */
export function farGuest(): Domain {
  return unknownGuest({
    name: 'far',
    uuid: FAR,
    monitor: 'responsive',
    unaskedReason: undefined,
    persistent: false,
    balloon: exampleBalloon({ lastUpdateSeconds: undefined }),
    nics: [exampleNicCounters('vnet1')],
    libvirtCpu: exampleLibvirtCpu(),
    kvm: exampleKvm(),
  });
}

/** A small host where everything could be read, with guests of four shapes. */
export function exampleSnapshot(overrides: Partial<Snapshot> = {}): Snapshot {
  const overlay = exampleImage({
    qcow2: exampleQcow2Header({ backingFileName: 'base.raw', backingFormat: 'raw', dirty: true }),
    below: { kind: 'named', name: 'base.raw', format: 'raw' },
  });
  const cloned = exampleImage({
    path: '/srv/clone.qcow2',
    resolvedPath: '/var/lib/libvirt/images/clone.qcow2',
    identity: '8:1:101',
    allocatedBytes: 500 * MIB,
  });
  return unknownSnapshot({
    host: exampleHost(),
    libvirt: {
      ...LIBVIRT_UP,
      calls: { outstanding: 1, stuck: 1, timeouts: 2, lateReplies: 1, connects: 1 },
    },
    guestSources: {
      states: [
        { name: 'libvirt', up: true, guests: 4 },
        { name: 'process', up: true, guests: 0 },
      ],
      userQemus: { count: 1, residentBytes: 300 * MIB },
      pvestatdAtSeconds: 1_700_099_990,
    },
    domains: [webGuest(), hostileGuest(), archiveGuest(), farGuest()],
    pools: examplePools(),
    storage: exampleStorage([
      diskOf('web', WEB, 'vda', overlay, exampleBase()),
      diskOf('web', WEB, 'vdb', thinImage()),
      brokenDiskOf(HOSTILE_NAME, HOSTILE, 'vda'),
      remoteDiskOf('archive', ARCHIVE, 'vda'),
      diskOf('archive', ARCHIVE, 'vdb', cloned, exampleBase()),
    ]),
    network: exampleNetwork(),
    outcomes: [
      { collector: 'domain', success: true, durationSeconds: 0.0125, errors: [] },
      {
        collector: 'image',
        success: false,
        durationSeconds: 2,
        errors: [{ kind: 'timeout', subject: '/mnt/nfs/gone.img', detail: 'no answer within 2 s' }],
      },
    ],
    ...overrides,
  });
}

/** The view of a snapshot under the built-in policy, assessed by the real arithmetic. */
export function exampleView(snapshot: Snapshot, memory = new ScrapeMemory()): View {
  return toView(
    snapshot,
    assess(snapshot, DEFAULT_POLICY, new MomAverages().add(snapshot)),
    {
      policy: {
        ...DEFAULT_POLICY,
        cpuSets: { shared: [1, 2, 3], dedicated: [4, 5] },
        origins: [
          { key: 'memory.promised_ratio', origin: 'nova', file: '/etc/nova/nova.conf' },
          { key: 'reserves.cpus', origin: 'policy_file', file: '/etc/kvm/policy.yaml' },
        ],
      },
      lastReadOk: true,
      loadedAtSeconds: 1_700_000_001,
      maintenanceRemainingSeconds: 0,
    },
    { version: '1.2.3', nodeVersion: 'v26.0.0' },
    memory,
  );
}

/** The whole exposition of a view; a series written twice throws. */
export async function expositionOf(view: View, format: Format): Promise<string> {
  const chunks: Buffer[] = [];
  const options = { onDuplicate: 'throw' } as const;
  for await (const chunk of render((writer) => writeCatalogue(view, writer), format, options)) {
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
