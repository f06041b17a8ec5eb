import { findDirectory, normalized } from './allowed-places.ts';
import type { AllowedDirectories, HostFiles } from '../files/host-files.ts';
import { imageRequestKey, type ImageReader } from './image-file.ts';
import {
  imageReference,
  visibleReference,
  type ImageReference,
} from '../../model/facts/image-reference.ts';
import { holdsDeviceNodes, type MountTable } from '../files/mounts.ts';
import type { Deadline } from '../../runtime/deadline.ts';
import type { Result, SourceError } from '../../runtime/result.ts';
import { TimeSlice } from '../../runtime/time-slice.ts';
import type {
  ChainEnd,
  ChainImage,
  DeclaredImage,
  DescribedDisk,
  ImageChain,
  ImageFile,
  ImageRequest,
} from '../../model/image.ts';

/** libvirt's limit since 12.0 (NEWS); QEMU sets none. */
const MAX_CHAIN_DEPTH = 200;

/** So many images and extents of images are read for one disk. */
const MAX_CHAIN_FILES = 2048;

/**
 * Follows disks down their backing chains. Keeps in mind which images the last scrape met, so that
 * a chain that has not changed costs one round of looks, not one per level.
 */
export class ImageChainReader {
  readonly #images: ImageReader;
  readonly #files: HostFiles;
  #metLastTime = new Map<string, ImageRequest>();

  constructor(images: ImageReader, files: HostFiles) {
    this.#images = images;
    this.#files = files;
  }

  /**
   * The chain of each disk, in order. Images shared by several disks are read once and appear
   * in each chain; count them by {@link ImageFile.identity}. Names that stand only in headers are
   * followed within `poolDirectories` and the directories of the images the disks declare.
   */
  async read(
    disks: readonly DescribedDisk[],
    poolDirectories: Iterable<string>,
    mounts: MountTable,
    deadline: Deadline,
  ): Promise<readonly ImageChain[]> {
    const images = new Map<string, Result<ImageFile>>();
    const met = new Map<string, ImageRequest>();
    let allowed: AllowedDirectories | undefined;
    const slice = new TimeSlice();
    const load = async (wanted: ReadonlyMap<string, ImageRequest>): Promise<void> => {
      const requests = [...wanted.values()];
      if (requests.some(({ namedByHeader }) => namedByHeader === true)) {
        allowed ??= await this.#allowed(disks, poolDirectories, mounts, deadline);
      }
      const readings = await this.#images.read(requests, mounts, deadline, allowed);
      for (const [i, request] of requests.entries()) {
        if (slice.isOver) await slice.nextTurn();
        const reading = readings[i];
        if (reading !== undefined) images.set(imageRequestKey(request), reading);
      }
    };
    const first = new Map(this.#metLastTime);
    for (const disk of disks) {
      if (slice.isOver) await slice.nextTurn();
      first.set(imageRequestKey(disk.declared[0]), disk.declared[0]);
    }
    await load(first);

    const chains: ImageChain[] = [];
    let open = disks.map((disk, index) => ({ disk, index }));
    while (open.length > 0) {
      const missing = new Map<string, ImageRequest>();
      const next: typeof open = [];
      for (const entry of open) {
        if (slice.isOver) await slice.nextTurn();
        const needed = new Map<string, ImageRequest>();
        const chain = follow(entry.disk, (request) => {
          const key = imageRequestKey(request);
          met.set(key, request);
          const image = images.get(key);
          if (image === undefined) needed.set(key, request);
          return image;
        });
        if (chain === undefined) {
          next.push(entry);
          for (const [key, request] of needed) missing.set(key, request);
        } else {
          chains[entry.index] = chain;
        }
      }
      if (missing.size > 0) await load(missing);
      open = next;
    }
    this.#metLastTime = met;
    this.#images.forgetAllBut(met.values());
    return chains;
  }

  /**
   * The directories that names from headers may lead into, and where each really is: a pool's
   * target or the directory of an image may be a symbolic link.
   */
  async #allowed(
    disks: readonly DescribedDisk[],
    poolDirectories: Iterable<string>,
    mounts: MountTable,
    deadline: Deadline,
  ): Promise<AllowedDirectories> {
    const names = new Set<string>();
    for (const directory of poolDirectories) {
      if (directory.startsWith('/')) names.add(normalized(directory));
    }
    for (const { declared } of disks) {
      for (const { path } of declared.flatMap(withDataStore)) {
        const directory = path.startsWith('/') ? findDirectory(path) : undefined;
        if (directory !== undefined) names.add(directory);
      }
    }
    names.delete('/');
    const paths = [...names];
    const looks = await this.#files.look(
      paths.map((path) => ({
        path,
        known: undefined,
        headerBytes: 0,
        headerAt: 0,
        confined: false,
      })),
      mounts,
      deadline,
    );
    const named = new Map<string, string>();
    const canonical = new Set<string>();
    paths.forEach((path, i) => {
      const look = looks[i];
      if (look?.ok !== true || look.value.look.type !== 'directory') return;
      const place = look.value.look.path;
      if (place === '/') return;
      named.set(path, place);
      named.set(place, place);
      // Links between device nodes, as LVM and udev make them, lead across the whole of /dev.
      const { mount } = look.value;
      canonical.add(holdsDeviceNodes(mount) ? mount.mountpoint : place);
    });
    return { named, canonical: [...canonical] };
  }
}

