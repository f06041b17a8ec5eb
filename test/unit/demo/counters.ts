/** Everything in a snapshot that must never fall, by a name; a restarted guest has new names. */

import type { Domain } from '../../../src/model/domain.ts';
import type { Snapshot } from '../../../src/model/snapshot.ts';
import { cpuTimeOf, linkOf, processOf, there } from './story.ts';

export function hostCounters(snapshot: Snapshot): ReadonlyMap<string, number> {
  const { host } = snapshot;
  const time = cpuTimeOf(snapshot);
  const counters: [string, number][] = [
    ['context switches', time.contextSwitches],
    ['user', time.total.userSeconds],
    ['system', time.total.systemSeconds],
    ['softirq', time.total.softIrqSeconds],
    ['guest', time.total.guestSeconds],
    ['idle', time.total.idleSeconds],
    ['iowait', time.total.ioWaitSeconds],
    ['ksm scanned', there(host.ksm?.pagesScanned, 'pages_scanned')],
    ['ksm full scans', there(host.ksm?.fullScans, 'full_scans')],
  ];
  for (const [name, value] of there(host.vmstat, 'vmstat').counters) {
    counters.push([name, Number(value)]);
  }
  for (const [resource, { someSeconds, fullSeconds }] of there(host.pressure, 'pressure')) {
    counters.push([`${resource} some`, someSeconds], [`${resource} full`, fullSeconds ?? 0]);
  }
  for (const { comm, cpuSeconds } of there(host.kernelThreads, 'kernel threads')) {
    counters.push([comm, cpuSeconds]);
  }
  for (const [name, value] of Object.entries(linkOf(snapshot, 'eno1'))) {
    counters.push([`eno1 ${name}`, Number(value)]);
  }
  return new Map(counters);
}

const GAUGES: ReadonlySet<string> = new Set(['capacityBytes', 'physicalBytes', 'device']);

export function guestCounters(domain: Domain): ReadonlyMap<string, number> {
  const { stat, threads } = processOf(domain);
  // A process is named by pid and start time.
  const run = `${domain.name} ${stat.pid} ${stat.startTimeTicks}`;
  const counters: [string, number][] = [
    ['minor faults', stat.minorFaults],
    ['major faults', stat.majorFaults],
    ['user', stat.userSeconds],
    ['system', stat.systemSeconds],
    ['guest', stat.guestSeconds],
    ['cgroup', there(domain.cgroup?.cpu?.usageSeconds, 'cgroup usage')],
    ['last update', there(domain.balloon?.lastUpdateSeconds, 'balloon update')],
  ];
  for (const { comm, schedule } of there(threads, 'threads')) {
    for (const [name, value] of Object.entries(there(schedule, comm))) {
      counters.push([`${comm} ${name}`, Number(value)]);
    }
  }
  const devices = [
    ...there(domain.disks, 'disks'),
    ...there(domain.nics, 'nics'),
    ...there(domain.cgroup?.io, 'cgroup I/O').map((io) => ({ ...io, device: 'cgroup' })),
  ];
  for (const device of devices) {
    for (const [name, value] of Object.entries(device)) {
      if (!GAUGES.has(name)) counters.push([name, Number(value)]);
    }
  }
  return new Map(counters.map(([name, value]) => [`${run} ${name}`, value]));
}
