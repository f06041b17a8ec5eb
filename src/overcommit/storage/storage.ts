/**
 * Storage over-commitment: what images may still grow by, against the room where they lie.
 *
 * Counts every image handed in, of running guests and of guests that are off alike: an image
 * holds its space, and its promise, whether its guest runs or not.
 */

/**
 * - `file`: a file on a filesystem; grows into the filesystem's free space.
 * - `thin`: a thin logical volume; grows into its thin pool.
 * - `thick`: a block device with all its space set aside; cannot grow.
 * - `remote`: not on this host (RBD, iSCSI, NBD …); what backs it is not known here.
 */
type ImageKind = 'file' | 'thin' | 'thick' | 'remote';

/**
 * One image, or one mention of it: mentions with the same `id` are the same image and are counted
 * once, whichever guests and disks they come from.
 */
export interface StorageImage {
  /** "dev:inode" of a file, device number of a block device, or the remote name. */
  readonly id: string;
  readonly kind: ImageKind;
  /** `id` of the filesystem or thin pool it lies in. Undefined: none (thick, remote) or unknown. */
  readonly containerId: string | undefined;
  /** st_blocks × 512; the used part of a thin volume; the size of a thick device. */
  readonly allocatedBytes: number | undefined;
  /** Size when every cluster has been written (raw: the capacity; qcow2: with metadata). */
  readonly worstCaseBytes: number | undefined;
  /** What internal snapshots can pin on top of that, each a whole state of the disk. */
  readonly snapshotsWorstCaseBytes: number;
  /** Some guest's disk writes to it. False: a backing file or a read-only disk. */
  readonly writable: boolean;
  readonly guests: readonly string[];
}

export interface StorageFilesystem {
  /** One entry per filesystem, however often mounted (st_dev; for btrfs not the subvolume's). */
  readonly id: string;
  readonly mountpoint: string;
  /** statvfs f_blocks × f_frsize. Undefined: the mount does not answer. */
  readonly sizeBytes: number | undefined;
  /** statvfs f_bavail × f_frsize. */
  readonly availBytes: number | undefined;
  /** Reflink, deduplication or compression: allocated sums may count a block more than once. */
  readonly sharedExtents: boolean;
}

export interface StorageThinPool {
  readonly id: string;
  readonly name: string;
  readonly sizeBytes: number;
  /** Used data blocks × block size. */
  readonly usedBytes: number;
}

/** Sums over distinct images. */
interface PromisedStorage {
  readonly images: number;
  /** Images whose allocated or worst-case size is unknown: the sums lack that part of them. */
  readonly imagesUnknown: number;
  /** Worst case of writable images plus what read-only images have allocated. */
  readonly promisedBytes: number;
  readonly allocatedBytes: number;
  /** What writable images may still grow by. */
  readonly claimableBytes: number;
}

export interface StorageContainer extends PromisedStorage {
  readonly id: string;
  readonly kind: 'filesystem' | 'thin pool';
  /** Mount point, or name of the pool. */
  readonly name: string;
  readonly sizeBytes: number | undefined;
  readonly availBytes: number | undefined;
  /** Claimable less available. Negative: so much would be left. */
  readonly shortfallBytes: number | undefined;
  readonly sharedExtents: boolean;
}

/** Where an image's space comes from. */
type StoragePlace = 'container' | 'thick' | 'remote' | 'unplaced';

/** A guest's part of one place. Parts of all guests add up to the sums of the place. */
export interface StorageOfGuest {
  readonly guest: string;
  readonly place: StoragePlace;
  /** Only where the place is a container. */
  readonly containerId: string | undefined;
  readonly images: number;
  readonly imagesUnknown: number;
  readonly promisedBytes: number;
  readonly allocatedBytes: number;
  readonly claimableBytes: number;
}

