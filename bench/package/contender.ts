import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, readdir, symlink } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { run } from '../../lab/command.ts';
import { closingAgent } from '../../test/support/measure/closing-agent.ts';
import { proportionalBytes, treeCpuSeconds } from '../../test/support/measure/process-usage.ts';
import { scrape } from '../../test/support/measure/scrape.ts';
import { pidOf, stopChild } from '../../test/support/fake-host/exporter-process.ts';

const REPOSITORY = join(import.meta.dirname, '../..');
const PROGRAM = 'kvm-overcommit-exporter';
const START_TIMEOUT_MS = 60_000;
const LOOK_MS = 20;

/** An exporter as somebody would start it. */
export interface Contender {
  readonly command: string;
  readonly args: readonly string[];
  /** The file whose pages are most of what it maps. */
  readonly program: string;
}

/**
 * The built checkout with a Node of its own: what runs the bench must not share its pages.
 *
 * @param directory is made.
 */
export async function checkout(directory: string): Promise<Contender> {
  const modules = join(directory, 'node_modules');
  await mkdir(modules, { recursive: true });
  for (const name of ['bin', 'dist', 'package.json']) {
    await cp(join(REPOSITORY, name), join(directory, name), { recursive: true });
  }
  const node = `node-linux-${process.arch}`;
  for (const name of await readdir(join(REPOSITORY, 'node_modules'))) {
    const from = join(REPOSITORY, 'node_modules', name);
    if (name === node) await cp(from, join(modules, name), { recursive: true });
    else if (!name.startsWith('node-linux-')) await symlink(from, join(modules, name));
  }
  return {
    command: join(directory, 'bin', PROGRAM),
    args: [],
    program: join(modules, node, 'bin/node'),
  };
}

/** The executable of a package, as a file that nobody else runs. */
export async function executable(built: string, directory: string): Promise<Contender> {
  await mkdir(directory, { recursive: true });
  const program = join(directory, PROGRAM);
  await cp(built, program);
  return { command: program, args: [], program };
}

/** The same as dpkg writes it: its pages are in the page cache already, and in what pieces is up to it. */
export async function unpacked(deb: string, directory: string): Promise<Contender> {
  await run('dpkg-deb', ['--extract', deb, directory]);
  const program = join(directory, 'usr/bin', PROGRAM);
  return { command: program, args: [], program };
}

/** As after a restart of the host: the kernel reads the file anew, in the pieces that are needed. */
export async function forgetPages({ program }: Contender): Promise<void> {
  await run('sync', [program]);
  await run('dd', [`if=${program}`, 'iflag=nocache', 'count=0', 'status=none']);
}

export class Running implements AsyncDisposable {
  /** CPU of all its processes until the first /metrics was answered, in steps of 10 ms. */
  readonly startCpuSeconds: number;
  readonly #child: ChildProcess;
  readonly #url: string;

  private constructor(child: ChildProcess, url: string, startCpuSeconds: number) {
    this.#child = child;
    this.#url = url;
    this.startCpuSeconds = startCpuSeconds;
  }

  /** Starts it and waits until it has answered its first /metrics, which is asked for once. */
  static async start({ command, args }: Contender, flags: readonly string[]): Promise<Running> {
    const address = `127.0.0.1:${await freePort()}`;
    const all = [...args, ...flags, `--web.listen-address=${address}`];
    const child = spawn(command, all, {
      stdio: 'ignore',
      // As the unit and the image have it; bin/ sets it itself.
      env: { ...process.env, MALLOC_ARENA_MAX: '1' },
    });
    await once(child, 'spawn');
    const url = `http://${address}/metrics`;
    const deadline = performance.now() + START_TIMEOUT_MS;
    for (;;) {
      if (child.exitCode !== null) throw new Error(`${command} ended`);
      try {
        using agent = closingAgent();
        await scrape(url, agent);
        return new Running(child, url, treeCpuSeconds(pidOf(child)));
      } catch (error) {
        if (performance.now() > deadline) {
          await stopChild(child);
          throw error;
        }
        await sleep(LOOK_MS);
      }
    }
  }

  /** Scrapes it so many times and looks at its memory after each. */
  async highest(scrapes: number, intervalMs: number): Promise<Memory> {
    using agent = closingAgent();
    let highest: Memory = { all: 0, own: 0, bytes: 0 };
    for (let i = 0; i < scrapes; i++) {
      const { text } = await scrape(this.#url, agent);
      const now = proportionalBytes(pidOf(this.#child));
      if (now.all > highest.all) highest = { ...now, bytes: text.length };
      await sleep(intervalMs);
    }
    return highest;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await stopChild(this.#child);
  }
}

export interface Memory {
  /** PSS of all processes together. */
  readonly all: number;
  /** The part of it that is in no file. */
  readonly own: number;
  /** Of the body. */
  readonly bytes: number;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}
