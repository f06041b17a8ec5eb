import { ScrapeMemory } from '../metrics/scrape-memory.ts';
import { viewInParts, type Build, type View } from '../metrics/view.ts';
import { assessInParts } from '../overcommit/assess.ts';
import { MomAverages } from '../overcommit/mom-averages.ts';
import type { PolicyStore } from '../config/policy-store.ts';
import { SharedCollection } from '../snapshot/shared-collection.ts';
import { inTurns } from '../snapshot/in-parts.ts';
import type { Snapshot } from '../snapshot/model.ts';
import type { SnapshotSources } from '../snapshot/snapshot-sources.ts';
import type { FailureLog } from './failure-log.ts';
import { RecentCounters, type Recently } from './page/recent-counters.ts';
import type { ScrapeRequest } from './scrape-request.ts';

/** Turns a request into a view: collects, assesses, and brings both together. */
export class Scraper {
  readonly #collection: SharedCollection;
  readonly #policy: PolicyStore;
  readonly #build: Build;
  readonly #failures: FailureLog;
  readonly #memory = new ScrapeMemory();
  readonly #momAverages = new MomAverages();
  readonly #recentCounters = new RecentCounters();
  readonly #views = new WeakMap<Snapshot, Promise<View>>();

  constructor(sources: SnapshotSources, policy: PolicyStore, build: Build, failures: FailureLog) {
    this.#collection = new SharedCollection(sources);
    this.#policy = policy;
    this.#build = build;
    this.#failures = failures;
  }

  /** Never rejects for want of data: see SnapshotSources. */
  async view({ collectors, timeoutSeconds }: ScrapeRequest): Promise<View> {
    const deadline = performance.now() + timeoutSeconds * 1000;
    const snapshot = await this.#collection.collect(collectors, deadline);
    // Scrapes that shared the collection share what was made of it.
    let view = this.#views.get(snapshot);
    if (view === undefined) {
      view = this.#viewOf(snapshot);
      this.#views.set(snapshot, view);
    }
    return await view;
  }

  /** What went on up to a snapshot, as far as earlier scrapes and page views tell. */
  recently(snapshot: Snapshot): Recently {
    return this.#recentCounters.before(snapshot);
  }

  /** In parts, between which other work gets a turn. */
  async #viewOf(snapshot: Snapshot): Promise<View> {
    this.#failures.report(snapshot.outcomes);
    const { policy, lastReadOk, loadedAtSeconds } = this.#policy;
    const history = this.#momAverages.add(snapshot);
    await inTurns(this.#recentCounters.addInParts(snapshot));
    const assessment = await inTurns(assessInParts(snapshot, policy, history));
    const inForce = { policy, lastReadOk, loadedAtSeconds };
    return inTurns(viewInParts(snapshot, assessment, inForce, this.#build, this.#memory));
  }
}