export interface StorageOvercommit {
  readonly containers: readonly StorageContainer[];
  /** Thick block devices: promised and allocated alike, nothing claimable. */
  readonly thick: PromisedStorage;
  /** Remote images. */
  readonly remote: PromisedStorage;
  /** Files and thin volumes whose filesystem or pool is unknown, e.g. because it vanished. */
  readonly unplaced: PromisedStorage;
  /** All of this host's: containers, thick and unplaced; not remote. */
  readonly host: PromisedStorage & {
    /** Σ of positive shortfalls: room left on one filesystem does not help another. */
    readonly shortfallBytes: number;
  };
  readonly guests: readonly StorageOfGuest[];
}

/**
 * - A writable image promises its worst case with what its snapshots pin; a read-only one what it
 *   has allocated, since it cannot grow. An image that one guest writes to and another has as its base is writable.
 * - An image is counted once per place. Guests that use the same image are charged equal parts of
 *   it, so that guests add up to the place.
 */
export function storageOvercommit(
  mentions: readonly StorageImage[],
  filesystems: readonly StorageFilesystem[],
  thinPools: readonly StorageThinPool[],
): StorageOvercommit {
  const known = new Set([...filesystems, ...thinPools].map((container) => container.id));
  const images = distinctImages(mentions);
  const imagesOf = new Map<string, StorageImage[]>();
  const elsewhere: Record<Exclude<StoragePlace, 'container'>, StorageImage[]> = {
    thick: [],
    remote: [],
    unplaced: [],
  };
  for (const image of images) {
    const place = findPlace(image, known);
    if (place !== 'container') elsewhere[place].push(image);
    else if (image.containerId !== undefined) append(imagesOf, image.containerId, image);
  }

  const containers = [
    ...filesystems.map((filesystem) =>
      filesystemContainer(filesystem, sumPromised(imagesOf.get(filesystem.id) ?? [])),
    ),
    ...thinPools.map((pool) => thinPoolContainer(pool, sumPromised(imagesOf.get(pool.id) ?? []))),
  ];
  const local = images.filter((image) => image.kind !== 'remote');
  return {
    containers,
    thick: sumPromised(elsewhere.thick),
    remote: sumPromised(elsewhere.remote),
    unplaced: sumPromised(elsewhere.unplaced),
    host: {
      ...sumPromised(local),
      shortfallBytes: containers.reduce(
        (sum, container) => sum + Math.max(0, container.shortfallBytes ?? 0),
        0,
      ),
    },
    guests: guestParts(images, known),
  };
}

/** One entry per id: a fact known to any mention is known, written by any is writable. */
function distinctImages(mentions: readonly StorageImage[]): readonly StorageImage[] {
  const byId = new Map<string, StorageImage>();
  // A base of 1000 guests is mentioned 1000 times.
  const guestsOf = new Map<string, Set<string>>();
  for (const mention of mentions) {
    const seen = byId.get(mention.id);
    byId.set(mention.id, {
      ...mention,
      containerId: seen?.containerId ?? mention.containerId,
      allocatedBytes: seen?.allocatedBytes ?? mention.allocatedBytes,
      worstCaseBytes: seen?.worstCaseBytes ?? mention.worstCaseBytes,
      snapshotsWorstCaseBytes: Math.max(
        seen?.snapshotsWorstCaseBytes ?? 0,
        mention.snapshotsWorstCaseBytes,
      ),
      writable: mention.writable || (seen?.writable ?? false),
    });
    const guests = guestsOf.get(mention.id) ?? new Set();
    for (const guest of mention.guests) guests.add(guest);
    guestsOf.set(mention.id, guests);
  }
  return [...byId.values()].map((image) => ({
    ...image,
    guests: [...(guestsOf.get(image.id) ?? [])],
  }));
}

function findPlace(image: StorageImage, known: ReadonlySet<string>): StoragePlace {
  if (image.kind === 'thick' || image.kind === 'remote') return image.kind;
  return image.containerId !== undefined && known.has(image.containerId) ? 'container' : 'unplaced';
}

interface ImageFigures {
  readonly known: boolean;
  readonly promisedBytes: number;
  readonly allocatedBytes: number;
  readonly claimableBytes: number;
}

