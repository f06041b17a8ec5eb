import { findLimit, type Policy } from '../config/policy.ts';
import { hasCrashed, isPausedOnIoError } from '../model/facts/domain-state.ts';
import type { DomainView } from '../view/view.ts';
import type { GuestRates } from './rates.ts';
import type { RiskLevel } from './risk-model.ts';

/** What may be wrong with one guest, each as an alert has it. */
export type GuestTroubleId =
  | 'paused_on_io_error'
  | 'crashed'
  | 'no_answer'
  | 'waits_for_cpu'
  | 'stalls_on_memory'
  | 'stalls_on_io'
  | 'out_of_memory'
  | 'swaps_inside'
  | 'faults_inside'
  | 'swapped_out'
  | 'loses_packets'
  | 'paused';

export const GUEST_RUNBOOKS: Readonly<Record<GuestTroubleId, string | undefined>> = {
  paused_on_io_error: 'KvmGuestPausedOnIoError',
  crashed: 'KvmGuestCrashed',
  no_answer: 'KvmGuestMonitorUnresponsive',
  waits_for_cpu: 'KvmGuestCpuStarved',
  stalls_on_memory: 'KvmHostMemoryPressure',
  stalls_on_io: 'KvmHostIoPressure',
  out_of_memory: 'KvmGuestOutOfMemory',
  swaps_inside: 'KvmGuestThrashing',
  faults_inside: 'KvmGuestThrashing',
  swapped_out: 'KvmGuestSwappedByHost',
  loses_packets: 'KvmGuestNicDrops',
  // Nobody is paged for what somebody meant.
  paused: undefined,
};

export interface GuestTrouble {
  readonly id: GuestTroubleId;
  /** 3 for what an alert pages for, 2 for a ticket, 1 for what may be meant. */
  readonly level: RiskLevel;
  /** What was measured, in the unit of the limit; undefined where a state says it all. */
  readonly value: number | undefined;
  /** The limit it is past; undefined as before. */
  readonly limit: number | undefined;
  /** How bad, 0 to 1, among troubles of one level: the share of time or of its memory. */
  readonly share: number;
}

/** What a guest is measured by beside itself. */
export type GuestSurroundings = ReturnType<typeof guestSurroundings>;

/**
 * Looks the limits up once for all guests.
 *
 * @param hostWaitingRatio PSI cpu some of the host; undefined: not measured.
 */
export function guestSurroundings(policy: Policy, hostWaitingRatio: number | undefined) {
  return {
    hostWaitingRatio,
    delay: findLimit(policy, 'cpu.delay_ratio'),
    cpuPressure: findLimit(policy, 'cpu.pressure_ratio'),
    memoryPressure: findLimit(policy, 'memory.pressure_ratio'),
    ioPressure: findLimit(policy, 'storage.pressure_ratio'),
    availableInside: findLimit(policy, 'memory.guest_available_ratio'),
    swapInside: findLimit(policy, 'memory.guest_swap_bytes_per_second'),
    faultsInside: findLimit(policy, 'memory.guest_major_faults_per_second'),
    swapped: findLimit(policy, 'memory.guest_swapped_ratio'),
    drops: findLimit(policy, 'network.drop_ratio'),
  };
}

/**
 * What is wrong with a guest now, worst first; empty for one that is well as far as it was measured.
 *
 * @param rates undefined at a first look: what only rates tell is then not found.
 */
