/**
 * Hosts that lose something, or soon will: each must say so with the right severity. A critical alert
 * mutes the warning of its name.
 */
import type { MadeUpHost } from './host.ts';
import { minutes, scenario, type Scenario } from './scenario.ts';
import {
  balloonStatistics,
  filesystem,
  GIB,
  healthyHost,
  imageOn,
  IMAGES,
  inState,
  memoryPromise,
  pausedOnIoError,
  running,
  stalled,
  TIB,
  UPLINK,
  UPLINK_SPEED,
  vcpuDelay,
  waiting,
} from './healthy-host.ts';

const EVENT = minutes(60);
const MIB = 2 ** 20;
const OTHER = { mountpoint: '/srv/other' };
const SHARE = { mountpoint: '/srv/share' };

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
    'a full filesystem has stopped two guests: one page, which names them',
    (name, size) => {
      const host = fillsUp(healthyHost(name, size), 0);
      for (const guest of ['g1', 'g2']) {
        pausedOnIoError(imageOn(host, guest, IMAGES, 0.25 * TIB), guest, EVENT);
      }
      return host;
    },
    [
      { minute: 58, alerts: [] },
      {
        minute: 72,
        alerts: ['KvmFilesystemFull critical', 'KvmFilesystemFull warning'],
        risk: { storage: 3 },
      },
      {
        minute: 110,
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
    'a MiB is left, and a guest that wanted more is paused: one page',
    (name, size) => {
      const host = imageOn(fillsUp(healthyHost(name, size), MIB), 'g2', IMAGES, 0.5 * TIB);
      return pausedOnIoError(host, 'g2', EVENT);
    },
    [{ minute: 72, alerts: ['KvmFilesystemFull critical'], risk: { storage: 3 } }],
  ),
  scenario(
    'a full filesystem, and a guest that is paused for want of another',
    (name, size) => {
      const host = filesystem(fillsUp(healthyHost(name, size), 0), OTHER);
      imageOn(host, 'g1', IMAGES, 0.5 * TIB);
      return pausedOnIoError(imageOn(host, 'g2', OTHER, 0.1 * TIB), 'g2', EVENT);
    },
    [
      {
        minute: 72,
        alerts: [
          'KvmFilesystemFull critical',
          'KvmFilesystemFull warning',
          'KvmGuestPausedOnIoError critical',
        ],
        risk: { storage: 3 },
      },
    ],
  ),
  scenario(
    'a full filesystem, and a paused guest that has all its space there',
    (name, size) => {
      const host = imageOn(fillsUp(healthyHost(name, size), 0), 'g1', IMAGES, 0.5 * TIB);
      return pausedOnIoError(imageOn(host, 'g2', IMAGES, 0), 'g2', EVENT);
    },
    [
      {
        minute: 72,
        alerts: [
          'KvmFilesystemFull critical',
          'KvmFilesystemFull warning',
          'KvmGuestPausedOnIoError critical',
        ],
        risk: { storage: 3 },
      },
    ],
  ),
  scenario(
    'room was made, and nobody resumed the guest',
    (name, size) => {
      const host = imageOn(healthyHost(name, size), 'g2', IMAGES, 0.1 * TIB).gauge(
        'kvm_filesystem_avail_bytes',
        (seconds) => (seconds >= EVENT && seconds < EVENT + minutes(20) ? 0 : 0.6 * TIB),
        IMAGES,
      );
      return pausedOnIoError(host, 'g2', EVENT);
    },
    [
      {
        minute: 72,
        alerts: ['KvmFilesystemFull critical', 'KvmFilesystemFull warning'],
        risk: { storage: 3 },
      },
      { minute: 100, alerts: ['KvmGuestPausedOnIoError critical'], risk: { storage: 3 } },
    ],
  ),
  scenario(
    'the server of a share is gone for twenty minutes: one page, then the guest it stopped',
    (name, size) => {
      const answers = (seconds: number): boolean =>
        seconds < EVENT || seconds >= EVENT + minutes(20);
      const host = filesystem(healthyHost(name, size), SHARE, answers);
      return pausedOnIoError(imageOn(host, 'g2', SHARE, 0.1 * TIB, answers), 'g2', EVENT);
    },
    [
      { minute: 72, alerts: ['KvmFilesystemUnresponsive critical'], risk: { storage: 3 } },
      { minute: 100, alerts: ['KvmGuestPausedOnIoError critical'], risk: { storage: 3 } },
    ],
  ),
  scenario(
    'one filesystem is full and the server of another gone: two causes, two pages',
    (name, size) => {
      const answers = (seconds: number): boolean => seconds < EVENT;
      const host = filesystem(fillsUp(healthyHost(name, size), 0), SHARE, answers);
      pausedOnIoError(imageOn(host, 'g1', IMAGES, 0.5 * TIB), 'g1', EVENT);
      return pausedOnIoError(imageOn(host, 'g2', SHARE, 0.1 * TIB, answers), 'g2', EVENT);
    },
    [
      {
        minute: 72,
        alerts: [
          'KvmFilesystemFull critical',
          'KvmFilesystemFull warning',
          'KvmFilesystemUnresponsive critical',
        ],
        risk: { storage: 3 },
      },
    ],
  ),
  scenario(
    'a filesystem becomes read-only and stops the guest on it: one page',
    (name, size) => {
      const host = imageOn(healthyHost(name, size), 'g2', IMAGES, 0.1 * TIB).gauge(
        'kvm_filesystem_readonly',
        (seconds) => (seconds < EVENT ? 0 : 1),
        IMAGES,
      );
      return pausedOnIoError(host, 'g2', EVENT);
    },
    [{ minute: 72, alerts: ['KvmFilesystemReadOnly critical'], risk: { storage: 3 } }],
  ),
  scenario(
    'QEMU finds an image corrupt and stops: one page',
    (name, size) => {
      const path = '/var/lib/libvirt/images/g2.qcow2';
      const disk = { domain: 'g2', device: 'vda', path, depth: '0', role: 'leaf' };
      const host = healthyHost(name, size)
        .gauge('kvm_domain_disk_image_info', 1, disk)
        .gauge('kvm_image_corrupt', (seconds) => (seconds < EVENT ? 0 : 1), { path });
      return pausedOnIoError(host, 'g2', EVENT);
    },
    [{ minute: 72, alerts: ['KvmImageCorrupt critical'], risk: { storage: 3 } }],
  ),
  scenario(
    'a guest is paused, and nothing is known to be wrong with its filesystem',
    (name, size) =>
      pausedOnIoError(imageOn(healthyHost(name, size), 'g2', IMAGES, 0.1 * TIB), 'g2', EVENT),
    [{ minute: 72, alerts: ['KvmGuestPausedOnIoError critical'], risk: { storage: 3 } }],
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
    'a full thin pool has stopped a guest: one page',
    (name, size) => {
      const host = thinPool(healthyHost(name, size), { data: 1, metadata: 0.2 });
      return pausedOnIoError(volumeOf(host, 'g2'), 'g2', EVENT);
    },
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
    'a full thin pool, and a guest that is paused for want of a filesystem',
    (name, size) => {
      const host = thinPool(healthyHost(name, size), { data: 1, metadata: 0.2 });
      imageOn(volumeOf(host, 'g1'), 'g2', IMAGES, 0.1 * TIB);
      return pausedOnIoError(host, 'g2', EVENT);
    },
    [
      {
        minute: 120,
        alerts: [
          'KvmGuestPausedOnIoError critical',
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
      return swaps(healthyHost(name, size), 50e6, { waiting: 0.95, stalled: 0.8 });
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
      return swaps(host, 300e6, { waiting: 0.7, stalled: 0.05 });
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
    'a guest is out of memory on a host whose clock is an hour slow',
    (name, size) => {
      const domain = 'g1';
      const host = balloonStatistics(healthyHost(name, size), domain, 32 * GIB, 0.5 * GIB);
      return host
        .gauge('kvm_domain_balloon_last_update_timestamp_seconds', (seconds) => seconds + 1e9, {
          domain,
        })
        .counter('kvm_domain_guest_major_faults_total', 2000, { domain });
    },
    [
      {
        minute: 30,
        alerts: ['KvmGuestOutOfMemory critical', 'KvmGuestThrashing warning'],
        risk: { memory: 3 },
      },
    ],
  ),
  scenario(
    '30 KiB are left, less than the smallest cluster',
    (name, size) => fillsUp(healthyHost(name, size), 30 * 1024),
    [
      {
        minute: 72,
        alerts: ['KvmFilesystemFull critical', 'KvmFilesystemFull warning'],
        risk: { storage: 3 },
      },
    ],
  ),
  scenario(
    'no inode is left on a share',
    (name, size) =>
      filesystem(healthyHost(name, size), SHARE)
        .gauge('kvm_filesystem_files', 1e6, SHARE)
        .gauge('kvm_filesystem_files_free', (seconds) => (seconds < EVENT ? 5e5 : 0), SHARE),
    [
      { minute: 72, alerts: ['KvmFilesystemInodesLow critical'], risk: { storage: 3 } },
      {
        minute: 110,
        alerts: ['KvmFilesystemInodesLow critical', 'KvmFilesystemInodesLow warning'],
        risk: { storage: 3 },
      },
    ],
  ),
  scenario(
    'a thin pool must be checked, and is half full',
    (name, size) =>
      thinPool(healthyHost(name, size), { data: 0.5, metadata: 0.2 }).gauge(
        'kvm_thin_pool_needs_check',
        (seconds) => (seconds < EVENT ? 0 : 1),
        THIN_POOL,
      ),
    [{ minute: 72, alerts: ['KvmThinPoolBroken critical'], risk: { storage: 3 } }],
  ),
  scenario(
    'nobody watches two thin pools',
    (name, size) => healthyHost(name, size).gauge('kvm_thin_pools_unwatched', 2),
    [{ minute: 120, alerts: ['KvmThinPoolUnwatched info'] }],
  ),
  scenario(
    'a guest at the soft limit of its cgroup is stalled for 90 % of the time',
    (name, size) => {
      const domain = 'g1';
      return healthyHost(name, size)
        .counter('kvm_domain_cgroup_memory_events_total', 5000, { domain, event: 'high' })
        .counter('kvm_domain_pressure_stalled_seconds_total', 0.9, { domain, resource: 'memory' });
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
    'the kernel kills a guest while no scrape succeeds for twelve minutes',
    (name, size) => {
      const kill = EVENT + minutes(4);
      const host = healthyHost(name, size)
        .counter('kvm_host_oom_kills_total', (seconds) => (seconds === kill ? 1 / 120 : 0))
        .without('kvm_domain_state', { domain: 'g2' });
      running(host, 'g2', (seconds) => seconds <= kill);
      inState(host, 'g2', 'shutoff', 'crashed', (seconds) => seconds > kill);
      return host.unreachable((seconds) => seconds >= EVENT && seconds < EVENT + minutes(12));
    },
    [
      { minute: 70, alerts: ['KvmExporterDown critical'] },
      {
        minute: 76,
        alerts: ['KvmGuestCrashed critical', 'KvmHostOomKill critical', 'KvmHostOomKill warning'],
        risk: { memory: 3 },
      },
    ],
  ),
  scenario(
    'the kernel of a guest panics, and the guest is kept',
    (name, size) => {
      const host = healthyHost(name, size).without('kvm_domain_state', { domain: 'g2' });
      running(host, 'g2', (seconds) => seconds < EVENT);
      return inState(host, 'g2', 'crashed', 'panicked', (seconds) => seconds >= EVENT);
    },
    [{ minute: 72, alerts: ['KvmGuestCrashed critical'] }],
  ),
  scenario(
    'a migration stands still',
    (name, size) => {
      const labels = { domain: 'g2' };
      const job = (value: (seconds: number) => number) => (seconds: number) =>
        seconds < EVENT ? undefined : value(seconds - EVENT);
      return healthyHost(name, size)
        .gauge(
          'kvm_domain_job_info',
          job(() => 1),
          { ...labels, operation: 'migration_out' },
        )
        .gauge(
          'kvm_domain_job_data_size_bytes',
          job(() => 32 * GIB),
          labels,
        )
        .gauge(
          'kvm_domain_job_data_processed_bytes',
          job(() => 5 * GIB),
          labels,
        )
        .gauge(
          'kvm_domain_job_data_remaining_bytes',
          job(() => 27 * GIB),
          labels,
        )
        .gauge(
          'kvm_domain_job_elapsed_seconds',
          job((elapsed) => elapsed),
          labels,
        );
    },
    [{ minute: 90, alerts: ['KvmMigrationStuck warning'] }],
  ),
  scenario(
    'QEMU hangs and burns nothing at all',
    (name, size) => {
      const labels = { domain: 'g2' };
      return healthyHost(name, size)
        .gauge('kvm_domain_monitor_responsive', (seconds) => (seconds < EVENT ? 1 : 0), labels)
        .counter('kvm_domain_cpu_seconds_total', (seconds) => (seconds < EVENT ? 1.6 : 0), {
          ...labels,
          mode: 'user',
        });
    },
    [
      {
        minute: 90,
        alerts: ['KvmGuestMonitorUnresponsive critical', 'KvmGuestMonitorUnresponsive warning'],
      },
    ],
  ),
  scenario(
    'an uplink drops three of a hundred packets that should go out, and is not full',
    (name, size) =>
      healthyHost(name, size).counter('kvm_uplink_transmit_drops_total', 3093, UPLINK),
    [
      {
        minute: 60,
        alerts: ['KvmUplinkDrops critical', 'KvmUplinkDrops warning'],
        risk: { network: 3 },
      },
    ],
  ),
  scenario(
    'an uplink is down, and a second interface of a guest has no other',
    (name, size) =>
      healthyHost(name, size)
        .gauge('kvm_uplink_up', (seconds) => (seconds < EVENT ? 1 : 0), { device: 'eno2' })
        .gauge('kvm_uplink_nics', 1, { device: 'eno2' })
        .gauge('kvm_domain_nic_uplink_info', 1, {
          domain: 'g1',
          device: 'vnet91',
          bridge: 'br1',
          uplink: 'eno2',
        }),
    [{ minute: 72, alerts: ['KvmUplinkDown critical'], risk: { network: 3 } }],
  ),
  scenario(
    'a storm in zram: 120 MB/s both ways, some task waits for 65 % of the time',
    (name, size) => {
      const host = healthyHost(name, size)
        .gauge('kvm_host_swap_size_bytes', 0)
        .gauge('kvm_host_swap_free_bytes', 0);
      return swaps(host, 120e6, { waiting: 0.65, stalled: 0.02 });
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
    'a guest takes 9 of 16 CPUs, three others get 2 each and wait for 20 % of the time',
    (name) => {
      const quiet = ['v1', 'v2', 'v3'];
      const shape = { guests: ['noisy', ...quiet], cpus: 16, vcpus: 8, guestMemory: 16 };
      const host = healthyHost(name, 1, shape)
        .counter('kvm_domain_cpu_seconds_total', 9, { domain: 'noisy', mode: 'user' })
        .gauge('kvm_domain_cpu_guaranteed_cpus', 4, { domain: 'noisy' });
      waiting(host, 'cpu', 0.9);
      for (const domain of quiet) {
        host
          .counter('kvm_domain_cpu_seconds_total', 2, { domain, mode: 'user' })
          .gauge('kvm_domain_cpu_guaranteed_cpus', 4, { domain });
        for (let vcpu = 0; vcpu < 8; vcpu += 1) vcpuDelay(host, domain, vcpu, 0.2);
      }
      return host;
    },
    [
      {
        minute: 60,
        alerts: [
          'KvmGuestCpuStarved critical x3',
          'KvmGuestCpuStarved warning x3',
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
        // Both boot storm and swap wait for an hour.
        minute: 90,
        alerts: [
          'KvmBootStormMemory warning',
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

/** Images want half a TiB, and from the event on so many bytes are left for them. */
function fillsUp(host: MadeUpHost, left: number): MadeUpHost {
  return host
    .gauge('kvm_filesystem_claimable_bytes', 0.5 * TIB, IMAGES)
    .gauge('kvm_filesystem_avail_bytes', (seconds) => (seconds < EVENT ? 0.6 * TIB : left), IMAGES);
}

const THIN_POOL = { vg: 'vg0', pool: 'thin0' };

function volumeOf(host: MadeUpHost, domain: string): MadeUpHost {
  return host.gauge('kvm_domain_thin_promised_bytes', 0.5 * TIB, { domain, ...THIN_POOL });
}

function thinPool(
  host: MadeUpHost,
  used: { readonly data: number; readonly metadata: number },
): MadeUpHost {
  const pool = THIN_POOL;
  return host
    .gauge('kvm_thin_pool_size_bytes', TIB, pool)
    .gauge('kvm_thin_pool_data_used_bytes', used.data * TIB, pool)
    .gauge('kvm_thin_pool_metadata_size_bytes', GIB, pool)
    .gauge('kvm_thin_pool_metadata_used_bytes', used.metadata * GIB, pool)
    .gauge('kvm_thin_pool_claimable_bytes', 0.1 * TIB, pool)
    .gauge('kvm_thin_pool_needs_check', 0, pool)
    .gauge('kvm_thin_pool_state', 1, { ...pool, state: 'rw' });
}

/** From the event on: bytes per second each way, and the parts of the time that tasks wait for memory. */
function swaps(
  host: MadeUpHost,
  bytesPerSecond: number,
  parts: { readonly waiting: number; readonly stalled: number },
): MadeUpHost {
  const from = (value: number) => (seconds: number) => (seconds >= EVENT ? value : 0);
  stalled(host, 'memory', from(parts.stalled));
  waiting(host, 'memory', from(parts.waiting));
  for (const way of ['in', 'out']) {
    host.counter(`kvm_host_swap_${way}_bytes_total`, from(bytesPerSecond));
  }
  return host;
}
