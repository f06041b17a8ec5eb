import { describe, expect, it } from 'vitest';

import { judge, type Run } from '../../soak/judge.ts';
import type { Sample, ScrapeResult } from '../../soak/observe.ts';

const GUESTS_PER_MINUTE = 600;

/** A run that keeps its size, with the scatter of a real one, and what somebody leaks. */
function run(
  minutes: number,
  leak: {
    readonly heapBytesPerGuest?: number;
    readonly objectsPerGuest?: number;
    readonly filesPerRestart?: number;
    readonly timersPerRestart?: number;
    readonly residentBytesPerMinute?: number;
    readonly scrape?: Partial<ScrapeResult>;
    readonly pageErrors?: readonly string[];
  } = {},
): Run {
  const every = (seconds: number): readonly number[] =>
    Array.from({ length: (minutes * 60) / seconds }, (_, i) => (i * seconds) / 60);
  const samples = every(minutes < 20 ? 3 : 20).map((minute, i): Sample => {
    const guests = minute * GUESTS_PER_MINUTE;
    const restarts = Math.floor(minute);
    return {
      minute,
      seenShare: leak.scrape?.seenShare ?? 0.95,
      heapBytes: 23e6 + ((i * 7) % 11) * 1e5 + guests * (leak.heapBytesPerGuest ?? 0),
      externalBytes: 4.9e6,
      objects: 41_000 + ((i * 5) % 7) * 100 + guests * (leak.objectsPerGuest ?? 0),
      timers: 5 + (i % 2) + restarts * (leak.timersPerRestart ?? 0),
      handles: 5,
      files: 51 - (i % 3) + restarts * (leak.filesPerRestart ?? 0),
      processes: 2,
      processBytes: 12.7e6,
    };
  });
  const scrapes = every(1.5).map((minute): ScrapeResult => ({
    minute,
    seconds: 0.5,
    error: undefined,
    series: 10_700,
    duplicates: [],
    up: true,
    seenShare: 0.95,
    failed: [],
    longGone: [],
    ...leak.scrape,
  }));
  return {
    minutes,
    guestsCame: minutes * GUESTS_PER_MINUTE,
    restarts: minutes,
    log: '',
    samples,
    scrapes,
    pageErrors: leak.pageErrors ?? [],
    resident: every(1).map((minute, i) => ({
      minute,
      bytes: 105e6 + ((i * 3) % 20) * 1e6 + minute * (leak.residentBytesPerMinute ?? 0),
    })),
  };
}

function missed(result: Run): readonly string[] {
  return judge(result)
    .filter(({ kind, measured, limit }) =>
      kind === 'at-most' ? !(measured <= limit) : !(measured >= limit),
    )
    .map(({ what }) => what);
}

describe('a soak run', () => {
  it.each([1, 30])('of %d minutes in which nothing grows passes', (minutes) => {
    expect(missed(run(minutes))).toEqual([]);
  });

  it.each<[string, Parameters<typeof run>[1], string]>([
    ['a Map entry per guest', { heapBytesPerGuest: 80 }, 'rise of the heap in use'],
    ['an object per second guest', { objectsPerGuest: 0.5 }, 'rise of objects'],
    ['a file per restart', { filesPerRestart: 1 }, 'rise of open files'],
    ['a timer per restart', { timersPerRestart: 1 }, 'rise of timers'],
    [
      'a MB a minute that V8 does not know of',
      { residentBytesPerMinute: 1e6 },
      'rise of the least RSS of each 5 minutes',
    ],
  ])('that leaks %s fails', (_, leak, bar) => {
    expect(missed(run(30, leak))).toEqual([bar]);
  });

  it('that leaks is found out though fewer and fewer guests were seen', () => {
    const leaky = run(30, { heapBytesPerGuest: 80 });
    const samples = leaky.samples.map((sample, i) =>
      i % 3 === 0 && sample.minute > 15
        ? { ...sample, seenShare: 0, heapBytes: sample.heapBytes - 4e6 }
        : sample,
    );
    expect(missed({ ...leaky, samples })).toEqual(['rise of the heap in use']);
  });

  it('of a minute that leaks a file per guest fails', () => {
    expect(missed(run(1, { filesPerRestart: 0 }))).toEqual([]);
    const leaky = run(1);
    const samples = leaky.samples.map((sample) => ({
      ...sample,
      files: sample.files + sample.minute * GUESTS_PER_MINUTE,
    }));
    expect(missed({ ...leaky, samples })).toEqual(['rise of open files']);
  });

  it.each<[string, Parameters<typeof run>[1], readonly string[]]>([
    ['an error', { scrape: { error: 'status 503' } }, ['scrapes not answered with 200']],
    ['a late answer', { scrape: { seconds: 6 } }, ['slowest scrape']],
    [
      'a duplicate series',
      { scrape: { duplicates: ['kvm_libvirt_up{}'] } },
      ['scrapes with a duplicate series'],
    ],
    [
      'a guest long gone',
      { scrape: { longGone: ['guest-1'] } },
      ['scrapes with a guest long gone'],
    ],
    [
      'a failed collector',
      { scrape: { failed: ['pool'] } },
      ['scrapes with a failed collector, daemon settled'],
    ],
    [
      'few of the guests',
      { scrape: { seenShare: 0.5 } },
      [
        'share of the running guests seen, median of the scrapes',
        'share of the looks after the warm-up that followed a scrape with nearly all guests',
      ],
    ],
    ['no page', { pageErrors: ['1 min: status 500'] }, ['pages not answered with 200']],
  ])('that gets %s fails', (_, leak, bars) => {
    expect(missed(run(1, leak))).toEqual(bars);
  });
});
