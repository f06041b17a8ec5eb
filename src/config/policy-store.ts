import { DEFAULT_POLICY, type Policy } from './policy.ts';
import type { LoadedPolicy } from './policy-file.ts';
import { found, type Result } from '../runtime/result.ts';
import type { FileFaults } from './yaml-file.ts';

/**
 * The policy in force, which can be read again while the exporter runs (SIGHUP). A broken file
 * changes nothing: the policy before it stays.
 */
export class PolicyStore {
  readonly #path: string | undefined;
  readonly #now: () => number;
  #policy: Policy = DEFAULT_POLICY;
  #lastReadOk = true;
  #loadedAtSeconds: number;
  #writtenAtSeconds: number | undefined;
  #last: Promise<unknown> = Promise.resolve();

  /**
   * @param path the policy file; undefined for the built-in policy alone.
   * @param now Unix time in seconds.
   */
  constructor(path: string | undefined, now: () => number = () => Date.now() / 1000) {
    this.#path = path;
    this.#now = now;
    this.#loadedAtSeconds = now();
  }

  get policy(): Policy {
    return this.#policy;
  }

  /** False while the file on disk is not the one in force because it is broken. */
  get lastReadOk(): boolean {
    return this.#lastReadOk;
  }

  /** When the policy in force was read, Unix time. */
  get loadedAtSeconds(): number {
    return this.#loadedAtSeconds;
  }

  /**
   * Seconds for which the host is still being worked on (maintenance of the policy), counted from when
   * the file was written: one that stays by mistake, or is read again, prolongs nothing. 0: it is not.
   */
  get maintenanceRemainingSeconds(): number {
    const { maintenanceSeconds } = this.#policy;
    if (this.#writtenAtSeconds === undefined) return 0;
    const remaining = this.#writtenAtSeconds + maintenanceSeconds - this.#now();
    // A file from the future, after the clock was set back, is no older than now.
    return Math.min(Math.max(remaining, 0), maintenanceSeconds);
  }

  /**
   * Reads the file and puts it in force if it is sound; one reading after the other, so that the
   * last signal decides. Without a file the built-in policy is simply confirmed.
   */
  reload(): Promise<Result<Policy, FileFaults>> {
    const reading = this.#last.then(() => this.#read());
    this.#last = reading;
    return reading;
  }

  async #read(): Promise<Result<Policy, FileFaults>> {
    const loaded =
      this.#path === undefined
        ? found({ policy: DEFAULT_POLICY, writtenAtSeconds: undefined })
        : await loadPolicyFile(this.#path);
    this.#lastReadOk = loaded.ok;
    if (!loaded.ok) return loaded;
    this.#policy = loaded.value.policy;
    this.#loadedAtSeconds = this.#now();
    this.#writtenAtSeconds = loaded.value.writtenAtSeconds;
    return found(this.#policy);
  }
}

/** The parsers of YAML and of schemas are 12 MB of memory: only for those who have a file. */
async function loadPolicyFile(path: string): Promise<Result<LoadedPolicy, FileFaults>> {
  const { loadPolicy } = await import('./policy-file.ts');
  return loadPolicy(path);
}
