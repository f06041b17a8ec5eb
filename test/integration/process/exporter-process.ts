import { spawn, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';

import { eventually } from '../../../lab/polling.ts';

const EXPORTER = join(import.meta.dirname, '../../../bin/kvm-overcommit-exporter');
/** Flags that keep a test from looking for the machine's own libvirt. */
export const NO_LIBVIRT = '--libvirt.uri=qemu+unix:///system?socket=/nonexistent/libvirt-sock-ro';
/** And from finding the processes of guests that other tests have started. */
export const NO_GUESTS = [NO_LIBVIRT, '--guests.source=libvirt'] as const;
const ANY_PORT = '--web.listen-address=127.0.0.1:0';

export interface Ended {
  /** null: ended by a signal. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the exporter with these flags, nothing added, until it ends by itself. */
export async function runToEnd(flags: readonly string[]): Promise<Ended> {
  const exporter = new Started(flags);
  // Longer than anything it could wait for; it is not expected to run at all.
  const timer = setTimeout(() => {
    exporter.kill();
  }, 20_000);
  const ended = await exporter.ended;
  clearTimeout(timer);
  return ended;
}

/** Starts the exporter on a free port of 127.0.0.1 and waits until it listens. */
export function startExporter(...flags: readonly string[]): Promise<ExporterProcess> {
  return startExporterThrough([], ...flags);
}

/** The same, started by a command that becomes what it starts, for example `setpriv`. */
export async function startExporterThrough(
  command: readonly string[],
  ...flags: readonly string[]
): Promise<ExporterProcess> {
  const exporter = new Started([ANY_PORT, ...flags], command);
  const address = await eventually(
    'the exporter listens',
    30_000,
    () => {
      if (exporter.child.exitCode !== null) throw new Error(`ended: ${exporter.stderr}`);
      return /msg=listening address=(\S+)/.exec(exporter.stderr)?.[1];
    },
    () => exporter.stderr,
  );
  return new ExporterProcess(exporter, `http://${address}`);
}

/** An exporter that listens; with `await using` it is killed at the end of the block. */
export class ExporterProcess implements AsyncDisposable {
  readonly url: string;
  readonly ended: Promise<Ended>;
  readonly #started: Started;

  constructor(started: Started, url: string) {
    this.#started = started;
    this.url = url;
    this.ended = started.ended;
  }

  get pid(): number {
    return this.#started.child.pid ?? 0;
  }

  get port(): number {
    return Number(new URL(this.url).port);
  }

  /** All it has logged so far. */
  get log(): string {
    return this.#started.stderr;
  }

  signal(name: NodeJS.Signals): void {
    this.#started.child.kill(name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#started.kill();
    await this.ended;
  }
}

/** An exporter that was started, whatever becomes of it. */
export class Started {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  stdout = '';
  stderr = '';

  constructor(flags: readonly string[], through: readonly string[] = []) {
    const [program = EXPORTER, ...args] = [...through, EXPORTER, ...flags];
    this.child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    this.child.stdout?.setEncoding('utf8').on('data', (text: string) => (this.stdout += text));
    this.child.stderr?.setEncoding('utf8').on('data', (text: string) => (this.stderr += text));
    this.ended = new Promise((resolve, reject) => {
      this.child.once('error', reject);
      this.child.once('close', (code) => {
        resolve({ code, stdout: this.stdout, stderr: this.stderr });
      });
    });
  }

  kill(): void {
    if (this.child.exitCode === null) this.child.kill('SIGKILL');
  }
}
