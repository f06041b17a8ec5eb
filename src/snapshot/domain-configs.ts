import { errorCodes, type DomainRef } from '../libvirt/index.ts';
import type { DomainConfig } from '../sources/domain-config.ts';
import { parseDomainXml } from '../sources/domain-xml.ts';
import type { SourceError } from '../sources/reading.ts';
import type { DaemonCalls } from './daemon-calls.ts';

/** Not every change sends an event (metadata, memtune …): each XML is read again after this long. */
const MAX_AGE_MS = 5 * 60_000;
/** Refreshes of still usable XML in one collection, so that they never come all at once. */
const REFRESHES_PER_COLLECTION = 8;

/** libvirt writes XML from memory, once it has the guest's lock. */
const TIMEOUT_MS = 2_000;

interface Kept {
  readonly name: string;
  readonly id: number | undefined;
  readonly config: DomainConfig;
  readonly readAt: number;
}

export interface DomainConfigsResult {
  /** By uuid. */
  readonly configs: ReadonlyMap<string, DomainConfig>;
  /** What could not be fetched or understood this time. */
  readonly errors: readonly SourceError[];
}

/**
 * The parsed XML of every guest. A guest's XML is fetched when the guest is new, was renamed,
 * started or stopped, or an event said it changed; and now and then anyway.
 */
export class DomainConfigs {
  readonly #kept = new Map<string, Kept>();
  readonly #stale = new Set<string>();

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
   * @param deadline in `performance.now()` time.
   */
  async of(
    domains: readonly DomainRef[],
    calls: DaemonCalls,
    deadline: number,
  ): Promise<DomainConfigsResult> {
    const errors: SourceError[] = [];
    const now = performance.now();
    let refreshes = 0;
    const wanted = domains.filter((domain) => {
      const kept = this.#kept.get(domain.uuid);
      if (kept?.name !== domain.name || kept.id !== domain.id) return true;
      if (this.#stale.has(domain.uuid)) return true;
      if (now - kept.readAt < MAX_AGE_MS || refreshes >= REFRESHES_PER_COLLECTION) return false;
      refreshes += 1;
      return true;
    });
    const queue = wanted.values();
    const fetchInTurn = async (): Promise<void> => {
      for (const domain of queue) await this.#fetch(domain, calls, deadline, errors);
    };
    await Promise.all(Array.from({ length: calls.maxCalls }, fetchInTurn));
    return { configs: this.#current(domains), errors };
  }

  async #fetch(
    domain: DomainRef,
    calls: DaemonCalls,
    deadline: number,
    errors: SourceError[],
  ): Promise<void> {
    // Cleared before the call: an event that arrives meanwhile asks for yet another fetch.
    this.#stale.delete(domain.uuid);
    const subject = `XML of ${domain.name}`;
    const answer = await calls.call(
      { key: domain.uuid, timeoutMs: TIMEOUT_MS, deadline, isAlive: () => true },
      (connection, options) => connection.domainGetXmlDesc(domain, 0, options),
    );
    // It ended since it was listed, as guests do.
    if (answer.kind === 'refused' && answer.error.code === errorCodes.noDomain) {
      this.#kept.delete(domain.uuid);
      return;
    }
    if (answer.kind !== 'answered') {
      this.#stale.add(domain.uuid);
      errors.push(
        answer.kind === 'refused'
          ? { kind: 'absent', subject, detail: answer.error.message }
          : { kind: 'timeout', subject, detail: `libvirt did not give it (${answer.kind})` },
      );
      return;
    }
    const config = parseDomainXml(answer.value, subject);
    if (config.ok) {
      const { name, id } = domain;
      const readAt = performance.now();
      // A copy: strings of the parsed one are slices of the XML and would keep all of it.
      this.#kept.set(domain.uuid, { name, id, config: structuredClone(config.value), readAt });
    } else {
      this.#kept.delete(domain.uuid);
      errors.push(config.error);
    }
  }

  /** What is known of these guests; everything about others is forgotten. */
  #current(domains: readonly DomainRef[]): ReadonlyMap<string, DomainConfig> {
    const configs = new Map<string, DomainConfig>();
    const uuids = new Set<string>();
    for (const { uuid, id } of domains) {
      uuids.add(uuid);
      const kept = this.#kept.get(uuid);
      // The XML of another run describes other taps, other vCPUs.
      if (kept !== undefined && kept.id === id) configs.set(uuid, kept.config);
    }
    for (const uuid of this.#kept.keys()) if (!uuids.has(uuid)) this.#kept.delete(uuid);
    for (const uuid of this.#stale) if (!uuids.has(uuid)) this.#stale.delete(uuid);
    return configs;
  }
}
