import { computeAvailableMemory } from '../model/facts/available-memory.ts';
import type { Snapshot } from '../model/snapshot.ts';
import { busySeconds } from './counters.ts';
import type { RiskResource } from './risk-model.ts';

/** So far back goes the history. */
export const HISTORY_SECONDS = 3600;
/** Of collections closer together one is kept: the number of points is bounded by the two. */
const SPACING_SECONDS = 15;
/** Points further apart than that, or than twice and a half the usual, have a gap between them. */
const GAP_SECONDS = 60;
const GAP_PER_USUAL = 2.5;

/** What is kept of one collection. Undefined: not collected, or it could not be read. */
interface HistoryPoint {
  readonly atSeconds: number;
  /** CPUs that are online. */
  readonly cpus: number | undefined;
  readonly busyCpuSeconds: number | undefined;
  readonly cpuWaitingSeconds: number | undefined;
  readonly memoryUsedRatio: number | undefined;
  readonly memoryStalledSeconds: number | undefined;
  /** Of the fullest filesystem with images. */
  readonly storageUsedRatio: number | undefined;
  readonly ioWaitingSeconds: number | undefined;
  readonly uplinks: readonly UplinkBytes[];
}

interface UplinkBytes {
  readonly name: string;
  readonly receivedBytes: number;
  readonly sentBytes: number;
  readonly bytesPerSecond: number;
}

/** A value over time, as shares from 0 to 1. */
export interface HistoryLine {
  readonly resource: RiskResource;
  readonly meaning: 'used' | 'waiting';
  /** Runs without a gap, from the earliest to the latest. */
  readonly runs: readonly (readonly HistoryValue[])[];
}

export interface HistoryValue {
  readonly atSeconds: number;
  readonly share: number;
}

/**
 * The last hour of the host: a point for each collection that was made anyway. Nothing is collected for
 * it, so where nobody looked there is a gap.
 */
export class HostHistory {
  #points: readonly HistoryPoint[] = [];

  add(snapshot: Snapshot): void {
    const now = snapshot.takenAtSeconds;
    const last = this.#points.at(-1);
    // A clock that was set back makes all that is kept worthless.
    if (last !== undefined && last.atSeconds > now) this.#points = [];
    else if (last !== undefined && now - last.atSeconds < SPACING_SECONDS) return;
    this.#points = [
      ...this.#points.filter(({ atSeconds }) => atSeconds >= now - HISTORY_SECONDS),
      toPoint(snapshot),
    ];
  }

  /** Every line there is at least one value of. */
  lines(): readonly HistoryLine[] {
    const points = this.#points;
    const line = (
      resource: RiskResource,
      meaning: HistoryLine['meaning'],
      valueAt: (now: HistoryPoint, before: HistoryPoint | undefined) => number | undefined,
    ): readonly HistoryLine[] => {
      const runs = toRuns(points, valueAt);
      return runs.length === 0 ? [] : [{ resource, meaning, runs }];
    };
    return [
      ...line('cpu', 'used', (now, before) => {
        const busy = rate(now, before, ({ busyCpuSeconds }) => busyCpuSeconds);
        return busy === undefined || now.cpus === undefined ? undefined : busy / now.cpus;
      }),
      ...line('cpu', 'waiting', (now, before) =>
        rate(now, before, ({ cpuWaitingSeconds }) => cpuWaitingSeconds),
      ),
      ...line('memory', 'used', ({ memoryUsedRatio }) => memoryUsedRatio),
      ...line('memory', 'waiting', (now, before) =>
        rate(now, before, ({ memoryStalledSeconds }) => memoryStalledSeconds),
      ),
      ...line('storage', 'used', ({ storageUsedRatio }) => storageUsedRatio),
      ...line('storage', 'waiting', (now, before) =>
        rate(now, before, ({ ioWaitingSeconds }) => ioWaitingSeconds),
      ),
      ...line('network', 'used', busiestUplink),
    ];
  }
}

