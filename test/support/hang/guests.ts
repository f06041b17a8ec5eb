import type { FuseFilesystem, GuestSpec, Lab } from '../../../lab/index.ts';

/** Which of its guests run, and which report their memory; `mixed` has all four, in turn. */
export type Mix = 'mixed' | 'started' | 'paused';

/** Guests that can be made to hang, and what it takes. */
export interface Herd {
  readonly lab: Lab;
  /** In the order they are made to hang in, which is not the order of their names. */
  readonly names: readonly string[];
  /** The first disks of the first `sizes[0]` guests lie on the first, of the next on the next … */
  readonly mounts: readonly FuseFilesystem[];
}

/**
 * Starts guests with nothing to boot. Their first disk lies on one of several FUSE mounts, so that
 * the first `counts[0]` of them, the first `counts[1]` … can lose it together.
 */
export async function startHerd(
  lab: Lab,
  options: { readonly guests: number; readonly counts: readonly number[]; readonly mix: Mix },
): Promise<Herd> {
  const { guests, counts, mix } = options;
  const ends = [...new Set([...counts.filter((count) => count < guests), guests])];
  const mounts: FuseFilesystem[] = [];
  for (const end of ends) mounts.push(await lab.fuse(`far${end}`));
  const specs = Array.from({ length: guests }, (_, index) => {
    const mount = mounts[ends.findIndex((end) => index < end)];
    if (mount === undefined) throw new RangeError(`no mount for guest ${index}`);
    return guest(index, guests, mix, mount.mountPoint);
  });
  // Not one mount after the other: the order of starting is the daemon's order of listing.
  await lab.startGuests(specs.toSorted((one, other) => (one.name < other.name ? -1 : 1)));
  return { lab, names: specs.map(({ name }) => name), mounts };
}

/** The mounts whose loss takes exactly the first so many guests. */
export function mountsOfFirst(herd: Herd, count: number): readonly FuseFilesystem[] {
  const { mounts, names } = herd;
  const index = mounts.findIndex(({ mountPoint }) =>
    mountPoint.endsWith(`/far${count === names.length ? names.length : count}`),
  );
  if (index < 0) throw new RangeError(`no mounts for exactly ${count} guests`);
  return mounts.slice(0, index + 1);
}

/** A prime greater than any number of guests, and close to no multiple of the usual ones. */
const STRIDE = 97;

/** Guest names begin with what kind they are, so that a failure that names one says it. */
function guest(index: number, guests: number, mix: Mix, far: string): GuestSpec {
  const paused = mix === 'mixed' ? index % 2 === 1 : mix === 'paused';
  const silent = mix === 'mixed' ? index % 4 >= 2 : mix === 'paused';
  // Odd multiples spread: guests that hang are not next to each other in any list.
  const number = String((index * STRIDE) % guests).padStart(2, '0');
  return {
    name: `${paused ? 'paused' : 'started'}-${silent ? 'silent' : 'reporting'}-${number}`,
    os: 'none',
    paused,
    sideMonitor: true,
    ioThreads: 1,
    balloon: silent ? { kind: 'silent' } : { kind: 'period', seconds: 2 },
    disks: [
      { source: { kind: 'new', format: 'raw', sizeMib: 8, directory: far } },
      { source: { kind: 'new', format: 'raw', sizeMib: 8 }, ioThread: 1 },
    ],
  };
}
