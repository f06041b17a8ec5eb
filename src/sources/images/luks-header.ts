import type { HeaderFacts } from '../../model/image.ts';
import {
  NOTHING_BELOW,
  refused,
  sizeFrom,
  type HeaderError,
  type HeaderFault,
  type ReadMore,
} from './header-facts.ts';
import { propertyAt, textAt } from '../kernel/json-text.ts';
import { rawWorstCase, wholeSectors } from './qcow2-size.ts';
import { found, type Result } from '../../runtime/result.ts';

const MAGIC = Buffer.from('LUKS\xba\xbe', 'latin1');
const SECTOR_BYTES = 512;
const VERSION_AT = 6;
/** LUKS1: the payload's offset in sectors (LUKS1 On-Disk Format Specification 1.2.3, figure 1). */
const PAYLOAD_OFFSET_AT = 104;
/** LUKS2: the binary header; JSON follows (LUKS2 On-Disk Format Specification 1.1.3, 2.1, 3). */
const JSON_AT = 4096;
/** Room for the JSON of the usual 16 KiB header four times over. */
const MAX_JSON_BYTES = 64 * 1024;

/**
 * An encrypted raw image: the guest sees what follows the header and its key slots. QEMU itself
 * opens version 1 only.
 */
export async function luksFacts(
  start: Buffer,
  sizeBytes: number,
  more: ReadMore,
): Promise<Result<HeaderFacts, HeaderError>> {
  if (start.length < PAYLOAD_OFFSET_AT + 4 || !start.subarray(0, MAGIC.length).equals(MAGIC)) {
    return refused('no LUKS header');
  }
  const version = start.readUInt16BE(VERSION_AT);
  if (version === 1) {
    return payloadFrom(start.readUInt32BE(PAYLOAD_OFFSET_AT) * SECTOR_BYTES, sizeBytes);
  }
  if (version !== 2) return refused(`LUKS version ${version}`, 'unsupported');
  const json = await more(JSON_AT, MAX_JSON_BYTES);
  if (!json.ok) return json;
  return luks2Facts(json.value, sizeBytes);
}

function luks2Facts(area: Buffer, sizeBytes: number): Result<HeaderFacts, HeaderFault> {
  const end = area.indexOf(0);
  let json: unknown;
  try {
    json = JSON.parse(area.toString('utf8', 0, end === -1 ? area.length : end));
  } catch {
    return refused('the JSON of the LUKS2 header cannot be read');
  }
  const segments = propertyAt(json, 'segments');
  const ids = typeof segments === 'object' && segments !== null ? Object.keys(segments) : [];
  const [id] = ids;
  if (id === undefined || ids.length > 1) {
    return refused('not one segment in the LUKS2 header', 'unsupported');
  }
  const segment = propertyAt(segments, id);
  const offset = integerText(segment, 'offset');
  if (offset === undefined) return refused('no offset in the segment of the LUKS2 header');
  if (textAt(segment, 'size') === 'dynamic') return payloadFrom(offset, sizeBytes);
  const size = integerText(segment, 'size');
  if (size === undefined) return refused('no size in the segment of the LUKS2 header');
  return payloadFrom(offset, Math.min(sizeBytes, offset + size));
}

/** Numbers of 64 bits are decimal text in LUKS2's JSON. */
function integerText(json: unknown, name: string): number | undefined {
  const text = textAt(json, name);
  return text !== undefined && /^\d{1,20}$/.test(text) ? sizeFrom(BigInt(text)) : undefined;
}

function payloadFrom(offset: number, endBytes: number): Result<HeaderFacts, HeaderFault> {
  const capacityBytes = wholeSectors(endBytes) - offset;
  if (capacityBytes < 0) return refused('the LUKS payload begins behind the end of the image');
  return found({
    ...NOTHING_BELOW,
    capacityBytes,
    worstCase: rawWorstCase(wholeSectors(endBytes)),
  });
}