function computeFigures(image: StorageImage): ImageFigures {
  const allocated = image.allocatedBytes;
  if (!image.writable || image.kind === 'thick') {
    return {
      known: allocated !== undefined,
      promisedBytes: allocated ?? 0,
      allocatedBytes: allocated ?? 0,
      claimableBytes: 0,
    };
  }
  const worst = computeWorstCase(image);
  return {
    known: allocated !== undefined && worst !== undefined,
    promisedBytes: worst ?? 0,
    allocatedBytes: allocated ?? 0,
    claimableBytes:
      allocated === undefined || worst === undefined ? 0 : Math.max(0, worst - allocated),
  };
}

/**
 * Snapshots pin no more than the image has allocated now, and beside it the guest can write its disk
 * once: after the first write a cluster is its own and is overwritten in place. So an image of 60 GB
 * with ten snapshots of a disk of 100 GB ends at 160 GB and not at 1100.
 */
function computeWorstCase(image: StorageImage): number | undefined {
  const { allocatedBytes, worstCaseBytes, snapshotsWorstCaseBytes } = image;
  if (worstCaseBytes === undefined) return undefined;
  return worstCaseBytes + Math.min(snapshotsWorstCaseBytes, allocatedBytes ?? Infinity);
}

function sumPromised(images: readonly StorageImage[]): PromisedStorage {
  let imagesUnknown = 0;
  let promisedBytes = 0;
  let allocatedBytes = 0;
  let claimableBytes = 0;
  for (const image of images) {
    const figures = computeFigures(image);
    if (!figures.known) imagesUnknown += 1;
    promisedBytes += figures.promisedBytes;
    allocatedBytes += figures.allocatedBytes;
    claimableBytes += figures.claimableBytes;
  }
  return { images: images.length, imagesUnknown, promisedBytes, allocatedBytes, claimableBytes };
}

function filesystemContainer(
  filesystem: StorageFilesystem,
  promise: PromisedStorage,
): StorageContainer {
  return {
    ...promise,
    id: filesystem.id,
    kind: 'filesystem',
    name: filesystem.mountpoint,
    sizeBytes: filesystem.sizeBytes,
    availBytes: filesystem.availBytes,
    shortfallBytes: lessOrUnknown(promise.claimableBytes, filesystem.availBytes),
    sharedExtents: filesystem.sharedExtents,
  };
}

function thinPoolContainer(pool: StorageThinPool, promise: PromisedStorage): StorageContainer {
  const availBytes = Math.max(0, pool.sizeBytes - pool.usedBytes);
  return {
    ...promise,
    id: pool.id,
    kind: 'thin pool',
    name: pool.name,
    sizeBytes: pool.sizeBytes,
    availBytes,
    shortfallBytes: promise.claimableBytes - availBytes,
    // Snapshots of thin volumes share blocks, so volumes can add up to more than the pool uses.
    sharedExtents: true,
  };
}

function lessOrUnknown(value: number, subtract: number | undefined): number | undefined {
  return subtract === undefined ? undefined : value - subtract;
}

function guestParts(
  images: readonly StorageImage[],
  known: ReadonlySet<string>,
): readonly StorageOfGuest[] {
  const parts = new Map<string, StorageOfGuest>();
  for (const image of images) {
    const place = findPlace(image, known);
    const containerId = place === 'container' ? image.containerId : undefined;
    const figures = computeFigures(image);
    const users = image.guests.length;
    for (const guest of image.guests) {
      const key = JSON.stringify([guest, place, containerId]);
      const part = parts.get(key);
      parts.set(key, {
        guest,
        place,
        containerId,
        images: (part?.images ?? 0) + 1,
        imagesUnknown: (part?.imagesUnknown ?? 0) + (figures.known ? 0 : 1),
        promisedBytes: (part?.promisedBytes ?? 0) + figures.promisedBytes / users,
        allocatedBytes: (part?.allocatedBytes ?? 0) + figures.allocatedBytes / users,
        claimableBytes: (part?.claimableBytes ?? 0) + figures.claimableBytes / users,
      });
    }
  }
  return [...parts.values()];
}

function append(lists: Map<string, StorageImage[]>, key: string, image: StorageImage): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [image]);
  else list.push(image);
}
