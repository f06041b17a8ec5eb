import { found, type Result } from '../runtime/result.ts';
import { DEFAULT_POLICY, type Policy } from './policy.ts';
import { Reloadable } from './reloadable.ts';
import type { FileFaults } from './yaml-file.ts';

interface PolicyInForce {
  readonly policy: Policy;
  /** When it was read, Unix time. */
  readonly loadedAtSeconds: number;
  /** When the file was written, Unix time; undefined without a file. */
  readonly writtenAtSeconds: number | undefined;
}

/** The policy in force. */
export class PolicyStore {
  readonly #now: () => number;
  readonly #file: Reloadable<PolicyInForce>;

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
    this.#now = now;
    const builtIn = (): PolicyInForce => ({
      policy: DEFAULT_POLICY,
      loadedAtSeconds: now(),
      writtenAtSeconds: undefined,
    });
    this.#file = new Reloadable(builtIn(), async () => {
      const base = novaConf === undefined ? found(DEFAULT_POLICY) : await loadNova(novaConf);
      if (!base.ok) return base;
      // Without a file what it would be laid over is simply confirmed.
      return path === undefined
        ? found({ ...builtIn(), policy: base.value })
        : loadPolicyFile(path, base.value, now);
    });
  }

  get policy(): Policy {
    return this.#file.inForce.policy;
  }

  get lastReadOk(): boolean {
    return this.#file.lastReadOk;
  }

  /** When the policy in force was read, Unix time. */
  get loadedAtSeconds(): number {
    return this.#file.inForce.loadedAtSeconds;
  }

  /**
   * Seconds for which the host is still being worked on (maintenance of the policy), counted from when
   * the file was written: one that stays by mistake, or is read again, prolongs nothing. 0: it is not.
   */
  get maintenanceRemainingSeconds(): number {
    const { policy, writtenAtSeconds } = this.#file.inForce;
    const { maintenanceSeconds } = policy;
    if (writtenAtSeconds === undefined) return 0;
    const remaining = writtenAtSeconds + maintenanceSeconds - this.#now();
    // A file from the future, after the clock was set back, is no older than now.
    return Math.min(Math.max(remaining, 0), maintenanceSeconds);
  }

  /** See {@link Reloadable.reload}. */
  async reload(): Promise<Result<Policy, FileFaults>> {
    const read = await this.#file.reload();
    return read.ok ? found(read.value.policy) : read;
  }
}

/** The configuration of Nova; its reader comes with that of the policy file. */
async function loadNova(path: string): Promise<Result<Policy, FileFaults>> {
  const { loadNovaConf } = await import('./nova-conf.ts');
  return loadNovaConf(path);
}

/** The parsers of YAML and of schemas are 12 MB of memory: only for those who have a file. */
async function loadPolicyFile(
  path: string,
  base: Policy,
  now: () => number,
): Promise<Result<PolicyInForce, FileFaults>> {
  const { loadPolicy } = await import('./policy-file.ts');
  const loaded = await loadPolicy(path, base);
  return loaded.ok ? found({ ...loaded.value, loadedAtSeconds: now() }) : loaded;
}
