import { seriesOf, type Exposition, type Sample } from '../prometheus-text.ts';
import type { Fault } from './faults.ts';

/** What only the monitor of a QEMU can tell. */
const FROM_MONITOR =
  /^kvm_domain_(?:balloon_(?:current|last_update|stats_age)|guest_|disk_(?!info|limit|chain|image))/;

/** What /proc tells of a QEMU, whatever state it is in. */
const FROM_PROC =
  /^kvm_domain_(?:cpu_seconds|vcpu_|thread|context_switches|resident_|swap_|virtual_|minor_faults)/;

/** Reasons why a guest was not asked. */
const REASONS = [
  'stopped',
  'frozen',
  'blocked',
  'occupied',
  'timed_out',
  'budget',
  'storage',
] as const;

/** Calls that may wait for an answer at a time, unless told otherwise (`--libvirt.max-stuck-calls`). */
const MAX_STUCK_CALLS = 2;

/** A complete scrape to compare with. */
export interface Baseline {
  readonly fromMonitor: ReadonlyMap<string, ReadonlySet<string>>;
  readonly fromProc: ReadonlyMap<string, ReadonlySet<string>>;
}

export function baselineOf(scraped: Exposition): Baseline {
  return {
    fromMonitor: seriesByDomain(scraped, FROM_MONITOR),
    fromProc: seriesByDomain(scraped, FROM_PROC),
  };
}

/** Names of the guests that have every series from their monitor that they had. */
export function completeGuests(baseline: Baseline, scraped: Exposition): ReadonlySet<string> {
  const now = seriesByDomain(scraped, FROM_MONITOR);
  return new Set(
    [...baseline.fromMonitor].flatMap(([domain, before]) =>
      before.isSubsetOf(now.get(domain) ?? new Set()) ? [domain] : [],
    ),
  );
}

/** What one scrape shows of guests during a fault. */
export interface Judgement {
  readonly complaints: readonly string[];
  /** Guests without a fault that are complete. */
  readonly complete: number;
  /** Guests with a fault that are marked, or said not to be asked. */
  readonly marked: number;
  /** How many were not asked for each reason. */
  readonly reasons: ReadonlyMap<string, number>;
}

/**
 * What a scrape during a fault must show.
 *
 * @param afflicted guests that have the fault
 * @param hung those of them that answer nobody
 * @param isFirst whether it is the first scrape since: then nobody need know yet
 */
export function judge(
  baseline: Baseline,
  scraped: Exposition,
  fault: {
    readonly kind: Fault;
    readonly afflicted: ReadonlySet<string>;
    readonly hung: ReadonlySet<string>;
  },
  isFirst: boolean,
): Judgement {
  const complaints: string[] = [];
  if (scraped.all('kvm_libvirt_up').every(({ value }) => value !== 1)) complaints.push('not up');
  const proc = seriesByDomain(scraped, FROM_PROC);
  for (const [domain, before] of baseline.fromProc) {
    const lost = before.difference(proc.get(domain) ?? new Set());
    if (!scraped.has('kvm_domain_info', { domain })) complaints.push(`${domain} is not there`);
    else if (lost.size > 0) complaints.push(`${domain} lost ${[...lost][0]} of /proc`);
  }

  const complete = completeGuests(baseline, scraped);
  const states = new Map([...fault.afflicted].map((domain) => [domain, stateOf(scraped, domain)]));
  let askedInVain = 0;
  if (!isFirst) {
    for (const domain of baseline.fromMonitor.keys()) {
      const state = states.get(domain);
      if (state === undefined) {
        if (!complete.has(domain)) complaints.push(`${domain} is healthy and incomplete`);
        continue;
      }
      // Having lost a thread, it may answer all the same.
      const mayAnswer = !fault.hung.has(domain);
      if (mayAnswer && complete.has(domain) && state.responsive === 1) continue;
      if (!mayAnswer && scraped.has('kvm_domain_disk_read_bytes_total', { domain })) {
        complaints.push(`${domain} hangs and has disk counters`);
      }
      if (state.reason === undefined) askedInVain += 1;
      else if (!REASONS.some((reason) => reason === state.reason)) {
        complaints.push(`${domain} is not asked for ${state.reason}`);
      }
      // Its disks are not asked for; of its monitor nothing is known, or that it answers.
      const isWithheld =
        state.reason === 'storage' &&
        (state.responsive === undefined || (state.responsive === 1 && mayAnswer));
      if (state.responsive !== 0 && !isWithheld) {
        complaints.push(
          `${domain} is not marked (responsive ${state.responsive}, reason ${state.reason})`,
        );
      }
    }
    // Only those who are being asked now need no reason.
    if (askedInVain > MAX_STUCK_CALLS) {
      complaints.push(`${askedInVain} guests are neither complete nor said not to be asked`);
    }
  }
  return {
    complaints,
    complete: [...complete].filter((domain) => !fault.afflicted.has(domain)).length,
    marked: [...states.values()].filter(
      ({ responsive, reason }) => responsive === 0 || reason !== undefined,
    ).length,
    reasons: countReasons(scraped),
  };
}

/** What must be true again after the fault: all complete, nobody marked. */
export function judgeRecovered(baseline: Baseline, scraped: Exposition): readonly string[] {
  const complete = completeGuests(baseline, scraped);
  return [...baseline.fromMonitor.keys()].flatMap((domain) => {
    const { responsive, reason } = stateOf(scraped, domain);
    if (complete.has(domain) && responsive === 1 && reason === undefined) return [];
    return [`${domain} is not back (responsive ${responsive}, reason ${reason})`];
  });
}

interface MonitorState {
  readonly responsive: number | undefined;
  readonly reason: string | undefined;
}

function stateOf(scraped: Exposition, domain: string): MonitorState {
  const [responsive] = scraped.all('kvm_domain_monitor_responsive', { domain });
  const [unasked] = scraped.all('kvm_domain_monitor_unasked', { domain }).filter(isOne);
  return { responsive: responsive?.value, reason: unasked?.labels['reason'] };
}

function countReasons(scraped: Exposition): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { labels } of scraped.all('kvm_domain_monitor_unasked').filter(isOne)) {
    const reason = labels['reason'] ?? '';
    counts.set(reason, (counts.get(reason) ?? 0) + 1);
  }
  return counts;
}

function isOne({ value }: Sample): boolean {
  return value === 1;
}

function seriesByDomain(
  scraped: Exposition,
  name: RegExp,
): ReadonlyMap<string, ReadonlySet<string>> {
  const found = new Map<string, Set<string>>();
  for (const sample of scraped.samples) {
    const { domain } = sample.labels;
    if (domain === undefined || !name.test(sample.name)) continue;
    const series = found.get(domain) ?? new Set();
    series.add(seriesOf(sample));
    found.set(domain, series);
  }
  return found;
}
