import type { RiskReason, ResourceRisk, SignalId } from '../../risk/risk-model.ts';
import { SIGNAL_RUNBOOKS } from '../../risk/runbooks.ts';
import {
  formatByteRate,
  formatCount,
  formatDuration,
  formatNumber,
  formatPercent,
} from './format.ts';
import type { Reason } from '../facts/resource-facts.ts';
import { figure, say, type Sentence } from './sentence.ts';

/** Why a resource has its level, in plain words; what says the same twice is said once. */
export function toReasons(risk: ResourceRisk | undefined): readonly Reason[] {
  const reasons = risk?.reasons ?? [];
  const given = new Map(reasons.map((reason) => [reason.signal.id, reason]));
  return reasons
    .filter((reason) => !isSaidBy(reason, given))
    .map((reason) => ({
      level: reason.level,
      sentence: toSentence(reason),
      signal: reason.signal.id,
      value: reason.value,
      limit: reason.limit,
      isMeasured: !PROMISES.has(reason.signal.id),
      runbook: SIGNAL_RUNBOOKS[reason.signal.id],
    }));
}

/** Signals that tell what could happen; the others tell what happens. */
const PROMISES: ReadonlySet<SignalId> = new Set([
  'cpu_promise',
  'cpu_start_all',
  'memory_overcommitted_at_most',
  'memory_overcommitted',
  'memory_exposure',
  'memory_ksm_unmerge',
  'storage_overcommitted',
  'storage_promise',
  'storage_fill',
  'network_promise',
  'network_guarantee',
]);

const NO_SPACE_LEFT = say`Images can still grow, but ${figure('no space is left')}.`;

function isSaidBy(
  { signal, value }: RiskReason,
  given: ReadonlyMap<RiskReason['signal']['id'], RiskReason>,
): boolean {
  // Nothing more would start.
  if (signal.id === 'cpu_start_all') return given.get('cpu_promise')?.value === value;
  if (signal.id === 'memory_overcommitted_at_most') return given.has('memory_overcommitted');
  if (signal.id === 'storage_overcommitted') {
    return value === Infinity && given.get('storage_available')?.value === 0;
  }
  return false;
}

function toSentence({ signal, value, limit }: RiskReason): Sentence {
  if (value === Infinity) return claimOnNothing(signal.id);
  const times = toTimes(value);
  const above = `(limit\u00a0${formatNumber(limit)})`;
  const aboveShare = `(limit\u00a0${formatPercent(limit)})`;
  switch (signal.id) {
    case 'cpu_promise':
      return say`Each CPU is shared by ${formatCount(value, 'vCPU')} ${above}.`;
    case 'cpu_start_all':
      return say`If all guests with autostart ran too, each CPU would be shared by ${formatCount(value, 'vCPU')} ${above}.`;
    case 'cpu_pressure':
      return say`At least one task ${figure(`waited for a CPU ${formatPercent(value)} of the time`)} ${aboveShare}.`;
    case 'cpu_delay':
      return say`vCPUs were ready to run but ${figure(`waited ${formatPercent(value)} of the time`)} ${aboveShare}.`;
    case 'memory_overcommitted_at_most':
      return say`With empty balloons, guests are promised ${times} the memory the host can give.`;
    case 'memory_overcommitted':
      return say`Guests are promised ${times} the memory the host can give.`;
    case 'memory_exposure':
      return say`Guests can still claim ${times} the memory and swap that is available ${above}.`;
    case 'memory_ksm_unmerge':
      return say`Un-merging all memory would take ${times} the memory and swap that is available ${above}.`;
    case 'memory_available':
      return say`Only ${figure(`${formatPercent(value)} of the host's memory`)} is available ${aboveShare}.`;
    case 'memory_swap_used':
      return say`${figure(`${formatPercent(value)} of the swap`)} is used ${aboveShare}.`;
    case 'memory_pressure':
      return say`All tasks ${figure(`stalled on memory ${formatPercent(value)} of the time`)} ${aboveShare}.`;
    case 'memory_swap_storm':
      return say`The host ${figure('swaps in and out')} at the same time, ${formatByteRate(value)} each way (limit ${formatByteRate(limit)}).`;
    case 'memory_oom_kills':
      return say`The host ${figure(`killed ${formatCount(value, 'process', 'processes')}`)} in the last ten minutes because it ran out of memory.`;
    case 'storage_overcommitted':
      return say`Images can still allocate ${times} the space that is available.`;
    case 'storage_promise':
      return say`In the worst case, images take ${times} the size of their filesystem or pool ${above}.`;
    case 'storage_pressure':
      return say`At least one task ${figure(`waited for storage ${formatPercent(value)} of the time`)} ${aboveShare}.`;
    case 'storage_pool_used':
      return say`A storage pool is ${figure(`${formatPercent(value)} full`)} ${aboveShare}.`;
    case 'storage_fill':
      return say`At this pace, storage is full in ${formatDuration(value)} (limit ${formatDuration(limit)}).`;
    case 'storage_available':
      return value === 0
        ? NO_SPACE_LEFT
        : say`Only ${figure(`${formatPercent(value)} of the space`)} is available where images can still grow ${aboveShare}.`;
    case 'storage_thin_data':
      return say`A thin pool is ${figure(`${formatPercent(value)} full`)} ${aboveShare}.`;
    case 'storage_thin_metadata':
      return say`The metadata of a thin pool is ${figure(`${formatPercent(value)} full`)} ${aboveShare}.`;
    case 'storage_paused_guests':
      return value === 1
        ? say`${figure('One guest is paused')} because a write failed.`
        : say`${figure(`${formatNumber(value)} guests are paused`)} because a write failed.`;
    case 'network_promise':
      return say`Guests are promised ${times} the bandwidth of their uplink ${above}.`;
    case 'network_guarantee':
      return say`Guests are guaranteed ${times} the bandwidth of their uplink ${above}.`;
    case 'network_utilisation':
      return say`An uplink carries ${figure(`${formatPercent(value)} of its bandwidth`)} ${aboveShare}.`;
    case 'network_drops':
      return say`A guest loses ${figure(`${formatPercent(value)} of its packets`)} on the way through the host ${aboveShare}.`;
  }
}

/** Only what is measured against what is left can be infinite. */
function claimOnNothing(id: RiskReason['signal']['id']): Sentence {
  if (id === 'memory_exposure')
    return say`Guests can still claim memory, but ${figure('none is available')}.`;
  if (id === 'memory_ksm_unmerge') {
    return say`Un-merging memory would take more of it, but none is available.`;
  }
  return NO_SPACE_LEFT;
}

/** A limit of 1 is passed by little first, and "1 times" would say nothing. */
function toTimes(value: number): string {
  const number = value > 1 && value < 1.1 ? value.toFixed(2) : formatNumber(value);
  return `${number}\u00a0times`;
}
