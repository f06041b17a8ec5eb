import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';

import type { Journal } from './journal.ts';
import { identify, isAlive, signal, waitForEnd, type ProcessIdentity } from './process-identity.ts';

/** A long-running process of the lab, with its output in a file. */
export interface LabProcess {
  readonly pid: number;
  readonly logFile: string;
  isRunning(): boolean;
  /** All it has printed so far. */
  output(): string;
  signal(name: NodeJS.Signals): void;
  /** Asks it to end (default SIGTERM), waits, and kills it after `graceMs` (default 10 s). */
  stop(name?: NodeJS.Signals, graceMs?: number): Promise<void>;
}

export interface LabProcessOptions {
  readonly logFile: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

/**
 * Starts a process in a session of its own, so that Ctrl-C reaches the lab's owner only, which then
 * ends everything in order.
 *
 * @throws Error when the command cannot be started.
 */
export async function startProcess(
  journal: Journal,
  command: string,
  args: readonly string[],
  options: LabProcessOptions,
): Promise<LabProcess> {
  const log = openSync(options.logFile, 'a');
  const child = spawn(command, args, {
    cwd: options.cwd ?? '/',
    env: { ...process.env, ...options.env },
    stdio: ['ignore', log, log],
    detached: true,
  });
  closeSync(log);
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', reject);
  });
  child.unref();
  const identity = child.pid === undefined ? undefined : identify(child.pid);
  if (identity === undefined) throw new Error(`${command} ended at once, see ${options.logFile}`);
  journal.record({ kind: 'process', ...identity });
  return handle(identity, options.logFile);
}

function handle(identity: ProcessIdentity, logFile: string): LabProcess {
  return {
    pid: identity.pid,
    logFile,
    isRunning: () => isAlive(identity),
    output: () => readFileSync(logFile, 'utf8'),
    signal: (name) => {
      signal(identity, name);
    },
    stop: async (name = 'SIGTERM', graceMs = 10_000) => {
      signal(identity, name);
      try {
        await waitForEnd([identity], graceMs);
      } catch {
        signal(identity, 'SIGKILL');
        await waitForEnd([identity], 10_000);
      }
    },
  };
}
