/** Hosts whose trouble takes weeks: what they are told, day by day, before it is too late. */
import type { MadeUpHost } from './host.ts';
import { healthyHost, IMAGES, TIB } from './healthy-host.ts';
import { days, scenario, type Scenario } from './scenario.ts';

/** A filesystem that is full after so long. */
const FULL = days(21);

function burning(host: MadeUpHost): MadeUpHost {
  return host.gauge(
    'kvm_filesystem_avail_bytes',
    (seconds) => Math.max(0, 0.6 * TIB * (1 - seconds / FULL)),
    IMAGES,
  );
}

export const SLOW: readonly Scenario[] = [
  scenario(
    'a filesystem is filled in three weeks by what is no image',
    (name, size) =>
      burning(healthyHost(name, size)).gauge('kvm_filesystem_claimable_bytes', 0, IMAGES),
    [
      { minute: inMinutes(1), alerts: [] },
      // Fifteen days are left, and then seven and a half.
      { minute: inMinutes(6), alerts: [] },
      { minute: inMinutes(13.5), alerts: [] },
      { minute: inMinutes(15), alerts: ['KvmFilesystemFullWithinDays warning'] },
      {
        minute: inMinutes(20.25),
        alerts: ['KvmFilesystemFillingUp warning', 'KvmFilesystemFullWithinDays warning'],
        risk: { storage: 1 },
      },
      // Alertmanager leaves the nearest end.
      {
        minute: inMinutes(20.875),
        alerts: [
          'KvmFilesystemFillingUp warning',
          'KvmFilesystemFullWithinDays warning',
          'KvmFilesystemFullWithinHours warning',
        ],
        risk: { storage: 2 },
      },
      { minute: inMinutes(21.25), alerts: ['KvmFilesystemFull warning'] },
    ],
  ),
  scenario(
    'images fill a filesystem in three weeks, and want more than it has',
    (name, size) =>
      burning(healthyHost(name, size)).gauge(
        'kvm_filesystem_claimable_bytes',
        (seconds) => Math.max(0.01 * TIB, 0.7 * TIB * (1 - seconds / FULL)),
        IMAGES,
      ),
    [
      { minute: inMinutes(1), alerts: ['KvmStorageRunOnTheBank warning'], risk: { storage: 1 } },
      {
        minute: inMinutes(15),
        alerts: ['KvmFilesystemFullWithinDays warning', 'KvmStorageRunOnTheBank warning'],
        risk: { storage: 1 },
      },
      // 4.3 % are left.
      {
        minute: inMinutes(19.5),
        alerts: [
          'KvmFilesystemAlmostFull warning',
          'KvmFilesystemFullWithinDays warning',
          'KvmStorageRunOnTheBank warning',
        ],
        risk: { storage: 1 },
      },
      {
        minute: inMinutes(20.875),
        alerts: [
          'KvmFilesystemAlmostFull warning',
          'KvmFilesystemFillingUp warning',
          'KvmFilesystemFullWithinDays warning',
          'KvmFilesystemFullWithinHours warning',
          'KvmStorageRunOnTheBank warning',
        ],
        risk: { storage: 2 },
      },
      {
        minute: inMinutes(21.25),
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
    'a host that dies and stays dead',
    (name, size) => healthyHost(name, size).unreachable((seconds) => seconds >= days(2)),
    [1, 2.125, 3.5, 10, 21].map((day) => ({
      minute: inMinutes(day),
      alerts: day < 2 ? [] : ['KvmExporterDown critical'],
    })),
  ),
  scenario(
    'a filesystem that nightly jobs fill and empty again',
    (name, size) =>
      healthyHost(name, size)
        .gauge('kvm_filesystem_claimable_bytes', 0, IMAGES)
        .gauge(
          'kvm_filesystem_avail_bytes',
          (seconds) => (seconds % days(1) < days(0.25) ? 0.1 : 0.35) * TIB,
          IMAGES,
        ),
    [10.125, 10.375, 10.75, 20.125, 20.75].map((day) => ({ minute: inMinutes(day), alerts: [] })),
  ),
  scenario(
    'a filesystem that shrinks by a hundredth in three weeks',
    (name, size) =>
      healthyHost(name, size)
        .gauge('kvm_filesystem_claimable_bytes', 0, IMAGES)
        .gauge(
          'kvm_filesystem_avail_bytes',
          (seconds) => (0.3 - (0.01 * seconds) / FULL) * TIB,
          IMAGES,
        ),
    [5, 10, 20].map((day) => ({ minute: inMinutes(day), alerts: [] })),
  ),
];

function inMinutes(count: number): number {
  return days(count) / 60;
}
