import type { RiskReason, ResourceRisk } from '../../risk/risk-model.ts';
import {
  formatByteRate,
  formatCount,
  formatDuration,
  formatNumber,
  formatPercent,
} from './format.ts';
import type { Reason } from '../facts/resource-facts.ts';
import { say, type Sentence } from './sentence.ts';

/** Why a resource has its level, in plain words; what says the same twice is said once. */
export function toReasons(risk: ResourceRisk | undefined): readonly Reason[] {
  const reasons = risk?.reasons ?? [];
  const given = new Map(reasons.map((reason) => [reason.signal.id, reason]));
  return reasons
    .filter((reason) => !isSaidBy(reason, given))
    .map((reason) => ({
      signal: reason.signal.id,
      level: reason.level,
      sentence: toSentence(reason),
    }));
}

const NO_SPACE_LEFT = say`Images can still grow, but no space is left.`;

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
  // The loss says all that the value said before it became one.
  if (signal.id === 'storage_available') return value === 0 && given.has('storage_loss_full');
  if (signal.id === 'memory_swap_storm') return given.has('memory_loss_swap_storm');
  return false;
}

function toSentence({ signal, value, limit }: RiskReason): Sentence {
  if (value === Infinity) return claimOnNothing(signal.id);
  const times = toTimes(value);
  const above = `(limit\u00a0${formatNumber(limit)})`;
  const verb = (one: string, several: string): string => (value === 1 ? one : several);
  const aboveShare = `(limit\u00a0${formatPercent(limit)})`;
  switch (signal.id) {
    case 'cpu_promise':
      return say`Each CPU is shared by ${formatCount(value, 'vCPU')} ${above}.`;
    case 'cpu_start_all':
      return say`If all guests with autostart ran too, each CPU would be shared by ${formatCount(value, 'vCPU')} ${above}.`;
    case 'cpu_pressure':
      return say`At least one task waited for a CPU ${formatPercent(value)} of the time ${aboveShare}.`;
    case 'cpu_delay':
      return say`vCPUs were ready to run but waited ${formatPercent(value)} of the time ${aboveShare}.`;
    case 'memory_overcommitted_at_most':
      return say`With empty balloons, guests are promised ${times} the memory the host can give.`;
    case 'memory_overcommitted':
      return say`Guests are promised ${times} the memory the host can give.`;
    case 'memory_exposure':
      return say`Guests can still claim ${times} the memory and swap that is available ${above}.`;
    case 'memory_ksm_unmerge':
      return say`Un-merging all memory would take ${times} the memory and swap that is available ${above}.`;
    case 'memory_available':
      return say`Only ${formatPercent(value)} of the host's memory is available ${aboveShare}.`;
    case 'memory_swap_used':
      return say`${formatPercent(value)} of the swap is used ${aboveShare}.`;
    case 'memory_pressure':
      return say`All tasks stalled on memory ${formatPercent(value)} of the time ${aboveShare}.`;
    case 'memory_swap_storm':
      return say`The host swaps in and out at the same time, ${formatByteRate(value)} each way (limit ${formatByteRate(limit)}).`;
    case 'memory_oom_kills':
      return say`The host killed ${formatCount(value, 'process', 'processes')} in the last ten minutes because memory ran out; whether guests were among them takes Prometheus to know.`;
    case 'storage_overcommitted':
      return say`Images can still allocate ${times} the space that is available.`;
    case 'storage_promise':
      return say`In the worst case, images take ${times} the size of their filesystem or pool ${above}.`;
    case 'storage_pressure':
      return say`At least one task waited for storage ${formatPercent(value)} of the time ${aboveShare}.`;
    case 'storage_pool_used':
      return say`A storage pool is ${formatPercent(value)} full ${aboveShare}.`;
    case 'storage_fill':
      return say`At this pace, storage is full in ${formatDuration(value)} (limit ${formatDuration(limit)}).`;
    case 'storage_available':
      return value === 0
        ? NO_SPACE_LEFT
        : say`Only ${formatPercent(value)} of the space is available where images can still grow ${aboveShare}.`;
    case 'storage_thin_data':
      return say`A thin pool is ${formatPercent(value)} full ${aboveShare}.`;
    case 'storage_thin_metadata':
      return say`The metadata of a thin pool is ${formatPercent(value)} full ${aboveShare}.`;
    case 'network_promise':
      return say`Guests are promised ${times} the bandwidth of their uplink ${above}.`;
    case 'network_guarantee':
      return say`Guests are guaranteed ${times} the bandwidth of their uplink ${above}.`;
    case 'network_utilisation':
      return say`An uplink carries ${formatPercent(value)} of its bandwidth ${aboveShare}.`;
    case 'network_drops':
      return say`A guest loses ${formatPercent(value)} of its packets on the way through the host ${aboveShare}.`;
    case 'cpu_loss_host':
      return say`vCPUs wait so long for CPUs that all guests are slow.`;
    case 'cpu_loss_guests':
      return say`${formatCount(value, 'guest')} ${verb('waits', 'wait')} so long for CPUs that all of it is slow.`;
    case 'memory_loss_swap_storm':
      return say`The host swaps in and out at the same time, and its tasks stall on memory.`;
    case 'memory_loss_oom_kill':
      return say`The host ran out of memory and killed a guest.`;
    case 'memory_loss_host_low':
      return say`Hardly any memory is available, and programs wait for some.`;
    case 'memory_loss_host_stalled':
      return say`All tasks stall on memory most of the time.`;
    case 'memory_loss_guests_exhausted':
      return say`${formatCount(value, 'guest')} ${verb('has', 'have')} no memory left and only ${verb('pages', 'page')}.`;
    case 'memory_loss_guests_limited':
      return say`${formatCount(value, 'guest')} ${verb('stalls', 'stall')} at a memory limit.`;
    case 'storage_loss_full_imminent':
      return say`${formatCount(value, 'filesystem')} will be full within minutes.`;
    case 'storage_loss_full':
      return say`${formatCount(value, 'filesystem')} ${verb('is', 'are')} full, and images can still grow there.`;
    case 'storage_loss_inodes':
      return say`${formatCount(value, 'filesystem')} ${verb('has', 'have')} no free inode.`;
    case 'storage_loss_unresponsive':
      return say`${formatCount(value, 'filesystem')} ${verb('does', 'do')} not answer.`;
    case 'storage_loss_read_only':
      return say`${formatCount(value, 'filesystem')} ${verb('is', 'are')} read-only, and images can still grow there.`;
    case 'storage_loss_paused_guests':
      return say`${formatCount(value, 'guest')} ${verb('is', 'are')} paused because a write failed.`;
    case 'storage_loss_corrupt_images':
      return say`${formatCount(value, 'image')} ${verb('is', 'are')} marked corrupt.`;
    case 'storage_loss_thin_pools':
      return say`${formatCount(value, 'thin pool')} ${verb('is', 'are')} full, or in need of repair.`;
    case 'network_loss_saturated':
      return say`${formatCount(value, 'uplink')} ${verb('is', 'are')} full and ${verb('drops', 'drop')} packets.`;
    case 'network_loss_drops':
      return say`${formatCount(value, 'uplink')} ${verb('drops', 'drop')} packets of guests.`;
    case 'network_loss_down':
      return say`${formatCount(value, 'uplink')} of guests ${verb('is', 'are')} down.`;
  }
}

/** Only what is measured against what is left can be infinite. */
function claimOnNothing(id: RiskReason['signal']['id']): Sentence {
  if (id === 'memory_exposure') return say`Guests can still claim memory, but none is available.`;
  if (id === 'memory_overcommitted' || id === 'memory_overcommitted_at_most') {
    return say`Guests are promised memory, but the host has none to give.`;
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
