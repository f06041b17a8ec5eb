/**
 * VMDK, as QEMU's block/vmdk.c reads it: a text file that describes extents in other files, or a
 * sparse file with such a text inside.
 */
import {
  toBelow,
  NOTHING_BELOW,
  refused,
  sizeFrom,
  type HeaderError,
  type HeaderFault,
  type ReadMore,
} from './header-facts.ts';

import { rawWorstCase } from './qcow2-size.ts';
import { found, type Result } from '../../runtime/result.ts';
import type { HeaderFacts, ImageFormat, NamedFile } from '../../model/image.ts';

const SECTOR_BYTES = 512n;
/** Where QEMU looks for the parent in a sparse file, whatever the header says. */
const EMBEDDED_AT = 512;
const EMBEDDED_BYTES = 20 * 512;
/** Room for as many extents as are read. QEMU reads 1 MiB. */
const MAX_DESCRIPTOR_BYTES = 128 * 1024;
/** 2 TiB in extents of 2 GiB. Each is another file to look at. */
const MAX_EXTENTS = 1024;
const MAX_NAME_BYTES = 1023;
const MAX_EXTENT_NAME_CHARACTERS = 511;

const SPARSE_HEADER_BYTES = 512;

export async function vmdkFacts(
  start: Buffer,
  more: ReadMore,
): Promise<Result<HeaderFacts, HeaderError>> {
  if (start.length < SPARSE_HEADER_BYTES && isSparse(start)) {
    return refused('the VMDK header is cut off');
  }
  switch (start.toString('latin1', 0, 4)) {
    case 'KDMV': {
      const sectors = start.readBigUInt64LE(12);
      const descriptorAt = sizeFrom(start.readBigUInt64LE(28) * SECTOR_BYTES);
      if (sectors === 0n && descriptorAt !== 0) {
        if (descriptorAt === undefined) return refused('no VMDK descriptor');
        return descriptorFile(await more(descriptorAt, MAX_DESCRIPTOR_BYTES));
      }
      return embedded(sectors, more);
    }
    case 'COWD':
      return embedded(BigInt(start.readUInt32LE(12)), more);
    default:
      return descriptorFile(await more(0, MAX_DESCRIPTOR_BYTES));
  }
}

function isSparse(start: Buffer): boolean {
  return ['KDMV', 'COWD'].includes(start.toString('latin1', 0, 4));
}

async function embedded(
  sectors: bigint,
  more: ReadMore,
): Promise<Result<HeaderFacts, HeaderError>> {
  const capacityBytes = sizeFrom(sectors * SECTOR_BYTES);
  if (capacityBytes === undefined) return refused(`a VMDK of ${sectors} sectors`);
  const descriptor = await more(EMBEDDED_AT, EMBEDDED_BYTES);
  if (!descriptor.ok) return descriptor;
  const parent = parseParent(toText(descriptor.value));
  if (!parent.ok) return parent;
  return found({ ...NOTHING_BELOW, capacityBytes, below: toBelow(parent.value, 'vmdk') });
}

function descriptorFile(bytes: Result<Buffer>): Result<HeaderFacts, HeaderError> {
  if (!bytes.ok) return bytes;
  const text = toText(bytes.value);
  return bytes.value.length === MAX_DESCRIPTOR_BYTES && !bytes.value.includes(0)
    ? refused(`a VMDK descriptor of more than ${MAX_DESCRIPTOR_BYTES} bytes`, 'unsupported')
    : parseVmdkDescriptor(text, bytes.value.length);
}

/** Up to the first NUL, which ends it for QEMU. */
function toText(bytes: Buffer): string {
  const nul = bytes.indexOf(0);
  return bytes.toString('utf8', 0, nul === -1 ? bytes.length : nul);
}

const CREATE_TYPES: ReadonlySet<string> = new Set([
  'monolithicFlat',
  'vmfs',
  'vmfsSparse',
  'seSparse',
  'twoGbMaxExtentSparse',
  'twoGbMaxExtentFlat',
]);

const EXTENT_FORMATS: ReadonlyMap<string, ImageFormat> = new Map([
  ['FLAT', 'raw'],
  ['VMFS', 'raw'],
  ['SPARSE', 'vmdk'],
  ['VMFSSPARSE', 'vmdk'],
  ['SESPARSE', 'vmdk'],
]);

/** access, sectors, type, name; as much of an extent line as says where the content is. */
const EXTENT_LINE = /^\s*(\S{1,10})\s+(\d{1,19})\s+(\S{1,10})\s+"([^"]+)"/;

/** The text of a descriptor file; `fileBytes` is its length, which never grows. */
function parseVmdkDescriptor(text: string, fileBytes: number): Result<HeaderFacts, HeaderFault> {
  const createType = /createType="([^"\n]{0,127})"/.exec(text)?.[1];
  if (createType === undefined) return refused('no createType in the VMDK descriptor');
  if (!CREATE_TYPES.has(createType)) {
    return refused(`a VMDK of a type QEMU does not open either`, 'unsupported');
  }
  const parent = parseParent(text);
  if (!parent.ok) return parent;
  const dataFiles: NamedFile[] = [];
  let sectors = 0n;
  for (const line of text.split('\n')) {
    const [, access, count = '', type = '', name = ''] = EXTENT_LINE.exec(line) ?? [];
    if (access !== 'RW') continue;
    const format = EXTENT_FORMATS.get(type);
    if (format === undefined || count === '0') continue;
    if (name.length > MAX_EXTENT_NAME_CHARACTERS) return refused('an extent with too long a name');
    // A path for QEMU even where it looks like a URL.
    dataFiles.push({ name: name.startsWith('/') ? name : `./${name}`, format });
    if (dataFiles.length > MAX_EXTENTS) {
      return refused(`a VMDK of more than ${MAX_EXTENTS} extents`, 'unsupported');
    }
    sectors += BigInt(count);
  }
  const capacityBytes = sizeFrom(sectors * SECTOR_BYTES);
  if (capacityBytes === undefined) return refused(`a VMDK of ${sectors} sectors`);
  const facts: HeaderFacts = {
    ...NOTHING_BELOW,
    below: toBelow(parent.value, 'vmdk'),
    dataFiles,
    capacityBytes,
    worstCase: { ...rawWorstCase(fileBytes), metadataBytes: fileBytes },
  };
  if (dataFiles.length > 0) return found(facts);
  const detail = 'its descriptor names no extents';
  return found({ ...facts, below: { kind: 'unknown', detail } });
}

/** QEMU takes the first mention, even in a comment, and what stands between the next quotes. */
function parseParent(text: string): Result<string | undefined, HeaderFault> {
  const key = 'parentFileNameHint';
  const at = text.indexOf(key);
  if (at === -1) return found(undefined);
  const from = at + key.length + 2;
  const end = text.indexOf('"', from);
  if (end === -1) return refused('the name of the VMDK parent does not end');
  const name = text.slice(from, end);
  if (Buffer.byteLength(name) > MAX_NAME_BYTES)
    return refused('the name of the VMDK parent is too long');
  return found(name === '' ? undefined : name);
}
