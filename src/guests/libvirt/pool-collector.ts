import {
  errorCodes,
  type CallOptions,
  type LibvirtConnection,
  type NamedObject,
  type StoragePoolInfo,
} from '../../libvirt/index.ts';
import type { Deadline } from '../../runtime/deadline.ts';
import { toValue, type Result } from '../../runtime/result.ts';
import { parseStoragePoolXmlInSlices } from '../../sources/domain-xml/storage-pool-xml.ts';
import { Backoff } from '../../runtime/backoff.ts';
import type { CallFailure, DaemonCalls } from './daemon-calls.ts';
import type { OutcomeLog } from '../../model/outcome-log.ts';
import type {
  PoolPlace,
  PoolReading,
  StoragePool,
  StoragePoolDescription,
} from '../../model/storage.ts';

/** virStoragePoolState. */
const POOL_STATES = ['inactive', 'building', 'running', 'degraded', 'inaccessible'] as const;

/** A pool's definition hardly ever changes, and nothing tells when it does. */
const DESCRIPTION_MAX_AGE_MS = 10 * 60_000;

/** The daemon answers from memory, once it has the pool's lock. */
const TIMEOUT_MS = 1_000;

const FIRST_BACKOFF_MS = 15_000;
const LONGEST_BACKOFF_MS = 10 * 60_000;

const LIST = 'list of storage pools';

/**
 * Whether what a path lies on answers now: `unknown` where the path does not tell, as one of a device node,
 * which lies in memory.
 */
export type AskPath = (
  path: string,
  deadline: Deadline,
) => Promise<'answers' | 'silent' | 'unknown'>;

interface Known {
  readonly pool: NamedObject;
  /** A failure is kept as well: it stays one until the XML changes. Undefined before the first look. */
  readonly description: Result<StoragePoolDescription> | undefined;
  readonly describedAt: number;
}

interface PoolRequest {
  readonly uuid: string;
  readonly deadline: Deadline;
  /** What the pool lies on has just answered. */
  readonly isAlive: boolean;
}

/**
 * libvirt's storage pools. Sizes are those of the pool's last refresh: refreshing is a write operation
 * and can hang on a dead NFS server, so it is left to whoever manages the pools.
 *
 * The daemon holds a pool's lock as long as somebody's refresh lasts, and every question about the pool,
 * the list of pools included, waits for that lock and keeps a worker meanwhile. So the pools that are
 * known are asked one by one, one call to each at most, and the list only when all of them answer. Where the
 * lock was taken between the two, the list is what waits, and does not tell for which pool: until it is
 * answered, a pool is asked only if what it lies on is not known to be silent.
 */
export class PoolCollector {
  readonly #calls: DaemonCalls;
  readonly #askPath: AskPath;
  readonly #known = new Map<string, Known>();
  readonly #backoff = new Backoff(0, FIRST_BACKOFF_MS, LONGEST_BACKOFF_MS);

  constructor(calls: DaemonCalls, askPath: AskPath) {
    this.#calls = calls;
    this.#askPath = askPath;
  }

