/**
 * Hosts on which nothing is lost: no page, and a ticket only where somebody has something to do.
 * The kinds are those people who carry the pager complained of; what is expected is written by hand.
 */
import { minutes, scenario, type Scenario } from './scenario.ts';
import {
  GIB,
  healthyHost,
  IMAGES,
  inState,
  memoryPromise,
  TIB,
  UPLINK,
  UPLINK_SPEED,
  vcpuDelay,
  waiting,
  withoutBalloonStatistics,
} from './healthy-host.ts';

const EVENT = minutes(60);

export const HEALTHY: readonly Scenario[] = [
  scenario('a host with room', (name, size) => healthyHost(name, size), [
    { minute: 30, alerts: [] },
    { minute: 120, alerts: [] },
  ]),
  scenario(
    'a host without guests',
    (name) => memoryPromise(healthyHost(name, 1, { guests: [] }), 0, 0, 255 * GIB, 158 * GIB),
    [{ minute: 120, alerts: [] }],
  ),
  scenario(
    '224 of 256 GiB promised and resident: not over-committed',
    (name, size) => {
      const guests = ['g1', 'g2', 'g3', 'g4', 'g5', 'g6', 'g7'];
      return healthyHost(name, size, { guests, available: 25, guestResident: 31.5 });
    },
    [{ minute: 120, alerts: [] }],
  ),
  scenario(
    '243 of 256 GiB in huge pages of 1 GiB, 240 of them promised, 9 GiB of the rest available',
    (name, size) => {
      const host = healthyHost(name, size, { available: 9, guestResident: 0.2 });
      memoryPromise(host, 0, 0, 12.5 * GIB, 9 * GIB);
      for (const family of ['promised', 'promised_maximum']) {
        host.gauge(`kvm_memory_${family}_bytes`, 240 * GIB, { class: 'hugepages' });
      }
      return host
        .gauge('kvm_hugepages_promised_bytes', 240 * GIB, { page_size: '1073741824' })
        .gauge('kvm_hugepages_capacity_bytes', 243 * GIB, { page_size: '1073741824' })
        .gauge('kvm_host_hugepages_size_bytes', 243 * GIB, { page_size: '1073741824' })
        .counter('kvm_host_allocation_stalls_total', 2, { zone: 'normal' });
    },
    // Two stalls a second are worth a ticket; the host does not run out of memory.
    [{ minute: 120, alerts: ['KvmAllocationStalls warning'] }],
  ),
  scenario(
    'swap full of pages nobody wants back',
    (name, size) => healthyHost(name, size).gauge('kvm_host_swap_free_bytes', 0.2 * GIB),
    [{ minute: 120, alerts: [] }],
  ),
  scenario(
    'no swap',
    (name, size) =>
      healthyHost(name, size)
        .gauge('kvm_host_swap_size_bytes', 0)
        .gauge('kvm_host_swap_free_bytes', 0),
    [{ minute: 120, alerts: [] }],
  ),
  scenario(
    'zram alone, 1.2 MB/s both ways, nobody waits',
    (name, size) =>
      healthyHost(name, size)
        .gauge('kvm_host_swap_size_bytes', 0)
        .gauge('kvm_host_swap_free_bytes', 0)
        .counter('kvm_host_swap_in_bytes_total', 1.2e6)
        .counter('kvm_host_swap_out_bytes_total', 1.3e6)
        .counter('kvm_host_major_page_faults_total', 300),
    [{ minute: 120, alerts: [] }],
  ),
  scenario(
    'the cache of ZFS takes half of the memory',
    (name, size) =>
      healthyHost(name, size, { memory: 128, available: 14, guestMemory: 24, guestResident: 24 }),
    [{ minute: 120, alerts: [] }],
  ),
  scenario(
    'a night of backups: two hours of input and output, one of a full uplink',
    (name, size) => {
      const host = healthyHost(name, size);
      const backup = (seconds: number): boolean =>
        seconds >= EVENT && seconds < EVENT + minutes(60);
      waiting(host, 'io', (seconds) => (backup(seconds) ? 0.9 : 0.05));
      return host
        .counter(
          'kvm_uplink_transmit_bytes_total',
          (seconds) => (backup(seconds) ? 0.97 * UPLINK_SPEED : 1e8),
          UPLINK,
        )
        .gauge('kvm_host_load1', (seconds) => (backup(seconds) ? 140 : 10));
    },
    [
      { minute: 60, alerts: [] },
      {
        minute: 110,
        alerts: ['KvmUplinkSaturated warning'],
        risk: { network: 2, storage: 1 },
      },
    ],
  ),
  scenario(
    'preallocated images that fill a filesystem to 97 %',
    (name, size) =>
      healthyHost(name, size)
        .gauge('kvm_filesystem_avail_bytes', 0.03 * TIB, IMAGES)
        .gauge('kvm_filesystem_promised_bytes', 0.97 * TIB, IMAGES)
        .gauge('kvm_filesystem_claimable_bytes', 0, IMAGES),
    [{ minute: 120, alerts: [] }],
  ),
  scenario(
    'a volume group that is cut into thick volumes completely',
    (name, size) =>
      healthyHost(name, size)
        .gauge('kvm_pool_info', 1, { pool: 'vg0', uuid: 'u', type: 'logical', path: '/dev/vg0' })
        .gauge('kvm_pool_capacity_bytes', TIB, { pool: 'vg0' })
        .gauge('kvm_pool_allocated_bytes', TIB, { pool: 'vg0' })
        .gauge('kvm_pool_state', 1, { pool: 'vg0', state: 'running' }),
    [{ minute: 120, alerts: [] }],
  ),
  scenario(
    'one fallocate of 200 GiB, then nothing more',
    (name, size) =>
      healthyHost(name, size)
        .gauge(
          'kvm_filesystem_avail_bytes',
          (seconds) => (seconds < EVENT ? 0.36 : 0.16) * TIB,
          IMAGES,
        )
        .gauge(
          'kvm_filesystem_promised_bytes',
          (seconds) => (seconds < EVENT ? 0.6 : 0.8) * TIB,
          IMAGES,
        )
        .gauge('kvm_filesystem_claimable_bytes', 0, IMAGES),
    [62, 64, 66, 70, 75, 90, 122].map((minute) => ({ minute, alerts: [] })),
  ),
  scenario(
    'thin images, three times the size, half full',
    (name, size) =>
      healthyHost(name, size)
        .gauge('kvm_filesystem_promised_bytes', 3 * TIB, IMAGES)
        .gauge('kvm_filesystem_claimable_bytes', 2.5 * TIB, IMAGES)
        .gauge('kvm_filesystem_avail_bytes', 0.5 * TIB, IMAGES),
    // Alertmanager leaves one of the two.
    [
      {
        minute: 120,
        alerts: ['KvmFilesystemOverPromised warning', 'KvmStorageRunOnTheBank warning'],
        risk: { storage: 2 },
      },
    ],
  ),
  scenario(
    'two guests of Windows whose driver never answered',
    (name, size) => {
      const host = healthyHost(name, size, { guests: ['g1', 'win1', 'win2'] });
      for (const domain of ['win1', 'win2']) withoutBalloonStatistics(host, domain);
      return host;
    },
    [{ minute: 120, alerts: ['KvmBalloonStatsStale warning x2'] }],
  ),
  scenario(
    'a second interface nobody configured in the guest: three broadcasts a second are dropped',
    (name, size) => {
      const nic = { domain: 'g2', device: 'vnet90' };
      const host = healthyHost(name, size).gauge('kvm_domain_nic_uplink_info', 1, {
        ...nic,
        bridge: 'br0',
        uplink: 'bond0',
      });
      for (const direction of ['receive', 'transmit']) {
        host
          .counter(`kvm_domain_nic_${direction}_bytes_total`, 0, nic)
          .counter(`kvm_domain_nic_${direction}_packets_total`, 0, nic)
          .counter(`kvm_domain_nic_${direction}_drops_total`, direction === 'receive' ? 3 : 0, nic);
      }
      return host;
    },
    [{ minute: 120, alerts: [] }],
  ),
  scenario(
    'two equal guests share four CPUs: nobody is anybody’s noisy neighbour',
    (name) => {
      const guests = ['a', 'b'];
      const host = healthyHost(name, 1, {
        guests,
        cpus: 4,
        vcpus: 4,
        memory: 32,
        available: 16,
        guestMemory: 8,
      });
      for (const [domain, cpus] of [
        ['a', 2.01],
        ['b', 1.99],
      ] as const) {
        host
          .counter('kvm_domain_cpu_seconds_total', cpus, { domain, mode: 'user' })
          .gauge('kvm_domain_cpu_guaranteed_cpus', 2, { domain });
        for (let vcpu = 0; vcpu < 4; vcpu += 1) vcpuDelay(host, domain, vcpu, 0.08);
      }
      return host;
    },
    [
      {
        minute: 30,
        alerts: ['KvmGuestCpuStarved warning x2', 'KvmHostCpuStarved warning'],
        risk: { cpu: 2 },
      },
    ],
  ),
  scenario(
    'one thread of a guest with eight vCPUs: its share is not unfair',
    (name, size) => {
      const host = healthyHost(name, size, { guests: ['st', 'g2'] })
        .counter('kvm_domain_cpu_seconds_total', 1, { domain: 'st', mode: 'user' })
        .gauge('kvm_domain_cpu_guaranteed_cpus', 8, { domain: 'st' });
      return vcpuDelay(host, 'st', 0, 0.06);
    },
    [{ minute: 30, alerts: ['KvmGuestCpuStarved warning'] }],
  ),
  scenario(
    'one vCPU of 128 waits for 11 % of the time',
    (name, size) => {
      const guests = Array.from({ length: 32 }, (_one, index) => `g${index}`);
      const host = healthyHost(name, size, { guests, vcpus: 4, guestMemory: 4 });
      return vcpuDelay(host, 'g7', 2, 0.11);
    },
    [{ minute: 30, alerts: ['KvmGuestCpuStarved warning'] }],
  ),
  scenario(
    'a guest that crashed long ago and was left off',
    (name, size) => {
      const host = healthyHost(name, size).without('kvm_domain_state', { domain: 'g2' });
      return inState(host, 'g2', 'shutoff', 'crashed');
    },
    [{ minute: 120, alerts: [] }],
  ),
  scenario(
    'a job of the host meets its own limit of memory',
    (name, size) =>
      healthyHost(name, size).counter('kvm_host_oom_kills_total', (seconds) =>
        seconds === EVENT ? 1 / 60 : 0,
      ),
    [{ minute: 120, alerts: [] }],
  ),
  scenario(
    'a bridge whose second port has no cable',
    (name, size) =>
      healthyHost(name, size)
        .gauge('kvm_uplink_up', 0, { device: 'eno2' })
        .gauge('kvm_uplink_nics', 2, { device: 'eno2' })
        .gauge('kvm_domain_nic_uplink_info', 1, {
          domain: 'g1',
          device: 'vnet0',
          bridge: 'br0',
          uplink: 'eno2',
        })
        .gauge('kvm_domain_nic_uplink_info', 1, {
          domain: 'g2',
          device: 'vnet1',
          bridge: 'br0',
          uplink: 'eno2',
        }),
    [{ minute: 120, alerts: [] }],
  ),
  scenario(
    'one of the two vCPUs of a guest waits for a third of the time, and the kernel sees hardly any wait',
    (name) => vcpuDelay(healthyHost(name, 1, { vcpus: 2 }), 'g1', 0, 0.3),
    [
      {
        minute: 30,
        alerts: ['KvmGuestCpuStarved warning', 'KvmHostCpuStarved warning'],
        risk: { cpu: 2 },
      },
    ],
  ),
  scenario(
    'a restore fills the uplink from outside for an hour',
    (name, size) =>
      healthyHost(name, size).counter(
        'kvm_uplink_receive_bytes_total',
        (seconds) => (seconds >= EVENT ? 0.97 * UPLINK_SPEED : 1e8),
        UPLINK,
      ),
    [{ minute: 110, alerts: ['KvmUplinkSaturated warning'], risk: { network: 2 } }],
  ),
  scenario(
    'pools of both sizes of huge pages hold 200 of 256 GiB, and 4 GiB of the rest are available',
    (name, size) => {
      const host = healthyHost(name, size, { available: 4, guestResident: 0.2 });
      memoryPromise(host, 0, 0, 55.5 * GIB, 4 * GIB);
      for (const family of ['promised', 'promised_maximum']) {
        host.gauge(`kvm_memory_${family}_bytes`, 150 * GIB, { class: 'hugepages' });
      }
      for (const [page_size, promised] of [
        ['2097152', 60],
        ['1073741824', 90],
      ] as const) {
        host
          .gauge('kvm_hugepages_promised_bytes', promised * GIB, { page_size })
          .gauge('kvm_hugepages_capacity_bytes', 100 * GIB, { page_size })
          .gauge('kvm_host_hugepages_size_bytes', 100 * GIB, { page_size });
      }
      return host;
    },
    [{ minute: 120, alerts: [] }],
  ),
  scenario(
    'guests hold 252 of 256 GiB, which is all they were promised, and 2 GiB are available',
    (name, size) => {
      const guests = ['g1', 'g2', 'g3', 'g4', 'g5', 'g6', 'g7'];
      return healthyHost(name, size, { guests, guestMemory: 36, guestResident: 36, available: 2 });
    },
    [{ minute: 120, alerts: [] }],
  ),
  scenario(
    'swap full of cold pages, of which ten a second come back',
    (name, size) =>
      healthyHost(name, size)
        .gauge('kvm_host_swap_free_bytes', 0.1 * GIB)
        .counter('kvm_host_swap_in_bytes_total', 40_960)
        .counter('kvm_host_major_page_faults_total', 10),
    [{ minute: 120, alerts: [] }],
  ),
  scenario(
    'preallocated images that fill a filesystem to the last byte',
    (name, size) =>
      healthyHost(name, size)
        .gauge('kvm_filesystem_avail_bytes', 0, IMAGES)
        .gauge('kvm_filesystem_promised_bytes', TIB, IMAGES)
        .gauge('kvm_filesystem_claimable_bytes', 0, IMAGES),
    // Snapshots and logs need some too.
    [{ minute: 120, alerts: ['KvmFilesystemFull warning'] }],
  ),
  scenario(
    'a LUN that is cut up completely, and a directory full of preallocated images',
    (name, size) => {
      const host = healthyHost(name, size);
      for (const [pool, type, path] of [
        ['lun', 'iscsi', '/dev/disk/by-path'],
        ['images', 'dir', '/var/lib/libvirt/images'],
      ] as const) {
        host
          .gauge('kvm_pool_info', 1, { pool, uuid: 'u', type, path })
          .gauge('kvm_pool_capacity_bytes', TIB, { pool })
          .gauge('kvm_pool_allocated_bytes', TIB, { pool })
          .gauge('kvm_pool_state', 1, { pool, state: 'running' });
      }
      return host;
    },
    [{ minute: 120, alerts: [] }],
  ),
  scenario(
    'three equal guests share four CPUs',
    (name) => {
      const guests = ['a', 'b', 'c'];
      const shape = { guests, cpus: 4, vcpus: 4, memory: 32, available: 16, guestMemory: 8 };
      const host = healthyHost(name, 1, shape);
      for (const domain of guests) {
        host
          .counter('kvm_domain_cpu_seconds_total', 1.3, { domain, mode: 'user' })
          .gauge('kvm_domain_cpu_guaranteed_cpus', 4 / 3, { domain });
        for (let vcpu = 0; vcpu < 4; vcpu += 1) vcpuDelay(host, domain, vcpu, 0.08);
      }
      return host;
    },
    [
      {
        minute: 30,
        alerts: ['KvmGuestCpuStarved warning x3', 'KvmHostCpuStarved warning'],
        risk: { cpu: 2 },
      },
    ],
  ),
  scenario(
    'a guest on CPUs of its own is not blamed for one that is pinned elsewhere',
    (name) => {
      const guests = ['big', 'jobs'];
      const host = healthyHost(name, 1, { guests, cpus: 32, vcpus: 4 })
        .counter('kvm_domain_cpu_seconds_total', 3.9, { domain: 'big', mode: 'user' })
        .gauge('kvm_domain_cpu_guaranteed_cpus', 1, { domain: 'big' })
        .gauge('kvm_domain_cpu_allowed_cpus', 4, { domain: 'big' })
        .counter('kvm_domain_cpu_seconds_total', 1, { domain: 'jobs', mode: 'user' })
        .gauge('kvm_domain_cpu_guaranteed_cpus', 1, { domain: 'jobs' })
        .gauge('kvm_domain_cpu_allowed_cpus', 1, { domain: 'jobs' });
      for (let vcpu = 0; vcpu < 4; vcpu += 1) vcpuDelay(host, 'jobs', vcpu, 0.6);
      return host;
    },
    [
      {
        minute: 30,
        alerts: [
          'KvmGuestCpuStarved warning',
          'KvmGuestLargerThanHost warning',
          'KvmHostCpuStarved warning',
        ],
        risk: { cpu: 2 },
      },
    ],
  ),
  scenario(
    'zram, 5 MB/s both ways, and some task waits for a twentieth of the time',
    (name, size) => {
      const host = healthyHost(name, size)
        .gauge('kvm_host_swap_size_bytes', 0)
        .gauge('kvm_host_swap_free_bytes', 0)
        .counter('kvm_host_swap_in_bytes_total', 5e6)
        .counter('kvm_host_swap_out_bytes_total', 5e6)
        .counter('kvm_host_major_page_faults_total', 400);
      return waiting(host, 'memory', 0.05);
    },
    [{ minute: 120, alerts: [] }],
  ),
  scenario(
    'a guest that panicked long ago and is kept for a look',
    (name, size) => {
      const host = healthyHost(name, size).without('kvm_domain_state', { domain: 'g2' });
      return inState(host, 'g2', 'crashed', 'panicked');
    },
    [{ minute: 120, alerts: [] }],
  ),
  scenario(
    'an interface that no guest uses is down',
    (name, size) =>
      healthyHost(name, size)
        .gauge('kvm_uplink_up', 0, { device: 'bond1' })
        .gauge('kvm_uplink_nics', 0, { device: 'bond1' }),
    [{ minute: 120, alerts: [] }],
  ),
  scenario(
    'a copy of 20 GiB in eight minutes, with 370 GiB left',
    (name, size) =>
      healthyHost(name, size)
        .gauge('kvm_filesystem_claimable_bytes', 0, IMAGES)
        .gauge(
          'kvm_filesystem_avail_bytes',
          (seconds) => (390 - 20 * Math.min(1, Math.max(0, (seconds - EVENT) / minutes(8)))) * GIB,
          IMAGES,
        ),
    [62, 64, 66, 68, 72, 90, 122].map((minute) => ({ minute, alerts: [] })),
  ),
  scenario(
    'an update of firmware, forty minutes, while the host is under maintenance',
    (name, size) =>
      healthyHost(name, size)
        .gauge('kvm_policy_maintenance_remaining_seconds', (seconds) =>
          Math.max(0, minutes(120) - seconds),
        )
        .unreachable((seconds) => seconds >= EVENT && seconds < EVENT + minutes(40)),
    [{ minute: 95, alerts: ['KvmExporterDown critical', 'KvmHostMaintenance info'] }],
  ),
  scenario(
    'a container meets its limit of memory while a guest is shut down in good order',
    (name, size) => {
      const host = healthyHost(name, size)
        .counter('kvm_host_oom_kills_total', (seconds) => (seconds === EVENT ? 1 / 120 : 0))
        .without('kvm_domain_state', { domain: 'g2' });
      inState(host, 'g2', 'running', 'booted', (seconds) => seconds <= EVENT);
      return inState(host, 'g2', 'shutoff', 'shutdown', (seconds) => seconds > EVENT);
    },
    [
      { minute: 66, alerts: ['KvmHostOomKill warning'], risk: { memory: 2 } },
      { minute: 90, alerts: [] },
    ],
  ),
  scenario(
    'guests that have just booted',
    (name, size) => healthyHost(name, size, { guestResident: 1 }),
    [{ minute: 30, alerts: [] }],
  ),
  scenario(
    'a DIMM of 8 GiB is plugged in',
    (name, size) => {
      const memory = (seconds: number): number => (seconds < EVENT ? 32 : 40) * GIB;
      return healthyHost(name, size)
        .gauge('kvm_domain_balloon_current_bytes', memory, { domain: 'g1' })
        .gauge('kvm_domain_balloon_target_bytes', memory, { domain: 'g1' })
        .gauge('kvm_domain_memory_maximum_bytes', memory, { domain: 'g1' });
    },
    [
      { minute: 62, alerts: [] },
      { minute: 120, alerts: [] },
    ],
  ),
  scenario(
    'a guest somebody paused, whose tap drops what comes',
    (name, size) => {
      const nic = { domain: 'g2', device: 'vnet1' };
      const host = healthyHost(name, size)
        .without('kvm_domain_state', { domain: 'g2' })
        .counter('kvm_domain_cpu_seconds_total', 0, { domain: 'g2', mode: 'user' })
        .counter('kvm_domain_nic_receive_drops_total', 100, nic)
        .counter('kvm_domain_nic_receive_packets_total', 0, nic);
      return inState(host, 'g2', 'paused', 'user');
    },
    [{ minute: 120, alerts: [] }],
  ),
  scenario(
    'a live migration fills the uplink for a quarter of an hour',
    (name, size) =>
      healthyHost(name, size).counter(
        'kvm_uplink_transmit_bytes_total',
        (seconds) =>
          seconds >= EVENT && seconds < EVENT + minutes(16) ? 0.98 * UPLINK_SPEED : 1e8,
        UPLINK,
      ),
    [
      { minute: 70, alerts: [], risk: { network: 2 } },
      { minute: 120, alerts: [] },
    ],
  ),
  scenario(
    'a reboot of eight minutes while the host is under maintenance',
    (name, size) =>
      healthyHost(name, size)
        .gauge('kvm_policy_maintenance_remaining_seconds', (seconds) =>
          Math.max(0, minutes(100) - seconds),
        )
        .unreachable((seconds) => seconds >= EVENT && seconds < EVENT + minutes(8)),
    // The page is muted by the other one: see the cases of Alertmanager.
    [{ minute: 67, alerts: ['KvmExporterDown critical', 'KvmHostMaintenance info'] }],
  ),
];
