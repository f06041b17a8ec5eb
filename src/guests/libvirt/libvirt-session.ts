import { EventEmitter } from 'node:events';

import {
  openLibvirt,
  ReconnectingConnection,
  RpcError,
  type DomainEvent,
  type LibvirtConnection,
  type LibvirtError,
  type Version,
} from '../../libvirt/index.ts';
import { ControlCalls } from './control-calls.ts';
import type { LibvirtVersions } from '../../model/snapshot.ts';

interface SessionEvents {
  /** A new connection, with event subscriptions in place: whatever was cached may be stale. */
  connected: [versions: LibvirtVersions, socketPath: string];
  /** The connection was lost, or could not be made; it is tried again in the background. */
  disconnected: [error: LibvirtError];
  /** Something about a guest's configuration or size changed. */
  changed: [uuid: string];
}

/**
 * The control connection: events, and the calls of {@link ControlCalls}. It connects by itself and again
 * whenever the daemon comes back.
 */
export class LibvirtSession extends EventEmitter<SessionEvents> {
  readonly #connection: ReconnectingConnection;
  /** Calls of priority procedures on this connection. */
  readonly control = new ControlCalls(() => this.#ready);
  readonly #prepared = new WeakMap<LibvirtConnection, LibvirtVersions>();
  #ready: LibvirtConnection | undefined;
  #versions: LibvirtVersions | undefined;
  #connects = 0;

  constructor(uri: string) {
    super();
    this.#connection = new ReconnectingConnection({
      open: (signal) => this.#open(uri, signal),
      // An idle modular daemon stops and comes back on demand, so a quick return is the rule.
      maxDelayMs: 5_000,
    });
    this.#connection.on('up', (connection) => {
      const versions = this.#prepared.get(connection);
      if (versions === undefined) return;
      this.#connects += 1;
      this.#ready = connection;
      this.#versions = versions;
      this.emit('connected', versions, connection.socketPath);
    });
    this.#connection.on('down', (error) => {
      this.#ready = undefined;
      this.#versions = undefined;
      this.emit('disconnected', error);
    });
  }

  start(): void {
    this.#connection.start();
  }

  async close(): Promise<void> {
    this.#ready = undefined;
    await this.#connection.close();
  }

  /** The connection, once its versions are known and its events subscribed. */
  get current(): LibvirtConnection | undefined {
    return this.#ready;
  }

  get versions(): LibvirtVersions | undefined {
    return this.#versions;
  }

  get lastError(): LibvirtError | undefined {
    return this.#connection.lastError;
  }

  /** Connections made since the start. */
  get connects(): number {
    return this.#connects;
  }

  /** A connection of which all that is needed is known; one that fails its first calls is none. */
  async #open(uri: string, signal: AbortSignal): Promise<LibvirtConnection> {
    const connection = await openLibvirt({ uri, signal });
    try {
      this.#prepared.set(connection, await readVersions(connection, signal));
      for (const type of CHANGE_EVENTS) {
        const changed = (event: DomainEvent) => this.emit('changed', event.domain.uuid);
        await subscribe(connection, type, changed, signal);
      }
      return connection;
    } catch (error) {
      await connection.close();
      throw error;
    }
  }
}

async function readVersions(
  connection: LibvirtConnection,
  signal: AbortSignal,
): Promise<LibvirtVersions> {
  // One after the other: a daemon whose workers are all taken must not get a burst of calls.
  const driver = await connection.getType({ signal });
  const libvirt = await connection.getLibVersion({ signal });
  const hypervisor = await hypervisorVersion(connection, signal);
  const uri = await connection.getUri({ signal });
  return { driver, libvirt: dotted(libvirt), hypervisor, uri };
}

/** A daemon that finds no QEMU says so with an error, and can tell of everything else. */
async function hypervisorVersion(
  connection: LibvirtConnection,
  signal: AbortSignal,
): Promise<string | undefined> {
  try {
    return dotted(await connection.getVersion({ signal }));
  } catch (error) {
    if (error instanceof RpcError) return undefined;
    throw error;
  }
}

/**
 * Events after which a guest's XML, balloon or limits are no longer what they were: all that libvirt
 * sends. Limits of NICs, states of links and the period of balloon statistics change without one.
 */
const CHANGE_EVENTS = [
  'lifecycle',
  'balloonChange',
  'tunable',
  'deviceAdded',
  'deviceRemoved',
  'diskChange',
  'trayChange',
  'blockJob',
  'agentLifecycle',
  'metadataChange',
  'memoryDeviceSizeChange',
] as const;

/** Newer than the oldest libvirt there is: one that does not know them shows a change later. */
const OPTIONAL_EVENTS: ReadonlySet<string> = new Set([
  'blockJob',
  'agentLifecycle',
  'metadataChange',
  'memoryDeviceSizeChange',
]);

async function subscribe(
  connection: LibvirtConnection,
  type: (typeof CHANGE_EVENTS)[number],
  changed: (event: DomainEvent) => void,
  signal: AbortSignal,
): Promise<void> {
  try {
    await connection.subscribe(type, changed, undefined, { signal });
  } catch (error) {
    if (!(error instanceof RpcError && OPTIONAL_EVENTS.has(type))) throw error;
  }
}

function dotted(version: Version): string {
  return `${version.major}.${version.minor}.${version.release}`;
}
