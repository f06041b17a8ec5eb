import type { LossId, RiskReason, ResourceRisk, SignalId } from '../../risk/risk-model.ts';
import { runbookOf } from '../../risk/runbooks.ts';
import {
  formatByteRate,
  formatCount,
  formatDuration,
  formatNumber,
  formatPercent,
} from './format.ts';
import type { Reason } from '../facts/resource-facts.ts';
import { figure, say, type Phrase, type Sentence } from './sentence.ts';

/**
 * Why a resource has its level, in plain words; what says the same twice is said once.
 *
 * @param lacksGuests the sums over guests lack some, so that they are the least there can be.
 */
export function toReasons(risk: ResourceRisk | undefined, lacksGuests = false): readonly Reason[] {
  const reasons = risk?.reasons ?? [];
  const given = new Map(reasons.map((reason) => [reason.signal.id, reason]));
  return reasons
    .filter((reason) => !isSaidBy(reason, given))
    .map((reason) => ({
      signal: reason.signal.id,
      level: reason.level,
      sentence: toSentence(reason, given, lacksGuests),
      isSaid: isSaidWithin(reason.signal.id, given),
      value: reason.value,
      limit: reason.limit,
      isMeasured: !PROMISES.has(reason.signal.id),
      runbook: runbookOf(reason.signal),
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

type Given = ReadonlyMap<SignalId, RiskReason>;

function isSaidBy({ signal, value }: RiskReason, given: Given): boolean {
  // Nothing more would start.
  if (signal.id === 'cpu_start_all') return given.get('cpu_promise')?.value === value;
  if (signal.id === 'memory_overcommitted_at_most') return given.has('memory_overcommitted');
  if (signal.id === 'storage_overcommitted') {
    return value === Infinity && given.get('storage_available')?.value === 0;
  }
  // The loss says all that the value said before it became one.
  if (signal.id === 'storage_available') return value === 0 && given.has('storage_loss_full');
  return false;
}

/** What was measured stands in the sentence of the loss it led to. */
const LOSSES_THAT_SAY: Readonly<Partial<Record<SignalId, readonly LossId[]>>> = {
  cpu_delay: ['cpu_loss_host'],
  memory_swap_storm: ['memory_loss_swap_storm'],
  memory_pressure: ['memory_loss_host_stalled', 'memory_loss_swap_storm'],
  memory_available: ['memory_loss_host_low'],
  network_utilisation: ['network_loss_saturated'],
};

function isSaidWithin(id: SignalId, given: Given): boolean {
  return LOSSES_THAT_SAY[id]?.some((loss) => given.has(loss)) === true;
}

function toSentence(
  { signal, value, limit }: RiskReason,
  given: Given,
  lacksGuests: boolean,
): Sentence {
  if (value === Infinity) return claimOnNothing(signal.id);
  const valueOf = (id: SignalId): number | undefined => given.get(id)?.value;
  const share = (id: SignalId): string => formatPercent(valueOf(id) ?? 0);
  const times = toTimes(value);
  const leastTimes = `${lacksGuests ? 'at least ' : ''}${times}`;
  const above = `(limit\u00a0${formatNumber(limit)})`;
  const verb = (one: string, several: string): string => (value === 1 ? one : several);
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
      return say`With empty balloons, guests are promised ${leastTimes} the memory the host can give.`;
    case 'memory_overcommitted':
      return say`Guests are promised ${leastTimes} the memory the host can give.`;
    case 'memory_exposure':
      return say`Guests can still claim ${leastTimes} the memory and swap that is available ${above}.`;
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
      return say`The host ${figure(`killed ${formatCount(value, 'process', 'processes')}`)} in the last ten minutes because memory ran out; whether guests were among them takes Prometheus to know.`;
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
    case 'network_promise':
      return say`Guests are promised ${times} the bandwidth of their uplink ${above}.`;
    case 'network_guarantee':
      return say`Guests are guaranteed ${times} the bandwidth of their uplink ${above}.`;
    case 'network_utilisation':
      return say`An uplink carries ${figure(`${formatPercent(value)} of its bandwidth`)} ${aboveShare}.`;
    case 'network_drops':
      return say`A guest loses ${figure(`${formatPercent(value)} of its packets`)} on the way through the host ${aboveShare}.`;
    case 'cpu_loss_host':
      return valueOf('cpu_delay') === undefined
        ? say`vCPUs ${figure('wait so long for CPUs')} that all guests are slow.`
        : say`vCPUs were ready to run but ${figure(`waited ${share('cpu_delay')} of the time`)}: all guests are slow.`;
    case 'cpu_loss_guests':
      return say`${figure(`${formatCount(value, 'guest')} ${verb('waits', 'wait')}`)} so long for CPUs that all of it is slow.`;
    case 'memory_loss_swap_storm':
      return say`The host ${figure('swaps in and out')} at the same time${eachWay(valueOf('memory_swap_storm'))}, and its tasks ${stalled(valueOf('memory_pressure'))}.`;
    case 'memory_loss_oom_kill':
      return say`The host ran out of memory and ${figure('killed a guest')}.`;
    case 'memory_loss_host_low':
      return valueOf('memory_available') === undefined
        ? say`${figure('Hardly any memory')} is available, and programs wait for some.`
        : say`Only ${figure(`${share('memory_available')} of the host's memory`)} is available, and programs wait for some.`;
    case 'memory_loss_host_stalled':
      return valueOf('memory_pressure') === undefined
        ? say`All tasks ${figure('stall on memory')} most of the time.`
        : say`All tasks ${figure(`stalled on memory ${share('memory_pressure')} of the time`)}.`;
    case 'memory_loss_guests_exhausted':
      return say`${figure(`${formatCount(value, 'guest')} ${verb('has', 'have')} no memory left`)} and only ${verb('pages', 'page')}.`;
    case 'memory_loss_guests_limited':
      return say`${figure(`${formatCount(value, 'guest')} ${verb('stalls', 'stall')}`)} at a memory limit.`;
    case 'storage_loss_full_imminent':
      return say`${figure(`${formatCount(value, 'filesystem')} will be full`)} within minutes.`;
    case 'storage_loss_full':
      return say`${figure(`${formatCount(value, 'filesystem')} ${verb('is', 'are')} full`)}, and images can still grow there.`;
    case 'storage_loss_inodes':
      return say`${figure(`${formatCount(value, 'filesystem')} ${verb('has', 'have')} no free inode`)}.`;
    case 'storage_loss_unresponsive':
      return say`${figure(`${formatCount(value, 'filesystem')} ${verb('does', 'do')} not answer`)}.`;
    case 'storage_loss_read_only':
      return say`${figure(`${formatCount(value, 'filesystem')} ${verb('is', 'are')} read-only`)}, and images can still grow there.`;
    case 'storage_loss_paused_guests':
      return say`${figure(`${formatCount(value, 'guest')} ${verb('is', 'are')} paused`)} because a write failed.`;
    case 'storage_loss_corrupt_images':
      return say`${figure(`${formatCount(value, 'image')} ${verb('is', 'are')} marked corrupt`)}.`;
    case 'storage_loss_thin_pools':
      return say`${figure(`${formatCount(value, 'thin pool')} ${verb('is', 'are')} full`)}, or in need of repair.`;
    case 'network_loss_saturated':
      return valueOf('network_utilisation') === undefined
        ? say`${figure(`${formatCount(value, 'uplink')} ${verb('is', 'are')} full`)} and ${verb('drops', 'drop')} packets.`
        : say`${figure(`${formatCount(value, 'uplink')} ${verb('is', 'are')} full`)} and ${verb('drops', 'drop')} packets: one carries ${share('network_utilisation')} of its bandwidth.`;
    case 'network_loss_drops':
      return say`${figure(`${formatCount(value, 'uplink')} ${verb('drops', 'drop')} packets`)} of guests.`;
    case 'network_loss_down':
      return say`${figure(`${formatCount(value, 'uplink')} of guests ${verb('is', 'are')} down`)}.`;
  }
}

function eachWay(bytesPerSecond: number | undefined): string {
  return bytesPerSecond === undefined ? '' : `, ${formatByteRate(bytesPerSecond)} each way`;
}

function stalled(ratio: number | undefined): Phrase {
  return ratio === undefined
    ? 'stall on memory'
    : figure(`stalled on memory ${formatPercent(ratio)} of the time`);
}

/** Only what is measured against what is left can be infinite. */
function claimOnNothing(id: RiskReason['signal']['id']): Sentence {
  if (id === 'memory_exposure') {
    return say`Guests can still claim memory, but ${figure('none is available')}.`;
  }
  if (id === 'memory_overcommitted' || id === 'memory_overcommitted_at_most') {
    return say`Guests are promised memory, but ${figure('the host has none to give')}.`;
  }
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
