import { deviceNumber } from './file-task.ts';
import { failureOf, type FoundFile, type HostFiles } from './host-files.ts';
import { declaredImageFormat, probeImageFormat, type ImageFormat } from './image-format.ts';
import { readKernelFile, readKernelInteger } from './kernel-file.ts';
import type { Mount, MountTable } from './mounts.ts';
import {
  MAX_QCOW2_HEADER_BYTES,
  parseQcow2Header,
  USUAL_QCOW2_HEADER_BYTES,
  type Qcow2Header,
} from './qcow2-header.ts';
import { qcow2WorstCase, rawWorstCase, type WorstCaseSize } from './qcow2-size.ts';
import { failed, found, type Reading } from './reading.ts';
import type { Roots } from './roots.ts';
import { TimeSlice } from './time-slice.ts';

/** One image to look at. */
export interface ImageRequest {
  /** Absolute path on the host. */
  readonly path: string;
  /**
   * Format as somebody who may say so said it (domain XML, overlay header), `undefined` when
   * nobody did. Only then is the image probed; a declared `raw` is never probed, since a guest
   * can write any header into its own raw disk.
   */
  readonly declaredFormat: string | undefined;
}

export interface BlockDevice {
  /** `major:minor`. */
  readonly device: string;
  /** Kernel name from /sys/dev/block: `sda1`, `dm-3`. */
  readonly name: string | undefined;
  /** Device-mapper name (`vg-lv`, hyphens doubled), for devices which have one. */
  readonly deviceMapperName: string | undefined;
  readonly readOnly: boolean | undefined;
}

export interface ImageFile {
  /** The path that was asked for. */
  readonly path: string;
  /** The same with every symbolic link followed. */
  readonly resolvedPath: string;
  /** Equal for two paths exactly when they are the same image: hard links, symlinks, bind mounts. */
  readonly identity: string;
  readonly kind: 'file' | 'block';
  /** The mount the image lies on; for a block device the one its device node lies on (devtmpfs). */
  readonly mount: Mount;
  readonly blockDevice: BlockDevice | undefined;
  /** st_size, or the size of the block device, in bytes. */
  readonly fileSizeBytes: number;
  /** st_blocks × 512. Undefined for block devices: only their thin pool or image format knows. */
  readonly allocatedBytes: number | undefined;
  readonly format: ImageFormat;
  /** Whether `format` was declared by XML or overlay, or found by looking at the first bytes. */
  readonly formatFrom: 'declared' | 'probed';
  /**
   * Size of the disk the guest sees, in bytes: raw images and qcow2. Undefined for other formats
   * and for a qcow2 whose header could not be read.
   */
  readonly capacityBytes: number | undefined;
  /**
   * The header of a qcow2, or why there is none. Undefined for other formats, except that a
   * failed one tells why an image of undeclared format (`other`) could not be probed.
   */
  readonly qcow2: Reading<Qcow2Header> | undefined;
  /**
   * Largest size this file can reach. A raw image cannot outgrow its capacity. Undefined where the
   * format does not tell.
   */
  readonly worstCase: WorstCaseSize | undefined;
}

/** What is derived from a header, kept as long as the file's fingerprint stays the same. */
interface KnownContent {
  readonly fingerprint: string;
  readonly content: Content;
}

interface Content {
  readonly format: ImageFormat;
  readonly qcow2: Reading<Qcow2Header> | undefined;
  readonly worstCase: WorstCaseSize | undefined;
}

/**
 * A change within the same tick of the filesystem's clock as the look does not alter the
 * fingerprint. A younger file is therefore read again next time.
 */
const SETTLED_AFTER_NS = 1_000_000_000n;

