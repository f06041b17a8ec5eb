/**
 * Headers of the image formats that are hardly used any more. Layouts and limits are those of
 * QEMU's drivers (block/qcow.c, qed.c, vdi.c, vpc.c, vhdx.c). All parsers look at bytes somebody
 * else has read, and trust none of them.
 */
import type { HeaderFacts } from '../../model/image.ts';
import {
  toBelow,
  NOTHING_BELOW,
  refused,
  sizeFrom,
  textAt,
  TRUNCATED,
  type HeaderError,
  type HeaderFault,
  type ReadMore,
} from './header-facts.ts';
import { found, type Result } from '../../runtime/result.ts';

const SECTOR_BYTES = 512n;

const QCOW_HEADER_BYTES = 48;
const QCOW_MAX_NAME_BYTES = 1023;

/** qcow version 1. It never says in which format its backing file is. */
export function parseQcowHeader(start: Buffer): Result<HeaderFacts, HeaderFault> {
  if (start.length < QCOW_HEADER_BYTES || start.readUInt32BE(0) !== 0x51_46_49_fb) {
    return refused('no qcow header');
  }
  if (start.readUInt32BE(4) !== 1)
    return refused(`version ${start.readUInt32BE(4)}`, 'unsupported');
  const size = start.readBigUInt64BE(24);
  const capacityBytes = sizeFrom((size / SECTOR_BYTES) * SECTOR_BYTES);
  if (capacityBytes === undefined || size <= 1n) return refused(`size ${size}`);
  const name = nameAt(start, start.readBigUInt64BE(8), start.readUInt32BE(16), QCOW_MAX_NAME_BYTES);
  if (!name.ok) return name;
  return found({ ...NOTHING_BELOW, capacityBytes, below: toBelow(name.value, undefined) });
}

const QED_HEADER_BYTES = 64;
/** PATH_MAX less its end, the size of the buffer QEMU reads the name into. */
const QED_MAX_NAME_BYTES = 4095;
const QED_BACKING_FILE = 1n << 0n;
const QED_BACKING_IS_RAW = 1n << 2n;
const QED_FEATURES = 0b111n;

export function parseQedHeader(start: Buffer): Result<HeaderFacts, HeaderFault> {
  if (start.length < QED_HEADER_BYTES || start.toString('latin1', 0, 4) !== 'QED\0') {
    return refused('no QED header');
  }
  const features = start.readBigUInt64LE(16);
  if ((features & ~QED_FEATURES) !== 0n) {
    return refused(`features 0x${features.toString(16)}`, 'unsupported');
  }
  const size = start.readBigUInt64LE(48);
  const capacityBytes = sizeFrom(size);
  if (capacityBytes === undefined || size % SECTOR_BYTES !== 0n) return refused(`size ${size}`);
  if ((features & QED_BACKING_FILE) === 0n) {
    return found({ ...NOTHING_BELOW, capacityBytes });
  }
  const [at, length] = [start.readUInt32LE(56), start.readUInt32LE(60)];
  const name = nameAt(start, BigInt(at), length, QED_MAX_NAME_BYTES);
  if (!name.ok) return name;
  const format = (features & QED_BACKING_IS_RAW) === 0n ? undefined : 'raw';
  return found({ ...NOTHING_BELOW, capacityBytes, below: toBelow(name.value, format) });
}

/** Names are looked for in the first 64 KiB, where every program puts them. */
function nameAt(
  start: Buffer,
  at: bigint,
  length: number,
  atMost: number,
): Result<string | undefined, HeaderFault> {
  if (at === 0n || length === 0) return found(undefined);
  if (length > atMost) return refused(`backing file name of ${length} bytes`);
  if (at + BigInt(length) > BigInt(start.length)) return TRUNCATED;
  return found(textAt(start, Number(at), length));
}

const VDI_HEADER_BYTES = 0x1c8;
const VDI_DIFFERENCING = 4;

/** VirtualBox. QEMU opens neither linked nor differencing images; their parent goes by its uuid. */
export function parseVdiHeader(start: Buffer): Result<HeaderFacts, HeaderFault> {
  if (start.length < VDI_HEADER_BYTES || start.readUInt32LE(0x40) !== 0xbeda_107f) {
    return refused('no VDI header');
  }
  const size = start.readBigUInt64LE(0x170);
  const sectors = (size + SECTOR_BYTES - 1n) / SECTOR_BYTES;
  const capacityBytes = sizeFrom(sectors * SECTOR_BYTES);
  if (capacityBytes === undefined) return refused(`size ${size}`);
  const hasParent =
    start.readUInt32LE(0x4c) === VDI_DIFFERENCING ||
    start.subarray(0x1a8, 0x1c8).some((b) => b !== 0);
  return found({
    ...NOTHING_BELOW,
    capacityBytes,
    below: hasParent
      ? { kind: 'unknown', detail: 'a VDI names its parent by a uuid' }
      : { kind: 'nothing' },
  });
}

