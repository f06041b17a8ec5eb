import { isLoss, type LossId, type RiskSignal, type SignalId } from './risk-model.ts';

/** Where the runbooks are read; docs/runbooks/ of this repository. */
export const RUNBOOK_BASE_URL =
  'https://github.com/kvm-overcommit-exporter/kvm-overcommit-exporter/blob/main/docs/runbooks';

/** Of a value that is past a limit, that of the alert on the same value. */
const VALUE_RUNBOOKS: Readonly<Record<Exclude<SignalId, LossId>, string>> = {
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
  network_promise: 'KvmUplinkOverPromised',
  network_guarantee: 'KvmUplinkGuaranteeBroken',
  network_utilisation: 'KvmUplinkSaturated',
  network_drops: 'KvmGuestNicDrops',
};

/** The runbook for a signal that is past a limit; a loss has that of its alert. */
export function runbookOf(signal: RiskSignal): string {
  return isLoss(signal) ? signal.threshold.alert : VALUE_RUNBOOKS[signal.id];
}
