import { ScrapeMemory } from '../view/scrape-memory.ts';
import { viewInParts, type Build, type View } from '../view/view.ts';
import { assessInParts } from '../overcommit/assess.ts';
import { MomAverages } from '../overcommit/mom/mom-averages.ts';
import type { PolicyStore } from '../config/policy-store.ts';
import { SharedCollection } from '../collect/shared-collection.ts';
import { Deadline } from '../runtime/deadline.ts';
import { inTurns, type Parts } from '../runtime/in-parts.ts';
import type { Snapshot } from '../model/snapshot.ts';
import type { SnapshotSources } from '../collect/snapshot-sources.ts';
import type { FailureLog } from './failure-log.ts';
import { RecentCounters, type Recently } from '../risk/recent-counters.ts';
import type { ScrapeRequest } from './scrape-request.ts';
import { SharedWork } from './shared-work.ts';

/** Turns a request into a view: collects, assesses, and brings both together. */
export class Scraper {
  readonly #collection: SharedCollection;
  readonly #policy: PolicyStore;
  readonly #build: Build;
  readonly #failures: FailureLog;
  readonly #memory = new ScrapeMemory();
  readonly #momAverages = new MomAverages();
  readonly #recentCounters = new RecentCounters();
  readonly #views = new WeakMap<Snapshot, SharedWork<View>>();

  constructor(sources: SnapshotSources, policy: PolicyStore, build: Build, failures: FailureLog) {
    this.#collection = new SharedCollection(sources);
    this.#policy = policy;
    this.#build = build;
    this.#failures = failures;
  }

  /**
   * Never rejects for want of data: see SnapshotSources.
   *
   * @param gone when the client goes; the work for it then stops, but what is being collected is,
   *   since that has a deadline of its own.
   * @throws the reason of `gone`.
   */
  async view({ collectors, timeoutSeconds }: ScrapeRequest, gone: AbortSignal): Promise<View> {
    const deadline = Deadline.in(timeoutSeconds * 1000);
    const snapshot = await this.#collection.collect(collectors, deadline);
    gone.throwIfAborted();
    // Scrapes that shared the collection share what is made of it.
    let view = this.#views.get(snapshot);
    if (view === undefined || view.stopped) {
      view = new SharedWork((stop) => this.#toView(snapshot, stop));
      this.#views.set(snapshot, view);
    }
    return await view.join(gone);
  }

  /** What went on up to a snapshot, as far as earlier scrapes and page views tell. */
  recently(snapshot: Snapshot): Recently {
    return this.#recentCounters.before(snapshot);
  }

  /** In parts, between which it yields to the event loop. */
  async #toView(snapshot: Snapshot, stop: AbortSignal): Promise<View> {
    this.#failures.report(snapshot.outcomes);
    const { policy, lastReadOk, loadedAtSeconds, maintenanceRemainingSeconds } = this.#policy;
    const history = this.#momAverages.add(snapshot);
    // What later pages need is kept even if this one is no longer wanted.
    await inTurns(this.#recentCounters.addInParts(snapshot));
    const assessment = await inTurns(until(stop, assessInParts(snapshot, policy, history)));
    const inForce = { policy, lastReadOk, loadedAtSeconds, maintenanceRemainingSeconds };
    const view = viewInParts(snapshot, assessment, inForce, this.#build, this.#memory);
    return inTurns(until(stop, view));
  }
}

/** The same parts, but no further ones once they are to stop. @throws the reason of `stop`. */
function* until<T>(stop: AbortSignal, parts: Parts<T>): Parts<T> {
  for (;;) {
    stop.throwIfAborted();
    const part = parts.next();
    if (part.done === true) return part.value;
    yield;
  }
}
