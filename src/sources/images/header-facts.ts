import { failedWith, type Failure, type Result, type SourceError } from '../../runtime/result.ts';
import type { Below, HeaderFacts } from '../../model/image.ts';

export interface HeaderFault {
  /** `truncated`: more of the image than was read may tell. */
  readonly problem: 'malformed' | 'unsupported' | 'truncated';
  /** One line that says what is wrong with the header. */
  readonly detail: string;
}

/** What is wrong with the header, or why what of it was needed could not be read. */
export type HeaderError = HeaderFault | SourceError;

/**
 * Bytes of the image from an offset on; fewer where it ends. The length is always one of this
 * program's constants, never a number from a header.
 */
export type ReadMore = (at: number, length: number) => Promise<Result<Buffer>>;

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
  problem: HeaderFault['problem'] = 'malformed',
): Failure<HeaderFault> {
  return failedWith({ problem, detail });
}

/** What is read of an image ends before its header does. */
export const TRUNCATED = refused('its header is cut off, or too long', 'truncated');

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
