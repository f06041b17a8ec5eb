import type { CollectorName } from '../model/collectors.ts';
import type { Domain, NicCounters } from '../model/domain.ts';
import { atOnce, mapInParts, type Parts } from '../runtime/in-parts.ts';
import type { Snapshot } from '../model/snapshot.ts';

import { computeThrottling } from '../model/facts/throttling.ts';
import { listVcpuTimes } from '../model/facts/vcpu-times.ts';
import { nanosecondsToSeconds } from '../runtime/kernel-time.ts';
import type { CpuTime } from '../model/host-cpu.ts';

/**
 * The counters of one snapshot that the page needs twice to say how fast things go. Small enough to
 * be kept for a while, which whole snapshots are not.
 */
export interface CounterSample {
  /** Unix time. */
  readonly takenAtSeconds: number;
  /** What was collected: a sample with fewer collectors has fewer counters. */
  readonly collectors: ReadonlySet<CollectorName>;
  readonly host: HostCounters;
  /** By uuid. */
  readonly guests: ReadonlyMap<string, GuestCounters>;
  /** By name of the interface. */
  readonly links: ReadonlyMap<string, LinkTotals>;
  /** Bytes available, by device of the filesystem. No counter, but its pace is of interest. */
  readonly availableBytes: ReadonlyMap<string, number>;
}

interface HostCounters {
  /** Time CPUs did something, guests included. */
  readonly busyCpuSeconds: number | undefined;
  /** PSI cpu some. */
  readonly cpuWaitingSeconds: number | undefined;
  /** PSI memory full. */
  readonly memoryStalledSeconds: number | undefined;
  /** PSI memory some. */
  readonly memoryWaitingSeconds: number | undefined;
  /** PSI io some. */
  readonly ioWaitingSeconds: number | undefined;
  /** What zswap served is in these: somebody waited for it all the same. */
  readonly swapInBytes: number | undefined;
  readonly swapOutBytes: number | undefined;
  /** Page faults that had to read from a device. */
  readonly majorFaults: number | undefined;
  /** Times a task had to free memory before it got any. */
  readonly allocationStalls: number | undefined;
  readonly oomKills: number | undefined;
}

export interface GuestCounters {
  /** Another process, other counters. */
  readonly process: string | undefined;
  readonly cpuSeconds: number | undefined;
  /** By number of the vCPU; a vCPU that is not plugged in leaves a hole. */
  readonly vcpuDelaySeconds: readonly (number | undefined)[];
  /** Time stopped by a CPU quota. */
  readonly throttledSeconds: number | undefined;
  /** PSI of its cgroup: none of its tasks could run for want of memory, or of I/O. */
  readonly memoryStalledSeconds: number | undefined;
  readonly ioStalledSeconds: number | undefined;
  /** Inside the guest, by its balloon driver. */
  readonly guestSwapInBytes: number | undefined;
  readonly guestSwapOutBytes: number | undefined;
  readonly guestMajorFaults: number | undefined;
  readonly nics: ReadonlyMap<string, NicTotals>;
}

export interface TrafficCounters {
  readonly receivedBytes: number;
  readonly sentBytes: number;
}

/** Received and sent by the guest. */
interface NicTotals extends TrafficCounters {
  readonly packets: number;
  readonly sentPackets: number;
  readonly drops: number;
}

/** Received and sent by the host. */
export interface LinkTotals extends TrafficCounters {
  readonly receivedPackets: number;
  readonly receiveDrops: number;
  readonly sentPackets: number;
  readonly sendDrops: number;
}

export function counterSample(snapshot: Snapshot): CounterSample {
  return atOnce(counterSampleInParts(snapshot));
}