export function findGuestTroubles(
  { domain, memory }: DomainView,
  rates: GuestRates | undefined,
  limits: GuestSurroundings,
): readonly GuestTrouble[] {
  const troubles: GuestTrouble[] = [];
  const stands = (id: GuestTroubleId, level: RiskLevel): void => {
    troubles.push({ id, level, value: undefined, limit: undefined, share: 1 });
  };
  const measured = (
    id: GuestTroubleId,
    level: RiskLevel,
    value: number | undefined,
    limit: number | undefined,
    share = value,
  ): boolean => {
    if (value === undefined || limit === undefined || value <= limit) return false;
    troubles.push({ id, level, value, limit, share: Math.min(1, share ?? 0) });
    return true;
  };
  if (isPausedOnIoError(domain)) stands('paused_on_io_error', 3);
  else if (hasCrashed(domain)) stands('crashed', 3);
  // Paused by somebody, for a snapshot or a migration: may be meant, but stands still.
  else if (domain.state === 'paused') stands('paused', 1);
  if (domain.monitor === 'unresponsive') stands('no_answer', 2);

  const { delay, cpuPressure, memoryPressure, hostWaitingRatio } = limits;
  const mean =
    rates?.delayedVcpus === undefined ? undefined : rates.delayedVcpus / rates.measuredVcpus;
  const isConfirmed =
    hostWaitingRatio === undefined ||
    cpuPressure.warning === undefined ||
    hostWaitingRatio > cpuPressure.warning;
  const longest = rates?.delayRatio;
  const pages = isConfirmed && measured('waits_for_cpu', 3, mean, delay.critical, longest);
  if (!pages) measured('waits_for_cpu', 2, longest, delay.warning);

  const stalled = rates?.memoryStalledRatio;
  if (!measured('stalls_on_memory', 3, stalled, memoryPressure.critical)) {
    measured('stalls_on_memory', 2, stalled, memoryPressure.warning);
  }
  measured('stalls_on_io', 2, rates?.ioStalledRatio, limits.ioPressure.warning);

  const thrashing = findThrashing(rates, limits);
  const exhausted = findExhaustion(domain, rates, limits);
  if (exhausted !== undefined) {
    const { value, limit } = exhausted;
    troubles.push({ id: 'out_of_memory', level: 3, value, limit, share: 1 - value });
  } else if (thrashing !== undefined) {
    measured(thrashing.id, 2, thrashing.value, thrashing.limit, 0.5);
  }
  const swapped = computeSwappedShare(domain, memory?.swapBytes);
  measured('swapped_out', 2, swapped, limits.swapped.warning);
  if (domain.state === 'running') {
    measured('loses_packets', 2, rates?.dropRatio, limits.drops.warning);
  }
  return troubles.sort((one, other) => other.level - one.level || other.share - one.share);
}

/** It has no memory left and does nothing but page, as KvmGuestOutOfMemory has it. */
export function findExhaustion(
  { balloon }: DomainView['domain'],
  rates: GuestRates | undefined,
  limits: GuestSurroundings,
): PastLimit | undefined {
  const value = availableInside(balloon);
  const limit = limits.availableInside.critical;
  if (findThrashing(rates, limits) === undefined) return undefined;
  if (value === undefined || limit === undefined || value >= limit) return undefined;
  return { id: 'out_of_memory', value, limit };
}

interface PastLimit {
  readonly id: GuestTroubleId;
  readonly value: number;
  readonly limit: number;
}

/** It swaps in both directions, or keeps reading its own programs from disk. */
function findThrashing(
  rates: GuestRates | undefined,
  { swapInside, faultsInside }: GuestSurroundings,
): PastLimit | undefined {
  const pairs = [
    ['swaps_inside', rates?.guestSwapBytesPerSecond, swapInside.warning],
    ['faults_inside', rates?.guestMajorFaultsPerSecond, faultsInside.warning],
  ] as const;
  for (const [id, value, limit] of pairs) {
    if (value !== undefined && limit !== undefined && value > limit) return { id, value, limit };
  }
  return undefined;
}

function availableInside(balloon: DomainView['domain']['balloon']): number | undefined {
  const { guestAvailableBytes: available, guestTotalBytes: total } = balloon ?? {};
  return available === undefined || total === undefined || total === 0
    ? undefined
    : available / total;
}

/** Of the memory the guest really has, not of its promise. */
function computeSwappedShare(
  { process }: DomainView['domain'],
  swapBytes: number | undefined,
): number | undefined {
  const resident = process?.status?.residentBytes;
  if (swapBytes === undefined || resident === undefined || swapBytes + resident === 0) {
    return undefined;
  }
  return swapBytes / (swapBytes + resident);
}
