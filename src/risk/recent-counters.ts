import { atOnce, type Parts } from '../runtime/in-parts.ts';
import type { Snapshot } from '../model/snapshot.ts';
import { counterSample, counterSampleInParts, type CounterSample } from './counters.ts';
import { HostHistory, type HistoryLine } from './history.ts';
import { ratesBetween, type Rates } from './rates.ts';

/** No more than one sample is kept of so many seconds. */
const SPACING_SECONDS = 30;
/** Rates look back so far, or half as far again: calm, and still about now. */
const WINDOW_SECONDS = 60;
/** Over less than this a rate says more about the clock than about the host. */
const SHORTEST_SECONDS = 2;
/** The policy's `oom_kills` are counted over ten minutes. */
const OOM_WINDOW_SECONDS = 600;

/** What was measured of the last minutes. */
export interface Recently {
  readonly rates: Rates | undefined;
  /** Processes the host killed for want of memory, as far back as known, ten minutes at most. */
  readonly oomKills: number | undefined;
  /** The last hour, as far as somebody looked. */
  readonly history: readonly HistoryLine[];
}

/**
 * The counters of the last scrapes and page views, so that a page can tell rates at the first look
 * when Prometheus has been there before.
 */
export class RecentCounters {
  #samples: readonly CounterSample[] = [];
  readonly #history = new HostHistory();
  #oomKills: readonly { readonly atSeconds: number; readonly count: number }[] = [];

  /** Keeps what may be needed later. */
  add(snapshot: Snapshot): void {
    atOnce(this.addInParts(snapshot));
  }

  /** As {@link add}. Of two that are added at the same time both may be kept. */
  *addInParts(snapshot: Snapshot): Parts<void> {
    this.#history.add(snapshot);
    const now = snapshot.takenAtSeconds;
    const oldest = now - WINDOW_SECONDS - SPACING_SECONDS;
    // A clock that was set back makes all that is kept worthless.
    if ((this.#samples.at(-1)?.takenAtSeconds ?? now) > now) {
      this.#samples = [];
      this.#oomKills = [];
    }
    const last = this.#samples.at(-1);
    // A scrape of a few collectors must not take the place of a whole one.
    const isCloseBehind =
      last !== undefined &&
      now - last.takenAtSeconds < SPACING_SECONDS &&
      snapshot.outcomes.every(({ collector }) => last.collectors.has(collector));
    if (isCloseBehind) return;
    const sample = yield* counterSampleInParts(snapshot);
    this.#samples = [
      ...this.#samples.filter(({ takenAtSeconds }) => takenAtSeconds >= oldest),
      sample,
    ];
    const count = sample.host.oomKills;
    if (count === undefined) return;
    this.#oomKills = [
      ...this.#oomKills.filter(({ atSeconds }) => atSeconds >= now - OOM_WINDOW_SECONDS),
      { atSeconds: now, count },
    ];
  }

  /** Rates from the oldest fitting sample that is kept to this snapshot. */
  before(snapshot: Snapshot): Recently {
    const newer = counterSample(snapshot);
    const older = this.#samples.find(({ takenAtSeconds, collectors }) => {
      const age = newer.takenAtSeconds - takenAtSeconds;
      return (
        age >= SHORTEST_SECONDS &&
        age <= WINDOW_SECONDS + SPACING_SECONDS &&
        collectors.isSupersetOf(newer.collectors)
      );
    });
    const firstKills = this.#oomKills.find(
      ({ atSeconds }) => newer.takenAtSeconds - atSeconds >= SHORTEST_SECONDS,
    );
    const kills = newer.host.oomKills;
    return {
      rates: older && ratesBetween(older, newer),
      oomKills:
        firstKills === undefined || kills === undefined || kills < firstKills.count
          ? undefined
          : kills - firstKills.count,
      history: this.#history.lines(),
    };
  }
}
