// eslint-disable-next-line no-restricted-imports -- thin pools have no interface but device-mapper ioctls and lvs
import { execFile } from 'node:child_process';
import { accessSync, constants } from 'node:fs';

import { failed, type Result } from '../../runtime/result.ts';
import { DMSETUP_ARGUMENTS, LVS_ARGUMENTS, parseDmsetupThinPools, parseLvs } from './thin-pool.ts';
import type { ThinStorage } from '../../model/storage.ts';

/** The state of thin pools at a moment in the past. */
export interface ThinStorageReport {
  readonly storage: Result<ThinStorage>;
  /** When the program answered, as a moment of `performance.now()`. */
  readonly takenAt: number;
}

/** A program that tells of thin pools. */
export interface ThinPoolProgram {
  readonly name: 'lvs' | 'dmsetup';
  /** Absolute. */
  readonly path: string;
}

export interface ThinPoolRefresherOptions {
  readonly program: ThinPoolProgram;
  readonly intervalMs: number;
  /** lvs takes locks and scans devices; after this long it is killed. */
  readonly timeoutMs: number;
}

const DIRECTORIES = ['/usr/sbin', '/sbin', '/usr/bin', '/bin'] as const;
const MAX_OUTPUT_BYTES = 32 * 1024 * 1024;

const ASK: Readonly<
  Record<
    ThinPoolProgram['name'],
    {
      readonly options: readonly string[];
      readonly parse: (output: string) => Result<ThinStorage>;
    }
  >
> = {
  lvs: { options: LVS_ARGUMENTS, parse: parseLvs },
  dmsetup: { options: DMSETUP_ARGUMENTS, parse: parseDmsetupThinPools },
};

/**
 * The program to ask for thin pools, if one is installed: `lvs`, which knows volumes and groups as
 * well, else `dmsetup`.
 */
export function findThinPoolProgram(
  directories: readonly string[] = DIRECTORIES,
): ThinPoolProgram | undefined {
  for (const name of ['lvs', 'dmsetup'] as const) {
    const path = directories.map((directory) => `${directory}/${name}`).find(isExecutable);
    if (path !== undefined) return { name, path };
  }
  return undefined;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/**
 * Runs `lvs` or `dmsetup` in the background, never in a scrape and never twice at a time. A scrape
 * takes the last report with its age; where the program hangs unkillable, the age grows and nothing
 * else happens.
 */
export class ThinPoolRefresher {
  readonly #options: ThinPoolRefresherOptions;
  #timer: NodeJS.Timeout | undefined;
  #running = false;
  #report: ThinStorageReport | undefined;

  constructor(options: ThinPoolRefresherOptions) {
    this.#options = options;
  }

  /** Undefined until the program has answered or failed for the first time. */
  get report(): ThinStorageReport | undefined {
    return this.#report;
  }

  /** Asks at once and then at every interval. Keeps the process alive no longer than one run. */
  start(): void {
    if (this.#timer !== undefined) return;
    this.#refresh();
    this.#timer = setInterval(() => {
      this.#refresh();
    }, this.#options.intervalMs).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #refresh(): void {
    if (this.#running) return;
    this.#running = true;
    const { program, timeoutMs } = this.#options;
    const child = execFile(
      program.path,
      ASK[program.name].options,
      {
        cwd: '/',
        timeout: timeoutMs,
        killSignal: 'SIGKILL',
        maxBuffer: MAX_OUTPUT_BYTES,
        env: { LC_ALL: 'C', LVM_SUPPRESS_FD_WARNINGS: '1' },
      },
      (error, stdout, stderr) => {
        this.#running = false;
        this.#report = {
          storage: outcome(program, error, stdout, stderr),
          takenAt: performance.now(),
        };
      },
    );
    child.unref();
  }
}

function outcome(
  { name }: ThinPoolProgram,
  error: (Error & { readonly killed?: boolean | undefined }) | null,
  stdout: string,
  stderr: string,
): Result<ThinStorage> {
  if (error === null) return ASK[name].parse(stdout);
  const said = stderr.trim().split('\n').at(-1) ?? '';
  if (error.killed === true) return failed('timeout', name, 'killed after its time limit');
  if (/permission denied|must be root|not permitted/i.test(stderr)) {
    return failed('denied', name, said);
  }
  return failed('unreadable', name, said === '' ? error.message : said);
}
