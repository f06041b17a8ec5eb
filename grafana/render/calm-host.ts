import type { SnapshotSources } from '../../src/collect/snapshot-sources.ts';
import { DemoHost, type DemoHostOptions } from '../../src/demo/demo-host.ts';
import type { CollectorName } from '../../src/model/collectors.ts';
import type { Filesystem } from '../../src/model/filesystem.ts';
import type { Snapshot } from '../../src/model/snapshot.ts';
import { found } from '../../src/runtime/result.ts';

/** Three of the demo's 32 guests: 3 vCPUs, 3 GiB and 300 GiB on 4 cores, 16 GiB and 1 TB. */
const GUESTS: ReadonlySet<string> = new Set(['web-01', 'app-01', 'mail-01']);
/** What three images of one tenth each leave of the filesystem. */
const FREE = 0.9;
/** The demo's calm phase lasts ten minutes; time goes so slowly here that it never ends. */
const PACE = 1 / 60;

/**
 * The demo host with so few guests that nothing is over-committed: what dashboards look like when
 * all is well, and when whole kinds of things are not there.
 */
export class CalmHost implements SnapshotSources {
  readonly #host: DemoHost;
  readonly #now: () => number;

  constructor({ startedAtSeconds = 0, elapsedSeconds = () => 0 }: DemoHostOptions) {
    this.#now = () => startedAtSeconds + elapsedSeconds();
    this.#host = new DemoHost({
      startedAtSeconds,
      elapsedSeconds: () => elapsedSeconds() * PACE,
    });
  }

  start(): void {
    this.#host.start();
  }

  close(): Promise<void> {
    return this.#host.close();
  }

  async collect(wanted: ReadonlySet<CollectorName>): Promise<Snapshot> {
    const snapshot = await this.#host.collect(wanted);
    return {
      ...snapshot,
      takenAtSeconds: this.#now(),
      domains: snapshot.domains?.filter(({ name }) => GUESTS.has(name)),
      storage: snapshot.storage && {
        ...snapshot.storage,
        disks: snapshot.storage.disks.filter(({ domainName }) => GUESTS.has(domainName)),
        filesystems: snapshot.storage.filesystems.map(emptied),
      },
    };
  }
}

/** Without the images of the guests that are not there. */
function emptied(filesystem: Filesystem): Filesystem {
  const { space } = filesystem;
  if (!space.ok) return filesystem;
  const free = Math.round(FREE * space.value.sizeBytes);
  return { ...filesystem, space: found({ ...space.value, freeBytes: free, availableBytes: free }) };
}
