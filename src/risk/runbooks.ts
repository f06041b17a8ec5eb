import type { SignalId } from './risk-model.ts';

/** Where the runbooks are read; docs/runbooks/ of this repository. */
export const RUNBOOK_BASE_URL =
  'https://github.com/kvm-overcommit-exporter/kvm-overcommit-exporter/blob/main/docs/runbooks';

/** The runbook for a signal that is past a limit: that of the alert on the same value. */
export const SIGNAL_RUNBOOKS: Readonly<Record<SignalId, string>> = {
  cpu_promise: 'KvmCpuOverPromised',
  cpu_start_all: 'KvmBootStormCpu',
  cpu_pressure: 'KvmHostCpuPressure',
  cpu_delay: 'KvmHostCpuStarved',
  memory_overcommitted_at_most: 'KvmMemoryOverPromised',
  memory_overcommitted: 'KvmMemoryOverPromised',
  memory_exposure: 'KvmMemoryRunOnTheBank',
  memory_ksm_unmerge: 'KvmKsmUnmergeExposure',
  memory_available: 'KvmHostMemoryLow',
  memory_swap_used: 'KvmSwapAlmostFull',
  memory_pressure: 'KvmHostMemoryPressure',
  memory_swap_storm: 'KvmSwapStorm',
  memory_oom_kills: 'KvmHostOomKill',
  storage_overcommitted: 'KvmStorageRunOnTheBank',
  storage_promise: 'KvmFilesystemOverPromised',
  storage_pressure: 'KvmHostIoPressure',
  storage_pool_used: 'KvmStoragePoolFull',
  storage_fill: 'KvmFilesystemFullWithinHours',
  storage_available: 'KvmFilesystemAlmostFull',
  storage_thin_data: 'KvmThinPoolDataFull',
  storage_thin_metadata: 'KvmThinPoolMetadataFull',
  storage_paused_guests: 'KvmGuestPausedOnIoError',
  network_promise: 'KvmUplinkOverPromised',
  network_guarantee: 'KvmUplinkGuaranteeBroken',
  network_utilisation: 'KvmUplinkSaturated',
  network_drops: 'KvmGuestNicDrops',
};
