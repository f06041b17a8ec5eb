import { openLibvirt } from '../libvirt/index.ts';
import { NetworkLinkReader } from '../sources/network/links.ts';
import type { Roots } from '../sources/kernel/roots.ts';
import type { CollectorName } from '../model/collectors.ts';
import { guestsOf, LocalGuestCollector, type LocalGuests } from '../guests/local-guests.ts';
import { LibvirtTraces } from '../guests/libvirt/traces.ts';
import { mergeGuests } from '../guests/merge.ts';
import { ProxmoxSource } from '../guests/proxmox/proxmox-source.ts';
import { ANY_SOURCE, type SourceChoice } from '../guests/source.ts';
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
import type { GuestSources, GuestSourceState } from '../model/guest-source.ts';
import type { NetworkLinks } from '../model/network.ts';
import type { Deadline } from '../runtime/deadline.ts';
import { TimeSlice } from '../runtime/time-slice.ts';

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
  /** Where guests are looked for; wherever there may be some by default. */
  readonly guestSources?: SourceChoice;
}

/** Part of the time that guests may take, so that a slow one leaves some for the storage. */
const GUESTS_SHARE = 0.75;

const NO_LOCAL_GUESTS: LocalGuests = {
  sources: new Map(),
  userQemus: undefined,
  hasLibvirtScope: false,
  pvestatdAtSeconds: undefined,
};

/** The hypervisor this exporter runs on. */
export class LiveHost implements SnapshotSources {
  readonly #options: LiveHostOptions;
  /** For its events and its versions; the log of `main` listens here as well. */
  readonly session: LibvirtSession;
  readonly #calls: DaemonCalls;
  readonly #host: HostCollector;
  readonly #guests: GuestCollector;
  readonly #choice: SourceChoice;
  readonly #local: LocalGuestCollector;
  readonly #libvirtTraces: LibvirtTraces;
  #sawLibvirt = false;
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
    this.#pools = new PoolCollector(this.#calls, this.#storage.askPath);
    this.#choice = options.guestSources ?? ANY_SOURCE;
    const { files } = this.#storage;
    const { pageBytes } = this.#host;
    const proxmox = new ProxmoxSource(roots, files, pageBytes, this.#choice);
    this.#local = new LocalGuestCollector(this.#choice, roots, pageBytes, files, proxmox);
    this.#libvirtTraces = new LibvirtTraces(roots, files);
  }

