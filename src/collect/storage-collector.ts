import { BlockingPool } from '../sources/files/blocking-pool.ts';
import type {
  BackingImage,
  Disk,
  DiskSource as XmlSource,
  DomainConfig,
} from '../model/domain-config.ts';
import { readFilesystems } from '../sources/files/filesystem.ts';
import { HostFiles } from '../sources/files/host-files.ts';
import { ImageChainReader } from '../sources/images/image-chain.ts';
import { ImageReader } from '../sources/images/image-file.ts';
import {
  computeDigest,
  visibleNetworkName,
  visibleReference,
} from '../model/facts/image-reference.ts';
import { holdsDeviceNodes, readMounts, type MountTable } from '../sources/files/mounts.ts';
import type { Roots } from '../sources/kernel/roots.ts';
import { ActiveThinPools } from '../sources/lvm/active-thin-pools.ts';
import { findThinPoolProgram, ThinPoolRefresher } from '../sources/lvm/thin-pool-refresher.ts';

import type { OutcomeLog } from '../model/outcome-log.ts';
import type { AskPath } from '../guests/libvirt/pool-collector.ts';
import { StorageCheck } from '../guests/libvirt/storage-check.ts';
import type { DeclaredImage, DescribedDisk, ImageRequest } from '../model/image.ts';
import type { DomainDisk, PoolPlace, Storage, ThinStorageReading } from '../model/storage.ts';
import type { Mount } from '../model/filesystem.ts';
import type { ConfiguredGuest } from '../model/domain.ts';
import type { Deadline } from '../runtime/deadline.ts';
import { TimeSlice } from '../runtime/time-slice.ts';

const THIN_POOL_INTERVAL_MS = 60_000;
const THIN_POOL_TIMEOUT_MS = 20_000;

/** Disks that hold a guest's data; CD-ROMs and floppies are media somebody inserted. */
const DATA_DEVICES: ReadonlySet<string> = new Set(['disk', 'lun']);

/** A disk of a guest with the local path its chain begins at, or why there is none. */
interface Located {
  readonly domain: ConfiguredGuest;
  readonly disk: Pick<Disk, 'target' | 'readOnly' | 'space'>;
  readonly part: DomainDisk['part'];
  readonly source: { readonly local: DescribedDisk } | { readonly remote: RemoteName };
}

interface RemoteName {
  readonly name: string;
  readonly digest: string;
}

/** Looks at the disk images of all defined guests and the filesystems they lie on. */
export class StorageCollector {
  readonly #roots: Roots;
  readonly #pool = new BlockingPool();
  readonly #files: HostFiles;
  readonly #chains: ImageChainReader;
  readonly #thin: ThinPoolRefresher | undefined;
  readonly #thinPools: ActiveThinPools;
  /** Images of each guest as of the last collection, by the guest's UUID. */
  #knownPaths: ReadonlyMap<string, readonly string[]> = new Map();

