import type { DomainStats } from '../libvirt/index.ts';
import type { DomainConfig } from '../sources/domain-config.ts';
import type { ProcessThread } from '../sources/process-threads.ts';

/** What a running guest shows of its configuration in every collection, by other ways than its XML. */
export interface SeenConfig {
  /** The top image by target name, of local disks; undefined when its disks were not asked for. */
  readonly disks: ReadonlyMap<string, string | undefined> | undefined;
  /** Numbers of its vCPU threads; undefined where these are not named, or are out of reach. */
  readonly vcpus: ReadonlySet<number> | undefined;
}

/**
 * From `block.<n>.name` and `.path`, which libvirt has from its live definition of the guest, and the
 * names of QEMU's threads.
 */
export function seenConfig(
  stats: DomainStats | undefined,
  threads: readonly ProcessThread[] | undefined,
): SeenConfig {
  const disks = new Map<string, string | undefined>();
  for (const { name, path } of stats?.block.blocks ?? []) {
    // Backing images repeat the name of their disk.
    if (name !== undefined && !disks.has(name)) disks.set(name, path);
  }
  const vcpus = new Set(threads?.flatMap(({ role }) => (role.kind === 'vcpu' ? [role.index] : [])));
  return {
    disks: disks.size === 0 ? undefined : disks,
    vcpus: vcpus.size === 0 ? undefined : vcpus,
  };
}

/** Whether a guest's XML agrees with what is seen of it: where not, it was changed since it was read. */
export function agrees(config: DomainConfig, { disks, vcpus }: SeenConfig): boolean {
  return (disks === undefined || disksAgree(config, disks)) && vcpusAgree(config, vcpus);
}

/** The same for the same sight, so that one that a fresh XML does not explain is met once. */
export function computeSignature({ disks, vcpus }: SeenConfig): string {
  return JSON.stringify([disks && [...disks], vcpus && [...vcpus]]);
}

function disksAgree(config: DomainConfig, seen: ReadonlyMap<string, string | undefined>): boolean {
  const targets = new Map(config.disks.map((disk) => [disk.target, disk]));
  for (const [target, path] of seen) {
    const disk = targets.get(target);
    if (disk === undefined) return false;
    const { source } = disk;
    // Of others libvirt tells no path, or one that it has worked out.
    if (source !== undefined && source.kind !== 'file' && source.kind !== 'block') continue;
    if (source?.path !== path) return false;
  }
  // Of empty drives it need not tell.
  return config.disks.every(({ target, source }) => source === undefined || seen.has(target));
}

function vcpusAgree({ vcpu }: DomainConfig, seen: ReadonlySet<number> | undefined): boolean {
  if (seen === undefined) return true;
  const { list, current } = vcpu;
  if (list.length === 0) return seen.size === current;
  const online = list.filter(({ enabled }) => enabled);
  return online.length === seen.size && online.every(({ id }) => seen.has(id));
}
