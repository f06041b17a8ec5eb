import type { CollectorName } from '../model/collectors.ts';
import type { Snapshot } from '../model/snapshot.ts';
import type { Deadline } from '../runtime/deadline.ts';

/** What fills a snapshot: the real host, or the simulated one of `--demo`. */
export interface SnapshotSources {
  /** Starts what works in the background: connections, refreshers. */
  start(): void;
  /** Stops it and lets go of everything. */
  close(): Promise<void>;
  /**
   * Collects what is wanted. Never rejects: what fails or does not arrive in time is absent, and
   * the outcomes say so.
   *
   * @param deadline moment by which the snapshot must be there.
   */
  collect(wanted: ReadonlySet<CollectorName>, deadline: Deadline): Promise<Snapshot>;
}