/**
 * Reads disk images: one lstat for an image that has not changed, plus one read of 1 KiB for a
 * qcow2 that has (a running guest's has, nearly always). Images are opened read-only; a raw image
 * is not opened at all.
 *
 * Remembers per path what a header said, until {@link forgetAllBut}.
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
   * The images, in the order of the requests; equal requests are looked at once. A request fails
   * where the path does not lead to a regular file or block device in time; a bad header is not a
   * failure of the image (see {@link ImageFile.qcow2}). `deadline` is a moment of
   * `performance.now()`.
   */
  async read(
    requests: readonly ImageRequest[],
    mounts: MountTable,
    deadline: number,
  ): Promise<readonly Reading<ImageFile>[]> {
    const distinct = new Map(requests.map((request) => [imageRequestKey(request), request]));
    const looks = await this.#files.look(
      [...distinct].map(([key, request]) => ({
        path: request.path,
        known: this.#known.get(key)?.fingerprint,
        headerBytes: headerBytesFor(request),
      })),
      mounts,
      deadline,
    );
    const images = new Map<string, Reading<ImageFile>>();
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
      (request) =>
        images.get(imageRequestKey(request)) ??
        failed('malformed', request.path, 'no answer for this image'),
    );
  }

  /** Drops what is remembered of images nobody asks for any more. */
  forgetAllBut(requests: Iterable<ImageRequest>): void {
    const wanted = new Set([...requests].map(imageRequestKey));
    for (const key of this.#known.keys()) if (!wanted.has(key)) this.#known.delete(key);
  }

  async #image(
    key: string,
    request: ImageRequest,
    file: FoundFile,
    deadline: number,
  ): Promise<Reading<ImageFile>> {
    const { look, mount } = file;
    if (look.type !== 'file' && look.type !== 'block') {
      return failed('unsupported', request.path, 'neither a regular file nor a block device');
    }
    const block = look.type === 'block' ? this.#blockDevice(deviceNumber(look.rdev)) : undefined;
    if (block?.ok === false) return block;
    const fileSizeBytes = block?.value.sizeBytes ?? Number(look.sizeBytes);
    const content = await this.#content(key, request, file, block?.value.device, deadline);
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
      format: content.format,
      formatFrom: request.declaredFormat === undefined ? 'probed' : 'declared',
      capacityBytes: capacity(content, fileSizeBytes),
      qcow2: content.qcow2,
      worstCase: content.format === 'raw' ? rawWorstCase(fileSizeBytes) : content.worstCase,
    });
  }

  async #content(
    key: string,
    request: ImageRequest,
    file: FoundFile,
    block: BlockDevice | undefined,
    deadline: number,
  ): Promise<Content> {
    const { look } = file;
    const bytes = headerBytesFor(request);
    if (bytes === 0) return contentOf(request, undefined);
    const known = this.#known.get(key);
    if (known?.fingerprint === look.fingerprint && block === undefined) return known.content;

    // A device node's times say nothing of the device's content: its header is read each time.
    const more = (length: number): Promise<Reading<Uint8Array>> =>
      block === undefined
        ? this.#files.headOfFile(file, length, deadline)
        : this.#files.headOfBlockDevice(look.path, block.device, length, deadline);
    let start: Reading<Uint8Array>;
    if (look.header === undefined) start = await more(bytes);
    else if (look.header.kind === 'head') start = found(look.header.bytes);
    else start = failureOf(look.header, request.path);
    let content = contentOf(request, start);
    if (content.truncated && start.ok && start.value.length === bytes) {
      content = contentOf(request, await more(MAX_QCOW2_HEADER_BYTES));
    }
    const age = BigInt(Date.now()) * 1_000_000n - look.modifiedNs;
    if (block === undefined && start.ok && content.qcow2?.ok !== false && age > SETTLED_AFTER_NS) {
      this.#known.set(key, { fingerprint: look.fingerprint, content });
    } else {
      this.#known.delete(key);
    }
    return content;
  }

  /** From /sys/dev/block/<major:minor>, so that the device need not be opened. */
  #blockDevice(
    device: string,
  ): Reading<{ readonly sizeBytes: number; readonly device: BlockDevice }> {
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
  return `${request.declaredFormat ?? ''}\0${request.path}`;
}

/** st_blocks counts 512 bytes (stat(2)), and so does size in sysfs (block layer sectors). */
const STAT_BLOCK_BYTES = 512;
const SYSFS_SECTOR_BYTES = 512;

function headerBytesFor(request: ImageRequest): number {
  const needed =
    request.declaredFormat === undefined || declaredImageFormat(request.declaredFormat) === 'qcow2';
  return needed ? USUAL_QCOW2_HEADER_BYTES : 0;
}

/** Format and header facts from the first bytes; `start` is undefined where none are needed. */
function contentOf(
  request: ImageRequest,
  start: Reading<Uint8Array> | undefined,
): Content & { readonly truncated: boolean } {
  const nothing = { qcow2: undefined, worstCase: undefined, truncated: false };
  const declared =
    request.declaredFormat === undefined ? undefined : declaredImageFormat(request.declaredFormat);
  if (start === undefined) return { format: declared ?? 'other', ...nothing };
  if (!start.ok) {
    // Not read is not raw: an undeclared format stays unknown, and the reason is kept.
    const wanted = declared === undefined || declared === 'qcow2';
    return { ...nothing, format: declared ?? 'other', qcow2: wanted ? start : undefined };
  }
  const bytes = Buffer.from(start.value.buffer, start.value.byteOffset, start.value.length);
  const format = declared ?? probeImageFormat(bytes);
  if (format !== 'qcow2') return { format, ...nothing };
  const parsed = parseQcow2Header(bytes);
  if (!parsed.ok) {
    return {
      format,
      qcow2: failed(
        parsed.problem === 'unsupported' ? 'unsupported' : 'malformed',
        request.path,
        `qcow2 header: ${parsed.problem}, ${parsed.detail}`,
      ),
      worstCase: undefined,
      truncated: parsed.problem === 'truncated',
    };
  }
  return {
    format,
    qcow2: found(parsed.header),
    worstCase: qcow2WorstCase(parsed.header),
    truncated: false,
  };
}

function capacity(content: Content, fileSizeBytes: number): number | undefined {
  if (content.format === 'raw') return fileSizeBytes;
  return content.qcow2?.ok === true ? content.qcow2.value.virtualSizeBytes : undefined;
}