function toPoint({ takenAtSeconds, host, storage, network }: Snapshot): HistoryPoint {
  const total = host.meminfo?.totalBytes;
  const available = computeAvailableMemory(host);
  const topology = host.cpuTopology;
  const used = (storage?.filesystems ?? []).flatMap(({ space }) =>
    space.ok && space.value.sizeBytes > 0
      ? 1 - space.value.availableBytes / space.value.sizeBytes
      : [],
  );
  return {
    atSeconds: takenAtSeconds,
    cpus: topology && topology.online.length * topology.threadsPerCpu,
    busyCpuSeconds: host.cpuTime && busySeconds(host.cpuTime.total),
    cpuWaitingSeconds: host.pressure?.get('cpu')?.someSeconds,
    memoryUsedRatio:
      total === undefined || available === undefined ? undefined : 1 - available / total,
    memoryStalledSeconds: host.pressure?.get('memory')?.fullSeconds,
    storageUsedRatio: used.length === 0 ? undefined : Math.max(...used),
    ioWaitingSeconds: host.pressure?.get('io')?.someSeconds,
    uplinks: [...(network?.links.values() ?? [])].flatMap(({ name, kind, state, counters }) =>
      kind !== 'physical' || state?.speed.known !== true || counters === undefined
        ? []
        : {
            name,
            receivedBytes: Number(counters.receivedBytes),
            sentBytes: Number(counters.transmittedBytes),
            bytesPerSecond: state.speed.bitsPerSecond / 8,
          },
    ),
  };
}

/** A counter that stepped back was reset: it has no rate. */
function rate(
  now: HistoryPoint,
  before: HistoryPoint | undefined,
  counterOf: (point: HistoryPoint) => number | undefined,
): number | undefined {
  const newer = counterOf(now);
  const older = before && counterOf(before);
  if (before === undefined || newer === undefined || older === undefined || newer < older) {
    return undefined;
  }
  return (newer - older) / (now.atSeconds - before.atSeconds);
}

function busiestUplink(now: HistoryPoint, before: HistoryPoint | undefined): number | undefined {
  const shares = now.uplinks.flatMap(({ name, bytesPerSecond }) => {
    const bytes = (pick: (uplink: UplinkBytes) => number) =>
      rate(now, before, ({ uplinks }) => {
        const uplink = uplinks.find((one) => one.name === name);
        return uplink && pick(uplink);
      });
    const received = bytes((uplink) => uplink.receivedBytes);
    const sent = bytes((uplink) => uplink.sentBytes);
    return received === undefined || sent === undefined || bytesPerSecond <= 0
      ? []
      : Math.max(received, sent) / bytesPerSecond;
  });
  return shares.length === 0 ? undefined : Math.max(...shares);
}

function toRuns(
  points: readonly HistoryPoint[],
  valueAt: (now: HistoryPoint, before: HistoryPoint | undefined) => number | undefined,
): readonly (readonly HistoryValue[])[] {
  const longest = longestStep(points);
  const runs: HistoryValue[][] = [];
  let last: HistoryPoint | undefined;
  for (const [index, point] of points.entries()) {
    const share = valueAt(point, points[index - 1]);
    // What a scrape of other collectors lacks is no gap; only time is.
    if (share === undefined) continue;
    const value = { atSeconds: point.atSeconds, share: Math.min(1, Math.max(0, share)) };
    const run = runs.at(-1);
    if (run === undefined || last === undefined || point.atSeconds - last.atSeconds > longest) {
      runs.push([value]);
    } else run.push(value);
    last = point;
  }
  return runs;
}

function longestStep(points: readonly HistoryPoint[]): number {
  const steps = points
    .slice(1)
    .map(({ atSeconds }, index) => atSeconds - (points[index]?.atSeconds ?? atSeconds))
    .sort((one, other) => one - other);
  const usual = steps[Math.floor(steps.length / 2)] ?? 0;
  return Math.max(GAP_SECONDS, GAP_PER_USUAL * usual);
}
