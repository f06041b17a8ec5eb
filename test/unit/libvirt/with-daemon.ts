import { afterEach } from 'vitest';

import {
  openLibvirt,
  type LibvirtConnection,
  type LibvirtError,
  type OpenOptions,
} from '../../../src/libvirt/index.ts';
import { FakeDaemon } from '../../support/libvirt/fake-daemon.ts';

const opened: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close();
});

/** A fake daemon that is gone after the test. */
export async function fakeDaemon(): Promise<FakeDaemon> {
  const daemon = await FakeDaemon.listen();
  opened.push(() => daemon.close());
  return daemon;
}

/** A connection to it that is gone after the test. */
export async function connectTo(
  daemon: FakeDaemon,
  options: OpenOptions = {},
): Promise<LibvirtConnection> {
  const connection = await openLibvirt({ uri: daemon.uri, keepalive: false, ...options });
  opened.push(() => connection.close());
  return connection;
}

/** What a promise rejects with; an error when it does not. */
export async function rejection(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => {
      throw new Error('did not reject');
    },
    (error: unknown) => error,
  );
}

/** Resolves with the reason when the connection closes. */
export function closing(connection: LibvirtConnection): Promise<LibvirtError> {
  return new Promise((resolve) => {
    connection.onClose(resolve);
  });
}
