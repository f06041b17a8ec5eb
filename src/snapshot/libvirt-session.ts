import { EventEmitter } from 'node:events';

import {
  openLibvirt,
  ReconnectingConnection,
  type DomainEvent,
  LibvirtError,
  type LibvirtConnection,
} from '../libvirt/index.ts';
import type { LibvirtVersions } from './model.ts';

interface SessionEvents {
  /** A new connection, with event subscriptions in place: whatever was cached may be stale. */
  connected: [versions: LibvirtVersions, socketPath: string];
  /** The connection was lost, or could not be made; it is tried again in the background. */
  disconnected: [error: LibvirtError];
  /** Something about a guest's configuration or size changed. */
  changed: [uuid: string];
}

/**
 * The control connection: lists, XML, events and the stats groups that never wait for a guest. It
 * connects by itself and again whenever the daemon comes back.
 */
export class LibvirtSession extends EventEmitter<SessionEvents> {
  readonly #connection: ReconnectingConnection;
  #ready: LibvirtConnection | undefined;
  #versions: LibvirtVersions | undefined;
  #connects = 0;

  constructor(uri: string) {
    super();
    this.#connection = new ReconnectingConnection({
      open: (signal) => openLibvirt({ uri, signal }),
      // An idle modular daemon stops and comes back on demand, so a quick return is the rule.
      maxDelayMs: 5_000,
    });
    this.#connection.on('up', (connection) => {
      void this.#prepare(connection);
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

  async #prepare(connection: LibvirtConnection): Promise<void> {
    try {
      const [driver, libvirt, hypervisor, uri] = await Promise.all([
        connection.getType(),
        connection.getLibVersion(),
        connection.getVersion(),
        connection.getUri(),
      ]);
      for (const type of CHANGE_EVENTS) {
        await connection.subscribe(type, (event: DomainEvent) => {
          this.emit('changed', event.domain.uuid);
        });
      }
      if (connection.closeReason !== undefined) return;
      this.#connects += 1;
      this.#ready = connection;
      this.#versions = { driver, libvirt: dotted(libvirt), hypervisor: dotted(hypervisor), uri };
      this.emit('connected', this.#versions, connection.socketPath);
    } catch (error) {
      // A connection that fails its first calls is of no use; closing it starts the next attempt.
      await connection.close(error instanceof LibvirtError ? error : undefined);
    }
  }
}

/** Events after which a guest's XML, balloon or limits are no longer what they were. */
const CHANGE_EVENTS = [
  'lifecycle',
  'balloonChange',
  'tunable',
  'deviceAdded',
  'deviceRemoved',
] as const;

function dotted(version: { major: number; minor: number; release: number }): string {
  return `${version.major}.${version.minor}.${version.release}`;
}
