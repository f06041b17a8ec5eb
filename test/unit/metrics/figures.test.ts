import { describe, expect, it } from 'vitest';

import type { Domain, GuestCgroupFacts } from '../../../src/model/domain.ts';
import type { Host } from '../../../src/model/host.ts';
import type { MemoryDevice } from '../../../src/model/domain-config.ts';

import {
  exampleConfig,
  exampleDisk,
  exampleVirtioMem,
  NO_LIMITS,
} from '../../support/metrics/example-config.ts';
import {
  exampleCgroup,
  exampleProcess,
  exampleThread,
  unknownGuest,
} from '../../support/metrics/example-guest.ts';
import { exampleHost, unknownHost } from '../../support/metrics/example-host.ts';
import {
  exampleSnapshot,
  exampleView,
  unknownSnapshot,
} from '../../support/metrics/example-snapshot.ts';
import {
  diskOf,
  exampleImage,
  exampleMount,
  exampleStorage,
} from '../../support/metrics/example-storage.ts';
import { familyOf } from './samples.ts';
import { ScrapeMemory } from '../../../src/view/scrape-memory.ts';
import type { Ksm } from '../../../src/model/host-memory.ts';

const MIB = 2 ** 20;
const GIB = 2 ** 30;

const ofHost = (name: string, host: Partial<Host>) =>
  familyOf(exampleView(unknownSnapshot({ host: { ...unknownHost(), ...host } })), name);

const ofGuest = (name: string, guest: Partial<Domain>) =>
  familyOf(
    exampleView(unknownSnapshot({ domains: [unknownGuest({ name: 'g', ...guest })] })),
    name,
  );

describe('CPU time of the host', () => {
  it('adds up: user holds no guest, nice no guest_nice', async () => {
    const modes = await ofHost('kvm_host_cpu_seconds_total', exampleHost());
    expect(modes['{mode="user"}']).toBe(5000.5 - 4400.25);
    expect(modes['{mode="nice"}']).toBe(10);
    // What /proc/stat has without the guest columns, which user and nice already contain.
    const inKernel = 5000.5 + 12.25 + 800 + 90_000 + 40 + 1 + 9;
    expect(Object.values(modes).reduce((sum, value) => sum + value, 0)).toBe(inKernel);
  });
});

describe('CPUs promised by node and by set', () => {
  /** Eight CPUs on two nodes, two threads a core; CPU 7 is isolated. */
  const pinnedHost = () => {
    const host = exampleHost();
    if (host.cpuTopology === undefined) throw new Error('the example has a topology');
    const cpuTopology = {
      ...host.cpuTopology,
      isolated: [7],
      cpus: host.cpuTopology.cpus.map((one) => ({
        ...one,
        siblings: [one.cpu - (one.cpu % 2), one.cpu - (one.cpu % 2) + 1],
        node: one.cpu < 4 ? 0 : 1,
      })),
    };
    const vcpu = { current: 3, maximum: 3, placement: undefined, list: [] };
    const { cputune } = exampleConfig();
    return exampleView(
      unknownSnapshot({
        host: { ...unknownHost(), cpuTopology },
        domains: [
          unknownGuest({
            name: 'realtime',
            uuid: '00000000-0000-4000-8000-000000000001',
            config: exampleConfig({
              name: 'realtime',
              vcpu: { ...vcpu, cpus: [0, 1] },
              cputune: {
                ...cputune,
                vcpuPins: [{ vcpu: 2, cpus: [7] }],
                emulatorPin: [7],
              },
              numa: { memory: { mode: 'strict', hostNodes: [0] }, cells: [], guestCells: [] },
            }),
          }),
          unknownGuest({
            name: 'free',
            uuid: '00000000-0000-4000-8000-000000000002',
            config: exampleConfig({ name: 'free', vcpu: { ...vcpu, cpus: undefined } }),
          }),
        ],
      }),
    );
  };

  it('has cores as well as CPUs: the last core of node 1 gave a thread away', async () => {
    const view = pinnedHost();
    expect(await familyOf(view, 'kvm_cpu_node_capacity_cpus')).toEqual({
      '{node="0"}': 4,
      '{node="1"}': 3,
    });
    expect(await familyOf(view, 'kvm_cpu_node_capacity_cores')).toEqual({
      '{node="0"}': 2,
      '{node="1"}': 1.5,
    });
    expect(await familyOf(view, 'kvm_cpu_set_capacity_cores')).toEqual({
      '{cpuset="0-1"}': 1,
      '{cpuset="0-6"}': 3.5,
    });
  });

  it('tells vCPUs that must run in a set from those that may', async () => {
    const view = pinnedHost();
    expect(await familyOf(view, 'kvm_cpu_set_promised_vcpus')).toEqual({
      '{cpuset="0-1"}': 2,
      '{cpuset="0-6"}': 5,
    });
    expect(await familyOf(view, 'kvm_cpu_set_also_allowed_vcpus')).toEqual({
      '{cpuset="0-1"}': 3,
      '{cpuset="0-6"}': 0,
    });
  });

  it('shows an emulator on a dedicated CPU, and a vCPU away from the memory of its guest', async () => {
    const view = pinnedHost();
    expect(await familyOf(view, 'kvm_domain_cpu_emulator_dedicated_cpus')).toEqual({
      '{domain="realtime"}': 1,
      '{domain="free"}': 0,
    });
    // CPU 7 is on node 1; the other guest's memory is bound to no node.
    expect(await familyOf(view, 'kvm_domain_cpu_off_memory_node_vcpus')).toEqual({
      '{domain="realtime"}': 1,
    });
  });
});