function withDataStore(image: DeclaredImage): readonly ImageRequest[] {
  const { dataStore } = image;
  return dataStore === undefined || 'kind' in dataStore ? [image] : [image, dataStore];
}

/** The chain as far as `imageAt` knows the images; undefined when it lacks one. */
function follow(
  disk: DescribedDisk,
  imageAt: (request: ImageRequest) => Result<ImageFile> | undefined,
): ImageChain | undefined {
  const images: ChainImage[] = [];
  const seen = new Set<string>();
  let request: DeclaredImage = disk.declared[0];
  for (let depth = 0; ; depth += 1) {
    const stop = (end: ChainEnd): ImageChain => ({ disk, images, end });
    if (depth > MAX_CHAIN_DEPTH) return stop({ kind: 'too-deep', limit: MAX_CHAIN_DEPTH });
    if (images.length > MAX_CHAIN_FILES) return stop({ kind: 'too-deep', limit: MAX_CHAIN_FILES });
    const reading = imageAt(request);
    if (reading === undefined) return undefined;
    if (!reading.ok) return stop(notRead(request, reading.error));
    const image = reading.value;
    // Of one file, different slices may lie on top of each other.
    const place = `${image.identity}+${request.slice?.offsetBytes ?? 0}`;
    if (seen.has(place)) return stop({ kind: 'loop', path: request.path });
    seen.add(place);
    images.push({ role: depth === 0 ? 'leaf' : 'backing', depth, image });

    const { below, headerError, formatFrom } = image;
    const isProbed = formatFrom === 'probed';
    const inHeader = request.dataStore === undefined ? image.dataFiles[0] : undefined;
    if (isProbed && inHeader !== undefined) {
      return stop({ kind: 'unspecified-format', reference: visibleReference(inHeader.name) });
    }
    let missing = false;
    for (const dataRequest of listDataFiles(request, image)) {
      if ('kind' in dataRequest) return stop(remoteEnd(dataRequest));
      const data = imageAt(dataRequest);
      if (data === undefined) missing = true;
      else if (!data.ok) return stop(notRead(dataRequest, data.error));
      else images.push({ role: 'data', depth, image: data.value });
    }
    if (missing) return undefined;

    const declaredNext = disk.declared[depth + 1];
    if (declaredNext !== undefined) {
      request = declaredNext;
      continue;
    }
    if (disk.declaredToTheEnd) return stop({ kind: 'complete' });
    if (headerError !== undefined) {
      return stop({ kind: 'bad-header', path: request.path, error: headerError });
    }
    if (below.kind === 'nothing') return stop({ kind: 'complete' });
    if (below.kind === 'unknown') return stop({ ...below, path: request.path });
    if (isProbed) {
      return stop({ kind: 'unspecified-format', reference: visibleReference(below.name) });
    }
    const backing = imageReference(below.name, request.path);
    if (backing.kind === 'remote') return stop(remoteEnd(backing));
    request = requestFor(backing, below.format);
  }
}

/** The further files of an image: as the XML says, else as its header does. */
function listDataFiles(
  { path, dataStore }: DeclaredImage,
  { dataFiles }: ImageFile,
): readonly NonNullable<DeclaredImage['dataStore']>[] {
  if (dataStore !== undefined) return [dataStore];
  return dataFiles.map((file) => {
    const reference = imageReference(file.name, path);
    return reference.kind === 'remote' ? reference : requestFor(reference, file.format);
  });
}

/** A file that only a header names. */
function requestFor(
  { path, format, slice }: ImageReference & { readonly kind: 'path' },
  formatOfHeader: string | undefined,
): ImageRequest {
  return {
    path,
    declaredFormat: format ?? formatOfHeader,
    ...(slice === undefined ? {} : { slice }),
    namedByHeader: true,
  };
}

function notRead({ path }: ImageRequest, error: SourceError): ChainEnd {
  return { kind: error.kind === 'refused' ? 'refused' : 'unreadable', path, error };
}

function remoteEnd({
  visible,
  protocol,
  digest,
}: ImageReference & { readonly kind: 'remote' }): ChainEnd {
  return { kind: 'remote', reference: visible, protocol, digest };
}
