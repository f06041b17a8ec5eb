import { DEFAULT_POLICY, type Policy } from './policy.ts';
import type { PolicyResult } from './policy-file.ts';
import type { FileResult } from './yaml-file.ts';

/**
 * The policy in force, which can be read again while the exporter runs (SIGHUP). A broken file
 * changes nothing: the policy before it stays.
 */
export class PolicyStore {
  readonly #path: string | undefined;
  readonly #now: () => number;
  readonly #novaConf: string | undefined;
  #policy: Policy = DEFAULT_POLICY;
  #lastReadOk = true;
  #loadedAtSeconds: number;
  #writtenAtSeconds: number | undefined;
  #last: Promise<unknown> = Promise.resolve();

  /**
   * @param path the policy file; undefined for the built-in policy alone.
   * @param now Unix time in seconds.
   * @param novaConf Nova's configuration, over which the policy file is laid.
   */
  constructor(
    path: string | undefined,
    now: () => number = () => Date.now() / 1000,
    novaConf?: string,
  ) {
    this.#path = path;
    this.#novaConf = novaConf;
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

  async #load(): Promise<PolicyResult> {
    let base = DEFAULT_POLICY;
    if (this.#novaConf !== undefined) {
      const nova = await loadNova(this.#novaConf);
      if (!nova.ok) return nova;
      base = nova.value;
    }
    return this.#path === undefined
      ? { ok: true, policy: base }
      : await loadPolicyFile(this.#path, base);
  }

  async #read(): Promise<PolicyResult> {
    const result = await this.#load();
    this.#lastReadOk = result.ok;
    if (result.ok) {
      this.#policy = result.policy;
      this.#loadedAtSeconds = this.#now();
      this.#writtenAtSeconds = result.writtenAtSeconds;
    }
    return result;
  }
}

/** The configuration of Nova; its reader comes with that of the policy file. */
async function loadNova(path: string): Promise<FileResult<Policy>> {
  const { loadNovaConf } = await import('./nova-conf.ts');
  return loadNovaConf(path);
}

/** The parsers of YAML and of schemas are 12 MB of memory: only for those who have a file. */
async function loadPolicyFile(path: string, base: Policy): Promise<PolicyResult> {
  const { loadPolicy } = await import('./policy-file.ts');
  return loadPolicy(path, base);
}
