import { errorCodes, isGuestEnded, type DomainRef } from '../../libvirt/index.ts';
import type { DomainConfig } from '../../model/domain-config.ts';
import type { MetadataPath } from '../../model/guest-owner.ts';
import { MetadataPaths, parseDomainXmlInSlices } from '../../sources/domain-xml/domain-xml.ts';
import type { Deadline } from '../../runtime/deadline.ts';
import type { Result, SourceError } from '../../runtime/result.ts';
import type { DaemonCalls } from './daemon-calls.ts';
import { severalAtOnce } from '../../runtime/several-at-once.ts';

/**
 * Not every change sends an event (memtune, vCPU counts …): in this long each XML is read again, so that
 * none is older than 5 minutes also where a collection comes a minute late.
 */
const ROUND_MS = 4 * 60_000;
/** However long nobody has collected: never more than half of all XML at once. */
const MAX_ROUND_SHARE = 0.5;

/** One costs next to nothing, and keeps the few guests of a small host younger than that. */
const SPARE_REFRESH_MS = 1_000;

/** libvirt writes XML from memory, once it has the guest's lock. */
const TIMEOUT_MS = 2_000;

interface Kept {
  readonly name: string;
  readonly id: number | undefined;
  /** A failure is kept as well: it stays one until the XML changes. */
  readonly config: Result<DomainConfig>;
  readonly readAt: number;
}

interface DomainConfigsResult {
  /** By uuid. */
  readonly configs: ReadonlyMap<string, DomainConfig>;
  /** What could not be fetched or understood this time. */
  readonly errors: readonly SourceError[];
  /** UUIDs of guests that libvirt no longer knows: they ended, or were undefined, after being listed. */
  readonly gone: ReadonlySet<string>;
}

/**
 * The parsed XML of every guest. A guest's XML is fetched when the guest is new, was renamed,
 * started or stopped, or an event said it changed; and now and then anyway.
 */
export class DomainConfigs {
  readonly #kept = new Map<string, Kept>();
  readonly #stale = new Set<string>();
  readonly #metadata: MetadataPaths;
  readonly #now: () => number;
  #lastCollection: number | undefined;
  #lastRefresh: number | undefined;
  /** Refreshes that may be made, as they add up with time. */
  #credit = 0;

  /**
   * @param options.metadata what of guests' metadata is read besides whose guest it is.
   * @param options.now milliseconds of a clock that never goes back.
   */
  constructor({
    metadata = [],
    now = () => performance.now(),
  }: { readonly metadata?: readonly MetadataPath[]; readonly now?: () => number } = {}) {
    this.#metadata = new MetadataPaths(metadata);
    this.#now = now;
  }

  /** An event about this guest: fetch its XML again at the next collection. */
  invalidate(uuid: string): void {
    this.#stale.add(uuid);
  }

