import type { ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';

import { eventually } from '../../../lab/polling.ts';
import { children } from '../../support/process-readings.ts';

/** An exporter that runs in a container; with `await using` it is killed at the end of the block. */
export class Container implements AsyncDisposable {
  /** Of the exporter itself, as the host sees it. */
  readonly pid: number;
  readonly url: string;
  /** The exit code of what started it, which is the exporter's; null: ended by a signal. */
  readonly ended: Promise<number | null>;
  readonly #runner: ChildProcess;

  private constructor(
    runner: ChildProcess,
    ended: Promise<number | null>,
    pid: number,
    url: string,
  ) {
    this.#runner = runner;
    this.ended = ended;
    this.pid = pid;
    this.url = url;
  }

  /** Waits until the exporter that `runner` starts somewhere below itself listens. */
  static async of(runner: ChildProcess): Promise<Container> {
    let log = '';
    const note = (text: string) => (log += text);
    runner.stdout?.setEncoding('utf8').on('data', note);
    runner.stderr?.setEncoding('utf8').on('data', note);
    const ended = new Promise<number | null>((resolve, reject) => {
      runner.once('error', reject);
      runner.once('close', resolve);
    });
    const address = await eventually(
      'the exporter listens',
      30_000,
      () => {
        if (runner.exitCode !== null) throw new Error(`ended: ${log}`);
        return /msg=listening address=(\S+)/.exec(log)?.[1];
      },
      () => log,
    );
    const pid = descendants(runner.pid ?? 0).find((one) =>
      readFileSync(`/proc/${one}/cmdline`, 'utf8').includes('/app/dist/main.js'),
    );
    if (pid === undefined) throw new Error(`no exporter runs: ${log}`);
    return new Container(runner, ended, pid, `http://${address}`);
  }

  /** A line of /proc/<pid>/status: the words after the name. */
  status(field: string): readonly string[] {
    const text = readFileSync(`/proc/${this.pid}/status`, 'utf8');
    const line = new RegExp(`^${field}:\\s+(.*)$`, 'm').exec(text)?.[1];
    if (line === undefined) throw new Error(`no ${field} in ${text}`);
    return line.split(/\s+/);
  }

  signal(name: NodeJS.Signals): void {
    process.kill(this.pid, name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#runner.exitCode === null && this.#runner.signalCode === null) {
      this.signal('SIGKILL');
    }
    await this.ended;
  }
}

/** Innermost last. `buildah-chroot-exec` carries the same command line as what it starts. */
function descendants(pid: number): readonly number[] {
  return children(pid).flatMap((child) => [...descendants(child), child]);
}