describe('packets the host dropped', () => {
  it('do not seem to start anew when a CPU and what it counted goes offline', async () => {
    const memory = new ScrapeMemory();
    const drops = (softnetDrops: number | undefined) =>
      familyOf(
        exampleView(
          unknownSnapshot({
            host: { ...unknownHost(), cpuTime: exampleHost().cpuTime, softnetDrops },
          }),
          memory,
        ),
        'kvm_host_softnet_drops_total',
      );
    expect(await drops(42)).toEqual({ '': 42 });
    expect(await drops(30)).toEqual({ '': 42 });
    expect(await drops(43)).toEqual({ '': 43 });
    expect(await drops(undefined)).toEqual({});
  });
});

describe('swap of the host', () => {
  it('leaves out zram, which takes RAM itself', async () => {
    expect(await ofHost('kvm_host_swap_size_bytes', exampleHost())).toEqual({ '': 8 * GIB });
    expect(await ofHost('kvm_host_swap_free_bytes', exampleHost())).toEqual({ '': 7 * GIB });
  });

  it('is 0 where there is none, and the sum of the kernel where areas are not known', async () => {
    const name = 'kvm_host_swap_size_bytes';
    expect(await ofHost(name, { swapAreas: [] })).toEqual({ '': 0 });
    const { meminfo } = exampleHost();
    expect(await ofHost(name, { meminfo })).toEqual({ '': 10 * GIB });
  });
});

describe('samepage merging', () => {
  const ksmOf = (overrides: Partial<Ksm>): Partial<Host> => {
    const { ksm } = exampleHost();
    if (ksm === undefined) throw new Error('the example has KSM');
    return { ksm: { ...ksm, ...overrides } };
  };

  it('saves the further uses of merged pages and zero pages, not the merged pages', async () => {
    expect(await ofHost('kvm_ksm_saved_bytes', ksmOf({}))).toEqual({ '': 50_700 * 4096 });
  });

  it('profits what the kernel says', async () => {
    expect(await ofHost('kvm_ksm_profit_bytes', ksmOf({ generalProfitBytes: -7 }))).toEqual({
      '': -7,
    });
  });

  it('profits, on kernels that do not say, what it saves less 64 bytes a record', async () => {
    const records = 1000 + 50_000 + 20_000 + 300;
    expect(await ofHost('kvm_ksm_profit_bytes', ksmOf({}))).toEqual({
      '': 50_700 * 4096 - 64 * records,
    });
  });
});

describe('kernel threads', () => {
  it('count together over all nodes', async () => {
    expect(await ofHost('kvm_host_kernel_thread_cpu_seconds_total', exampleHost())).toEqual({
      '{thread="ksmd"}': 12.5,
      '{thread="kswapd"}': 3.3,
    });
  });
});

describe('threads of a guest', () => {
  it('of one role count together, helpers that come and go not at all', async () => {
    const threads = [
      exampleThread(10, { kind: 'vhost' }),
      exampleThread(11, { kind: 'vhost' }),
      exampleThread(12, { kind: 'other' }),
    ];
    const process = exampleProcess({ threads });
    expect(await ofGuest('kvm_domain_thread_seconds_total', { process })).toEqual({
      '{domain="g",thread="vhost"}': 10 + 20,
    });
  });
});

