import type { AlertLabels } from './alertmanager.ts';

/** What happens at the same time on one host, and what of it nobody needs to hear. */
export interface InhibitionCase {
  readonly name: string;
  readonly heard: readonly AlertLabels[];
  readonly muted: readonly AlertLabels[];
}

const on = (instance: string, alertname: string, severity: string, more = {}): AlertLabels => ({
  alertname,
  job: 'kvm',
  instance,
  severity,
  ...more,
});

const db = { domain: 'db' };
const images = { mountpoint: '/images' };

/** One host per case, so that all can happen at once. */
export const INHIBITION_CASES: readonly InhibitionCase[] = [
  {
    name: 'a critical alert mutes its own warning and no other guest',
    heard: [
      on('a', 'KvmGuestCpuStarved', 'critical', db),
      on('a', 'KvmGuestCpuStarved', 'warning', { domain: 'web' }),
    ],
    muted: [on('a', 'KvmGuestCpuStarved', 'warning', db)],
  },
  {
    name: 'nothing mutes the watchdog',
    heard: [{ alertname: 'KvmWatchdog', severity: 'info' }],
    muted: [],
  },
  {
    // Its alert fires only where none of its filesystems is the cause.
    name: 'a paused guest says nothing about filesystems',
    heard: [
      on('b', 'KvmGuestPausedOnIoError', 'critical', db),
      on('b', 'KvmFilesystemFullImminent', 'critical', { mountpoint: '/other' }),
      on('b', 'KvmFilesystemFullWithinHours', 'warning', images),
    ],
    muted: [],
  },
  {
    name: 'libvirt that is down mutes guests and pools, not the host, nor what may be the cause',
    heard: [
      on('c', 'KvmLibvirtDown', 'critical'),
      on('c', 'KvmHostMemoryLow', 'warning'),
      on('c', 'KvmExporterPartial', 'warning', { collector: 'ksm' }),
      on('c', 'KvmStoragePoolUnresponsive', 'warning', { pool: 'nas' }),
    ],
    muted: [
      on('c', 'KvmMonitorBudgetExhausted', 'warning'),
      on('c', 'KvmStoragePoolFull', 'warning', { pool: 'nas' }),
      on('c', 'KvmGuestMonitorUnresponsive', 'warning', db),
      on('c', 'KvmBalloonStatsStale', 'warning', db),
      on('c', 'KvmNoisyNeighbour', 'warning', db),
    ],
  },
  {
    name: 'a host that does not answer mutes everything else about it, and no other host',
    heard: [on('d', 'KvmExporterDown', 'critical'), on('e', 'KvmMemoryOverPromised', 'warning')],
    muted: [
      on('d', 'KvmLibvirtDown', 'critical'),
      on('d', 'KvmMemoryOverPromised', 'warning'),
      on('d', 'KvmGuestPausedOnIoError', 'critical', db),
    ],
  },
  {
    name: 'the nearer danger mutes the more distant one on the same filesystem',
    heard: [
      on('f', 'KvmFilesystemFullImminent', 'critical', images),
      on('f', 'KvmFilesystemFillingUp', 'warning', { mountpoint: '/other' }),
    ],
    muted: [
      on('f', 'KvmFilesystemFullWithinHours', 'warning', images),
      on('f', 'KvmFilesystemFullWithinDays', 'warning', images),
      on('f', 'KvmFilesystemFillingUp', 'warning', images),
    ],
  },
  {
    name: 'full within hours says more than filling up',
    heard: [on('l', 'KvmFilesystemFullWithinHours', 'warning', images)],
    muted: [
      on('l', 'KvmFilesystemFillingUp', 'warning', images),
      on('l', 'KvmStorageRunOnTheBank', 'warning', images),
    ],
  },
  {
    name: 'a run on the bank says more than a promise',
    heard: [on('g', 'KvmMemoryRunOnTheBank', 'warning')],
    muted: [on('g', 'KvmMemoryOverPromised', 'warning')],
  },
  {
    name: 'a storm mutes its symptoms, a warning of one does not',
    heard: [
      on('h', 'KvmSwapStorm', 'critical'),
      on('i', 'KvmSwapStorm', 'warning'),
      on('i', 'KvmAllocationStalls', 'warning'),
    ],
    muted: [on('h', 'KvmAllocationStalls', 'warning'), on('h', 'KvmSwapStorm', 'warning')],
  },
  {
    name: 'a host that starves mutes its single guests',
    heard: [on('j', 'KvmHostCpuStarved', 'critical')],
    muted: [on('j', 'KvmGuestCpuStarved', 'critical', db)],
  },
  {
    name: 'QEMU that does not answer mutes its balloon, not that of another guest',
    heard: [
      on('k', 'KvmGuestMonitorUnresponsive', 'warning', db),
      on('k', 'KvmBalloonStatsStale', 'warning', { domain: 'web' }),
    ],
    muted: [on('k', 'KvmBalloonStatsStale', 'warning', db)],
  },
  {
    name: 'a budget that is used up explains collectors that ask guests, and no others',
    heard: [
      on('m', 'KvmMonitorBudgetExhausted', 'warning'),
      on('m', 'KvmGuestMonitorUnresponsive', 'critical', db),
      on('m', 'KvmExporterPartial', 'warning', { collector: 'pool' }),
    ],
    muted: [
      on('m', 'KvmExporterPartial', 'warning', { collector: 'block' }),
      on('m', 'KvmExporterPartial', 'warning', { collector: 'balloon' }),
    ],
  },
  {
    name: 'a pool that does not answer explains that pools cannot be read, and nothing else',
    heard: [
      on('n', 'KvmStoragePoolUnresponsive', 'warning', { pool: 'nas' }),
      on('n', 'KvmExporterPartial', 'warning', { collector: 'image' }),
      on('n', 'KvmStoragePoolFull', 'warning', { pool: 'default' }),
    ],
    muted: [on('n', 'KvmExporterPartial', 'warning', { collector: 'pool' })],
  },
  {
    name: 'a filesystem that is full is one page, and another that will be still pages',
    heard: [
      on('o', 'KvmFilesystemFull', 'critical', images),
      on('o', 'KvmFilesystemFullImminent', 'critical', { mountpoint: '/other' }),
    ],
    muted: [
      on('o', 'KvmFilesystemFullImminent', 'critical', images),
      on('o', 'KvmFilesystemFull', 'warning', images),
      on('o', 'KvmFilesystemFullWithinDays', 'warning', images),
      on('o', 'KvmStorageRunOnTheBank', 'warning', images),
    ],
  },
  {
    name: 'a run on the bank of a filesystem says more than its promise',
    heard: [
      on('p', 'KvmStorageRunOnTheBank', 'warning', images),
      on('p', 'KvmFilesystemOverPromised', 'warning', { mountpoint: '/other' }),
    ],
    muted: [on('p', 'KvmFilesystemOverPromised', 'warning', images)],
  },
  {
    name: 'a swap storm is one page, a warning of one mutes nothing',
    heard: [
      on('q', 'KvmSwapStorm', 'critical'),
      on('r', 'KvmSwapStorm', 'warning'),
      on('r', 'KvmHostMemoryPressure', 'critical'),
    ],
    muted: [
      on('q', 'KvmHostMemoryPressure', 'critical'),
      on('q', 'KvmHostMemoryPressure', 'warning'),
    ],
  },
  {
    name: 'a host with too many vCPUs mutes its sets of CPUs',
    heard: [on('s', 'KvmCpuOverPromised', 'warning')],
    muted: [on('s', 'KvmCpuSetOverPromised', 'warning', { cpuset: '0-3' })],
  },
  {
    name: 'a guest the host killed is one page, and one that crashed elsewhere another',
    heard: [on('x', 'KvmHostOomKill', 'critical'), on('y', 'KvmGuestCrashed', 'critical', db)],
    muted: [on('x', 'KvmGuestCrashed', 'critical', db)],
  },
  {
    name: 'a kill that hit no guest mutes none',
    heard: [on('z', 'KvmHostOomKill', 'warning'), on('z', 'KvmGuestCrashed', 'critical', db)],
    muted: [],
  },
  {
    name: 'a full uplink that drops is one page',
    heard: [
      on('t', 'KvmUplinkSaturated', 'critical', { device: 'eth0' }),
      on('t', 'KvmUplinkDrops', 'critical', { device: 'eth1' }),
    ],
    muted: [on('t', 'KvmUplinkDrops', 'critical', { device: 'eth0' })],
  },
  {
    name: 'hosts that are down say that none answers',
    heard: [on('u', 'KvmExporterDown', 'critical')],
    muted: [{ alertname: 'KvmExporterAbsent', severity: 'critical' }],
  },
  {
    name: 'a host that is worked on is not heard, and another one is',
    heard: [on('v', 'KvmHostMaintenance', 'info'), on('w', 'KvmExporterDown', 'critical')],
    muted: [
      on('v', 'KvmExporterDown', 'critical'),
      on('v', 'KvmGuestCrashed', 'critical', db),
      on('v', 'KvmMemoryOverPromised', 'warning'),
    ],
  },
];
