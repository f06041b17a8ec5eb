import type { CollectorName } from '../model/collectors.ts';
import type { Snapshot } from '../model/snapshot.ts';
import type { SnapshotSources } from './snapshot-sources.ts';
import type { Deadline } from '../runtime/deadline.ts';

interface InFlight {
  readonly deadline: Deadline;
  readonly snapshot: Promise<Snapshot>;
}

/**
 * Lets scrapes that come at the same time share one collection: two Prometheus servers ask libvirt
 * no more than one does. A scrape joins a collection under way for the same collectors, unless that
 * one may take longer than the scrape can wait.
 */
export class SharedCollection {
  readonly #sources: SnapshotSources;
  readonly #inFlight = new Map<string, InFlight>();

  constructor(sources: SnapshotSources) {
    this.#sources = sources;
  }

  /** As `SnapshotSources.collect`. */
  collect(wanted: ReadonlySet<CollectorName>, deadline: Deadline): Promise<Snapshot> {
    const key = [...wanted].sort().join(' ');
    const current = this.#inFlight.get(key);
    if (current !== undefined && !current.deadline.isAfter(deadline)) return current.snapshot;
    const started: InFlight = {
      deadline,
      snapshot: this.#sources.collect(wanted, deadline).finally(() => {
        if (this.#inFlight.get(key) === started) this.#inFlight.delete(key);
      }),
    };
    this.#inFlight.set(key, started);
    return started.snapshot;
  }
}