describe('the CPU quota of a guest', () => {
  const name = 'kvm_domain_cpu_quota_cpus';
  const quota = (cpus: number) => ({ quotaSeconds: cpus * 0.1, periodSeconds: 0.1 });
  const cgroupWith = (
    own: { quotaSeconds: number; periodSeconds: number } | 'unlimited',
    ...vcpus: readonly ({ quotaSeconds: number; periodSeconds: number } | 'unlimited')[]
  ): GuestCgroupFacts => {
    const cgroup = exampleCgroup();
    if (cgroup.cpu === undefined) throw new Error('the example has CPU figures');
    return {
      ...cgroup,
      cpu: {
        ...cgroup.cpu,
        quota: own,
        vcpus: new Map(vcpus.map((one, index) => [index, { quota: one, throttling: undefined }])),
      },
    };
  };

  it('is exact where seconds are not: 0.15 s of 0.1 s are 1.5 CPUs', async () => {
    const exact = (own: number, period: number) => ({ quotaSeconds: own, periodSeconds: period });
    const cgroup = cgroupWith(exact(0.15, 0.1));
    expect(await ofGuest(name, { cgroup })).toEqual({ '{domain="g"}': 1.5 });
    const parts = cgroupWith('unlimited', exact(0.01, 0.1), exact(0.02, 0.1));
    expect(await ofGuest(name, { cgroup: parts })).toEqual({ '{domain="g"}': 0.3 });
  });

  it('is absent without a limit', async () => {
    const cgroup = cgroupWith('unlimited', 'unlimited', 'unlimited');
    expect(await ofGuest(name, { cgroup })).toEqual({});
  });

  it('is the sum over vCPUs, one without a limit counting as one CPU', async () => {
    const cgroup = cgroupWith('unlimited', quota(0.5), 'unlimited');
    expect(await ofGuest(name, { cgroup })).toEqual({ '{domain="g"}': 1.5 });
  });

  it('is that of the whole guest where that is less', async () => {
    const cgroup = cgroupWith(quota(0.25), quota(0.5), quota(0.5));
    expect(await ofGuest(name, { cgroup })).toEqual({ '{domain="g"}': 0.25 });
  });

  it('counts throttling of the guest and of the groups inside', async () => {
    const cgroup = exampleCgroup();
    expect(await ofGuest('kvm_domain_cpu_throttled_periods_total', { cgroup })).toEqual({
      '{domain="g"}': 100 + 10 + 20,
    });
  });
});

describe('the swap limit of a guest', () => {
  const withLimits = (maxBytes: number | 'unlimited', swapMaxBytes: number | 'unlimited') => {
    const cgroup = exampleCgroup();
    if (cgroup.memory === undefined) throw new Error('the example has memory figures');
    const limits = { maxBytes, highBytes: undefined, swapMaxBytes, swapIncludesMemory: true };
    return { cgroup: { ...cgroup, memory: { ...cgroup.memory, limits } } };
  };

  it('in cgroup v1 is what the limit on memory and swap leaves above memory', async () => {
    const name = 'kvm_domain_cgroup_swap_limit_bytes';
    expect(await ofGuest(name, withLimits(2 * GIB, 3 * GIB))).toEqual({ '{domain="g"}': GIB });
    expect(await ofGuest(name, withLimits('unlimited', 3 * GIB))).toEqual({
      '{domain="g"}': 3 * GIB,
    });
    expect(await ofGuest(name, withLimits(2 * GIB, 'unlimited'))).toEqual({});
  });
});

describe('a limit that disks of a guest share', () => {
  it('names the group, one that a disk has alone does not', async () => {
    const iotune = (group: string | undefined) => ({ ...NO_LIMITS, totalBytesPerSecond: 5, group });
    const config = exampleConfig({
      throttleGroups: [{ ...NO_LIMITS, totalBytesPerSecond: 7, group: 'tenant' }],
      disks: [
        exampleDisk({ target: 'vda', throttleFilters: ['tenant'] }),
        exampleDisk({ target: 'vdb', throttleFilters: ['tenant'] }),
        exampleDisk({ target: 'vdc', iotune: iotune('alone') }),
        exampleDisk({ target: 'vdd' }),
      ],
    });
    expect(await ofGuest('kvm_domain_disk_limit_bytes_per_second', { config })).toEqual({
      '{domain="g",device="vda",direction="total",shared_group="tenant"}': 7,
      '{domain="g",device="vdb",direction="total",shared_group="tenant"}': 7,
      '{domain="g",device="vdc",direction="total",shared_group=""}': 5,
    });
  });
});

describe('the virtio-mem devices of a guest', () => {
  const config = exampleConfig();
  const withDevices = (...devices: MemoryDevice[]) => ({
    config: exampleConfig({ memory: { ...config.memory, devices } }),
  });
  const named = (what: string) => `kvm_domain_virtio_mem_${what}_bytes`;

  it('have what was asked for beside what is plugged in', async () => {
    const guest = withDevices(exampleVirtioMem());
    const device = '{domain="g",device="virtiomem0"}';
    expect(await ofGuest(named('size'), guest)).toEqual({ [device]: GIB });
    expect(await ofGuest(named('requested'), guest)).toEqual({ [device]: GIB / 2 });
    expect(await ofGuest(named('plugged'), guest)).toEqual({ [device]: GIB / 4 });
    expect(await ofGuest(named('block'), guest)).toEqual({ [device]: 2 * MIB });
  });

  it('are told apart while the guest is off, when none has an alias or anything plugged', async () => {
    const off = exampleVirtioMem({ alias: undefined, currentBytes: undefined });
    const guest = withDevices(exampleVirtioMem({ model: 'dimm' }), off, off);
    expect(Object.keys(await ofGuest(named('requested'), guest))).toEqual([
      '{domain="g",device="virtiomem0"}',
      '{domain="g",device="virtiomem1"}',
    ]);
    expect(await ofGuest(named('plugged'), guest)).toEqual({});
  });
});

