import { fork, type ChildProcess } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { nextMessage, stopChild } from '../support/fake-host/exporter-process.ts';
import type { Change } from './daemon-state.ts';

const DAEMON = fileURLToPath(new URL('./daemon.ts', import.meta.url));

/** The daemon, which ends and comes back at the same socket with the same guests. */
export class RestartingDaemon implements AsyncDisposable {
  readonly uri: string;
  readonly #directory: string;
  readonly #images: string;
  #child: ChildProcess | undefined;
  #restarts = 0;
  #since = Infinity;

  /** @param directory of its socket; made when it is missing. */
  constructor(directory: string, images: string) {
    mkdirSync(directory, { recursive: true });
    this.#directory = directory;
    this.#images = images;
    this.uri = `qemu+unix:///system?socket=${directory}/libvirt-sock-ro`;
  }

  get restarts(): number {
    return this.#restarts;
  }

  /** Whether it has been there for so long. */
  isUpSince(milliseconds: number): boolean {
    return performance.now() - this.#since >= milliseconds;
  }

  /** @param everything asked for when it is needed; changes after that are to be told. */
  async start(everything: () => Change): Promise<void> {
    // Its numbers are bigint.
    const child = fork(DAEMON, [this.#directory, this.#images], { serialization: 'advanced' });
    const listening = nextMessage(child);
    this.#child = child;
    child.send(everything());
    await listening;
    this.#since = performance.now();
  }

  /** Nothing when it does not run. */
  tell(change: Change): void {
    this.#child?.send(change);
  }

  /** Ends it: by SIGKILL, which leaves the socket behind, or as it would end by itself. */
  async stop(how: 'killed' | 'clean'): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    this.#since = Infinity;
    if (child === undefined) return;
    this.#restarts += 1;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    if (how === 'killed') child.kill('SIGKILL');
    else child.disconnect();
    const force = setTimeout(() => void stopChild(child), 5_000);
    await ended;
    clearTimeout(force);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop('killed');
  }
}
