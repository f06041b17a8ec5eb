import type { BootStorm } from './boot-storm.ts';

import type { MemoryOvercommit } from './memory/memory.ts';
import type { MomDecision } from './mom/mom.ts';
import type { NetworkOvercommit } from './network/network.ts';
import type { StorageOvercommit } from './storage/storage.ts';
import type { CpuOvercommit } from './cpu/model.ts';

/**
 * How far one host is over-committed: everything the arithmetic of this folder says of one
 * snapshot. A part is undefined when what it needs was not collected.
 */
export interface Assessment {
  /** Running guests. */
  readonly cpu: CpuOvercommit | undefined;
  /** Running guests. */
  readonly memory: MemoryOvercommit | undefined;
  /** All defined guests. */
  readonly storage: StorageOvercommit | undefined;
  /** Running guests. */
  readonly network: NetworkOvercommit | undefined;
  readonly bootStorm: BootStorm | undefined;
  /** MOM's own measurements, then the corrected ones. */
  readonly mom: readonly MomDecision[];
}
