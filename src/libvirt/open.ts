import { connect, type Socket } from 'node:net';

import { resolveAddress, type AddressEnvironment } from './address.ts';
import { RpcChannel } from './channel.ts';
import { LibvirtConnection } from './connection.ts';
import {
  AuthError,
  CallAbortedError,
  ClosedError,
  ConnectError,
  RpcError,
  type ConnectAttempt,
} from './errors.ts';
import { CONNECT_READ_ONLY, FEATURE_KEEPALIVE } from './flags.ts';
import type { KeepaliveOptions } from './keepalive.ts';
import type { CallOptions } from './pending-calls.ts';
import { procedures } from './procedures.ts';

export interface OpenOptions {
  /** See {@link resolveAddress}. Default qemu:///system. */
  readonly uri?: string | undefined;
  readonly environment?: AddressEnvironment | undefined;
  /**
   * Calls in progress at once. Default 4: libvirtd stops reading a client, keepalive included,
   * once that has `max_client_requests` = 5 calls in progress.
   */
  readonly window?: number | undefined;
  /** Deadline of each call that sets none. Default 10 s. */
  readonly deadlineMs?: number | undefined;
  /** Deadline of the whole opening: connect, authentication, CONNECT_OPEN. Default 15 s. */
  readonly openDeadlineMs?: number | undefined;
  /** Pings to the daemon; false to send none. Default every 5 s, dead after 5 without an answer. */
  readonly keepalive?: KeepaliveOptions | false | undefined;
  readonly signal?: AbortSignal | undefined;
}

const DEFAULT_KEEPALIVE: KeepaliveOptions = { intervalMs: 5_000, count: 5 };

/** remote_auth_type. */
const authTypes = { none: 0, sasl: 1, polkit: 2 } as const;

/**
 * Opens a read-only connection. Rejects with AddressError, ConnectError (no socket accepted),
 * AuthError, RpcError (the driver refused the URI), CallTimeoutError, CallAbortedError,
 * ProtocolError or ClosedError; no handle is left behind then.
 */
export async function openLibvirt(options: OpenOptions = {}): Promise<LibvirtConnection> {
  const address = resolveAddress(options.uri ?? 'qemu:///system', options.environment);
  const started = performance.now();
  const openDeadlineMs = options.openDeadlineMs ?? 15_000;
  const remaining = (): CallOptions => ({
    deadlineMs: Math.max(1, Math.ceil(openDeadlineMs - (performance.now() - started))),
    signal: options.signal,
  });
  const { socket, path } = await dialFirst(address.sockets, remaining);
  const channel = new RpcChannel(socket, {
    window: options.window ?? 4,
    deadlineMs: options.deadlineMs ?? 10_000,
  });
  try {
    await authenticate(channel, remaining);
    const keepaliveKnown = await channel.call(
      procedures.supportsFeature,
      FEATURE_KEEPALIVE,
      remaining(),
    );
    const openArgs = { uri: address.uri, flags: CONNECT_READ_ONLY };
    await channel.call(procedures.connectOpen, openArgs, remaining());
    const keepalive = options.keepalive ?? DEFAULT_KEEPALIVE;
    if (keepaliveKnown && keepalive !== false) channel.startKeepalive(keepalive);
    return new LibvirtConnection(channel, path);
  } catch (error) {
    channel.destroy(new ClosedError('opening the connection failed', { cause: error }));
    await channel.closed();
    throw error;
  }
}

/** Tries the sockets in order; all that failed are named in the error. */
async function dialFirst(
  paths: readonly string[],
  remaining: () => CallOptions,
): Promise<{ readonly socket: Socket; readonly path: string }> {
  const attempts: ConnectAttempt[] = [];
  for (const path of paths) {
    const dialled = await dial(path, remaining());
    if (typeof dialled !== 'string') return { socket: dialled, path };
    attempts.push({ path, code: dialled });
  }
  throw new ConnectError(attempts);
}

/** A connected socket, or the errno name of the failure. */
function dial(path: string, { deadlineMs, signal }: CallOptions): Promise<Socket | string> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted === true) {
      reject(new CallAbortedError('connecting was aborted', { cause: signal.reason }));
      return;
    }
    const socket = connect({ path });
    const settle = (outcome: () => void) => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      socket.off('connect', onConnect).off('error', onError);
      outcome();
    };
    const giveUp = (outcome: () => void) => {
      settle(() => {
        socket.on('error', () => undefined);
        socket.destroy();
        outcome();
      });
    };
    const onConnect = () => {
      settle(() => {
        resolve(socket);
      });
    };
    const onError = (error: NodeJS.ErrnoException) => {
      settle(() => {
        resolve(error.code ?? error.message);
      });
    };
    const onAbort = () => {
      giveUp(() => {
        reject(new CallAbortedError('connecting was aborted', { cause: signal?.reason }));
      });
    };
    const timer = setTimeout(() => {
      giveUp(() => {
        resolve('ETIMEDOUT');
      });
    }, deadlineMs);
    signal?.addEventListener('abort', onAbort, { once: true });
    socket.on('connect', onConnect).on('error', onError);
  });
}

/** AUTH_LIST must be the first call even when no authentication is asked for. */
async function authenticate(channel: RpcChannel, remaining: () => CallOptions): Promise<void> {
  const offered = await channel.call(procedures.authList, undefined, remaining());
  if (offered.length === 0 || offered.includes(authTypes.none)) return;
  if (!offered.includes(authTypes.polkit)) {
    throw new AuthError(
      `the daemon offers only authentication types ${offered.join(', ')} (1 = SASL); ` +
        'set auth_unix_ro = "polkit" or "none" in its configuration',
    );
  }
  try {
    await channel.call(procedures.authPolkit, undefined, remaining());
  } catch (cause) {
    if (!(cause instanceof RpcError)) throw cause;
    throw new AuthError(
      `polkit did not let us in: ${cause.message}. Run polkitd and allow ` +
        'org.libvirt.unix.monitor for this user, or set auth_unix_ro = "none" in the ' +
        "daemon's configuration",
      { cause },
    );
  }
}