  constructor(roots: Roots, withThinPools: boolean) {
    this.#roots = roots;
    this.#files = new HostFiles(this.#pool, roots.rootfs);
    this.#chains = new ImageChainReader(new ImageReader(this.#files, roots), this.#files);
    this.#thinPools = new ActiveThinPools(roots);
    const program = withThinPools ? findThinPoolProgram() : undefined;
    if (program !== undefined) {
      this.#thin = new ThinPoolRefresher({
        program,
        intervalMs: THIN_POOL_INTERVAL_MS,
        timeoutMs: THIN_POOL_TIMEOUT_MS,
      });
    }
  }

  /** The host's files, for whoever else reads some that may hang. */
  get files(): HostFiles {
    return this.#files;
  }

  start(): void {
    this.#thin?.start();
  }

  close(): void {
    this.#thin?.stop();
    this.#pool.close();
  }

  /**
   * Begins to ask whether what the guests' disks depend on answers; undefined when the host's mounts are
   * not known.
   */
  async check(
    guests: readonly ConfiguredGuest[],
    pools: readonly PoolPlace[],
    deadline: Deadline,
  ): Promise<StorageCheck | undefined> {
    const mounts = readMounts(this.#roots);
    if (!mounts.ok) return undefined;
    const locate = (source: XmlSource): string | undefined => findPath(source, pools);
    const { value } = mounts;
    return StorageCheck.begin(guests, this.#knownPaths, locate, value, this.#files, deadline);
  }

  /** Whether the filesystem of a path answers statfs(2). */
  readonly askPath: AskPath = async (path, deadline) => {
    const mounts = readMounts(this.#roots);
    const mount = mounts.ok ? mounts.value.findMount(path) : undefined;
    if (mount === undefined || holdsDeviceNodes(mount)) return 'unknown';
    return (await this.#files.answers(mount, deadline)) ? 'answers' : 'silent';
  };

  /** Never rejects. */
  async collect(
    guests: readonly ConfiguredGuest[],
    pools: readonly PoolPlace[] | undefined,
    log: OutcomeLog,
    deadline: Deadline,
  ): Promise<Storage | undefined> {
    const mounts = log.required('image', readMounts(this.#roots));
    if (mounts === undefined) return undefined;
    const slice = new TimeSlice();
    const located: Located[] = [];
    for (const guest of guests) {
      if (slice.isOver) await slice.nextTurn();
      located.push(
        ...listDisks(guest, pools),
        ...listMemoryDisks(guest, guest.config),
        ...listRamFiles(guest, mounts),
      );
    }
    const local = located.flatMap(({ source }) => ('local' in source ? [source.local] : []));
    const chains = await this.#chains.read(local, listDirectories(pools), mounts, deadline);

    const disks: DomainDisk[] = [];
    const holding = new Set<Mount>();
    let next = 0;
    for (const { domain, disk, part, source } of located) {
      if (slice.isOver) await slice.nextTurn();
      const common = {
        domainName: domain.name,
        domainUuid: domain.uuid,
        device: disk.target,
        readOnly: disk.readOnly,
        part,
        space: part === 'disk' ? disk.space : undefined,
      };
      if ('remote' in source) {
        disks.push({ ...common, source: { kind: 'remote', ...source.remote } });
        continue;
      }
      const chain = chains[next];
      next += 1;
      if (chain === undefined) continue;
      disks.push({ ...common, source: { kind: 'local', chain } });
      for (const { image } of chain.images) {
        if (image.kind === 'file') holding.add(image.mount);
      }
      if (chain.end.kind === 'refused') log.note('image', chain.end.error);
      if (chain.end.kind === 'unreadable') {
        const { path, error } = chain.end;
        // A guest fills its image with what it likes, and owners keep theirs closed: only what the
        // host cannot read is a failure.
        if (error.kind === 'unreadable') log.fail('image', error);
        else log.note('image', error);
        // A hung filesystem is shown as not responding instead of vanishing with its images.
        const mount = error.kind === 'timeout' ? mounts.findMount(path) : undefined;
        if (mount !== undefined) holding.add(mount);
      }
    }
    this.#knownPaths = pathsByGuest(disks);
    const filesystems = await readFilesystems(this.#files, holding, deadline);
    for (const { space } of filesystems) {
      if (!space.ok && space.error.kind === 'unreadable') log.fail('image', space.error);
    }
    return {
      disks,
      filesystems,
      thin: this.#thinStorage(log),
      unwatchedThinPools: await this.#unwatchedThinPools(log),
    };
  }

  /** Switched on, yet without a program that answers, nobody watches them either. */
  async #unwatchedThinPools(log: OutcomeLog): Promise<number | undefined> {
    if (this.#thin !== undefined) {
      const { report } = this.#thin;
      if (report === undefined) return undefined;
      if (report.storage.ok) return 0;
    }
    return log.optional('image', await this.#thinPools.count());
  }

  #thinStorage(log: OutcomeLog): ThinStorageReading | undefined {
    const report = log.run('thinpool', () => this.#thin?.report);
    if (report === undefined) return undefined;
    const storage = log.required('thinpool', report.storage);
    if (storage === undefined) return undefined;
    const ageSeconds = (performance.now() - report.takenAt) / 1000;
    return { storage, readAtSeconds: Date.now() / 1000 - ageSeconds };
  }
}

function pathsByGuest(disks: readonly DomainDisk[]): ReadonlyMap<string, readonly string[]> {
  const paths = new Map<string, string[]>();
  for (const { domainUuid, source } of disks) {
    if (source.kind === 'remote') continue;
    const known = paths.get(domainUuid) ?? [];
    for (const { image } of source.chain.images) known.push(image.resolvedPath);
    paths.set(domainUuid, known);
  }
  return paths;
}

function listDisks(
  domain: ConfiguredGuest,
  pools: readonly PoolPlace[] | undefined,
): readonly Located[] {
  return (domain.config?.disks ?? []).flatMap((disk) => {
    if (!DATA_DEVICES.has(disk.device) || disk.source === undefined) return [];
    // libvirt takes a disk without a type for raw, and so does not probe it.
    const format = disk.driver.type ?? 'raw';
    const source = locate({ ...disk, source: disk.source, format }, pools);
    const located: Located = { domain, disk, part: 'disk', source };
    const { mirror } = disk;
    if (mirror?.source === undefined) return [located];
    // The job writes to it, also where the guest may not.
    const target = { target: disk.target, readOnly: false };
    const copy = locate({ ...mirror, source: mirror.source }, pools);
    return [located, { domain, disk: target, part: 'mirror', source: copy }];
  });
}

/** Files behind nvdimm and virtio-pmem: disks by another name, raw and written in place. */
function listMemoryDisks(
  domain: ConfiguredGuest,
  config: DomainConfig | undefined,
): readonly Located[] {
  const devices = config?.memory.devices.filter(({ model }) => MEMORY_DISKS.has(model)) ?? [];
  return devices.flatMap(({ model, path, alias, readOnly }, index): readonly Located[] => {
    // A DAX device is persistent memory itself, which nothing shares and nothing fills.
    if (path === undefined || path === '' || path.startsWith('/dev/dax')) return [];
    const disk = { target: alias ?? `${model}${index}`, readOnly };
    const local = { declared: [{ path, declaredFormat: 'raw' }], declaredToTheEnd: true } as const;
    return [{ domain, disk, part: 'disk', source: { local } }];
  });
}

const MEMORY_DISKS: ReadonlySet<string> = new Set(['nvdimm', 'virtio-pmem']);

/**
 * Files that are the RAM of a running guest (`<source type='file'>` with shared access). Each is as long as
 * the memory and sparse: the guest fills it like a disk. On a tmpfs it is memory and counts as that.
 */
function listRamFiles(domain: ConfiguredGuest, mounts: MountTable): readonly Located[] {
  const disks = new Set(domain.config?.memory.devices.map(({ path }) => path));
  return domain.memoryFiles.flatMap(({ id, path }): readonly Located[] => {
    const type = mounts.findMount(path)?.type;
    if (type === undefined || MEMORY_FILESYSTEMS.has(type)) return [];
    if (disks.has(path) || !LIBVIRT_RAM_FILE.test(path)) return [];
    const request = { path, declaredFormat: 'raw', namedByHeader: true } as const;
    const local = { declared: [request], declaredToTheEnd: true } as const;
    return [{ domain, disk: { target: id, readOnly: false }, part: 'disk', source: { local } }];
  });
}

const MEMORY_FILESYSTEMS: ReadonlySet<string> = new Set([
  'tmpfs',
  'ramfs',
  'hugetlbfs',
  'devtmpfs',
]);

/**
 * `<memory_backing_dir>/<id>-<name>/<alias>` (libvirt qemu_conf.c, qemuGetMemoryBackingPath). A QEMU can
 * rewrite its command line, so no other path in it is followed, and that one not through links.
 */
const LIBVIRT_RAM_FILE = /^\/.+\/\d+-[^/]+\/[^/]+$/;

/** The images of a disk, or of what a job writes it to. */
interface DeclaredChain extends Pick<Disk, 'backing' | 'backingComplete'> {
  readonly source: XmlSource;
  readonly format: string | undefined;
}

function locate(disk: DeclaredChain, pools: readonly PoolPlace[] | undefined): Located['source'] {
  const leaf = requestFor(disk.source, disk.format, pools);
  if (leaf === undefined) return { remote: remoteName(disk.source) };
  const below: DeclaredImage[] = [];
  for (const image of disk.backing) {
    const lower =
      image.source === undefined ? undefined : requestFor(image.source, image.format, pools);
    // What follows a remote image is found from the headers, as far as it can be.
    if (lower === undefined) break;
    below.push(lower);
  }
  const complete = disk.backingComplete && below.length === disk.backing.length;
  return { local: { declared: [leaf, ...below], declaredToTheEnd: complete } };
}

/** What is to be read on this host, if there is anything. */
function requestFor(
  source: XmlSource,
  format: string | undefined,
  pools: readonly PoolPlace[] | undefined,
): DeclaredImage | undefined {
  const path = findPath(source, pools);
  if (path?.startsWith('/') !== true) return undefined;
  if (!('path' in source) || source.kind === 'other') return { path, declaredFormat: format };
  // Encryption of a qcow2 is a matter of its own header.
  const isLuks = source.encryption === 'luks' && format === 'raw';
  return {
    path,
    declaredFormat: isLuks ? 'luks' : format,
    ...(source.slice === undefined ? {} : { slice: source.slice }),
    ...(source.dataStore === undefined ? {} : findDataStore(source.dataStore, pools)),
  };
}

function findDataStore(
  { source, format }: BackingImage,
  pools: readonly PoolPlace[] | undefined,
): Pick<DeclaredImage, 'dataStore'> {
  if (source === undefined) return {};
  const local: ImageRequest | undefined = requestFor(source, format ?? 'raw', pools);
  if (local !== undefined) return { dataStore: local };
  const { name, digest } = remoteName(source);
  const protocol = source.kind === 'network' ? source.protocol : source.kind;
  return { dataStore: { kind: 'remote', protocol, visible: name, digest } };
}

/** Where libvirt's pools keep their volumes, for those that have a place in the file tree. */
function listDirectories(pools: readonly PoolPlace[] | undefined): readonly string[] {
  return (pools ?? []).flatMap(({ description }) => description?.targetPath ?? []);
}

/** The path on this host, if there is one. */
function findPath(source: XmlSource, pools: readonly PoolPlace[] | undefined): string | undefined {
  switch (source.kind) {
    case 'file':
    case 'block':
      return source.path;
    case 'volume': {
      // Pools whose volumes are files, or device nodes, right below their target path.
      const description = pools?.find(({ name }) => name === source.pool)?.description;
      if (description === undefined || !PATH_POOLS.has(description.type)) return undefined;
      const { targetPath } = description;
      // libvirt looks volumes up by name: none of them lies in another directory.
      const isName = !source.volume.includes('/');
      return targetPath !== undefined && isName ? `${targetPath}/${source.volume}` : undefined;
    }
    case 'dir':
    case 'network':
    case 'nvme':
    case 'other':
      return undefined;
  }
}

const PATH_POOLS: ReadonlySet<string> = new Set(['dir', 'fs', 'netfs', 'logical', 'disk']);

function remoteName(source: XmlSource): RemoteName {
  return { name: visibleName(source), digest: computeDigest(wholeName(source)) };
}

function visibleName(source: XmlSource): string {
  switch (source.kind) {
    case 'network':
      return visibleNetworkName(source.protocol, source.name);
    case 'file':
    case 'block':
    case 'dir':
    case 'other':
      return `${source.kind}:${visibleReference(source.path ?? '')}`;
    case 'volume':
    case 'nvme':
      return wholeName(source);
  }
}

/** May hold keys and passwords, and is not to be shown. */
function wholeName(source: XmlSource): string {
  switch (source.kind) {
    case 'network':
      return `${source.protocol}:${source.name ?? ''}`;
    case 'volume':
      return `volume:${source.pool}/${source.volume}`;
    case 'nvme':
      return `nvme:${source.address}`;
    case 'file':
    case 'block':
    case 'dir':
    case 'other':
      return `${source.kind}:${source.path ?? ''}`;
  }
}