  /** Events may have been missed: fetch everything again. */
  invalidateAll(): void {
    for (const uuid of this.#kept.keys()) this.#stale.add(uuid);
  }

  /**
   * The configurations of these guests, fetched where needed. Guests whose XML does not arrive in
   * time keep the one they had; new ones are absent. Never rejects.
   *
   */
  async of(
    domains: readonly DomainRef[],
    calls: DaemonCalls,
    deadline: Deadline,
  ): Promise<DomainConfigsResult> {
    const errors: SourceError[] = [];
    const gone = new Set<string>();
    const wanted: DomainRef[] = [];
    const usable: { readonly domain: DomainRef; readonly readAt: number }[] = [];
    for (const domain of domains) {
      const kept = this.#kept.get(domain.uuid);
      const isUsable =
        kept?.name === domain.name && kept.id === domain.id && !this.#stale.has(domain.uuid);
      if (isUsable) usable.push({ domain, readAt: kept.readAt });
      else wanted.push(domain);
    }
    const oldest = usable.sort((a, b) => a.readAt - b.readAt).slice(0, this.#refreshes(domains));
    const queue = [...wanted, ...oldest.map(({ domain }) => domain)];
    await severalAtOnce(calls.maxCalls, queue, (domain) =>
      this.#fetch(domain, calls, deadline, errors, gone),
    );
    const left = gone.size === 0 ? domains : domains.filter(({ uuid }) => !gone.has(uuid));
    return { configs: this.#current(left, errors), errors, gone };
  }

  /**
   * Reads the XML of these guests again now, because it was seen to be out of date; of those that do
   * not arrive in time there is none. Never rejects.
   *
   */
  async again(
    domains: readonly DomainRef[],
    calls: DaemonCalls,
    deadline: Deadline,
  ): Promise<DomainConfigsResult> {
    const errors: SourceError[] = [];
    const gone = new Set<string>();
    const configs = new Map<string, DomainConfig>();
    await severalAtOnce(calls.maxCalls, domains, async (domain) => {
      const before = this.#kept.get(domain.uuid);
      await this.#fetch(domain, calls, deadline, errors, gone);
      const kept = this.#kept.get(domain.uuid);
      if (kept === undefined || kept === before) return;
      const config = this.#usable(kept, domain.name, errors);
      if (config !== undefined) configs.set(domain.uuid, config);
    });
    return { configs, errors, gone };
  }

  /** How many XMLs that are still usable are read again now: as many as keep the round, and one a second at least. */
  #refreshes({ length }: readonly DomainRef[]): number {
    const now = this.#now();
    const share = (now - (this.#lastCollection ?? now)) / ROUND_MS;
    this.#lastCollection = now;
    this.#credit += length * Math.min(share, MAX_ROUND_SHARE);
    // Credit of guests that are gone is none.
    const due = Math.min(Math.floor(this.#credit), length);
    this.#credit = Math.min(this.#credit - due, 1);
    if (due === 0 && now - (this.#lastRefresh ?? now) < SPARE_REFRESH_MS) {
      this.#lastRefresh ??= now;
      return 0;
    }
    this.#lastRefresh = now;
    return Math.max(due, 1);
  }

  async #fetch(
    domain: DomainRef,
    calls: DaemonCalls,
    deadline: Deadline,
    errors: SourceError[],
    gone: Set<string>,
  ): Promise<void> {
    // Cleared before the call: an event that arrives meanwhile asks for yet another fetch.
    this.#stale.delete(domain.uuid);
    const subject = `XML of ${domain.name}`;
    const answer = await calls.call(
      { key: domain.uuid, timeoutMs: TIMEOUT_MS, deadline, isAlive: () => true },
      (connection, options) => connection.domainGetXmlDesc(domain, 0, options),
    );
    if (!answer.ok) {
      const { error } = answer;
      const isEnded = error.kind === 'refused' && isGuestEnded(error.cause);
      if (isEnded && error.cause.code === errorCodes.noDomain) gone.add(domain.uuid);
      else this.#stale.add(domain.uuid);
      if (isEnded) return;
      errors.push(
        error.kind === 'refused'
          ? { kind: 'absent', subject, detail: error.cause.message }
          : { kind: 'timeout', subject, detail: `libvirt did not give it (${error.kind})` },
      );
      return;
    }
    const config = await parseDomainXmlInSlices(answer.value, subject, deadline, this.#metadata);
    if (!config.ok && config.error.kind === 'timeout') {
      this.#stale.add(domain.uuid);
      errors.push(config.error);
      return;
    }
    const { name, id } = domain;
    const readAt = this.#now();
    // A copy: strings of the parsed one are slices of the XML and would keep all of it.
    this.#kept.set(domain.uuid, { name, id, config: structuredClone(config), readAt });
  }

  /**
   * What is known of these guests, and what is wrong with it; everything about others is
   * dropped.
   */
  #current(
    domains: readonly DomainRef[],
    errors: SourceError[],
  ): ReadonlyMap<string, DomainConfig> {
    const configs = new Map<string, DomainConfig>();
    const uuids = new Set<string>();
    for (const { uuid, id, name } of domains) {
      uuids.add(uuid);
      const kept = this.#kept.get(uuid);
      // The XML of another run describes other taps, other vCPUs.
      if (kept === undefined || kept.id !== id) continue;
      const config = this.#usable(kept, name, errors);
      if (config !== undefined) configs.set(uuid, config);
    }
    for (const uuid of this.#kept.keys()) if (!uuids.has(uuid)) this.#kept.delete(uuid);
    for (const uuid of this.#stale) if (!uuids.has(uuid)) this.#stale.delete(uuid);
    return configs;
  }

  /** Says what is wrong with an XML, as often as it is used. */
  #usable({ config }: Kept, name: string, errors: SourceError[]): DomainConfig | undefined {
    if (!config.ok) {
      errors.push(config.error);
      return undefined;
    }
    const detail = config.value.faults.join('; ');
    if (detail !== '') errors.push({ kind: 'malformed', subject: `XML of ${name}`, detail });
    return config.value;
  }
}