  /** The pools as of the last collection. */
  get places(): readonly PoolPlace[] {
    return [...this.#known.values()].map(({ pool, description }) => ({
      name: pool.name,
      description: description === undefined ? undefined : toValue(description),
    }));
  }

  /** Undefined when libvirt could not be asked. Never rejects. */
  async collect(
    isConnected: boolean,
    log: OutcomeLog,
    deadline: Deadline,
  ): Promise<readonly StoragePool[] | undefined> {
    if (!isConnected) {
      log.fail('pool', { kind: 'absent', subject: 'libvirt', detail: 'not connected' });
      return undefined;
    }
    const readings = new Map<string, PoolReading>();
    for (const { pool } of [...this.#known.values()]) {
      const reading = await this.#read(pool, log, deadline);
      if (reading !== undefined) readings.set(pool.uuid, reading);
    }
    if (readings.size === this.#known.size && !this.#owesAny()) {
      const added = await this.#list(log, deadline);
      // On the first look there is nothing else to tell of.
      if (added === undefined && this.#known.size === 0) return undefined;
      for (const pool of added ?? []) {
        const reading = await this.#read(pool, log, deadline);
        if (reading !== undefined) readings.set(pool.uuid, reading);
      }
    }
    return [...this.#known.values()].map(({ pool: { name, uuid }, description }) => ({
      name,
      uuid,
      description: description === undefined ? undefined : toValue(description),
      reading: readings.get(uuid),
    }));
  }

  /** Whether a pool that told its sizes owes its description. */
  #owesAny(): boolean {
    return [...this.#known.keys()].some((uuid) => this.#calls.owes(uuid));
  }

  /** Pools that were not known; those that are gone are dropped. */
  async #list(log: OutcomeLog, deadline: Deadline): Promise<readonly NamedObject[] | undefined> {
    const request = { key: LIST, timeoutMs: TIMEOUT_MS, deadline };
    const answer = await this.#calls.call(request, (connection, options) =>
      connection.listAllStoragePools(0, options),
    );
    if (!answer.ok) {
      fail(log, 'storage pools', answer.error);
      return undefined;
    }
    const uuids = new Set(answer.value.map(({ uuid }) => uuid));
    for (const uuid of this.#known.keys()) if (!uuids.has(uuid)) this.#known.delete(uuid);
    this.#backoff.retain((key) => uuids.has(key));
    const added = answer.value.filter(({ uuid }) => !this.#known.has(uuid));
    for (const pool of added) {
      this.#known.set(pool.uuid, { pool, description: undefined, describedAt: -Infinity });
    }
    return added;
  }

  async #read(
    pool: NamedObject,
    log: OutcomeLog,
    deadline: Deadline,
  ): Promise<PoolReading | undefined> {
    const { name, uuid } = pool;
    if (this.#backoff.isLeftAlone(uuid)) {
      const detail = 'did not answer, and is asked again later';
      log.fail('pool', { kind: 'timeout', subject: `pool ${name}`, detail });
      return undefined;
    }
    const place = this.#calls.owes(LIST) ? await this.#place(uuid, deadline) : 'unknown';
    if (place === 'silent') {
      const detail = 'libvirt does not list its pools, and what this one lies on does not answer';
      log.fail('pool', { kind: 'timeout', subject: `pool ${name}`, detail });
      return undefined;
    }
    const request: PoolRequest = { uuid, deadline, isAlive: place === 'answers' };
    const info = await this.#call(request, (connection, options) =>
      connection.storagePoolGetInfo(pool, options),
    );
    if (!info.ok) {
      if (info.error.kind === 'timeout') this.#backoff.miss(uuid);
      if (info.error.kind === 'refused') this.#known.delete(uuid);
      // It was removed since it was listed, as pools are.
      if (!isGone(info.error)) fail(log, `pool ${name}`, info.error);
      return undefined;
    }
    this.#backoff.answer(uuid);
    await this.#describe(pool, request);
    const description = this.#known.get(uuid)?.description;
    if (description?.ok === false) {
      log.fail('pool', { ...description.error, subject: `XML of pool ${name}` });
    }
    return toReading(info.value);
  }

  /** Reads the pool's XML where that is due; what was known stays where it can not be had. */
  async #describe(pool: NamedObject, request: PoolRequest): Promise<void> {
    const now = performance.now();
    const known = this.#known.get(pool.uuid);
    if (known !== undefined && now - known.describedAt < DESCRIPTION_MAX_AGE_MS) return;
    const xml = await this.#call(request, (connection, options) =>
      connection.storagePoolGetXmlDesc(pool, options),
    );
    if (!xml.ok) return;
    const description = await parseStoragePoolXmlInSlices(xml.value, request.deadline);
    if (!description.ok && description.error.kind === 'timeout') return;
    // A copy: strings of the parsed one are slices of the XML and would keep all of it.
    const copy = structuredClone(description);
    this.#known.set(pool.uuid, { pool, description: copy, describedAt: now });
  }

  async #place(uuid: string, deadline: Deadline): ReturnType<AskPath> {
    const description = this.#known.get(uuid)?.description;
    const path = description?.ok === true ? description.value.targetPath : undefined;
    return path === undefined ? 'unknown' : this.#askPath(path, deadline.within(TIMEOUT_MS));
  }

  #call<Value>(
    { uuid, deadline, isAlive }: PoolRequest,
    send: (connection: LibvirtConnection, options: CallOptions) => Promise<Value>,
  ): Promise<Result<Value, CallFailure>> {
    const request = { key: uuid, timeoutMs: TIMEOUT_MS, deadline, isAlive: () => isAlive };
    return this.#calls.call(request, send);
  }
}

function toReading(info: StoragePoolInfo): PoolReading {
  return {
    state: POOL_STATES[info.state] ?? 'unknown',
    capacityBytes: info.capacityBytes,
    allocationBytes: info.allocationBytes,
    availableBytes: info.availableBytes,
  };
}

function isGone(failure: CallFailure): boolean {
  return failure.kind === 'refused' && failure.cause.code === errorCodes.noStoragePool;
}

function fail(log: OutcomeLog, subject: string, failure: CallFailure): void {
  switch (failure.kind) {
    case 'timeout':
    case 'owed':
      log.fail('pool', { kind: 'timeout', subject, detail: 'libvirt does not answer for it' });
      return;
    case 'budget':
      log.fail('pool', { kind: 'timeout', subject, detail: 'too many calls of libvirt are stuck' });
      return;
    case 'refused':
      // It ended, or was undefined, after it was listed.
      if (failure.cause.code === errorCodes.noStoragePool) return;
      log.fail('pool', { kind: 'absent', subject, detail: failure.cause.message });
      return;
    case 'lost':
      log.fail('pool', {
        kind: 'timeout',
        subject,
        detail: failure.cause?.message ?? 'no connection, or none free before the deadline',
      });
  }
}
