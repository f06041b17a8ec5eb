// eslint-disable-next-line no-restricted-imports -- thin pools have no interface but device-mapper ioctls and lvs
import { execFile } from 'node:child_process';
import { accessSync, constants } from 'node:fs';

import { failed, type Reading } from './reading.ts';
import { LVS_ARGUMENTS, parseLvs, type ThinStorage } from './thin-pool.ts';

/** The state of thin pools at a moment in the past. */
export interface ThinStorageReport {
  readonly storage: Reading<ThinStorage>;
  /** When lvs answered, as a moment of `performance.now()`. */
  readonly takenAt: number;
}

export interface ThinPoolRefresherOptions {
  /** Absolute path, as from {@link findLvs}. */
  readonly lvs: string;
  readonly intervalMs: number;
  /** lvs takes locks and scans devices; after this long it is killed. */
  readonly timeoutMs: number;
}

const LVS_PATHS = ['/usr/sbin/lvs', '/sbin/lvs', '/usr/bin/lvs', '/bin/lvs'] as const;
const MAX_OUTPUT_BYTES = 32 * 1024 * 1024;

/** Where `lvs` is installed, if it is. */
export function findLvs(): string | undefined {
  return LVS_PATHS.find((path) => {
    try {
      accessSync(path, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/**
 * Runs `lvs` in the background, never in a scrape and never twice at a time. A scrape takes the
 * last report with its age; where lvs hangs unkillable, the age grows and nothing else happens.
 */
export class ThinPoolRefresher {
  readonly #options: ThinPoolRefresherOptions;
  #timer: NodeJS.Timeout | undefined;
  #running = false;
  #report: ThinStorageReport | undefined;

  constructor(options: ThinPoolRefresherOptions) {
    this.#options = options;
  }

  /** Undefined until lvs has answered or failed for the first time. */
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
    const { lvs, timeoutMs } = this.#options;
    const child = execFile(
      lvs,
      LVS_ARGUMENTS,
      {
        cwd: '/',
        timeout: timeoutMs,
        killSignal: 'SIGKILL',
        maxBuffer: MAX_OUTPUT_BYTES,
        env: { LC_ALL: 'C', LVM_SUPPRESS_FD_WARNINGS: '1' },
      },
      (error, stdout, stderr) => {
        this.#running = false;
        this.#report = { storage: outcome(error, stdout, stderr), takenAt: performance.now() };
      },
    );
    child.unref();
  }
}

function outcome(
  error: (Error & { readonly killed?: boolean | undefined }) | null,
  stdout: string,
  stderr: string,
): Reading<ThinStorage> {
  if (error === null) return parseLvs(stdout);
  const said = stderr.trim().split('\n').at(-1) ?? '';
  if (error.killed === true) return failed('timeout', 'lvs', 'killed after its time limit');
  if (/permission denied|must be root|not permitted/i.test(stderr)) {
    return failed('denied', 'lvs', said);
  }
  return failed('unsupported', 'lvs', said === '' ? error.message : said);
}
