import type { Policy } from '../config/policy.ts';
import type { Domain } from '../model/domain.ts';
import { areGuestsComplete } from '../model/guest-source.ts';
import type { Host } from '../model/host.ts';
import { atOnce, mapInParts, type Parts } from '../runtime/in-parts.ts';
import type { Snapshot } from '../model/snapshot.ts';
import { assessBootStorm } from './assess-boot-storm.ts';
import { toCpuGuest, toCpuHost } from './cpu/assess-cpu.ts';
import { toHostPages, toMemoryGuest, toMemoryHost } from './memory/assess-memory.ts';
import { assessMom } from './mom/assess-mom.ts';
import { assessNetwork } from './network/assess-network.ts';
import { assessStorage } from './storage/assess-storage.ts';
import type { Assessment } from './assessment.ts';
import { cpuOvercommitInParts } from './cpu/cpu.ts';
import { memoryOvercommit, type MemoryOvercommit } from './memory/memory.ts';
import type { MomHistory } from './mom/mom-averages.ts';
import type { CpuOvercommit } from './cpu/model.ts';

/**
 * Hands one snapshot to the arithmetic of this folder. Pure.
 *
 * CPU, memory and network count guests that run, paused ones included: those hold their memory and
 * may go on at any time. Storage and the boot storm count all defined guests.
 *
 * Partial knowledge: a guest whose monitor does not answer keeps its promise, from its XML; one
 * without XML counts with what its process and its monitor show (see assess-promise.ts). Only a
 * guest of which nothing tells what it was promised is left out of a sum.
 */
export function assess(snapshot: Snapshot, policy: Policy, history: MomHistory): Assessment {
  return atOnce(assessInParts(snapshot, policy, history));
}

/** As {@link assess}, stopping after each part: with 1000 guests each takes some milliseconds. */
export function* assessInParts(
  snapshot: Snapshot,
  policy: Policy,
  history: MomHistory,
): Parts<Assessment> {
  const { host, network } = snapshot;
  // Sums without the guests of a source that did not answer would be too small.
  const isComplete = areGuestsComplete(snapshot.guestSources);
  const domains = isComplete ? snapshot.domains : undefined;
  const running = domains?.filter(({ active }) => active);
  const cpu = running && (yield* assessCpu(host, running, policy));
  yield;
  const memory = running && assessMemory(host, running, policy);
  yield;
  const storage =
    snapshot.storage === undefined || !isComplete
      ? undefined
      : yield* assessStorage(snapshot.storage, policy);
  yield;
  const networkOvercommit = running && network && assessNetwork(running, network);
  yield;
  const bootStorm = domains && assessBootStorm(domains, storage);
  yield;
  const mom = running === undefined ? [] : assessMom(host, running, history);
  return { cpu, memory, storage, network: networkOvercommit, bootStorm, mom };
}

function* assessCpu(
  { cpuTopology }: Host,
  running: readonly Domain[],
  policy: Policy,
): Parts<CpuOvercommit | undefined> {
  if (cpuTopology === undefined) return undefined;
  const guests = yield* mapInParts(running, toCpuGuest);
  yield;
  return yield* cpuOvercommitInParts(
    toCpuHost(cpuTopology, policy),
    guests.filter((guest) => guest !== undefined),
  );
}

function assessMemory(
  host: Host,
  running: readonly Domain[],
  policy: Policy,
): MemoryOvercommit | undefined {
  const { meminfo } = host;
  const memoryHost = meminfo && toMemoryHost(host, meminfo, policy);
  if (meminfo === undefined || memoryHost === undefined) return undefined;
  const pages = toHostPages(host);
  const guests = running.flatMap((domain) => toMemoryGuest(domain, pages) ?? []);
  return memoryOvercommit(memoryHost, guests, running.length - guests.length);
}
