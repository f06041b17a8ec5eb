/**
 * Whether alerts keep quiet when data are missing and when counters begin anew. Nobody writes these
 * cases: they are made from the written tests (tool/derived-tests.ts), for every alert.
 */
import type { AlertRule } from './src/rule.ts';
import {
  absenceCases,
  inputsOf,
  loudCases,
  restartCases,
  type AbsenceCase,
} from './tool/derived-tests.ts';
import type { SliceRunner } from './tool/run-tests.ts';
import type { Groups } from './tool/slice.ts';
import type { TestFile } from './tool/test-file.ts';

/** An alert that may fire although something is missing, and why that is right. */
export interface Exception {
  readonly alert: string;
  readonly without: readonly string[];
  readonly why: string;
}

const AGE_OF_BALLOON_STATS = [
  'kvm_policy_memory_balloon_stats_age_ratio',
  'kvm_domain_balloon_stats_age_seconds',
  'kvm_domain_balloon_stats_period_seconds',
  'kvm_domain_state',
];

/** Of a kernel without PSI. */
const CPU_PRESSURE = ['kvm_host_pressure_waiting_seconds_total', 'kvm_policy_cpu_pressure_ratio'];

export const FIRES_WITHOUT: readonly Exception[] = [
  {
    alert: 'KvmBalloonStatsStale',
    without: ['kvm_domain_balloon_stats_age_seconds', 'kvm_domain_monitor_responsive'],
    why: 'a guest that was never heard is what it is about, unless its QEMU is known not to answer',
  },
  {
    alert: 'KvmNoisyNeighbour',
    without: ['kvm_policy_cpu_unfair_share_ratio'],
    why: 'more than twice a fair share is enough by itself',
  },
  {
    alert: 'KvmHostOomKill',
    without: ['kvm_domain_state'],
    why: 'a guest that was started again, or a kill its cgroup counts, tells too',
  },
  {
    alert: 'KvmFilesystemFull',
    without: ['kvm_filesystem_claimable_bytes'],
    why: 'on a network filesystem other hosts have images too',
  },
  {
    alert: 'KvmFilesystemFull',
    without: ['kvm_domain_storage_claimable_bytes'],
    why: 'less than the smallest cluster is too little, whoever wants it',
  },
  {
    alert: 'KvmGuestPausedOnIoError',
    without: [
      'kvm_domain_storage_claimable_bytes',
      'kvm_domain_storage_promised_bytes',
      'kvm_domain_thin_promised_bytes',
      'kvm_domain_disk_image_info',
      'kvm_filesystem_avail_bytes',
      'kvm_filesystem_readonly',
      'kvm_filesystem_responsive',
      'kvm_image_corrupt',
      'kvm_thin_pool_needs_check',
      'kvm_thin_pool_data_used_bytes',
      'kvm_thin_pool_size_bytes',
      'kvm_thin_pool_metadata_used_bytes',
      'kvm_thin_pool_metadata_size_bytes',
    ],
    why: 'a guest is left out only where the storage that has stopped it is known to page itself',
  },
  {
    alert: 'KvmGuestMonitorUnresponsive',
    without: ['kvm_domain_storage_promised_bytes', 'kvm_filesystem_responsive'],
    why: 'a guest is left out only where its filesystem is known to page itself',
  },
  {
    alert: 'KvmThinPoolBroken',
    without: [
      'kvm_thin_pool_state',
      'kvm_thin_pool_needs_check',
      'kvm_thin_pool_data_used_bytes',
      'kvm_thin_pool_size_bytes',
      'kvm_thin_pool_metadata_used_bytes',
      'kvm_thin_pool_metadata_size_bytes',
    ],
    why: 'each of them tells by itself',
  },
  {
    alert: 'KvmStoragePoolFull',
    without: ['kvm_storage_shortfall_bytes'],
    why: 'what else fills a cluster of many hosts is not known here',
  },
  {
    alert: 'KvmStoragePoolFull',
    without: ['kvm_pool_info'],
    why: 'only a pool that is known to be handed out whole is left out',
  },
  {
    alert: 'KvmHostCpuSaturated',
    without: CPU_PRESSURE,
    why: 'a kernel without PSI: the load alone must do',
  },
  {
    alert: 'KvmHostCpuStarved',
    without: CPU_PRESSURE,
    why: 'a kernel without PSI: the delay alone must do',
  },
  {
    alert: 'KvmGuestCpuStarved',
    without: ['kvm_domain_cpu_throttled_seconds_total'],
    why: 'a guest without a quota has none',
  },
  {
    alert: 'KvmGuestCpuStarved',
    without: CPU_PRESSURE,
    why: 'a kernel without PSI: the delay alone must do',
  },
  {
    alert: 'KvmSwapStorm',
    without: ['kvm_host_zswap_in_bytes_total', 'kvm_host_zswap_out_bytes_total'],
    why: 'a kernel without zswap',
  },
  {
    alert: 'KvmSwapStorm',
    without: ['kvm_policy_memory_pressure_ratio', 'kvm_policy_memory_major_faults_per_second'],
    why: 'the one is for kernels with PSI, the other for those without',
  },
  {
    alert: 'KvmSwapStorm',
    without: ['kvm_host_pressure_waiting_seconds_total', 'kvm_host_pressure_stalled_seconds_total'],
    why: 'a kernel without PSI, and where tasks wait most of the time nobody needs to stall',
  },
  {
    alert: 'KvmKsmCollapse',
    without: ['kvm_domains'],
    why: 'only kernels that do not count copies need it',
  },
  {
    alert: 'KvmBalloonSqueezesGuest',
    without: AGE_OF_BALLOON_STATS,
    why: 'statistics of unknown age are taken as they are',
  },
  {
    alert: 'KvmGuestOutOfMemory',
    without: AGE_OF_BALLOON_STATS,
    why: 'statistics of unknown age are taken as they are',
  },
  {
    alert: 'KvmGuestOutOfMemory',
    without: ['kvm_policy_memory_guest_swap_bytes_per_second'],
    why: 'major faults alone are paging too',
  },
  {
    alert: 'KvmGuestThrashing',
    without: [
      'kvm_policy_memory_guest_swap_bytes_per_second',
      'kvm_policy_memory_guest_major_faults_per_second',
    ],
    why: 'swapping and major faults have a limit each',
  },
  {
    alert: 'KvmBalloonStatsMissing',
    without: ['kvm_domain_balloon_stats_period_seconds'],
    why: 'that is what it is about',
  },
  {
    alert: 'KvmFilesystemAlmostFull',
    without: ['kvm_filesystem_claimable_bytes'],
    why: 'on a network filesystem other hosts have images too',
  },
  {
    alert: 'KvmImageLeaking',
    without: ['kvm_image_snapshots'],
    why: 'an image of a format without internal snapshots has none',
  },
  {
    alert: 'KvmUplinkSaturated',
    without: ['kvm_uplink_receive_bytes_total'],
    why: 'one direction that is full is enough',
  },
  {
    alert: 'KvmMigrationStuck',
    without: ['kvm_domain_job_elapsed_seconds'],
    why: 'that everything was moved twice is enough by itself',
  },
  {
    alert: 'KvmExporterPartial',
    without: ['kvm_libvirt_up'],
    why: 'libvirt explains it only where it is known to be away',
  },
  {
    alert: 'KvmExporterAbsent',
    without: ['kvm_exporter_build_info'],
    why: 'that is what it is about',
  },
];

