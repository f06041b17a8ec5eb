import { describe, expect, it } from 'vitest';

import { Deadline } from '../../../src/runtime/deadline.ts';
import type { CollectorName } from '../../../src/model/collectors.ts';
import type { Snapshot } from '../../../src/model/snapshot.ts';
import { SharedCollection } from '../../../src/collect/shared-collection.ts';
import type { SnapshotSources } from '../../../src/collect/snapshot-sources.ts';
import { unknownSnapshot } from '../../support/metrics/example-snapshot.ts';

/** Sources that finish when told to. */
class SlowHost implements SnapshotSources {
  readonly started: { readonly wanted: ReadonlySet<CollectorName>; readonly end: () => void }[] =
    [];

  start(): void {
    // Nothing works in the background.
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  collect(wanted: ReadonlySet<CollectorName>): Promise<Snapshot> {
    const { promise, resolve } = Promise.withResolvers<Snapshot>();
    const takenAtSeconds = this.started.length;
    this.started.push({
      wanted,
      end: () => {
        resolve(unknownSnapshot({ takenAtSeconds }));
      },
    });
    return promise;
  }
}

const all = new Set<CollectorName>(['cpu', 'memory']);

describe('scrapes at the same time', () => {
  it('share one collection', async () => {
    const host = new SlowHost();
    const shared = new SharedCollection(host);
    const first = shared.collect(all, Deadline.in(1000));
    const second = shared.collect(new Set<CollectorName>(['memory', 'cpu']), Deadline.in(1000));
    expect(host.started).toHaveLength(1);
    host.started[0]?.end();
    expect(await second).toBe(await first);
  });

  it('do not share when they want different collectors', () => {
    const host = new SlowHost();
    const shared = new SharedCollection(host);
    void shared.collect(all, Deadline.in(1000));
    void shared.collect(new Set<CollectorName>(['cpu']), Deadline.in(1000));
    expect(host.started).toHaveLength(2);
  });

  it('do not share a collection that may take longer than they can wait', () => {
    const host = new SlowHost();
    const shared = new SharedCollection(host);
    void shared.collect(all, Deadline.in(1000));
    void shared.collect(all, Deadline.in(900));
    expect(host.started).toHaveLength(2);
  });

  it('begin anew once the collection is over', async () => {
    const host = new SlowHost();
    const shared = new SharedCollection(host);
    const first = shared.collect(all, Deadline.in(1000));
    host.started[0]?.end();
    await first;
    void shared.collect(all, Deadline.in(1000));
    expect(host.started).toHaveLength(2);
  });
});
