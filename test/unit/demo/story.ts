/** The demo's story as a list of moments, for tests to look back on. */

import { DEFAULT_POLICY, type Policy } from '../../../src/config/policy.ts';
import { DemoHost } from '../../../src/demo/demo-host.ts';
import { assess } from '../../../src/overcommit/assess.ts';
import type { Assessment } from '../../../src/overcommit/assessment.ts';
import { MomAverages } from '../../../src/overcommit/mom/mom-averages.ts';
import { COLLECTORS, type CollectorName } from '../../../src/model/collectors.ts';
import type { Domain, GuestProcess } from '../../../src/model/domain.ts';
import type { Snapshot } from '../../../src/model/snapshot.ts';
import type { CpuTime, HostCpuTime } from '../../../src/model/host-cpu.ts';
import type { Meminfo, Vmstat, VmstatCounter } from '../../../src/model/host-memory.ts';
import type { LinkCounters } from '../../../src/model/network.ts';

export const ALL: ReadonlySet<CollectorName> = new Set(COLLECTORS.map(({ name }) => name));
export const STARTED_AT = 1_790_000_000;

/** Nothing is kept for the host: the talk counts all there is. */
const WITHOUT_RESERVES: Policy = {
  ...DEFAULT_POLICY,
  reserves: { memoryBytes: 0, cpus: 0, storage: { bytes: 0 } },
};

/** A demo host whose clock stands where it was put. */
export function demoAt(speed?: number): (seconds: number) => Promise<Snapshot> {
  let now = 0;
  const host = new DemoHost({
    ...(speed === undefined ? {} : { speed }),
    startedAtSeconds: STARTED_AT,
    elapsedSeconds: () => now,
  });
  return (seconds) => {
    now = seconds;
    return host.collect(ALL);
  };
}

export function assessed(snapshot: Snapshot): Assessment {
  return assess(snapshot, WITHOUT_RESERVES, new MomAverages().add(snapshot));
}

/** The part, or the test fails: with all collectors on, nothing of it may be missing. */
export function there<T>(part: T | undefined, what: string): T {
  if (part === undefined) throw new Error(`no ${what}`);
  return part;
}

export function domainsOf({ domains }: Snapshot): readonly Domain[] {
  return there(domains, 'domains');
}

export function domainOf(snapshot: Snapshot, name: string): Domain {
  return there(
    domainsOf(snapshot).find((domain) => domain.name === name),
    name,
  );
}

export function processOf(domain: Domain): GuestProcess {
  return there(domain.process, `process of ${domain.name}`);
}

export function meminfoOf({ host }: Snapshot): Meminfo {
  return there(host.meminfo, 'meminfo');
}

export function cpuTimeOf({ host }: Snapshot): HostCpuTime {
  return there(host.cpuTime, 'CPU time');
}

/** Of all CPUs in all modes: guest time is part of user time. */
export function allCpuSeconds(time: CpuTime): number {
  return (
    time.userSeconds +
    time.systemSeconds +
    time.idleSeconds +
    time.ioWaitSeconds +
    time.softIrqSeconds
  );
}

export function vmstatOf({ host }: Snapshot, counter: VmstatCounter): number {
  const vmstat: Vmstat = there(host.vmstat, 'vmstat');
  return Number(there(vmstat.counters.get(counter), counter));
}

export function linkOf({ network }: Snapshot, name: string): LinkCounters {
  return there(network?.links.get(name)?.counters, name);
}

export function availableOnDisk({ storage }: Snapshot): number {
  const space = there(storage?.filesystems[0]?.space, 'filesystem');
  if (!space.ok) throw new Error(space.error.detail);
  return space.value.availableBytes;
}

/** CPU and waiting time of all threads of a guest, in seconds. */
export function scheduled(domain: Domain): { run: number; delay: number } {
  const threads = there(processOf(domain).threads, 'threads');
  return threads.reduce(
    (sum, { schedule }) => ({
      run: sum.run + Number(there(schedule, 'schedule').runNanoseconds) / 1e9,
      delay: sum.delay + Number(there(schedule, 'schedule').delayNanoseconds) / 1e9,
    }),
    { run: 0, delay: 0 },
  );
}

/** Seconds the vCPU of a guest was ready and waited. */
export function vcpuDelay(domain: Domain): number {
  const threads = there(processOf(domain).threads, 'threads');
  const vcpu = threads.find(({ role }) => role.kind === 'vcpu');
  return Number(there(vcpu?.schedule, 'vCPU').delayNanoseconds) / 1e9;
}

export function total<T>(items: readonly T[], valueOf: (item: T) => number): number {
  return items.reduce((sum, item) => sum + valueOf(item), 0);
}