  start(): void {
    if (this.#choice.used.has('libvirt')) this.session.start();
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
    // What begins here would else all begin in one turn of the event loop, with its largest files.
    const slice = new TimeSlice();
    const links = log.runAsync('network', async () =>
      log.required('network', await this.#links.read()),
    );
    await slice.nextTurn();
    const { selects } = this.#options;
    const hasLibvirt = await this.#expectsLibvirt(guestDeadline);
    const known =
      log.wants('domain') && hasLibvirt
        ? this.#guests.list(log, guestDeadline, selects)
        : Promise.resolve(undefined);
    const guests = known.then((one) => one && this.#ask(one, log, guestDeadline, links));
    await slice.nextTurn();
    const local = log.wants('domain')
      ? this.#local.collect(
          log,
          guestDeadline,
          selects,
          links,
          this.#choice.used.has('libvirt') ? { configured: known.then(configuredIn) } : undefined,
        )
      : undefined;
    const pools = hasLibvirt
      ? log.runAsync('pool', () =>
          this.#pools.collect(this.session.current !== undefined, log, guestDeadline),
        )
      : Promise.resolve(undefined);
    // Files can be read while monitors are waited for.
    const images = this.#images(known, guests, local?.configured, pools, log, deadline);
    await slice.nextTurn();
    const host = await this.#host.collect(log, this.#inventory.current);
    const [collected, others, knownPools, network, storage] = await Promise.all([
      guests,
      local?.told ?? NO_LOCAL_GUESTS,
      pools,
      links,
      images,
    ]);
    const ofLibvirt = collected?.domains;
    const guestSources = local && this.#toSources(hasLibvirt, ofLibvirt, others);
    const domains = mergeTold(guestSources, ofLibvirt, others);
    if (domains === undefined) log.failDependants('domain');
    else if (storage === undefined) log.failDependants('image');
    return {
      takenAtSeconds,
      demo: false,
      host,
      libvirt: this.#libvirt(log, ofLibvirt),
      guestSources,
      domains,
      pools: knownPools,
      storage: domains === undefined ? undefined : storage && withThinPools(storage, others),
      network,
      outcomes: log.outcomes(),
    };
  }

  /** Whether libvirt is to be asked, and missed where it does not answer. */
  async #expectsLibvirt(deadline: Deadline): Promise<boolean> {
    const { used, named } = this.#choice;
    if (!used.has('libvirt')) return false;
    this.#sawLibvirt ||= this.session.connects > 0 || named.has('libvirt');
    return this.#sawLibvirt || (await this.#libvirtTraces.areThere(deadline));
  }

  #toSources(
    hasLibvirt: boolean,
    ofLibvirt: readonly Domain[] | undefined,
    { sources, userQemus, hasLibvirtScope, pvestatdAtSeconds }: LocalGuests,
  ): GuestSources {
    this.#sawLibvirt ||= hasLibvirtScope && this.#choice.used.has('libvirt');
    const states = [...sources].map(([name, { up, guests }]): GuestSourceState => ({
      name,
      up,
      guests: up ? guests.length : undefined,
    }));
    const libvirt: GuestSourceState = {
      name: 'libvirt',
      up: ofLibvirt !== undefined,
      guests: ofLibvirt?.length,
    };
    return {
      states: hasLibvirt || this.#sawLibvirt ? [libvirt, ...states] : states,
      userQemus,
      pvestatdAtSeconds,
    };
  }

  async #ask(
    known: KnownGuests,
    log: OutcomeLog,
    deadline: Deadline,
    links: Promise<NetworkLinks | undefined>,
  ): Promise<CollectedGuests> {
    const running = known.active.map((ref) => toConfigured(known, ref));
    const storage = await this.#storage.check(running, this.#pools.places, deadline);
    return this.#guests.ask(known, log, deadline, links, storage);
  }

  /** Files can be read while monitors are waited for. */
  async #images(
    listed: Promise<KnownGuests | undefined>,
    guests: Promise<CollectedGuests | undefined>,
    local: Promise<readonly ConfiguredGuest[]> | undefined,
    pools: Promise<readonly StoragePool[] | undefined>,
    log: OutcomeLog,
    deadline: Deadline,
  ): Promise<Storage | undefined> {
    const configured = [...(configuredIn(await listed) ?? []), ...((await local) ?? [])];
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

/** Where LVM is not asked, those that the manager of guests has measured. */
function withThinPools(storage: Storage, { sources }: LocalGuests): Storage {
  const told = sources.get('proxmox');
  const pools = told?.thinPools ?? [];
  const readAtSeconds = told?.writtenAtSeconds;
  if (storage.thin !== undefined || pools.length === 0 || readAtSeconds === undefined)
    return storage;
  const unwatched = storage.unwatchedThinPools;
  return {
    ...storage,
    thin: { storage: { pools, volumes: undefined }, readAtSeconds },
    unwatchedThinPools: unwatched && Math.max(0, unwatched - pools.length),
  };
}

/** Undefined where nobody told of guests, or where libvirt should have and nobody else has any. */
function mergeTold(
  sources: GuestSources | undefined,
  ofLibvirt: readonly Domain[] | undefined,
  others: LocalGuests,
): readonly Domain[] | undefined {
  const merged = mergeGuests([ofLibvirt ?? [], ...guestsOf(others)]);
  const someoneAnswered = sources?.states.some(({ up }) => up) === true;
  const isLibvirtMissing = sources?.states.some(({ name, up }) => name === 'libvirt' && !up);
  if (!someoneAnswered || (isLibvirtMissing === true && merged.length === 0)) return undefined;
  return merged;
}

function configuredIn(known: KnownGuests | undefined): readonly ConfiguredGuest[] | undefined {
  return known?.selected.map(({ ref }) => toConfigured(known, ref));
}
