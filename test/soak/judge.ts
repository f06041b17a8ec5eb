import type { Bar } from '../support/measure/bar.ts';
import { median } from '../support/measure/statistics.ts';
import { SCRAPE_TIMEOUT_SECONDS, type Observation, type Sample } from './observe.ts';
import { certainRise, trendOf, type Point } from './trend.ts';

/**
 * What may rise, at most, after the warm-up. One entry of a Map with a UUID as its key takes more than
 * 80 bytes and, with the value, at least one object; so what keeps something of every second guest, or
 * of one daemon in four, is found.
 */
const HEAP_BYTES_PER_GUEST = 40;
const OBJECTS_PER_GUEST = 0.1;
const PER_RESTART = 0.25;
/** The heap's young part is 3 × 4 MiB (bin/kvm-overcommit-exporter), and touched or not as it comes. */
const RESIDENT_BYTES = 8 * 2 ** 20;
/** Before this, code is still compiled and caches fill. */
const WARM_UP_MINUTES = 10;
/** A shorter run has no time left to tell a leak from the warm-up by its memory. */
export const MIN_MINUTES_FOR_MEMORY = 20;
const RESIDENT_WINDOW_MINUTES = 5;
/** Daemon restarts leave a scrape in ten without guests. */
const MIN_SEEN_SHARE = 0.8;
/** Of the looks into the exporter, those that count; see {@link judge}. */
const MIN_JUDGED_SHARE = 0.5;

export interface Run extends Observation {
  readonly minutes: number;
  /** Guests that came, over the whole run; as many went. */
  readonly guestsCame: number;
  readonly restarts: number;
  /** What the exporter logged. */
  readonly log: string;
}

/**
 * What has to hold for the run to pass.
 *
 * Trends are those of the looks that followed a scrape with nearly all guests: what the exporter holds
 * depends on what it last saw, and a daemon, or a machine, that was busier towards the end would hide a
 * leak behind guests not seen.
 */
export function judge(run: Run): readonly Bar[] {
  const { scrapes } = run;
  const answered = scrapes.filter(({ error }) => error === undefined);
  const bars: Bar[] = [
    atMost('scrapes not answered with 200', scrapes.length - answered.length, 0),
    atMost(
      'slowest scrape',
      Math.max(...scrapes.map(({ seconds }) => seconds)),
      SCRAPE_TIMEOUT_SECONDS,
      ' s',
    ),
    atMost(
      'scrapes with a duplicate series',
      answered.filter(({ duplicates }) => duplicates.length > 0).length,
      0,
    ),
    atMost(
      'scrapes with a guest long gone',
      answered.filter(({ longGone }) => longGone.length > 0).length,
      0,
    ),
    atMost(
      'scrapes with a failed collector, daemon settled',
      answered.filter(({ failed }) => failed.length > 0).length,
      0,
    ),
    atMost('pages not answered with 200', run.pageErrors.length, 0),
    {
      what: 'share of the running guests seen, median of the scrapes',
      measured: median(scrapes.map(({ seenShare }) => seenShare)),
      limit: MIN_SEEN_SHARE,
      unit: '',
      kind: 'at-least',
    },
    {
      what: 'guests that came, per second',
      measured: run.guestsCame / (run.minutes * 60),
      limit: 8,
      unit: '',
      kind: 'at-least',
    },
  ];
  const share = 1 - warmUpMinutes(run.minutes) / run.minutes;
  const perRestart = Math.max(1, Math.floor(run.restarts * share * PER_RESTART));
  const late = judged(run.minutes, run.samples);
  const samples = late.filter(({ seenShare }) => seenShare >= MIN_SEEN_SHARE);
  bars.push({
    what: 'share of the looks after the warm-up that followed a scrape with nearly all guests',
    measured: late.length === 0 ? 0 : samples.length / late.length,
    limit: MIN_JUDGED_SHARE,
    unit: '',
    kind: 'at-least',
  });
  if (samples.length < 2) return bars;
  const rise = (what: string, value: (sample: Sample) => number, limit: number, unit = ''): Bar =>
    atMost(`rise of ${what}`, certainRise(points(samples, value)), limit, unit);
  bars.push(
    rise('open files', ({ files }) => files, perRestart),
    rise('timers', ({ timers }) => timers, perRestart),
    rise('other handles', ({ handles }) => handles, perRestart),
    rise('file processes', ({ processes }) => processes, perRestart),
  );
  if (run.minutes < MIN_MINUTES_FOR_MEMORY) return bars;
  const guests = run.guestsCame * share;
  bars.push(
    rise(
      'the heap in use',
      ({ heapBytes }) => heapBytes / 1e6,
      (HEAP_BYTES_PER_GUEST * guests) / 1e6,
      ' MB',
    ),
    rise(
      'memory outside the heap',
      ({ externalBytes }) => externalBytes / 1e6,
      (HEAP_BYTES_PER_GUEST * guests) / 1e6,
      ' MB',
    ),
    rise('objects', ({ objects }) => objects, OBJECTS_PER_GUEST * guests),
    rise(
      'what the file processes hold',
      ({ processBytes }) => processBytes / 1e6,
      RESIDENT_BYTES / 1e6,
      ' MB',
    ),
    atMost(
      `rise of the least RSS of each ${RESIDENT_WINDOW_MINUTES} minutes`,
      trendOf(judged(run.minutes, leastResident(run, RESIDENT_WINDOW_MINUTES))).rise / 1e6,
      RESIDENT_BYTES / 1e6,
      ' MB',
    ),
  );
  return bars;
}

/** Ten minutes, a third of a run that is too short for that. */
function warmUpMinutes(minutes: number): number {
  return minutes < MIN_MINUTES_FOR_MEMORY ? minutes / 3 : WARM_UP_MINUTES;
}

/** The least resident size of each window of so many minutes, at the window's start, in bytes. */
export function leastResident(
  { resident }: Pick<Run, 'resident'>,
  windowMinutes: number,
): readonly Point[] {
  const least = new Map<number, number>();
  for (const { minute, bytes } of resident) {
    const window = Math.floor(minute / windowMinutes);
    least.set(window, Math.min(bytes, least.get(window) ?? Infinity));
  }
  return [...least].map(([window, value]) => ({ minute: window * windowMinutes, value }));
}

function judged<T extends { readonly minute: number }>(
  minutes: number,
  all: readonly T[],
): readonly T[] {
  return all.filter(({ minute }) => minute >= warmUpMinutes(minutes) && minute < minutes);
}

function points(samples: readonly Sample[], value: (sample: Sample) => number): readonly Point[] {
  return samples.map((sample) => ({ minute: sample.minute, value: value(sample) }));
}

function atMost(what: string, measured: number, limit: number, unit = ''): Bar {
  return { what, measured, limit: Number(limit.toFixed(2)), unit, kind: 'at-most' };
}
