import {
  toBelow,
  NOTHING_BELOW,
  refused,
  type HeaderError,
  type HeaderFault,
  type ReadMore,
} from './header-facts.ts';

import { luksFacts } from './luks-header.ts';
import {
  parseQcowHeader,
  parseQedHeader,
  parseVdiHeader,
  vhdxFacts,
  vpcFacts,
} from './older-headers.ts';
import {
  MAX_QCOW2_HEADER_BYTES,
  parseQcow2Header,
  USUAL_QCOW2_HEADER_BYTES,
} from './qcow2-header.ts';
import { qcow2WorstCase } from './qcow2-size.ts';
import { found, type Result } from '../../runtime/result.ts';
import { vmdkFacts } from './vmdk-header.ts';
import type { HeaderFacts, ImageFormat } from '../../model/image.ts';

/** As much of an image as is read at once; of nearly every image all there is to know. */
export const USUAL_HEADER_BYTES = USUAL_QCOW2_HEADER_BYTES;

/** Whether anything is read of an image of this format. */
export function needsHeader(format: ImageFormat): boolean {
  return HEADER_FORMATS.has(format);
}

const HEADER_FORMATS: ReadonlySet<ImageFormat> = new Set<ImageFormat>([
  'qcow2',
  'qcow',
  'qed',
  'vmdk',
  'vdi',
  'vhdx',
  'vpc',
  'luks',
]);

/** What is known of an image of which nothing is read. */
export function factsWithoutHeader(format: ImageFormat): HeaderFacts {
  // QEMU's dmg, cloop, bochs and parallels have neither backing nor data files.
  if (format !== 'other') return NOTHING_BELOW;
  return { ...NOTHING_BELOW, below: { kind: 'unknown', detail: 'its format is not known here' } };
}

/**
 * What the header of an image says. `start` is the beginning of the image, at least
 * {@link USUAL_HEADER_BYTES} or all of it; `sizeBytes` the length of the file. Trusts nothing: the
 * header was written by whoever made the image. The outer reading fails where more of the image was
 * needed and could not be read.
 */
export async function readHeader(
  format: ImageFormat,
  start: Buffer,
  sizeBytes: number,
  more: ReadMore,
): Promise<Result<HeaderFacts, HeaderError>> {
  switch (format) {
    case 'qcow2':
      return qcow2Facts(start, more);
    case 'qcow':
      return longEnough(parseQcowHeader, start, more);
    case 'qed':
      return longEnough(parseQedHeader, start, more);
    case 'vdi':
      return parseVdiHeader(start);
    case 'vmdk':
      return vmdkFacts(start, more);
    case 'vhdx':
      return vhdxFacts(start, more);
    case 'vpc':
      return vpcFacts(start, sizeBytes, more);
    case 'luks':
      return luksFacts(start, sizeBytes, more);
    case 'raw':
    case 'parallels':
    case 'dmg':
    case 'bochs':
    case 'cloop':
    case 'other':
      return found(factsWithoutHeader(format));
  }
}

async function qcow2Facts(
  start: Buffer,
  more: ReadMore,
): Promise<Result<HeaderFacts, HeaderError>> {
  let parsed = parseQcow2Header(start);
  if (!parsed.ok && parsed.error.problem === 'truncated') {
    const longer = await more(0, MAX_QCOW2_HEADER_BYTES);
    if (!longer.ok) return longer;
    parsed = parseQcow2Header(longer.value);
  }
  if (!parsed.ok) {
    const { problem, detail } = parsed.error;
    const kind = problem === 'unsupported' ? problem : 'malformed';
    return refused(`${problem}, ${detail}`, kind);
  }
  const header = parsed.value;
  const { backingFileName, backingFormat, hasExternalDataFile, externalDataFileName } = header;
  const facts: HeaderFacts = {
    below: toBelow(backingFileName, backingFormat),
    dataFiles:
      externalDataFileName === undefined ? [] : [{ name: externalDataFileName, format: 'raw' }],
    capacityBytes: header.virtualSizeBytes,
    worstCase: qcow2WorstCase(header),
    qcow2: header,
  };
  if (!hasExternalDataFile || externalDataFileName !== undefined) return found(facts);
  const detail = 'its header does not name its data file';
  return found({ ...facts, below: { kind: 'unknown', detail } });
}

async function longEnough(
  parse: (start: Buffer) => Result<HeaderFacts, HeaderFault>,
  start: Buffer,
  more: ReadMore,
): Promise<Result<HeaderFacts, HeaderError>> {
  const first = parse(start);
  if (first.ok || first.error.problem !== 'truncated') return first;
  const longer = await more(0, MAX_QCOW2_HEADER_BYTES);
  if (!longer.ok) return longer;
  const second = parse(longer.value);
  if (second.ok || second.error.problem !== 'truncated') return second;
  return refused(second.error.detail);
}
