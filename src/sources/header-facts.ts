import type { ImageFormat } from './image-format.ts';
import type { Qcow2Header } from './qcow2-header.ts';
import type { WorstCaseSize } from './qcow2-size.ts';
import type { Reading } from './reading.ts';

/** Another file the image keeps content of its own in, as the header names it. */
export interface NamedFile {
  readonly name: string;
  readonly format: ImageFormat;
}

/**
 * What lies below an image by its own header.
 * - `nothing`: the format has no such thing, or the header says there is none.
 * - `named`: `format` where the header says it.
 * - `unknown`: there may be something, and this format is not read that far.
 */
export type Below =
  | { readonly kind: 'nothing' }
  | { readonly kind: 'named'; readonly name: string; readonly format: string | undefined }
  | { readonly kind: 'unknown'; readonly detail: string };

export interface HeaderFacts {
  readonly below: Below;
  readonly dataFiles: readonly NamedFile[];
  /** Size of the disk the guest sees, in bytes; undefined where this format is not read that far. */
  readonly capacityBytes: number | undefined;
  /** The largest size this file can reach, where the format tells. */
  readonly worstCase: WorstCaseSize | undefined;
  readonly qcow2: Qcow2Header | undefined;
}

/** Facts, or one line that says what is wrong with the header. */
export type HeaderResult =
  | { readonly ok: true; readonly facts: HeaderFacts }
  | { readonly ok: false; readonly problem: 'malformed' | 'unsupported'; readonly detail: string };

/**
 * Bytes of the image from an offset on; fewer where it ends. The length is always one of this
 * program's constants, never a number from a header.
 */
export type ReadMore = (at: number, length: number) => Promise<Reading<Buffer>>;

export const NOTHING_BELOW: HeaderFacts = {
  below: { kind: 'nothing' },
  dataFiles: [],
  capacityBytes: undefined,
  worstCase: undefined,
  qcow2: undefined,
};

export function toBelow(name: string | undefined, format: string | undefined): Below {
  return name === undefined ? { kind: 'nothing' } : { kind: 'named', name, format };
}

export function refused(
  detail: string,
  problem: 'malformed' | 'unsupported' = 'malformed',
): HeaderResult & { readonly ok: false } {
  return { ok: false, problem, detail };
}

/** A number of bytes fit to be published: a 64-bit field that is no size at all is refused. */
export function sizeFrom(bytes: bigint): number | undefined {
  return bytes >= 0n && bytes <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(bytes) : undefined;
}

/** A C string of `length` bytes; undefined where it is not all there or empty. */
export function textAt(start: Buffer, at: number, length: number): string | undefined {
  const bytes = start.subarray(at, at + length);
  if (bytes.length < length) return undefined;
  const nul = bytes.indexOf(0);
  const value = bytes.toString('utf8', 0, nul === -1 ? length : nul);
  return value === '' ? undefined : value;
}
