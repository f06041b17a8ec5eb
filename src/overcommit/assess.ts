import type { Policy } from '../config/policy.ts';
import type { Domain } from '../snapshot/domain.ts';
import type { Host } from '../snapshot/host.ts';
import type { Snapshot } from '../snapshot/model.ts';
import { assessBootStorm } from './assess-boot-storm.ts';
import { cpuGuestOf, cpuHostOf } from './assess-cpu.ts';
import { memoryGuestOf, memoryHostOf } from './assess-memory.ts';
import { assessMom } from './assess-mom.ts';
import { assessNetwork } from './assess-network.ts';
import { assessStorage } from './assess-storage.ts';
import type { Assessment } from './assessment.ts';
import { cpuOvercommit, type CpuOvercommit } from './cpu.ts';
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
  const parts = assessInParts(snapshot, policy, history);
  let part = parts.next();
  while (part.done !== true) part = parts.next();
  return part.value;
}

/** As {@link assess}, stopping after each part: with 1000 guests each takes some milliseconds. */
export function* assessInParts(
  snapshot: Snapshot,
  policy: Policy,
  history: MomHistory,
): Generator<void, Assessment, void> {
  const { host, domains, network } = snapshot;
  const running = domains?.filter(({ active }) => active);
  const cpu = running && assessCpu(host, running, policy);
  yield;
  const memory = running && assessMemory(host, running, policy);
  yield;
  const storage =
    snapshot.storage === undefined ? undefined : assessStorage(snapshot.storage, policy);
  yield;
  const networkOvercommit = running && network && assessNetwork(running, network);
  yield;
  const bootStorm = domains && assessBootStorm(domains, storage);
  const mom = running === undefined ? [] : assessMom(host, running, history);
  return { cpu, memory, storage, network: networkOvercommit, bootStorm, mom };
}

function assessCpu(
  { cpuTopology }: Host,
  running: readonly Domain[],
  policy: Policy,
): CpuOvercommit | undefined {
  if (cpuTopology === undefined) return undefined;
  return cpuOvercommit(
    cpuHostOf(cpuTopology, policy),
    running.flatMap((domain) => cpuGuestOf(domain) ?? []),
  );
}

function assessMemory(
  host: Host,
  running: readonly Domain[],
  policy: Policy,
): MemoryOvercommit | undefined {
  const { meminfo } = host;
  const memoryHost = meminfo && memoryHostOf(host, meminfo, policy);
  if (meminfo === undefined || memoryHost === undefined) return undefined;
  return memoryOvercommit(
    memoryHost,
    running.flatMap((domain) => memoryGuestOf(domain, meminfo) ?? []),
  );
}
