/**
 * Hosts that lose something, or soon will: each must say so with the right severity. A critical alert
 * mutes the warning of its name.
 */
import { minutes, scenario, type Scenario } from './scenario.ts';
import {
  GIB,
  healthyHost,
  IMAGES,
  inState,
  memoryPromise,
  running,
  stalled,
  TIB,
  UPLINK,
  UPLINK_SPEED,
  vcpuDelay,
  waiting,
} from './healthy-host.ts';

const EVENT = minutes(60);

export const TROUBLED: readonly Scenario[] = [
  scenario(
    '100 GiB are gone in six minutes, and no guest is paused',
    (name, size) =>
      healthyHost(name, size)
        .gauge('kvm_filesystem_claimable_bytes', 0.5 * TIB, IMAGES)
        .gauge(
          'kvm_filesystem_avail_bytes',
          (seconds) => Math.max(0, Math.min(100, 100 * (1 - (seconds - EVENT) / minutes(6)))) * GIB,
          IMAGES,
        ),
    [
      { minute: 58, alerts: ['KvmStorageRunOnTheBank warning'], risk: { storage: 1 } },
      {
        minute: 76,
        alerts: [
          'KvmFilesystemFull critical',
          'KvmFilesystemFull warning',
          'KvmStorageRunOnTheBank warning',
        ],
        risk: { storage: 3 },
      },
      // It does not end by itself.
      {
        minute: 120,
        alerts: [
          'KvmFilesystemAlmostFull warning',
          'KvmFilesystemFull critical',
          'KvmFilesystemFull warning',
          'KvmStorageRunOnTheBank warning',
        ],
        risk: { storage: 3 },
      },
    ],
  ),
  scenario(
    'no inode is left',
    (name, size) => healthyHost(name, size).gauge('kvm_filesystem_files_free', 0, IMAGES),
    [
      {
        minute: 120,
        alerts: ['KvmFilesystemInodesLow critical', 'KvmFilesystemInodesLow warning'],
        risk: { storage: 3 },
      },
    ],
  ),
  scenario(
    'the metadata of a thin pool are used up, its state says rw',
    (name, size) => thinPool(healthyHost(name, size), { data: 0.5, metadata: 1 }),
    [
      {
        minute: 120,
        alerts: ['KvmThinPoolBroken critical', 'KvmThinPoolMetadataFull warning'],
        risk: { storage: 3 },
      },
    ],
  ),
  scenario(
    'the data of a thin pool are used up, its state says rw',
    (name, size) => thinPool(healthyHost(name, size), { data: 1, metadata: 0.2 }),
    [
      {
        minute: 120,
        alerts: [
          'KvmThinPoolBroken critical',
          'KvmThinPoolDataFull warning',
          'KvmThinPoolRunOnTheBank warning',
        ],
        risk: { storage: 3 },
      },
    ],
  ),
  scenario(
    'a guest is paused on an I/O error while nothing is scraped for ten minutes',
    (name, size) => {
      const host = healthyHost(name, size).without('kvm_domain_state', { domain: 'g2' });
      running(host, 'g2', (seconds) => seconds < EVENT);
      inState(host, 'g2', 'paused', 'ioerror', (seconds) => seconds >= EVENT);
      return host.unreachable((seconds) => seconds >= EVENT && seconds < EVENT + minutes(10));
    },
    [
      { minute: 66, alerts: ['KvmExporterDown critical'] },
      { minute: 76, alerts: ['KvmGuestPausedOnIoError critical'], risk: { storage: 3 } },
    ],
  ),
  scenario(
    'a swap storm: 50 MB/s both ways, all tasks wait for 80 % of the time',
    (name, size) => {
      const host = healthyHost(name, size);
      const storm = (seconds: number): boolean => seconds >= EVENT;
      stalled(host, 'memory', (seconds) => (storm(seconds) ? 0.8 : 0));
      waiting(host, 'memory', (seconds) => (storm(seconds) ? 0.95 : 0));
      for (const way of ['in', 'out']) {
        host.counter(`kvm_host_swap_${way}_bytes_total`, (seconds) => (storm(seconds) ? 50e6 : 0));
      }
      return host;
    },
    // Alertmanager leaves the storm alone: the others have its cause.
    [
      {
        minute: 90,
        alerts: [
          'KvmHostMemoryPressure critical',
          'KvmHostMemoryPressure warning',
          'KvmSwapStorm critical',
          'KvmSwapStorm warning',
        ],
        risk: { memory: 3 },
      },
    ],
  ),
  scenario(
    'a storm in zram: 300 MB/s both ways, some task waits for 70 % of the time',
    (name, size) => {
      const host = healthyHost(name, size)
        .gauge('kvm_host_swap_size_bytes', 0)
        .gauge('kvm_host_swap_free_bytes', 0);
      const storm = (seconds: number): boolean => seconds >= EVENT;
      stalled(host, 'memory', (seconds) => (storm(seconds) ? 0.05 : 0));
      waiting(host, 'memory', (seconds) => (storm(seconds) ? 0.7 : 0));
      for (const way of ['in', 'out']) {
        host.counter(`kvm_host_swap_${way}_bytes_total`, (seconds) => (storm(seconds) ? 300e6 : 0));
      }
      return host;
    },
    [
      {
        minute: 90,
        alerts: ['KvmSwapStorm critical', 'KvmSwapStorm warning'],
        risk: { memory: 3 },
      },
    ],
  ),
  scenario(
    'a guest of 32 GiB in a cgroup of 16 GiB is stalled for 90 % of the time',
    (name, size) => {
      const domain = 'g1';
      return healthyHost(name, size)
        .gauge('kvm_domain_cgroup_memory_limit_bytes', 16 * GIB, { domain })
        .counter('kvm_domain_cgroup_memory_events_total', 5000, { domain, event: 'max' })
        .counter('kvm_domain_pressure_stalled_seconds_total', 0.9, { domain, resource: 'memory' })
        .gauge('kvm_domain_resident_bytes', 15.9 * GIB, { domain, kind: 'anonymous' });
    },
    [
      {
        minute: 60,
        alerts: ['KvmGuestMemoryLimited critical', 'KvmGuestMemoryLimited warning'],
        risk: { memory: 3 },
      },
    ],
  ),
  scenario(
    'the kernel kills a guest',
    (name, size) => {
      const host = healthyHost(name, size)
        .counter('kvm_host_oom_kills_total', (seconds) => (seconds === EVENT ? 1 / 120 : 0))
        .without('kvm_domain_state', { domain: 'g2' });
      running(host, 'g2', (seconds) => seconds <= EVENT);
      return inState(host, 'g2', 'shutoff', 'crashed', (seconds) => seconds > EVENT);
    },
    [
      {
        minute: 66,
        alerts: ['KvmGuestCrashed critical', 'KvmHostOomKill critical', 'KvmHostOomKill warning'],
        risk: { memory: 3 },
      },
    ],
  ),
  scenario(
    'QEMU hangs and burns 2 ms of CPU a second',
    (name, size) =>
      healthyHost(name, size)
        .gauge('kvm_domain_monitor_responsive', (seconds) => (seconds < EVENT ? 1 : 0), {
          domain: 'g2',
        })
        .counter('kvm_domain_cpu_seconds_total', (seconds) => (seconds < EVENT ? 1.6 : 0.002), {
          domain: 'g2',
          mode: 'user',
        }),
    [
      {
        minute: 90,
        alerts: ['KvmGuestMonitorUnresponsive critical', 'KvmGuestMonitorUnresponsive warning'],
      },
    ],
  ),
  scenario(
    'a bond with one member full: a fifth of the packets is dropped',
    (name, size) => {
      const host = healthyHost(name, size)
        .gauge('kvm_uplink_speed_bytes_per_second', 2 * UPLINK_SPEED, UPLINK)
        .counter('kvm_uplink_receive_bytes_total', 0.99 * UPLINK_SPEED, UPLINK);
      for (const direction of ['receive', 'transmit']) {
        host.counter(`kvm_uplink_${direction}_drops_total`, 20_000, UPLINK);
      }
      return host;
    },
    [
      {
        minute: 60,
        alerts: ['KvmUplinkDrops critical', 'KvmUplinkDrops warning'],
        risk: { network: 3 },
      },
    ],
  ),
  scenario(
    'a guest takes 14 of 64 CPUs, others wait for 20 % of the time',
    (name, size) => {
      const guests = ['noisy', 'v1', 'v2'];
      const host = healthyHost(name, size, { guests, vcpus: 16, guestMemory: 16 })
        .counter('kvm_domain_cpu_seconds_total', 14, { domain: 'noisy', mode: 'user' })
        .gauge('kvm_domain_cpu_guaranteed_cpus', 5, { domain: 'noisy' });
      waiting(host, 'cpu', 0.9);
      for (const domain of ['v1', 'v2']) {
        for (let vcpu = 0; vcpu < 16; vcpu += 1) vcpuDelay(host, domain, vcpu, 0.2);
      }
      return host;
    },
    [
      {
        minute: 60,
        alerts: [
          'KvmGuestCpuStarved critical x2',
          'KvmGuestCpuStarved warning x2',
          'KvmHostCpuPressure warning',
          'KvmHostCpuStarved critical',
          'KvmHostCpuStarved warning',
          'KvmNoisyNeighbour warning',
        ],
        risk: { cpu: 3 },
      },
    ],
  ),
  scenario(
    'huge pages take all memory, and a guest of 32 GiB wants some of the rest',
    (name, size) => {
      const host = healthyHost(name, size, { guests: ['small'], available: 60 });
      return memoryPromise(host, 32 * GIB, 2 * GIB, 0, 3 * GIB);
    },
    [
      {
        minute: 60,
        alerts: ['KvmMemoryOverPromised warning', 'KvmSwapTooSmall warning'],
        risk: { memory: 2 },
      },
    ],
  ),
  scenario(
    'guests could claim more than there is',
    (name, size) => {
      const host = healthyHost(name, size, { guestResident: 8 });
      return memoryPromise(host, 300 * GIB, 250 * GIB, 255 * GIB, 40 * GIB);
    },
    [
      {
        minute: 60,
        alerts: [
          'KvmMemoryOverPromised warning',
          'KvmMemoryRunOnTheBank warning',
          'KvmSwapTooSmall warning',
        ],
        risk: { memory: 2 },
      },
    ],
  ),
  {
    name: 'two clusters with the same job and instance: one burns',
    hosts: (instance, size) => {
      const burning = healthyHost(instance, size, { target: { cluster: 'fra' } }).without(
        'kvm_domain_state',
        { domain: 'g2' },
      );
      inState(burning, 'g2', 'paused', 'ioerror');
      return [burning, healthyHost(instance, size, { target: { cluster: 'ber' } })];
    },
    looks: [{ minute: 60, alerts: ['KvmGuestPausedOnIoError critical'], risk: { storage: 3 } }],
  },
];

function thinPool(
  host: ReturnType<typeof healthyHost>,
  used: { readonly data: number; readonly metadata: number },
): ReturnType<typeof healthyHost> {
  const pool = { vg: 'vg0', pool: 'thin0' };
  return host
    .gauge('kvm_thin_pool_size_bytes', TIB, pool)
    .gauge('kvm_thin_pool_data_used_bytes', used.data * TIB, pool)
    .gauge('kvm_thin_pool_metadata_size_bytes', GIB, pool)
    .gauge('kvm_thin_pool_metadata_used_bytes', used.metadata * GIB, pool)
    .gauge('kvm_thin_pool_claimable_bytes', 0.1 * TIB, pool)
    .gauge('kvm_thin_pool_needs_check', 0, pool)
    .gauge('kvm_thin_pool_state', 1, { ...pool, state: 'rw' });
}
