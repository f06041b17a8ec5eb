import { deviceNumber } from '../files/file-task.ts';
import { NOTHING_BELOW, type HeaderError, type ReadMore } from './header-facts.ts';
import {
  toFailure,
  type AllowedDirectories,
  type FoundFile,
  type HostFiles,
} from '../files/host-files.ts';
import { declaredImageFormat, probeImageFormat } from './image-format.ts';
import { factsWithoutHeader, needsHeader, readHeader, USUAL_HEADER_BYTES } from './image-header.ts';
import { readKernelFile, readKernelInteger } from '../kernel/kernel-file.ts';
import type { MountTable } from '../files/mounts.ts';

import { rawWorstCase, wholeSectors } from './qcow2-size.ts';
import type { Deadline } from '../../runtime/deadline.ts';
import { failed, failedWith, found, type Result, type SourceError } from '../../runtime/result.ts';
import type { Roots } from '../kernel/roots.ts';
import { TimeSlice } from '../../runtime/time-slice.ts';
import type {
  BlockDevice,
  HeaderFacts,
  ImageFile,
  ImageFormat,
  ImageRequest,
} from '../../model/image.ts';

/** What is derived from a header, kept as long as the file's fingerprint stays the same. */
interface KnownContent {
  readonly fingerprint: string;
  readonly content: Content;
}

interface Content {
  readonly format: ImageFormat;
  readonly facts: Result<HeaderFacts>;
}

/**
 * A change within the same tick of the filesystem's clock as the look does not alter the
 * fingerprint. A younger file is therefore read again next time.
 */
const SETTLED_AFTER_NS = 1_000_000_000n;

/**
 * Reads disk images: one look at an image that has not changed, plus one read of 1 KiB of a
 * qcow2 that has (a running guest's has, nearly always). Images are opened read-only; a raw image
 * is not opened at all.
 *
 * Caches per path what a header said, until {@link forgetAllBut}.
 */
export class ImageReader {
  readonly #files: HostFiles;
  readonly #roots: Roots;
  readonly #known = new Map<string, KnownContent>();

  constructor(files: HostFiles, roots: Roots) {
    this.#files = files;
    this.#roots = roots;
  }

