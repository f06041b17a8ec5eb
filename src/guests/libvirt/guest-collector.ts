import type { Domain, ConfiguredGuest } from '../../model/domain.ts';
import type { MetadataPath } from '../../model/guest-owner.ts';
import type { NetworkLinks } from '../../model/network.ts';
import type { OutcomeLog } from '../../model/outcome-log.ts';
import type { Deadline } from '../../runtime/deadline.ts';
import type { Roots } from '../../sources/kernel/roots.ts';
import { GuestProcessCollector } from '../process/guest-process-collector.ts';
import { GuestAsker } from './ask-guests.ts';
import { assembleGuests } from './assemble-guests.ts';
import { BalloonCache } from './balloon-cache.ts';
import type { DaemonCalls } from './daemon-calls.ts';
import { DomainConfigs } from './domain-configs.ts';
import type { LibvirtSession } from './libvirt-session.ts';
import { GuestLister, type KnownGuests } from './list-guests.ts';
import { OccupiedGuests } from './occupied-guests.ts';
import type { StorageCheck } from './storage-check.ts';

/** Changes told of between two collections, after which all guests are taken to have changed. */
const MAX_CHANGES = 10_000;

export interface CollectedGuests {
  readonly domains: readonly Domain[];
  /**
   * Guests whose XML turned out to be out of date, by uuid, with what it is now. Whatever was made of the
   * one that `list` gave is not true.
   */
  readonly changed: ReadonlyMap<string, ConfiguredGuest>;
}

/**
 * Collects the guests in two steps, between which images can begin to be read: `list` needs nothing that
 * one guest could hold up, `ask` waits for each of them.
 */
export class GuestCollector {
  readonly #lister: GuestLister;
  readonly #asker: GuestAsker;
  readonly #configs: DomainConfigs;
  readonly #balloons = new BalloonCache();
  readonly #processes: GuestProcessCollector;
  /** Told of since the last collection began. */
  #changes = 0;

  constructor(
    session: LibvirtSession,
    calls: DaemonCalls,
    roots: Roots,
    pageBytes: number,
    metadata: readonly MetadataPath[] = [],
  ) {
    const occupied = new OccupiedGuests(session.control, calls);
    this.#configs = new DomainConfigs({ metadata });
    this.#processes = new GuestProcessCollector(roots, pageBytes);
    this.#lister = new GuestLister(session, calls, occupied, this.#configs, roots);
    this.#asker = new GuestAsker(
      session,
      calls,
      occupied,
      this.#configs,
      this.#balloons,
      this.#processes,
      roots,
    );
    session.on('changed', (uuid) => {
      this.#changes += 1;
      if (this.#changes === MAX_CHANGES) this.#invalidateAll();
      if (this.#changes >= MAX_CHANGES) return;
      this.#configs.invalidate(uuid);
      this.#balloons.invalidate(uuid);
      this.#processes.invalidate(uuid);
    });
    session.on('connected', () => {
      this.#lister.forget();
      occupied.connected();
      this.#invalidateAll();
    });
  }

  #invalidateAll(): void {
    this.#configs.invalidateAll();
    this.#balloons.invalidateAll();
    this.#processes.invalidateAll();
  }

  /** The guests `selects` lets through; undefined when libvirt could not be asked. */
  async list(
    log: OutcomeLog,
    deadline: Deadline,
    selects: (name: string) => boolean,
  ): Promise<KnownGuests | undefined> {
    // Of those past the limit it is not known which guests they were.
    if (this.#changes > MAX_CHANGES) this.#invalidateAll();
    this.#changes = 0;
    return this.#lister.list(log, deadline, selects, this.#asker.locked);
  }

  /**
   * What those guests say.
   *
   * @param network the host's interfaces, for the counters of NICs; undefined where not collected.
   * @param storage whether what the guests' disks depend on answers; undefined where that is not known.
   */
  async ask(
    known: KnownGuests,
    log: OutcomeLog,
    deadline: Deadline,
    network: Promise<NetworkLinks | undefined>,
    storage: StorageCheck | undefined,
  ): Promise<CollectedGuests> {
    const learnt = await this.#asker.ask(known, log, deadline, network, storage);
    const domains = await assembleGuests(known, learnt, this.#balloons, log);
    this.#balloons.retain(new Set(known.selected.map(({ ref }) => ref.uuid)));
    return { domains, changed: learnt.changed };
  }
}
