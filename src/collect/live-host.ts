import { openLibvirt } from '../libvirt/index.ts';
import { NetworkLinkReader } from '../sources/network/links.ts';
import type { Roots } from '../sources/kernel/roots.ts';
import type { CollectorName } from '../model/collectors.ts';
import { GuestCollector, type CollectedGuests } from '../guests/libvirt/guest-collector.ts';
import { toConfigured, type KnownGuests } from '../guests/libvirt/list-guests.ts';
import { DaemonCalls } from '../guests/libvirt/daemon-calls.ts';
import { HostCollector } from './host-collector.ts';
import { InventoryRefresher } from './inventory-refresher.ts';
import { LibvirtSession } from '../guests/libvirt/libvirt-session.ts';
import type { Libvirt, Snapshot } from '../model/snapshot.ts';
import type { MetadataPath } from '../model/guest-owner.ts';
import { OutcomeLog } from '../model/outcome-log.ts';
import { PoolCollector } from '../guests/libvirt/pool-collector.ts';
import type { SnapshotSources } from './snapshot-sources.ts';
import type { Storage, StoragePool } from '../model/storage.ts';
import { StorageCollector } from './storage-collector.ts';
import type { ConfiguredGuest, Domain } from '../model/domain.ts';
import type { NetworkLinks } from '../model/network.ts';
import type { Deadline } from '../runtime/deadline.ts';

export interface LiveHostOptions {
  readonly roots: Roots;
  readonly libvirtUri: string;
  /** Calls to libvirt under way at once, and of these that may be stuck. */
  readonly maxCalls: number;
  readonly maxStuckCalls: number;
  /** Collectors that are switched on at all; a scrape may ask for fewer. */
  readonly enabled: ReadonlySet<CollectorName>;
  /** What of guests' metadata is shown besides whose guest it is. */
  readonly metadataLabels?: readonly MetadataPath[];
  /** Which guests are reported and counted. */
  readonly selects: (domainName: string) => boolean;
}

/** Part of the time that guests may take, so that a slow one leaves some for the storage. */
const GUESTS_SHARE = 0.75;

/** The hypervisor this exporter runs on. */
export class LiveHost implements SnapshotSources {
  readonly #options: LiveHostOptions;
  /** For its events and its versions; the log of `main` listens here as well. */
  readonly session: LibvirtSession;
  readonly #calls: DaemonCalls;
  readonly #host: HostCollector;
  readonly #guests: GuestCollector;
  readonly #pools: PoolCollector;
  readonly #storage: StorageCollector;
  readonly #links: NetworkLinkReader;
  readonly #inventory: InventoryRefresher;

  constructor(options: LiveHostOptions) {
    const { roots, libvirtUri, enabled, maxCalls, maxStuckCalls } = options;
    this.#options = options;
    this.session = new LibvirtSession(libvirtUri);
    this.#calls = new DaemonCalls({
      open: () => openLibvirt({ uri: libvirtUri }),
      maxCalls,
      maxStuck: maxStuckCalls,
    });
    this.#pools = new PoolCollector(this.#calls);
    this.#host = new HostCollector(roots);
    this.#inventory = new InventoryRefresher(roots);
    this.#links = new NetworkLinkReader(roots);
    this.#guests = new GuestCollector(
      this.session,
      this.#calls,
      roots,
      this.#host.pageBytes,
      options.metadataLabels,
    );
    this.#storage = new StorageCollector(roots, enabled.has('thinpool'));
  }

  start(): void {
    this.session.start();
    this.#storage.start();
    if (this.#options.enabled.has('inventory')) this.#inventory.start();
  }

  async close(): Promise<void> {
    this.#inventory.stop();
    this.#storage.close();
    await Promise.all([this.session.close(), this.#calls.close()]);
  }

  async collect(wanted: ReadonlySet<CollectorName>, deadline: Deadline): Promise<Snapshot> {
    const takenAtSeconds = Date.now() / 1000;
    const log = new OutcomeLog(wanted);
    const guestDeadline = deadline.share(GUESTS_SHARE);
    const links = log.runAsync('network', async () =>
      log.required('network', await this.#links.read()),
    );
    const known = log.wants('domain')
      ? this.#guests.list(log, guestDeadline, this.#options.selects)
      : Promise.resolve(undefined);
    const guests = known.then((one) => one && this.#ask(one, log, guestDeadline, links));
    const pools = log.runAsync('pool', () =>
      this.#pools.collect(this.session.current !== undefined, log, guestDeadline),
    );
    // Files can be read while monitors are waited for.
    const images = this.#images(known, guests, pools, log, deadline);
    const host = await this.#host.collect(log, this.#inventory.current);
    const [collected, knownPools, network, storage] = await Promise.all([
      guests,
      pools,
      links,
      images,
    ]);
    const domains = collected?.domains;
    if (domains === undefined) log.failDependants('domain');
    else if (storage === undefined) log.failDependants('image');
    return {
      takenAtSeconds,
      demo: false,
      host,
      libvirt: this.#libvirt(log, domains),
      domains,
      pools: knownPools,
      storage: domains === undefined ? undefined : storage,
      network,
      outcomes: log.outcomes(),
    };
  }

  #ask(
    known: KnownGuests,
    log: OutcomeLog,
    deadline: Deadline,
    links: Promise<NetworkLinks | undefined>,
  ): Promise<CollectedGuests> {
    const running = known.active.map((ref) => toConfigured(known, ref));
    const storage = this.#storage.check(running, this.#pools.places, deadline);
    return this.#guests.ask(known, log, deadline, links, storage);
  }

  /** Files can be read while monitors are waited for. */
  async #images(
    listed: Promise<KnownGuests | undefined>,
    guests: Promise<CollectedGuests | undefined>,
    pools: Promise<readonly StoragePool[] | undefined>,
    log: OutcomeLog,
    deadline: Deadline,
  ): Promise<Storage | undefined> {
    const known = await listed;
    const configured = known?.selected.map(({ ref }) => toConfigured(known, ref)) ?? [];
    const knownPools = await pools;
    const read = (whose: readonly ConfiguredGuest[]): Promise<Storage | undefined> =>
      log.runAsync('image', () => this.#storage.collect(whose, knownPools, log, deadline));
    const found = await read(configured);
    const changed = (await guests)?.changed;
    if (found === undefined || changed === undefined || changed.size === 0) return found;
    // Rare: images of an XML that is out of date were read, and those written to were not.
    return read(configured.map((guest) => changed.get(guest.uuid) ?? guest));
  }

  #libvirt(log: OutcomeLog, domains: readonly Domain[] | undefined): Libvirt {
    const calls = this.#calls.counters;
    const { current, control, versions, connects } = this.session;
    return {
      // Where guests were asked for, only an answer counts: a hung daemon keeps its connections.
      up: log.wants('domain') ? domains !== undefined : current !== undefined,
      versions,
      calls: {
        outstanding: calls.outstanding + (current?.outstanding ?? 0),
        stuck: this.#calls.stuck,
        timeouts: calls.timeouts + control.timeouts,
        lateReplies: calls.lateReplies + (current?.lateReplies ?? 0),
        connects: calls.connects + connects,
      },
    };
  }
}
