import type { CounterSample, GuestCounters, LinkTotals, TrafficCounters } from './counters.ts';

/** How fast things went between two samples. Undefined: not measured at both ends. */
export interface Rates {
  /** Between the samples. */
  readonly seconds: number;
  readonly host: HostRates;
  /** By uuid; a guest that was started in between has none. */
  readonly guests: ReadonlyMap<string, GuestRates>;
  /** By name of the interface. */
  readonly links: ReadonlyMap<string, LinkRates>;
  /** Bytes per second that filesystems get fuller by, by device; negative: emptier. */
  readonly fillBytesPerSecond: ReadonlyMap<string, number>;
}

interface HostRates {
  /** CPUs in use. */
  readonly busyCpus: number | undefined;
  /** Shares of time. */
  readonly cpuWaitingRatio: number | undefined;
  readonly memoryStalledRatio: number | undefined;
  readonly memoryWaitingRatio: number | undefined;
  readonly ioWaitingRatio: number | undefined;
  readonly swapInBytesPerSecond: number | undefined;
  readonly swapOutBytesPerSecond: number | undefined;
  readonly majorFaultsPerSecond: number | undefined;
  readonly allocationStallsPerSecond: number | undefined;
}

export interface GuestRates {
  /** CPUs in use by the whole of QEMU. */
  readonly cpus: number | undefined;
  /** Σ over vCPUs of the time each waited per second, time throttled by a quota taken off. */
  readonly delayedVcpus: number | undefined;
  /** vCPUs in that sum. */
  readonly measuredVcpus: number;
  /** The same of the vCPU that waited most, 0 to 1. */
  readonly delayRatio: number | undefined;
  /** Shares of time in which none of its tasks could run, by the PSI of its cgroup. */
  readonly memoryStalledRatio: number | undefined;
  readonly ioStalledRatio: number | undefined;
  /** Swap traffic inside the guest in its weaker direction, so in both at once. */
  readonly guestSwapBytesPerSecond: number | undefined;
  readonly guestMajorFaultsPerSecond: number | undefined;
  readonly traffic: Traffic | undefined;
  /**
   * Of the NIC that loses most: packets dropped per packets, 0 to 1. One the guest sends nothing by is
   * not set up, and what is broadcast to it is dropped for good.
   */
  readonly dropRatio: number | undefined;
}

export interface Traffic {
  readonly receivedBytesPerSecond: number;
  readonly sentBytesPerSecond: number;
}

/** Of packets, 0 to 1; undefined where there were none. */
export interface LinkRates extends Traffic {
  readonly dropRatio: number | undefined;
  /** Of what should have gone out. */
  readonly sentDropRatio: number | undefined;
}

/** Undefined where no time passed. A counter that stepped back was reset: it has no rate. */
export function ratesBetween(older: CounterSample, newer: CounterSample): Rates | undefined {
  const seconds = newer.takenAtSeconds - older.takenAtSeconds;
  if (seconds <= 0) return undefined;
  const rate = (before: number | undefined, now: number | undefined): number | undefined =>
    before === undefined || now === undefined || now < before
      ? undefined
      : (now - before) / seconds;
  const share = (before: number | undefined, now: number | undefined): number | undefined => {
    const value = rate(before, now);
    return value === undefined ? undefined : Math.min(1, value);
  };
  return {
    seconds,
    host: {
      busyCpus: rate(older.host.busyCpuSeconds, newer.host.busyCpuSeconds),
      cpuWaitingRatio: share(older.host.cpuWaitingSeconds, newer.host.cpuWaitingSeconds),
      memoryStalledRatio: share(older.host.memoryStalledSeconds, newer.host.memoryStalledSeconds),
      memoryWaitingRatio: share(older.host.memoryWaitingSeconds, newer.host.memoryWaitingSeconds),
      ioWaitingRatio: share(older.host.ioWaitingSeconds, newer.host.ioWaitingSeconds),
      swapInBytesPerSecond: rate(older.host.swapInBytes, newer.host.swapInBytes),
      swapOutBytesPerSecond: rate(older.host.swapOutBytes, newer.host.swapOutBytes),
      majorFaultsPerSecond: rate(older.host.majorFaults, newer.host.majorFaults),
      allocationStallsPerSecond: rate(older.host.allocationStalls, newer.host.allocationStalls),
    },
    guests: new Map(
      [...newer.guests].flatMap(([uuid, now]) => {
        const before = older.guests.get(uuid);
        if (before === undefined || before.process !== now.process) return [];
        return [[uuid, guestRates(before, now, rate)] as const];
      }),
    ),
    links: new Map(
      [...newer.links].flatMap(([link, now]) => {
        const before = older.links.get(link);
        const traffic = computeTraffic([[before, now]], rate);
        return traffic === undefined
          ? []
          : [[link, { ...traffic, ...dropRatios(before, now, rate) }] as const];
      }),
    ),
    fillBytesPerSecond: new Map(
      [...newer.availableBytes].flatMap(([device, now]) => {
        const before = older.availableBytes.get(device);
        return before === undefined ? [] : [[device, (before - now) / seconds] as const];
      }),
    ),
  };
}

