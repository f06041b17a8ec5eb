import { DEFAULT_POLICY, type Policy } from './policy.ts';
import type { PolicyResult } from './policy-file.ts';

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
  reload(): Promise<PolicyResult> {
    const reading = this.#last.then(() => this.#read());
    this.#last = reading;
    return reading;
  }

  async #read(): Promise<PolicyResult> {
    const result: PolicyResult =
      this.#path === undefined
        ? { ok: true, policy: DEFAULT_POLICY }
        : await loadPolicyFile(this.#path);
    this.#lastReadOk = result.ok;
    if (result.ok) {
      this.#policy = result.policy;
      this.#loadedAtSeconds = this.#now();
      this.#writtenAtSeconds = result.writtenAtSeconds;
    }
    return result;
  }
}

/** The parsers of YAML and of schemas are 12 MB of memory: only for those who have a file. */
async function loadPolicyFile(path: string): Promise<PolicyResult> {
  const { loadPolicy } = await import('./policy-file.ts');
  return loadPolicy(path);
}