  /**
   * The images, in the order of the requests; equal requests are answered by one read. A request fails
   * where the path does not lead to a regular file or block device in time; a bad header is not a
   * failure of the image (see {@link ImageFile.headerError}).
   */
  async read(
    requests: readonly ImageRequest[],
    mounts: MountTable,
    deadline: Deadline,
    allowed?: AllowedDirectories,
  ): Promise<readonly Result<ImageFile>[]> {
    const keys = requests.map(imageRequestKey);
    const distinct = new Map(requests.map((request, i) => [keys[i] ?? '', request]));
    const looks = await this.#files.look(
      [...distinct].map(([key, request]) => ({
        path: request.path,
        known: this.#known.get(key)?.fingerprint,
        headerBytes: headerBytesFor(request),
        headerAt: request.slice?.offsetBytes ?? 0,
        confined: request.namedByHeader === true,
      })),
      mounts,
      deadline,
      allowed,
    );
    const images = new Map<string, Result<ImageFile>>();
    const slice = new TimeSlice();
    const reading: Promise<void>[] = [];
    for (const [i, [key, request]] of [...distinct].entries()) {
      if (slice.isOver) await slice.nextTurn();
      const look = looks[i];
      if (look === undefined) continue;
      if (!look.ok) {
        images.set(key, look);
        continue;
      }
      reading.push(
        this.#image(key, request, look.value, deadline).then((image) => {
          images.set(key, image);
        }),
      );
    }
    await Promise.all(reading);
    return requests.map(
      (request, i) =>
        images.get(keys[i] ?? '') ?? failed('malformed', request.path, 'no answer for this image'),
    );
  }

  /** Drops what is cached of images nobody asks for any more. */
  forgetAllBut(requests: Iterable<ImageRequest>): void {
    const wanted = new Set([...requests].map(imageRequestKey));
    for (const key of this.#known.keys()) if (!wanted.has(key)) this.#known.delete(key);
  }

  async #image(
    key: string,
    request: ImageRequest,
    file: FoundFile,
    deadline: Deadline,
  ): Promise<Result<ImageFile>> {
    const { look, mount } = file;
    if (look.type !== 'file' && look.type !== 'block') {
      return failed('unsupported', request.path, 'neither a regular file nor a block device');
    }
    const block = look.type === 'block' ? this.#blockDevice(deviceNumber(look.rdev)) : undefined;
    if (block?.ok === false) return block;
    const fileSizeBytes = block?.value.sizeBytes ?? Number(look.sizeBytes);
    const { format, facts } = await this.#content(key, request, file, fileSizeBytes, deadline);
    const wholeBytes = wholeSectors(fileSizeBytes);
    const raw = {
      capacityBytes: request.slice?.sizeBytes ?? wholeBytes,
      worstCase: rawWorstCase(wholeBytes),
    };
    return found({
      path: request.path,
      resolvedPath: look.path,
      identity:
        block?.ok === true ? `block ${block.value.device.device}` : `${look.dev}:${look.inode}`,
      kind: look.type,
      mount,
      blockDevice: block?.value.device,
      fileSizeBytes,
      allocatedBytes: block === undefined ? Number(look.blocks) * STAT_BLOCK_BYTES : undefined,
      format,
      formatFrom: request.declaredFormat === undefined ? 'probed' : 'declared',
      ...(facts.ok ? facts.value : NOTHING_BELOW),
      ...(format === 'raw' ? raw : {}),
      headerError: facts.ok ? undefined : facts.error,
    });
  }

  async #content(
    key: string,
    request: ImageRequest,
    file: FoundFile,
    fileSizeBytes: number,
    deadline: Deadline,
  ): Promise<Content> {
    const { look } = file;
    const declared =
      request.declaredFormat === undefined
        ? undefined
        : declaredImageFormat(request.declaredFormat);
    if (declared !== undefined && !needsHeader(declared)) {
      return { format: declared, facts: found(factsWithoutHeader(declared)) };
    }
    const isBlock = look.type === 'block';
    const known = this.#known.get(key);
    if (known?.fingerprint === look.fingerprint && !isBlock) return known.content;

    // A device node's times say nothing of the device's content: its header is read each time.
    const from = request.slice?.offsetBytes ?? 0;
    const end = request.slice === undefined ? fileSizeBytes : from + request.slice.sizeBytes;
    const more: ReadMore = async (at, length) => {
      const bytes = await this.#files.readBytes(file, from + at, length, deadline);
      if (!bytes.ok) return bytes;
      return found(toBuffer(bytes.value).subarray(0, Math.max(0, end - from - at)));
    };
    let start: Result<Buffer>;
    if (look.header === undefined) start = await more(0, USUAL_HEADER_BYTES);
    else if (look.header.kind === 'head')
      start = found(toBuffer(look.header.bytes).subarray(0, Math.max(0, end - from)));
    else start = toFailure(look.header, request.path);
    const content = await readContent(request.path, declared, start, end - from, more);
    const age = BigInt(Date.now()) * 1_000_000n - look.modifiedNs;
    if (!isBlock && content.facts.ok && age > SETTLED_AFTER_NS) {
      this.#known.set(key, { fingerprint: look.fingerprint, content });
    } else {
      this.#known.delete(key);
    }
    return content;
  }

  /** From /sys/dev/block/<major:minor>, so that the device need not be opened. */
  #blockDevice(
    device: string,
  ): Result<{ readonly sizeBytes: number; readonly device: BlockDevice }> {
    const directory = `${this.#roots.sysfs}/dev/block/${device}`;
    const sectors = readKernelInteger(`${directory}/size`);
    if (!sectors.ok) return sectors;
    const deviceMapperName = readKernelFile(`${directory}/dm/name`);
    const readOnly = readKernelInteger(`${directory}/ro`);
    const uevent = readKernelFile(`${directory}/uevent`);
    return found({
      sizeBytes: sectors.value * SYSFS_SECTOR_BYTES,
      device: {
        device,
        name: uevent.ok ? /^DEVNAME=(.+)$/m.exec(uevent.value)?.[1] : undefined,
        deviceMapperName: deviceMapperName.ok ? deviceMapperName.value.trim() : undefined,
        readOnly: readOnly.ok ? readOnly.value !== 0 : undefined,
      },
    });
  }
}

/** Equal for requests that ask for the same. */
export function imageRequestKey(request: ImageRequest): string {
  const { slice } = request;
  const part = slice === undefined ? '' : `${slice.offsetBytes}+${slice.sizeBytes}`;
  const named = request.namedByHeader === true ? 'h' : '';
  return `${request.declaredFormat ?? ''}\0${part}\0${named}\0${request.path}`;
}

/** st_blocks counts 512 bytes (stat(2)), and so does size in sysfs (block layer sectors). */
const STAT_BLOCK_BYTES = 512;
const SYSFS_SECTOR_BYTES = 512;

function headerBytesFor({ declaredFormat }: ImageRequest): number {
  const needed = declaredFormat === undefined || needsHeader(declaredImageFormat(declaredFormat));
  return needed ? USUAL_HEADER_BYTES : 0;
}

/** Format and facts from the beginning of the image and whatever else the format asks for. */
async function readContent(
  path: string,
  declared: ImageFormat | undefined,
  start: Result<Buffer>,
  sizeBytes: number,
  more: ReadMore,
): Promise<Content> {
  // Not read is not raw: an undeclared format stays unknown, and the reason is kept.
  if (!start.ok) return { format: declared ?? 'other', facts: start };
  const format = declared ?? probeImageFormat(start.value, path);
  const facts = await readHeader(format, start.value, sizeBytes, more);
  return {
    format,
    facts: facts.ok ? found(facts.value) : failedWith(toSourceError(facts.error, path, format)),
  };
}

function toSourceError(error: HeaderError, path: string, format: ImageFormat): SourceError {
  if ('kind' in error) return error;
  const kind = error.problem === 'unsupported' ? 'unsupported' : 'malformed';
  return failed(kind, path, `${format} header: ${error.detail}`).error;
}

function toBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}
