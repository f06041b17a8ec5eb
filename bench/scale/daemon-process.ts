import { once } from 'node:events';
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';

import { z } from 'zod';

import { nextMessage, pidOf, stopChild } from '../../test/support/fake-host/exporter-process.ts';
import type { FakeHost } from '../../test/support/fake-host/fake-host.ts';

const DAEMON = fileURLToPath(new URL('./daemon.ts', import.meta.url));

export interface DaemonProcess extends AsyncDisposable {
  readonly pid: number;
  /** For `--libvirt.uri`. */
  readonly uri: string;
}

/** Starts the made-up libvirtd and waits until it listens. */
export async function startDaemon({ guests, images }: FakeHost): Promise<DaemonProcess> {
  const child = fork(DAEMON, [String(guests.length), images]);
  const uri = await nextMessage(child);
  return {
    pid: pidOf(child),
    uri: z.string().parse(uri),
    [Symbol.asyncDispose]: async () => {
      // It closes its socket, removes it and ends.
      const ended = once(child, 'exit');
      child.disconnect();
      const force = setTimeout(() => void stopChild(child), 5_000);
      await ended;
      clearTimeout(force);
    },
  };
}
