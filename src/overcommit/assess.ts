import type { Policy } from '../config/policy.ts';
import type { Domain } from '../snapshot/domain.ts';
import type { Host } from '../snapshot/host.ts';
import { atOnce, mapInParts, type Parts } from '../snapshot/in-parts.ts';
import type { Snapshot } from '../snapshot/model.ts';
import { assessBootStorm } from './assess-boot-storm.ts';
import { toCpuGuest, toCpuHost } from './assess-cpu.ts';
import { toHostPages, toMemoryGuest, toMemoryHost } from './assess-memory.ts';
import { assessMom } from './assess-mom.ts';
import { assessNetwork } from './assess-network.ts';
import { assessStorage } from './assess-storage.ts';
import type { Assessment } from './assessment.ts';
import { cpuOvercommitInParts, type CpuOvercommit } from './cpu.ts';
import { memoryOvercommit, type MemoryOvercommit } from './memory.ts';
import type { MomHistory } from './mom-averages.ts';

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
  const { host, domains, network } = snapshot;
  const running = domains?.filter(({ active }) => active);
  const cpu = running && (yield* assessCpu(host, running, policy));
  yield;
  const memory = running && assessMemory(host, running, policy);
  yield;
  const storage =
    snapshot.storage === undefined ? undefined : yield* assessStorage(snapshot.storage, policy);
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
  return memoryOvercommit(
    memoryHost,
    running.flatMap((domain) => toMemoryGuest(domain, pages) ?? []),
  );
}
