import { GUEST_RUNBOOKS, type GuestTrouble, type GuestTroubleId } from '../../risk/guest-risk.ts';
import type { RiskLevel } from '../../risk/risk-model.ts';
import { formatByteRate, formatNumber, formatPercent } from './format.ts';
import { figure, say, type Sentence } from './sentence.ts';

/** What is wrong with a guest, in words. */
export interface GuestTroubleWords {
  readonly id: GuestTroubleId;
  readonly level: RiskLevel;
  readonly sentence: Sentence;
  /** For the list, beside its state; undefined where the state says it already. */
  readonly short: string | undefined;
  /** Undefined where somebody may have meant it. */
  readonly runbook: string | undefined;
}

export function troubleWords(trouble: GuestTrouble): GuestTroubleWords {
  const { id, level } = trouble;
  return { id, level, runbook: GUEST_RUNBOOKS[id], ...toWords(trouble) };
}

function toWords({
  id,
  value = 0,
  limit = 0,
  share: worst,
}: GuestTrouble): Pick<GuestTroubleWords, 'sentence' | 'short'> {
  const share = formatPercent(value);
  const above = `(limit\u00a0${formatPercent(limit)})`;
  switch (id) {
    case 'paused_on_io_error':
      return {
        sentence: say`It is ${figure('paused because a write failed')}. Make room where its disks lie, then resume it.`,
        short: undefined,
      };
    case 'crashed':
      return { sentence: say`It ${figure('crashed')}.`, short: undefined };
    case 'paused':
      return {
        sentence: say`It is ${figure('paused')}: by somebody, for a snapshot or a migration.`,
        short: undefined,
      };
    case 'no_answer':
      return {
        sentence: say`Its QEMU ${figure('does not answer')} on the monitor: balloon and disk values are missing.`,
        short: undefined,
      };
    case 'waits_for_cpu':
      return {
        sentence: say`Its vCPUs were ready to run but ${figure(`waited ${share} of the time`)} ${above}.`,
        // As the column beside it: of the vCPU that waits most.
        short: `waits ${formatPercent(worst)}`,
      };
    case 'stalls_on_memory':
      return {
        sentence: say`It ${figure(`stalled on memory ${share} of the time`)} ${above}.`,
        short: `stalls on memory ${share}`,
      };
    case 'stalls_on_io':
      return {
        sentence: say`It ${figure(`stalled on I/O ${share} of the time`)} ${above}.`,
        short: `stalls on I/O ${share}`,
      };
    case 'out_of_memory':
      return {
        sentence: say`Inside, ${figure(`${share} of its memory`)} is available ${above}, and it does nothing but page.`,
        short: 'out of memory',
      };
    case 'swaps_inside':
      return {
        sentence: say`Inside, it ${figure('swaps in and out')} at the same time, ${formatByteRate(value)} each way (limit ${formatByteRate(limit)}).`,
        short: 'swaps inside',
      };
    case 'faults_inside':
      return {
        sentence: say`Inside, it ${figure('keeps reading its programs from disk')}: ${formatNumber(value)} page faults per second (limit ${formatNumber(limit)}).`,
        short: 'pages inside',
      };
    case 'swapped_out':
      return {
        sentence: say`The host has ${figure(`swapped out ${share} of its memory`)} ${above}.`,
        short: `${share} swapped out`,
      };
    case 'loses_packets':
      return {
        sentence: say`It ${figure(`loses ${share} of its packets`)} on the way through the host ${above}.`,
        short: `loses ${share} of packets`,
      };
  }
}