describe('memory backing of a guest', () => {
  const config = exampleConfig();
  const backed = (backing: Partial<typeof config.memory.backing>) => ({
    config: exampleConfig({
      memory: { ...config.memory, backing: { ...config.memory.backing, ...backing } },
    }),
  });
  const labels = async (guest: Partial<Domain>): Promise<readonly string[]> =>
    Object.keys(await ofGuest('kvm_domain_memory_backing_info', guest));

  it('by default can be merged, swapped and ballooned', async () => {
    expect(await labels(backed({}))).toEqual([
      '{domain="g",backing="anonymous",mergeable="yes",swappable="yes",balloonable="yes"}',
    ]);
  });

  it('in a memfd is shared: not merged, but swapped and ballooned', async () => {
    expect(await labels(backed({ source: 'memfd' }))).toEqual([
      '{domain="g",backing="shared",mergeable="no",swappable="yes",balloonable="yes"}',
    ]);
  });

  it('locked stays where it is', async () => {
    expect(await labels(backed({ locked: true }))).toEqual([
      '{domain="g",backing="anonymous",mergeable="no",swappable="no",balloonable="no"}',
    ]);
  });
});

describe('hugepages of the host', () => {
  it('are in bytes, the size of a page too', async () => {
    expect(await ofHost('kvm_host_hugepages_reserved_bytes', exampleHost())).toEqual({
      '{page_size="2097152"}': 128 * 2 * MIB,
    });
  });
});

describe("MOM's advice under pressure", () => {
  it('says how fast KSM should scan', async () => {
    const host = exampleHost();
    const { meminfo } = host;
    if (meminfo === undefined) throw new Error('the example has meminfo');
    const short = { ...meminfo, freeBytes: 0, cachedBytes: GIB, availableBytes: GIB };
    const snapshot = exampleSnapshot({ host: { ...host, meminfo: short } });
    const view = exampleView(snapshot);
    // 1 GiB and 64 MiB of buffers of 16 GiB are less than a fifth.
    expect(await familyOf(view, 'kvm_mom_zone')).toMatchObject({
      '{variant="mom",zone="pressure"}': 1,
      '{variant="mom",zone="comfortable"}': 0,
    });
    expect(Object.keys(await familyOf(view, 'kvm_mom_ksm_pages_to_scan'))).toContain(
      '{variant="mom"}',
    );
    expect(Object.keys(await familyOf(view, 'kvm_mom_ksm_sleep_seconds'))).toContain(
      '{variant="mom"}',
    );
  });
});

describe('an image on a filesystem with several mount points', () => {
  it('lies on the one the filesystem goes by', async () => {
    const mount = exampleMount({ id: 31, mountpoint: '/srv/images' });
    const image = exampleImage({ resolvedPath: '/srv/images/web.qcow2', mount });
    const uuid = '00000000-0000-4000-8000-000000000001';
    const view = exampleView(
      unknownSnapshot({ storage: exampleStorage([diskOf('web', uuid, 'vda', image)]) }),
    );
    const [label = ''] = Object.keys(await familyOf(view, 'kvm_image_info'));
    expect(label).toContain('path="/srv/images/web.qcow2"');
    expect(label).toContain('mountpoint="/var/lib/libvirt/images"');
  });
});

describe('a storage pool that is not running', () => {
  it('has a state but no size, which would be 0 or out of date', async () => {
    const view = exampleView(exampleSnapshot());
    expect(await familyOf(view, 'kvm_pool_state')).toHaveProperty('{pool="old",state="inactive"}');
    expect(Object.keys(await familyOf(view, 'kvm_pool_capacity_bytes'))).toEqual([
      '{pool="default"}',
    ]);
  });
});

describe('a filesystem that does not answer', () => {
  it('says so and has no sizes', async () => {
    const view = exampleView(exampleSnapshot());
    const mountpoint = '{mountpoint="/mnt/nfs"}';
    expect((await familyOf(view, 'kvm_filesystem_responsive'))[mountpoint]).toBe(0);
    expect(await familyOf(view, 'kvm_filesystem_size_bytes')).not.toHaveProperty(mountpoint);
  });
});
