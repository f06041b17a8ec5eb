import { spawn, type ChildProcess } from 'node:child_process';
import { readFileSync, readlinkSync } from 'node:fs';

import { eventually } from '../../../lab/polling.ts';
import { children } from '../../support/process-readings.ts';

export const ANY_PORT = '--web.listen-address=127.0.0.1:0';

/** An exporter that listens, started by whatever command; killed at the end of the block. */
export class Started implements AsyncDisposable {
  readonly url: string;
  /** Of the exporter itself. */
  readonly pid: number;
  /** All that was written until now. */
  readonly said: () => string;
  readonly #child: ChildProcess;
  readonly #ended: Promise<number | null>;

  private constructor(
    url: string,
    pid: number,
    said: () => string,
    child: ChildProcess,
    ended: Promise<number | null>,
  ) {
    this.url = url;
    this.pid = pid;
    this.said = said;
    this.#child = child;
    this.#ended = ended;
  }

  static async by(
    command: string,
    args: readonly string[],
    options: { readonly cwd?: string; readonly env?: NodeJS.ProcessEnv } = {},
  ): Promise<Started> {
    const child = spawn(command, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
    let text = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (part: string) => (text += part));
    }
    const ended = new Promise<number | null>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', resolve);
    });
    const address = await eventually(
      `${command} starts an exporter that listens`,
      120_000,
      () => {
        if (child.exitCode !== null) throw new Error(`ended: ${text}`);
        return /msg=listening address=(\S+)/.exec(text)?.[1];
      },
      () => text,
    );
    const pid = [child.pid ?? 0, ...descendants(child.pid ?? 0)].findLast(isExporter);
    if (pid === undefined) throw new Error(`no exporter runs: ${text}`);
    return new Started(`http://${address}`, pid, () => text, child, ended);
  }

  async metrics(): Promise<string> {
    const answer = await fetch(`${this.url}/metrics`);
    if (!answer.ok) throw new Error(`${this.url}/metrics: ${answer.status}`);
    return answer.text();
  }

  /** The words after the name in /proc/<pid>/status. */
  status(field: string): readonly string[] {
    const text = readFileSync(`/proc/${this.pid}/status`, 'utf8');
    const line = new RegExp(`^${field}:\\s+(.*)$`, 'm').exec(text)?.[1];
    if (line === undefined) throw new Error(`no ${field} in ${text}`);
    return line.split(/\s+/);
  }

  /** Asks it to end; the exit code of what started it, null after a signal. */
  async end(): Promise<number | null> {
    process.kill(this.pid, 'SIGTERM');
    return this.#ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      process.kill(this.pid, 'SIGKILL');
    }
    await this.#ended;
  }
}

/** By the program, not by its arguments, which those that start it carry as well. */
function isExporter(pid: number): boolean {
  const program = readlinkSync(`/proc/${pid}/exe`);
  return /\/(?:kvm-overcommit-exporter[^/]*|node)$/.test(program) && !isNpm(pid);
}

function isNpm(pid: number): boolean {
  return /npm|npx/.test(readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')[1] ?? '');
}

function descendants(pid: number): readonly number[] {
  return children(pid).flatMap((child) => [child, ...descendants(child)]);
}
