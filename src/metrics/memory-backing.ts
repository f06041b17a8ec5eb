import {
  backingKind,
  isMergeable,
  pinsMemory,
  type BackingKind,
  type DomainConfig,
} from '../sources/domain-config.ts';
import type { MemoryOfGuest } from '../overcommit/memory.ts';

/** What can be done with a guest's memory when the host runs short. */
export interface MemoryTraits {
  readonly backing: BackingKind;
  /** KSM may merge it. */
  readonly mergeable: boolean;
  readonly swappable: boolean;
  /** What the guest gives up with its balloon comes back to the host. */
  readonly balloonable: boolean;
}

/**
 * From the XML; for a running guest the assessment decides on swapping and ballooning, since it
 * also saw how much of the process is really locked.
 */
export function memoryTraits(
  config: DomainConfig,
  assessed: MemoryOfGuest | undefined,
): MemoryTraits {
  const backing = backingKind(config);
  const pinned = pinsMemory(config);
  const swappable =
    assessed === undefined
      ? backing !== 'hugepages' && !pinned
      : assessed.class === 'anonymous' || assessed.class === 'shared';
  return {
    backing,
    mergeable: isMergeable(config) && !pinned,
    swappable,
    balloonable:
      assessed === undefined
        ? config.balloon !== undefined && swappable
        : assessed.balloon === 'effective',
  };
}
