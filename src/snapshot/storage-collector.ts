import { BlockingPool } from '../sources/blocking-pool.ts';
import type { Disk, DiskSource as XmlSource, DomainConfig } from '../sources/domain-config.ts';
import { readFilesystems } from '../sources/filesystem.ts';
import { HostFiles } from '../sources/host-files.ts';
import { ImageChainReader, type DiskSource } from '../sources/image-chain.ts';
import { ImageReader, type ImageRequest } from '../sources/image-file.ts';
import { readMounts, type Mount } from '../sources/mounts.ts';
import type { Roots } from '../sources/roots.ts';
import { findThinPoolProgram, ThinPoolRefresher } from '../sources/thin-pool-refresher.ts';
import type { ConfiguredGuest } from './guest-collector.ts';
import type { OutcomeLog } from './outcome-log.ts';
import type { DomainDisk, Storage, StoragePool, ThinStorageReading } from './storage.ts';

const THIN_POOL_INTERVAL_MS = 60_000;
const THIN_POOL_TIMEOUT_MS = 20_000;

/** Disks that hold a guest's data; CD-ROMs and floppies are media somebody inserted. */
const DATA_DEVICES: ReadonlySet<string> = new Set(['disk', 'lun']);

/** A disk of a guest with the local path its chain begins at, or why there is none. */
interface Located {
  readonly domain: ConfiguredGuest;
  readonly disk: Pick<Disk, 'target' | 'readOnly'>;
  readonly source: { readonly local: DiskSource } | { readonly remote: string };
}

/** Looks at the disk images of all defined guests and the filesystems they lie on. */
export class StorageCollector {
  readonly #roots: Roots;
  readonly #pool = new BlockingPool();
  readonly #files: HostFiles;
  readonly #chains: ImageChainReader;
  readonly #thin: ThinPoolRefresher | undefined;

  constructor(roots: Roots, withThinPools: boolean) {
    this.#roots = roots;
    this.#files = new HostFiles(this.#pool, roots.rootfs);
    this.#chains = new ImageChainReader(new ImageReader(this.#files, roots));
    const program = withThinPools ? findThinPoolProgram() : undefined;
    if (program !== undefined) {
      this.#thin = new ThinPoolRefresher({
        program,
        intervalMs: THIN_POOL_INTERVAL_MS,
        timeoutMs: THIN_POOL_TIMEOUT_MS,
      });
    }
  }

  start(): void {
    this.#thin?.start();
  }

  close(): void {
    this.#thin?.stop();
    this.#pool.close();
  }

  /** Never rejects. */
  async collect(
    guests: readonly ConfiguredGuest[],
    pools: readonly StoragePool[] | undefined,
    log: OutcomeLog,
    deadline: number,
  ): Promise<Storage | undefined> {
    const mounts = log.required('image', readMounts(this.#roots));
    if (mounts === undefined) return undefined;
    const located = guests.flatMap((guest) => [
      ...disksOf(guest, pools),
      ...memoryFilesOf(guest, guest.config),
    ]);
    const local = located.flatMap(({ source }) => ('local' in source ? [source.local] : []));
    const chains = await this.#chains.read(local, mounts, deadline);

    const disks: DomainDisk[] = [];
    const holding = new Set<Mount>();
    let next = 0;
    for (const { domain, disk, source } of located) {
      const common = {
        domainName: domain.name,
        domainUuid: domain.uuid,
        device: disk.target,
        readOnly: disk.readOnly,
      };
      if ('remote' in source) {
        disks.push({ ...common, source: { kind: 'remote', name: source.remote } });
        continue;
      }
      const chain = chains[next];
      next += 1;
      if (chain === undefined) continue;
      disks.push({ ...common, source: { kind: 'local', chain } });
      for (const { image } of chain.images) {
        if (image.kind === 'file') holding.add(image.mount);
      }
      if (chain.end.kind === 'unreadable') {
        const { path, error } = chain.end;
        log.note('image', error);
        // A hung filesystem is shown as not responding instead of vanishing with its images.
        const mount = error.kind === 'timeout' ? mounts.mountOf(path) : undefined;
        if (mount !== undefined) holding.add(mount);
      }
    }
    return {
      disks,
      filesystems: await readFilesystems(this.#files, holding, deadline),
      thin: this.#thinStorage(log),
    };
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

function disksOf(
  domain: ConfiguredGuest,
  pools: readonly StoragePool[] | undefined,
): readonly Located[] {
  return (domain.config?.disks ?? []).flatMap((disk) => {
    if (!DATA_DEVICES.has(disk.device) || disk.source === undefined) return [];
    return { domain, disk, source: locate(disk, disk.source, pools) };
  });
}

/** Files behind nvdimm and virtio-pmem: disks by another name, raw and written in place. */
function memoryFilesOf(
  domain: ConfiguredGuest,
  config: DomainConfig | undefined,
): readonly Located[] {
  const devices = config?.memory.devices.filter(({ model }) => MEMORY_DISKS.has(model)) ?? [];
  return devices.flatMap(({ model, path, alias, readOnly }, index): readonly Located[] => {
    // A DAX device is persistent memory itself, which nothing shares and nothing fills.
    if (path === undefined || path === '' || path.startsWith('/dev/dax')) return [];
    const disk = { target: alias ?? `${model}${index}`, readOnly };
    const local = { declared: [{ path, declaredFormat: 'raw' }], declaredToTheEnd: true } as const;
    return [{ domain, disk, source: { local } }];
  });
}

const MEMORY_DISKS: ReadonlySet<string> = new Set(['nvdimm', 'virtio-pmem']);

function locate(
  disk: Disk,
  source: XmlSource,
  pools: readonly StoragePool[] | undefined,
): Located['source'] {
  const path = pathOf(source, pools);
  if (path === undefined) return { remote: remoteName(source) };
  const leaf: ImageRequest = { path, declaredFormat: disk.driver.type };
  const below: ImageRequest[] = [];
  for (const image of disk.backing) {
    const lower = image.source === undefined ? undefined : pathOf(image.source, pools);
    // What follows a remote image is found from the headers, as far as it can be.
    if (lower === undefined) break;
    below.push({ path: lower, declaredFormat: image.format });
  }
  const complete = disk.backingComplete && below.length === disk.backing.length;
  return { local: { declared: [leaf, ...below], declaredToTheEnd: complete } };
}

/** The path on this host, if there is one. */
function pathOf(source: XmlSource, pools: readonly StoragePool[] | undefined): string | undefined {
  switch (source.kind) {
    case 'file':
    case 'block':
      return source.path;
    case 'volume': {
      // Pools whose volumes are files, or device nodes, right below their target path.
      const description = pools?.find(({ name }) => name === source.pool)?.description;
      if (description === undefined || !PATH_POOLS.has(description.type)) return undefined;
      const { targetPath } = description;
      return targetPath === undefined ? undefined : `${targetPath}/${source.volume}`;
    }
    case 'dir':
    case 'network':
    case 'nvme':
    case 'other':
      return undefined;
  }
}

const PATH_POOLS: ReadonlySet<string> = new Set(['dir', 'fs', 'netfs', 'logical', 'disk']);

function remoteName(source: XmlSource): string {
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
