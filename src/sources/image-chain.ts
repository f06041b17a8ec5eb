import {
  imageRequestKey,
  type ImageFile,
  type ImageReader,
  type ImageRequest,
} from './image-file.ts';
import { propertyAt, textAt } from './json-text.ts';
import type { MountTable } from './mounts.ts';
import type { Reading, SourceError } from './reading.ts';
import { TimeSlice } from './time-slice.ts';

/** A disk as the domain XML describes it. */
export interface DiskSource {
  /** First the disk's own image, then whatever <backingStore> elements follow, outermost first. */
  readonly declared: readonly [ImageRequest, ...ImageRequest[]];
  /** The XML ended the chain with an empty <backingStore/>: headers are not asked further. */
  readonly declaredToTheEnd: boolean;
}

export interface ChainImage {
  /** `data`: the external data file of the qcow2 at the same depth. */
  readonly role: 'leaf' | 'backing' | 'data';
  /** 0 for the leaf. */
  readonly depth: number;
  readonly image: ImageFile;
}

/**
 * Why the chain stops where it does.
 * - `complete`: the last image has no backing file.
 * - `remote`: the next image is not a local path (`nbd:`, `rbd:`, `https:`, opaque `json:`).
 * - `unspecified-format`: the format of an image was not declared and probing found one with a
 *   backing file. libvirt refuses to start such a guest; the name is not followed.
 * - `loop`, `too-deep`: refused.
 * - `unreadable`: the next image could not be looked at (missing, denied, hung mount …).
 * - `bad-header`: the last image's own header is no good.
 */
export type ChainEnd =
  | { readonly kind: 'complete' }
  | { readonly kind: 'remote'; readonly reference: string; readonly protocol: string }
  | { readonly kind: 'unspecified-format'; readonly reference: string }
  | { readonly kind: 'loop'; readonly path: string }
  | { readonly kind: 'too-deep'; readonly limit: number }
  | { readonly kind: 'unreadable'; readonly path: string; readonly error: SourceError }
  | { readonly kind: 'bad-header'; readonly path: string; readonly error: SourceError };

export interface ImageChain {
  readonly disk: DiskSource;
  /** Leaf first. Empty when the leaf itself could not be looked at. */
  readonly images: readonly ChainImage[];
  readonly end: ChainEnd;
}

/** libvirt's limit since 12.0 (NEWS); QEMU sets none. */
export const MAX_CHAIN_DEPTH = 200;

/**
 * Follows disks down their backing chains. Keeps in mind which images the last scrape met, so that
 * a chain that has not changed costs one round of lstat, not one per level.
 */
export class ImageChainReader {
  readonly #images: ImageReader;
  #metLastTime = new Map<string, ImageRequest>();

  constructor(images: ImageReader) {
    this.#images = images;
  }