/** As {@link counterSample}. */
export function* counterSampleInParts(snapshot: Snapshot): Parts<CounterSample> {
  const { host, domains, network, storage } = snapshot;
  const counters = host.vmstat?.counters;
  const swapped = (disk: 'pswpin' | 'pswpout', zswap: 'zswpin' | 'zswpout'): number | undefined => {
    const pages = counters?.get(disk);
    return pages === undefined
      ? undefined
      : Number(pages + (counters?.get(zswap) ?? 0n)) * host.pageBytes;
  };
  const active = domains?.filter((domain) => domain.active) ?? [];
  const guests = yield* mapInParts(
    active,
    (domain) => [domain.uuid, guestCounters(domain)] as const,
  );
  yield;
  return {
    takenAtSeconds: snapshot.takenAtSeconds,
    collectors: new Set(snapshot.outcomes.map(({ collector }) => collector)),
    host: {
      busyCpuSeconds: host.cpuTime && busySeconds(host.cpuTime.total),
      cpuWaitingSeconds: host.pressure?.get('cpu')?.someSeconds,
      memoryStalledSeconds: host.pressure?.get('memory')?.fullSeconds,
      memoryWaitingSeconds: host.pressure?.get('memory')?.someSeconds,
      ioWaitingSeconds: host.pressure?.get('io')?.someSeconds,
      swapInBytes: swapped('pswpin', 'zswpin'),
      swapOutBytes: swapped('pswpout', 'zswpout'),
      majorFaults: toCount(counters?.get('pgmajfault')),
      allocationStalls: toCount(host.vmstat?.directReclaims),
      oomKills: toCount(counters?.get('oom_kill')),
    },
    guests: new Map(guests),
    links: new Map(
      [...(network?.links.values() ?? [])].flatMap(({ name, state, counters: wire }) =>
        // Only links that carry others have a state; taps are counted with their guests.
        state === undefined || wire === undefined
          ? []
          : [
              [
                name,
                {
                  receivedBytes: Number(wire.receivedBytes),
                  sentBytes: Number(wire.transmittedBytes),
                  receivedPackets: Number(wire.receivedPackets),
                  receiveDrops: Number(wire.receiveDrops),
                  sentPackets: Number(wire.transmittedPackets),
                  sendDrops: Number(wire.transmitDrops),
                },
              ] as const,
            ],
      ),
    ),
    availableBytes: new Map(
      storage?.filesystems.flatMap(({ mount, space }) =>
        space.ok ? [[mount.device, space.value.availableBytes] as const] : [],
      ),
    ),
  };
}

function toCount(value: bigint | undefined): number | undefined {
  return value === undefined ? undefined : Number(value);
}

/** User time contains the time guests ran (proc_stat(5)). */
export function busySeconds(time: CpuTime): number {
  return (
    time.userSeconds + time.niceSeconds + time.systemSeconds + time.irqSeconds + time.softIrqSeconds
  );
}

function guestCounters(domain: Domain): GuestCounters {
  const { process, libvirtCpu, cgroup, nics, balloon } = domain;
  const delays: (number | undefined)[] = [];
  for (const { index, delayNanoseconds } of listVcpuTimes(domain)) {
    if (delayNanoseconds !== undefined) delays[index] = nanosecondsToSeconds(delayNanoseconds);
  }
  return {
    process: process && `${process.pid} ${process.stat.startTimeTicks}`,
    cpuSeconds:
      process === undefined
        ? libvirtSeconds(libvirtCpu)
        : process.stat.userSeconds + process.stat.systemSeconds,
    vcpuDelaySeconds: delays,
    throttledSeconds: computeThrottling(cgroup?.cpu)?.throttledSeconds,
    memoryStalledSeconds: cgroup?.pressure.memory?.fullSeconds,
    ioStalledSeconds: cgroup?.pressure.io?.fullSeconds,
    guestSwapInBytes: balloon?.guestSwapInBytes,
    guestSwapOutBytes: balloon?.guestSwapOutBytes,
    guestMajorFaults:
      balloon?.guestMajorFaults === undefined ? undefined : Number(balloon.guestMajorFaults),
    nics: new Map(nics?.map((nic) => [nic.device, nicTotals(nic)])),
  };
}

function libvirtSeconds(cpu: Domain['libvirtCpu']): number | undefined {
  return cpu?.totalNanoseconds === undefined
    ? undefined
    : nanosecondsToSeconds(cpu.totalNanoseconds);
}

function nicTotals(nic: NicCounters): NicTotals {
  return {
    receivedBytes: Number(nic.receiveBytes ?? 0n),
    sentBytes: Number(nic.transmitBytes ?? 0n),
    sentPackets: Number(nic.transmitPackets ?? 0n),
    packets: Number((nic.receivePackets ?? 0n) + (nic.transmitPackets ?? 0n)),
    drops: Number((nic.receiveDrops ?? 0n) + (nic.transmitDrops ?? 0n)),
  };
}
