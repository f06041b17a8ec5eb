import { LibvirtError, type LibvirtConnection, type NamedObject } from '../libvirt/index.ts';
import { valueOf, type Reading } from '../sources/reading.ts';
import {
  parseStoragePoolXmlInSlices,
  type StoragePoolDescription,
} from '../sources/storage-pool-xml.ts';
import type { OutcomeLog } from './outcome-log.ts';
import type { StoragePool } from './storage.ts';

/** virStoragePoolState. */
const POOL_STATES = ['inactive', 'building', 'running', 'degraded', 'inaccessible'] as const;

/** A pool's definition hardly ever changes, and nothing tells when it does. */
const DESCRIPTION_MAX_AGE_MS = 10 * 60_000;

interface Known {
  /** A failure is kept as well: it stays one until the XML changes. */
  readonly description: Reading<StoragePoolDescription>;
  readonly readAt: number;
}

/**
 * libvirt's storage pools. Sizes are those of the pool's last refresh: refreshing is a write
 * operation and can hang on a dead NFS server, so it is left to whoever manages the pools.
 */
export class PoolCollector {
  readonly #known = new Map<string, Known>();

  /** Undefined when libvirt could not be asked. Never rejects. */
  async collect(
    connection: LibvirtConnection | undefined,
    log: OutcomeLog,
    deadline: number,
  ): Promise<readonly StoragePool[] | undefined> {
    if (connection === undefined) {
      log.fail('pool', { kind: 'absent', subject: 'libvirt', detail: 'not connected' });
      return undefined;
    }
    try {
      const deadlineMs = Math.max(1, deadline - performance.now());
      const pools = await connection.listAllStoragePools(0, { deadlineMs });
      const uuids = new Set(pools.map(({ uuid }) => uuid));
      for (const uuid of this.#known.keys()) if (!uuids.has(uuid)) this.#known.delete(uuid);
      const read = await Promise.all(
        pools.map((pool) => this.#pool(pool, connection, log, deadline)),
      );
      return read.filter((pool) => pool !== undefined);
    } catch (error) {
      if (!(error instanceof LibvirtError)) throw error;
      log.fail('pool', { kind: 'absent', subject: 'storage pools', detail: error.message });
      return undefined;
    }
  }

  async #pool(
    pool: NamedObject,
    connection: LibvirtConnection,
    log: OutcomeLog,
    deadline: number,
  ): Promise<StoragePool | undefined> {
    const deadlineMs = Math.max(1, deadline - performance.now());
    try {
      const info = await connection.storagePoolGetInfo(pool, { deadlineMs });
      const description = await this.#description(pool, connection, deadline);
      if (!description.ok) {
        const subject = `XML of pool ${pool.name}`;
        log.fail('pool', { ...description.error, subject });
      }
      return {
        name: pool.name,
        uuid: pool.uuid,
        state: POOL_STATES[info.state] ?? 'unknown',
        capacityBytes: info.capacityBytes,
        allocationBytes: info.allocationBytes,
        availableBytes: info.availableBytes,
        description: valueOf(description),
      };
    } catch (error) {
      if (!(error instanceof LibvirtError)) throw error;
      log.fail('pool', { kind: 'absent', subject: `pool ${pool.name}`, detail: error.message });
      return undefined;
    }
  }

  async #description(
    pool: NamedObject,
    connection: LibvirtConnection,
    deadline: number,
  ): Promise<Reading<StoragePoolDescription>> {
    const known = this.#known.get(pool.uuid);
    const now = performance.now();
    if (known !== undefined && now - known.readAt < DESCRIPTION_MAX_AGE_MS) {
      return known.description;
    }
    const deadlineMs = Math.max(1, deadline - now);
    const xml = await connection.storagePoolGetXmlDesc(pool, { deadlineMs });
    const description = await parseStoragePoolXmlInSlices(xml, deadline);
    if (description.ok || description.error.kind !== 'timeout') {
      // A copy: strings of the parsed one are slices of the XML and would keep all of it.
      this.#known.set(pool.uuid, { description: structuredClone(description), readAt: now });
    }
    return description;
  }
}