  /**
   * The chain of each disk, in order. Images shared by several disks are looked at once and appear
   * in each chain; count them by {@link ImageFile.identity}. `deadline` is a moment of
   * `performance.now()`.
   */
  async read(
    disks: readonly DiskSource[],
    mounts: MountTable,
    deadline: number,
  ): Promise<readonly ImageChain[]> {
    const images = new Map<string, Reading<ImageFile>>();
    const met = new Map<string, ImageRequest>();
    const load = async (wanted: ReadonlyMap<string, ImageRequest>): Promise<void> => {
      const requests = [...wanted.values()];
      const readings = await this.#images.read(requests, mounts, deadline);
      requests.forEach((request, i) => {
        const reading = readings[i];
        if (reading !== undefined) images.set(imageRequestKey(request), reading);
      });
    };
    const first = new Map(this.#metLastTime);
    for (const disk of disks) first.set(imageRequestKey(disk.declared[0]), disk.declared[0]);
    await load(first);

    const chains: ImageChain[] = [];
    const slice = new TimeSlice();
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
}

/** The chain as far as `imageAt` knows the images; undefined when it lacks one. */
function follow(
  disk: DiskSource,
  imageAt: (request: ImageRequest) => Reading<ImageFile> | undefined,
): ImageChain | undefined {
  const images: ChainImage[] = [];
  const seen = new Set<string>();
  let request: ImageRequest = disk.declared[0];
  for (let depth = 0; ; depth += 1) {
    const stop = (end: ChainEnd): ImageChain => ({ disk, images, end });
    if (depth > MAX_CHAIN_DEPTH) return stop({ kind: 'too-deep', limit: MAX_CHAIN_DEPTH });
    const reading = imageAt(request);
    if (reading === undefined) return undefined;
    if (!reading.ok) return stop({ kind: 'unreadable', path: request.path, error: reading.error });
    const image = reading.value;
    if (seen.has(image.identity)) return stop({ kind: 'loop', path: request.path });
    seen.add(image.identity);
    images.push({ role: depth === 0 ? 'leaf' : 'backing', depth, image });

    const header = image.qcow2?.ok === true ? image.qcow2.value : undefined;
    if (header?.externalDataFileName !== undefined) {
      const name = backingReference(header.externalDataFileName, request.path);
      if (name.kind === 'path') {
        const data = imageAt({ path: name.path, declaredFormat: 'raw' });
        if (data === undefined) return undefined;
        if (!data.ok) return stop({ kind: 'unreadable', path: name.path, error: data.error });
        images.push({ role: 'data', depth, image: data.value });
      }
    }

    const declaredNext = disk.declared[depth + 1];
    if (declaredNext !== undefined) {
      request = declaredNext;
      continue;
    }
    if (disk.declaredToTheEnd) return stop({ kind: 'complete' });
    if (image.qcow2?.ok === false) {
      return stop({ kind: 'bad-header', path: request.path, error: image.qcow2.error });
    }
    if (header?.backingFileName === undefined) return stop({ kind: 'complete' });
    if (image.formatFrom === 'probed') {
      return stop({ kind: 'unspecified-format', reference: header.backingFileName });
    }
    const backing = backingReference(header.backingFileName, request.path);
    if (backing.kind === 'remote') return stop({ ...backing, reference: header.backingFileName });
    request = { path: backing.path, declaredFormat: backing.format ?? header.backingFormat };
  }
}

/** Where a backing file name leads. */
export type BackingReference =
  | {
      readonly kind: 'path';
      /** Absolute. */
      readonly path: string;
      /** Where the name itself says it (`json:`). */
      readonly format: string | undefined;
    }
  | { readonly kind: 'remote'; readonly protocol: string };

/**
 * Reads a backing file name as QEMU does (block.c, path_has_protocol(), path_combine()): a colon
 * before the first slash makes it a protocol; a relative path counts from the directory of the
 * overlay as it was named, symbolic links not followed. Of `json:` only a local file or device is
 * understood.
 */
export function backingReference(name: string, overlayPath: string): BackingReference {
  if (name.startsWith('json:')) return jsonReference(name.slice('json:'.length), overlayPath);
  const protocol = /^([^/:]*):/.exec(name)?.[1];
  if (protocol === 'file') return local(name.slice('file:'.length), overlayPath, undefined);
  if (protocol !== undefined) return { kind: 'remote', protocol };
  return local(name, overlayPath, undefined);
}

const LOCAL_DRIVERS = new Set(['file', 'host_device']);

/** QEMU's pseudo-protocol: block-device options as JSON, nested or with dotted keys. */
function jsonReference(text: string, overlayPath: string): BackingReference {
  const opaque: BackingReference = { kind: 'remote', protocol: 'json' };
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return opaque;
  }
  const file = propertyAt(json, 'file');
  const fileDriver = textAt(file, 'driver') ?? textAt(json, 'file.driver');
  const fileName = textAt(file, 'filename') ?? textAt(json, 'file.filename');
  const driver = textAt(json, 'driver');
  if (fileName !== undefined && LOCAL_DRIVERS.has(fileDriver ?? 'file')) {
    return local(fileName, overlayPath, driver);
  }
  const name = textAt(json, 'filename');
  if (name !== undefined && LOCAL_DRIVERS.has(driver ?? '')) {
    return local(name, overlayPath, undefined);
  }
  return { kind: 'remote', protocol: fileDriver ?? driver ?? 'json' };
}

function local(name: string, overlayPath: string, format: string | undefined): BackingReference {
  const path = name.startsWith('/')
    ? name
    : `${overlayPath.slice(0, overlayPath.lastIndexOf('/') + 1)}${name}`;
  return { kind: 'path', path, format };
}