/** Alerts a restart may make pending, as long as they wait longer than it shows in rates. */
export const PENDING_AFTER_RESTART: readonly Omit<Exception, 'without'>[] = [
  {
    alert: 'KvmUnfairCpuShare',
    why: 'a guest that begins anew got little in the last five minutes; the alert waits fifteen',
  },
];

/** What is wrong with alerts whose data are missing. */
export async function absenceFaults(
  alerts: readonly AlertRule[],
  groups: Groups,
  files: readonly TestFile[],
  runner: SliceRunner,
  exceptions: readonly Exception[],
): Promise<readonly string[]> {
  const cases = alerts.flatMap((rule) => absenceCases(rule, groups, files));
  const untested = alerts.filter(
    (rule) => inputsOf(rule, groups).size > 0 && !cases.some((one) => one.rule === rule),
  );
  const loud = await loudCases(cases, groups, runner);
  const excused = ({ rule, metric }: AbsenceCase): boolean =>
    exceptions.some(({ alert, without }) => alert === rule.alert && without.includes(metric));
  const never = exceptions.flatMap(({ alert, without }) =>
    without
      .filter((metric) => !loud.some((one) => one.rule.alert === alert && one.metric === metric))
      .map((metric) => `${alert}: excused for firing without ${metric}, and does not`),
  );
  return [
    ...untested.map((rule) => `${titleOf(rule)}: no test in which something could be missing`),
    ...loud
      .filter((one) => !excused(one))
      .map(
        ({ rule, metric, test }) => `${titleOf(rule)}: fires without ${metric} in "${test.name}"`,
      ),
    ...never,
  ];
}

/** What is wrong with alerts when guests, hosts or exporters begin to count anew. */
export async function restartFaults(
  alerts: readonly AlertRule[],
  groups: Groups,
  files: readonly TestFile[],
  runner: SliceRunner,
  exceptions: readonly Omit<Exception, 'without'>[],
): Promise<readonly string[]> {
  const pairs = alerts.flatMap((rule) => restartCases(rule, groups, files));
  const written = new Set(
    await loudCases(
      pairs.map((one) => one.written),
      groups,
      runner,
    ),
  );
  // What waits to fire anyway says nothing about a restart.
  const cases = pairs.filter((one) => !written.has(one.written)).map((one) => one.restarted);
  const untested = alerts
    .filter((rule) => [...inputsOf(rule, groups)].some((metric) => metric.endsWith('_total')))
    .filter((rule) => !cases.some((one) => one.rule === rule));
  const loud = await loudCases(cases, groups, runner);
  const excused = (name: string): boolean => exceptions.some(({ alert }) => alert === name);
  return [
    ...untested.map((rule) => `${titleOf(rule)}: reads counters, and no test could restart them`),
    ...loud
      .filter(({ rule }) => !excused(rule.alert))
      .map(({ rule, test }) => `${titleOf(rule)}: a restart wakes it in "${test.name}"`),
    ...exceptions
      .filter(({ alert }) => !loud.some(({ rule }) => rule.alert === alert))
      .map(({ alert }) => `${alert}: excused for a restart, which does not wake it`),
  ];
}

function titleOf({ alert, labels: { severity } }: AlertRule): string {
  return `${alert} (${severity})`;
}