type Rate = (before: number | undefined, now: number | undefined) => number | undefined;

function guestRates(before: GuestCounters, now: GuestCounters, rate: Rate): GuestRates {
  const delays = now.vcpuDelaySeconds.flatMap(
    (delay, index) => rate(before.vcpuDelaySeconds[index], delay) ?? [],
  );
  const throttled = rate(before.throttledSeconds, now.throttledSeconds) ?? 0;
  const unthrottled = (delay: number): number => Math.max(0, delay - throttled);
  const drops = [...now.nics].flatMap(([device, nic]) => {
    const old = before.nics.get(device);
    const dropped = rate(old?.drops, nic.drops);
    const packets = rate(old?.packets, nic.packets);
    // A dropped packet is not among those that came through.
    if (dropped === undefined || packets === undefined || dropped + packets === 0) return [];
    if ((rate(old?.sentPackets, nic.sentPackets) ?? 0) === 0) return [];
    return dropped / (dropped + packets);
  });
  const share = (older: number | undefined, newer: number | undefined): number | undefined => {
    const value = rate(older, newer);
    return value === undefined ? undefined : Math.min(1, value);
  };
  const swapIn = rate(before.guestSwapInBytes, now.guestSwapInBytes);
  const swapOut = rate(before.guestSwapOutBytes, now.guestSwapOutBytes);
  return {
    cpus: rate(before.cpuSeconds, now.cpuSeconds),
    delayedVcpus:
      delays.length === 0 ? undefined : unthrottled(delays.reduce((sum, one) => sum + one, 0)),
    measuredVcpus: delays.length,
    delayRatio: delays.length === 0 ? undefined : Math.min(1, unthrottled(Math.max(...delays))),
    memoryStalledRatio: share(before.memoryStalledSeconds, now.memoryStalledSeconds),
    ioStalledRatio: share(before.ioStalledSeconds, now.ioStalledSeconds),
    guestSwapBytesPerSecond:
      swapIn === undefined || swapOut === undefined ? undefined : Math.min(swapIn, swapOut),
    guestMajorFaultsPerSecond: rate(before.guestMajorFaults, now.guestMajorFaults),
    traffic: computeTraffic(
      [...now.nics].map(([device, nic]) => [before.nics.get(device), nic] as const),
      rate,
    ),
    dropRatio: drops.length === 0 ? undefined : Math.max(...drops),
  };
}

/** What is received and dropped is counted as received too; what is not sent is not counted as sent. */
function dropRatios(
  before: LinkTotals | undefined,
  now: LinkTotals,
  rate: Rate,
): Pick<LinkRates, 'dropRatio' | 'sentDropRatio'> {
  const received = rate(before?.receivedPackets, now.receivedPackets);
  const receiveDrops = rate(before?.receiveDrops, now.receiveDrops);
  const sent = rate(before?.sentPackets, now.sentPackets);
  const sendDrops = rate(before?.sendDrops, now.sendDrops);
  const ratio = (dropped: number, all: number): number | undefined =>
    all > 0 ? dropped / all : undefined;
  if (sent === undefined || sendDrops === undefined) {
    return { dropRatio: undefined, sentDropRatio: undefined };
  }
  return {
    dropRatio:
      received === undefined || receiveDrops === undefined
        ? undefined
        : ratio(receiveDrops + sendDrops, received + sent + sendDrops),
    sentDropRatio: ratio(sendDrops, sent + sendDrops),
  };
}

/** The sum over interfaces that were there both times; undefined where there was none. */
function computeTraffic(
  pairs: readonly (readonly [TrafficCounters | undefined, TrafficCounters])[],
  rate: Rate,
): Traffic | undefined {
  const known = pairs.flatMap(([before, now]) => {
    const received = rate(before?.receivedBytes, now.receivedBytes);
    const sent = rate(before?.sentBytes, now.sentBytes);
    return received === undefined || sent === undefined ? [] : [{ received, sent }];
  });
  if (known.length === 0) return undefined;
  return {
    receivedBytesPerSecond: known.reduce((sum, { received }) => sum + received, 0),
    sentBytesPerSecond: known.reduce((sum, { sent }) => sum + sent, 0),
  };
}
