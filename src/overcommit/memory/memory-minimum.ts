/** What a guest cannot be shrunk below, so that no balloon of it helps any more. */

/** What of a guest decides about it, as in MemoryGuest. */
interface Shrinkable {
  readonly maximumBytes: number;
  readonly balloonPresent: boolean;
  readonly minimumBytes?: number | undefined;
  readonly virtioMemBytes?: number;
}

/**
 * Bytes of a guest's promise that stay whatever is asked of its balloon. Undefined: nothing is known to
 * keep it from giving all of it, so that a sum over guests is the least there is.
 *
 * - Memory that is locked, pinned for devices or in huge pages: all of it, since its balloon frees
 *   nothing.
 * - Without a balloon: all but what virtio-mem can unplug.
 * - Else the most of what its manager guarantees it (oVirt, CloudStack, `<min_guarantee>`) and what its
 *   cgroup keeps from being reclaimed (memory.min), at most what it was promised.
 *
 * @param holdsAll it has all its memory from the start and gives none of it back.
 */
export function computeMinimum(guest: Shrinkable, holdsAll: boolean): number | undefined {
  if (holdsAll) return guest.maximumBytes;
  if (!guest.balloonPresent) return Math.max(0, guest.maximumBytes - (guest.virtioMemBytes ?? 0));
  const { minimumBytes } = guest;
  return minimumBytes === undefined ? undefined : Math.min(minimumBytes, guest.maximumBytes);
}
