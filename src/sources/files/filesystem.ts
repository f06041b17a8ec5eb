import type { FileSpace } from './file-task.ts';
import type { HostFiles } from './host-files.ts';

import type { Deadline } from '../../runtime/deadline.ts';
import { found } from '../../runtime/result.ts';
import type {
  Filesystem,
  FilesystemSpace,
  FilesystemTraits,
  Mount,
  Possibility,
} from '../../model/filesystem.ts';

interface TypeTraits {
  readonly sharedExtents: Possibility;
  readonly compression: Possibility;
  readonly network?: true;
}

const PLAIN: TypeTraits = { sharedExtents: 'never', compression: 'never' };
const REMOTE: TypeTraits = { sharedExtents: 'unknown', compression: 'unknown', network: true };

/** By the type in mountinfo. Linux Documentation/filesystems; OpenZFS and bcachefs manuals. */
const TRAITS: Readonly<Record<string, TypeTraits>> = {
  ext2: PLAIN,
  ext3: PLAIN,
  ext4: PLAIN,
  vfat: PLAIN,
  tmpfs: PLAIN,
  ramfs: PLAIN,
  hugetlbfs: PLAIN,
  devtmpfs: PLAIN,
  xfs: { sharedExtents: 'possible', compression: 'never' },
  btrfs: { sharedExtents: 'possible', compression: 'possible' },
  bcachefs: { sharedExtents: 'possible', compression: 'possible' },
  zfs: { sharedExtents: 'possible', compression: 'possible' },
  f2fs: { sharedExtents: 'never', compression: 'possible' },
  nfs: REMOTE,
  nfs4: REMOTE,
  cifs: REMOTE,
  smb3: REMOTE,
  ceph: REMOTE,
  glusterfs: REMOTE,
  gfs2: { sharedExtents: 'never', compression: 'never', network: true },
  ocfs2: { sharedExtents: 'possible', compression: 'never', network: true },
  '9p': REMOTE,
  virtiofs: REMOTE,
  afs: REMOTE,
  lustre: REMOTE,
  gpfs: REMOTE,
};

/** What is known of a filesystem before it is asked anything. */
export function filesystemTraits(mount: Mount): FilesystemTraits {
  const traits =
    TRAITS[mount.type] ??
    (mount.type.startsWith('fuse')
      ? REMOTE
      : { sharedExtents: 'unknown' as const, compression: 'unknown' as const });
  const compressing = mount.superOptions.some((option) =>
    /^compress(?:-force)?(?:=|$)/.test(option),
  );
  return {
    network: traits.network === true,
    sharedExtents: traits.sharedExtents,
    compression: compressing && traits.compression === 'possible' ? 'on' : traits.compression,
  };
}

/**
 * The filesystems behind the given mounts, one per `major:minor` however many mounts it has. That
 * with the first mount point in the alphabet is asked and named, so that the order in which guests
 * come does not rename a filesystem. A hung one comes back with its traits and a `timeout` for its space.
 */
export async function readFilesystems(
  files: HostFiles,
  mounts: Iterable<Mount>,
  deadline: Deadline,
): Promise<readonly Filesystem[]> {
  const byDevice = new Map<string, Mount>();
  for (const mount of mounts) {
    const known = byDevice.get(mount.device);
    if (known === undefined || mount.mountpoint < known.mountpoint) {
      byDevice.set(mount.device, mount);
    }
  }
  const filesystems = await Promise.all(
    [...byDevice.values()].map(async (mount): Promise<Filesystem> => {
      const answer = await files.space(mount, deadline);
      return {
        mount,
        traits: filesystemTraits(mount),
        space: answer.ok ? found(inBytes(answer.value)) : answer,
      };
    }),
  );
  return byPool(filesystems);
}

/** Datasets that were asked one after the other, and written to meanwhile, have the same space still. */
const SAME_SPACE = { bytes: 128 * 2 ** 20, ratio: 0.01 };

/**
 * ZFS datasets with the free space of their pool as one filesystem: its free space is there once,
 * however many datasets show it. A dataset whose free space is another's (a quota, a reservation of its
 * own) stays by itself.
 */
export function byPool(filesystems: readonly Filesystem[]): readonly Filesystem[] {
  const merged: Filesystem[] = [];
  const inOrder = filesystems.toSorted(
    (one, other) => availableIn(other) - availableIn(one) || byMountpoint(one, other),
  );
  for (const dataset of inOrder) {
    const at = merged.findIndex((known) => isSamePool(known, dataset));
    const known = merged[at];
    if (known === undefined) merged.push(dataset);
    else merged[at] = together(known, dataset);
  }
  return merged.sort(byMountpoint);
}

function byMountpoint({ mount: one }: Filesystem, { mount: other }: Filesystem): number {
  return one.mountpoint < other.mountpoint ? -1 : one.mountpoint > other.mountpoint ? 1 : 0;
}

function availableIn({ space }: Filesystem): number {
  return space.ok ? space.value.availableBytes : -1;
}

function isSamePool(one: Filesystem, other: Filesystem): boolean {
  if (one.mount.type !== 'zfs' || other.mount.type !== 'zfs') return false;
  if (!one.space.ok || !other.space.ok) return false;
  // Datasets are named `pool/of/any/depth`.
  if (one.mount.source.split('/')[0] !== other.mount.source.split('/')[0]) return false;
  const difference = Math.abs(availableIn(one) - availableIn(other));
  return difference <= Math.max(SAME_SPACE.bytes, availableIn(one) * SAME_SPACE.ratio);
}

/** What both hold and the free space of one: statfs of a dataset tells no size but the sum of these. */
function together(one: Filesystem, other: Filesystem): Filesystem {
  const named = byMountpoint(one, other) < 0 ? one : other;
  const devices = [one, other].flatMap(({ mount, sharing }) => [mount.device, ...(sharing ?? [])]);
  const sharing = devices.filter((device) => device !== named.mount.device);
  if (!one.space.ok || !other.space.ok) return { ...named, sharing };
  const [a, b] = [one.space.value, other.space.value];
  const availableBytes = Math.min(a.availableBytes, b.availableBytes);
  const heldBytes = a.sizeBytes - a.availableBytes + b.sizeBytes - b.availableBytes;
  return {
    ...named,
    sharing,
    space: found({
      sizeBytes: heldBytes + availableBytes,
      freeBytes: Math.min(a.freeBytes, b.freeBytes),
      availableBytes,
      inodes: named.space.ok ? named.space.value.inodes : undefined,
      inodesFree: named.space.ok ? named.space.value.inodesFree : undefined,
    }),
  };
}

function inBytes(stat: FileSpace): FilesystemSpace {
  const limited = stat.inodes !== 0n;
  return {
    sizeBytes: Number(stat.blocks * stat.blockBytes),
    freeBytes: Number(stat.blocksFree * stat.blockBytes),
    availableBytes: Number(stat.blocksAvailable * stat.blockBytes),
    inodes: limited ? Number(stat.inodes) : undefined,
    inodesFree: limited ? Number(stat.inodesFree) : undefined,
  };
}
