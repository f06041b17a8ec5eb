import type { Disk, DiskSource } from '../../model/domain-config.ts';
import type { HostFiles } from '../../sources/files/host-files.ts';
import { holdsDeviceNodes, type MountTable } from '../../sources/files/mounts.ts';

import type { Mount } from '../../model/filesystem.ts';
import type { ConfiguredGuest } from '../../model/domain.ts';
import type { Deadline } from '../../runtime/deadline.ts';
import { TimeSlice } from '../../runtime/time-slice.ts';

/** Where a disk's source is on this host, as far as it is a path. */
export type LocatePath = (source: DiskSource) => string | undefined;

/**
 * Parts that fail as a whole, taking many guests with them: a filesystem (`filesystem 0:52`), all block
 * devices of the host (`block devices`: one storage network, mostly), a remote cluster (`rbd pool`).
 */
export type FailureDomain = string;

const BLOCK_DEVICES: FailureDomain = 'block devices';

/**
 * What the disks of guests depend on, and whether it answers now. QEMU looks at its images when libvirt
 * asks for block statistics (fstat in its main loop, holding its big lock), so a guest on a filesystem
 * that does not answer is lost for good with the first such question. Our own file process can be lost
 * instead: each filesystem is asked with statfs(2) before any guest on it.
 */
export class StorageCheck {
  readonly #domains: ReadonlyMap<string, readonly FailureDomain[]>;
  readonly #answers: ReadonlyMap<FailureDomain, Promise<boolean>>;

  private constructor(
    domains: ReadonlyMap<string, readonly FailureDomain[]>,
    answers: ReadonlyMap<FailureDomain, Promise<boolean>>,
  ) {
    this.#domains = domains;
    this.#answers = answers;
  }

  /**
   * Begins to ask; the answers are awaited where they are wanted.
   *
   * @param guests whose XML is known; of others nothing can be said.
   * @param knownPaths images found in headers at the last look, by the guest's UUID.
   */
  static async begin(
    guests: readonly ConfiguredGuest[],
    knownPaths: ReadonlyMap<string, readonly string[]>,
    locate: LocatePath,
    mounts: MountTable,
    files: HostFiles,
    deadline: Deadline,
  ): Promise<StorageCheck> {
    const slice = new TimeSlice();
    const byGuest = new Map<string, readonly FailureDomain[]>();
    const asked = new Map<FailureDomain, Mount>();
    for (const { uuid, config } of guests) {
      if (slice.isOver) await slice.nextTurn();
      const domains = new Set<FailureDomain>();
      const addPath = (path: string): void => {
        const mount = mounts.findMount(path);
        // Names of block devices lie in memory; what hangs is what they stand for.
        if (mount === undefined || holdsDeviceNodes(mount)) {
          domains.add(BLOCK_DEVICES);
          return;
        }
        const domain = `filesystem ${mount.device}`;
        domains.add(domain);
        if (!asked.has(domain)) asked.set(domain, mount);
      };
      for (const disk of config?.disks ?? []) {
        for (const source of listSources(disk)) {
          const path = locate(source);
          if (path !== undefined) addPath(path);
          else domains.add(remoteDomain(source));
        }
      }
      for (const path of knownPaths.get(uuid) ?? []) addPath(path);
      byGuest.set(uuid, [...domains]);
    }
    const answers = new Map<FailureDomain, Promise<boolean>>();
    for (const [domain, mount] of asked) answers.set(domain, files.answers(mount, deadline));
    return new StorageCheck(byGuest, answers);
  }

  /** What this guest's disks depend on; empty for a guest without disks. */
  findFailureDomains(uuid: string): readonly FailureDomain[] {
    return this.#domains.get(uuid) ?? [];
  }

  /** Those of them that owe an answer; settles when each has answered or was given up. */
  async findSilentDomains(uuid: string): Promise<readonly FailureDomain[]> {
    const silent: FailureDomain[] = [];
    for (const domain of this.findFailureDomains(uuid)) {
      if ((await this.#answers.get(domain)) === false) silent.push(domain);
    }
    return silent;
  }
}

/** Everything QEMU holds open for a disk, as far as the XML names it. */
function listSources(disk: Disk): readonly DiskSource[] {
  const mirror = disk.mirror === undefined ? [] : [disk.mirror, ...disk.mirror.backing];
  return [disk, ...disk.backing, ...mirror].flatMap(({ source }) => {
    if (source === undefined) return [];
    const dataStore = 'dataStore' in source ? source.dataStore.source : undefined;
    return dataStore === undefined ? [source] : [source, dataStore];
  });
}

/** The cluster, as far as the source tells: an image is `pool/image`. */
function remoteDomain(source: DiskSource): FailureDomain {
  switch (source.kind) {
    case 'network':
      return `${source.protocol} ${source.name?.split('/')[0] ?? ''}`;
    case 'volume':
      return `pool ${source.pool}`;
    case 'nvme':
      return `nvme ${source.address}`;
    case 'file':
    case 'block':
    case 'dir':
    case 'other':
      return source.kind;
  }
}