const VPC_FOOTER_BYTES = 512;
const VPC_TYPE_AT = 0x3c;
const VPC_TYPES: ReadonlyMap<number, 'whole' | 'differencing'> = new Map([
  [2, 'whole'],
  [3, 'whole'],
  [4, 'differencing'],
]);

/**
 * VHD. Its footer is at the end; dynamic and differencing images have a copy of it at the start.
 * How large the disk is depends on the program that made it (vpc_open() in QEMU), so it is not said.
 */
export async function vpcFacts(
  start: Buffer,
  sizeBytes: number,
  more: ReadMore,
): Promise<Result<HeaderFacts, HeaderError>> {
  let footer = start;
  if (!isVpcFooter(footer)) {
    const end = await more(Math.max(0, sizeBytes - VPC_FOOTER_BYTES), VPC_FOOTER_BYTES);
    if (!end.ok) return end;
    footer = end.value;
  }
  if (!isVpcFooter(footer)) return refused('no VHD footer');
  const type = footer.readUInt32BE(VPC_TYPE_AT);
  switch (VPC_TYPES.get(type)) {
    case 'whole':
      return found(NOTHING_BELOW);
    case 'differencing': {
      const detail = 'the parent of a differencing VHD is not read';
      return found({ ...NOTHING_BELOW, below: { kind: 'unknown', detail } });
    }
    case undefined:
      return refused(`VHD of type ${type}`, 'unsupported');
  }
}

function isVpcFooter(bytes: Buffer): boolean {
  return bytes.length >= VPC_FOOTER_BYTES && bytes.toString('latin1', 0, 8) === 'conectix';
}

const VHDX_REGIONS_AT = 192 * 1024;
const VHDX_TABLE_BYTES = 64 * 1024;
const VHDX_MAX_ENTRIES = 2047;
const VHDX_METADATA_REGION = guid('06a27c8b90479a4bb8fe575f050f886e');
const VHDX_FILE_PARAMETERS = guid('3767a1ca36fa434db3b633f0aa44e76b');
const VHDX_VIRTUAL_SIZE = guid('2442a52f1bcd7648b2115dbed83bf4b8');
const VHDX_HAS_PARENT = 0b10;

function guid(hex: string): Buffer {
  return Buffer.from(hex, 'hex');
}

/** VHDX ([MS-VHDX] 2.2.3 and 2.6). Of a parent only that there is one; QEMU opens none of these. */
export async function vhdxFacts(
  start: Buffer,
  more: ReadMore,
): Promise<Result<HeaderFacts, HeaderError>> {
  if (start.toString('latin1', 0, 8) !== 'vhdxfile') return refused('no VHDX header');
  const regions = await more(VHDX_REGIONS_AT, VHDX_TABLE_BYTES);
  if (!regions.ok) return regions;
  const region = vhdxEntry(regions.value, 'regi', 8, 16, VHDX_METADATA_REGION);
  const at = region && sizeFrom(region.readBigUInt64LE(16));
  if (at === undefined) return refused('no metadata region in the VHDX');
  const table = await more(at, VHDX_TABLE_BYTES);
  if (!table.ok) return table;
  const item = async (id: Buffer): Promise<Result<Buffer>> => {
    const entry = vhdxEntry(table.value, 'metadata', 10, 32, id);
    return entry === undefined ? found(Buffer.alloc(0)) : more(at + entry.readUInt32LE(16), 8);
  };
  const parameters = await item(VHDX_FILE_PARAMETERS);
  if (!parameters.ok) return parameters;
  const size = await item(VHDX_VIRTUAL_SIZE);
  if (!size.ok) return size;
  if (parameters.value.length < 8 || size.value.length < 8) {
    return refused('file parameters or size missing in the VHDX');
  }
  const capacityBytes = sizeFrom(size.value.readBigUInt64LE(0));
  if (capacityBytes === undefined) return refused('the size in the VHDX is none');
  const hasParent = (parameters.value.readUInt32LE(4) & VHDX_HAS_PARENT) !== 0;
  const below = hasParent
    ? ({ kind: 'unknown', detail: 'the parent of a differencing VHDX is not read' } as const)
    : ({ kind: 'nothing' } as const);
  return found({ ...NOTHING_BELOW, capacityBytes, below });
}

/** The entry of 32 bytes with this id in a table that begins with `signature` and a count. */
function vhdxEntry(
  table: Buffer,
  signature: string,
  countAt: number,
  firstAt: number,
  id: Buffer,
): Buffer | undefined {
  if (table.length < firstAt || table.toString('latin1', 0, signature.length) !== signature) {
    return undefined;
  }
  const count = Math.min(table.readUInt16LE(countAt), VHDX_MAX_ENTRIES);
  for (let i = 0; i < count; i += 1) {
    const entry = table.subarray(firstAt + i * 32, firstAt + (i + 1) * 32);
    if (entry.length < 32) return undefined;
    if (entry.subarray(0, 16).equals(id)) return entry;
  }
  return undefined;
}
