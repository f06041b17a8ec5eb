import { propertyAt, textAt } from '../kernel/json-text.ts';
import { failed, found, type Result } from '../../runtime/result.ts';
import type { ThinPool, ThinPoolState, ThinStorage, ThinVolume } from '../../model/storage.ts';

/** dm-thin's metadata block, in bytes (Linux Documentation/admin-guide/device-mapper). */
const METADATA_BLOCK_BYTES = 4096;
const SECTOR_BYTES = 512;

/** What {@link parseDmsetupThinPools} needs `dmsetup` to be asked for. */
export const DMSETUP_ARGUMENTS: readonly string[] = ['status', '--target', 'thin-pool'];

/**
 * The output of `dmsetup` with {@link DMSETUP_ARGUMENTS}, one pool a line. Format: Linux
 * Documentation/admin-guide/device-mapper/thin-provisioning.rst, "Status". The `needs_check` and
 * low-watermark fields came with later kernels and may be missing; a failed pool says `Fail` only.
 */
export function parseDmsetupThinPools(text: string): Result<ThinStorage> {
  const pools: ThinPool[] = [];
  for (const line of text.split('\n')) {
    if (line.trim() === '' || line.startsWith('No devices found')) continue;
    const pool = parseDmsetupLine(line);
    if (pool === undefined) return failed('malformed', 'dmsetup status', line);
    pools.push(pool);
  }
  return found({ pools, volumes: undefined });
}

function parseDmsetupLine(line: string): ThinPool | undefined {
  const match = /^(.+?): (\d{1,15}) (\d{1,15}) thin-pool (.+)$/.exec(line);
  const name = match?.[1];
  const sectors = match?.[3];
  const words = match?.[4]?.trim().split(/\s+/);
  if (name === undefined || sectors === undefined || words === undefined) return undefined;
  const sizeBytes = Number(sectors) * SECTOR_BYTES;
  const nothingElse = { vgName: undefined, monitored: undefined, vgFreeBytes: undefined };
  if (words[0] === 'Fail' || words[0] === 'Error') {
    return {
      ...nothingElse,
      name,
      sizeBytes,
      dataUsedBytes: undefined,
      metadataSizeBytes: undefined,
      metadataUsedBytes: undefined,
      state: 'failed',
      needsCheck: undefined,
      queueWhenFull: undefined,
    };
  }
  const metadata = fraction(words[1]);
  const data = fraction(words[2]);
  if (metadata === undefined || data === undefined || data.total === 0) return undefined;
  const flags = new Set(words.slice(4));
  return {
    ...nothingElse,
    name,
    sizeBytes,
    // The line does not tell the block size; the pool is so many blocks of it long.
    dataUsedBytes: Math.round((sizeBytes / data.total) * data.used),
    metadataSizeBytes: metadata.total * METADATA_BLOCK_BYTES,
    metadataUsedBytes: metadata.used * METADATA_BLOCK_BYTES,
    state: flags.has('out_of_data_space')
      ? 'out-of-data-space'
      : flags.has('ro')
        ? 'ro'
        : flags.has('rw')
          ? 'rw'
          : 'unknown',
    needsCheck: flags.has('needs_check'),
    queueWhenFull: flags.has('queue_if_no_space')
      ? true
      : flags.has('error_if_no_space')
        ? false
        : undefined,
  };
}

function fraction(word: string | undefined): { used: number; total: number } | undefined {
  const match = /^(\d{1,15})\/(\d{1,15})$/.exec(word ?? '');
  if (match === null) return undefined;
  const [used, total] = [Number(match[1]), Number(match[2])];
  return used > total ? undefined : { used, total };
}

/** The columns asked for (lvs(8)), all of them text in its JSON. */
const LV_FIELDS = [
  'vg_name',
  'lv_name',
  'lv_attr',
  'lv_size',
  'lv_metadata_size',
  'pool_lv',
  'origin',
  'data_percent',
  'metadata_percent',
  'lv_when_full',
  'lv_health_status',
  'lv_check_needed',
  'seg_monitor',
  'vg_free',
  'lv_kernel_major',
  'lv_kernel_minor',
] as const;

/** What {@link parseLvs} needs `lvs` to be asked for. */
export const LVS_ARGUMENTS: readonly string[] = [
  // lvm.conf may have words like "check needed" written as numbers.
  '--config',
  'report/binary_values_as_numeric=0',
  '--reportformat',
  'json',
  '--units',
  'b',
  '--nosuffix',
  '-o',
  LV_FIELDS.join(','),
];

type LvRow = Readonly<Record<(typeof LV_FIELDS)[number], string>>;

/**
 * The output of `lvs` with {@link LVS_ARGUMENTS}: thin pools and the volumes in them, all others
 * left out. Percentages have two decimals, so used bytes are exact to 0.005 % of the size.
 * Fields: lvs(8), lvmreport(7), lvmthin(7).
 */
export function parseLvs(text: string): Result<ThinStorage> {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return failed('malformed', 'lvs', 'not JSON');
  }
  const reported = parseRows(json);
  if (reported === undefined)
    return failed('malformed', 'lvs', 'a row without the fields asked for');
  // With a seg_ field lvs writes a row for each segment, all else in them the same (lvs(8)).
  const rows = new Map(reported.map((row) => [`${row.vg_name}/${row.lv_name}`, row])).values();
  const pools: ThinPool[] = [];
  const volumes: ThinVolume[] = [];
  for (const row of rows) {
    const sizeBytes = number(row.lv_size);
    if (sizeBytes === undefined) return failed('malformed', 'lvs', `lv_size ${row.lv_size}`);
    for (const percent of [row.data_percent, row.metadata_percent]) {
      if ((number(percent) ?? 0) > 100) return failed('malformed', 'lvs', `${percent} percent`);
    }
    // First letter of lv_attr: t is a thin pool, V a volume in one.
    if (row.lv_attr.startsWith('t')) pools.push(toPool(row, sizeBytes));
    else if (row.lv_attr.startsWith('V')) volumes.push(toVolume(row, sizeBytes));
  }
  return found({ pools, volumes });
}

/** `{"report": [{"lv": [row, …]}]}`; undefined where anything in it is not as it should be. */
function parseRows(json: unknown): readonly LvRow[] | undefined {
  const reports = propertyAt(json, 'report');
  if (!Array.isArray(reports)) return undefined;
  const rows: LvRow[] = [];
  for (const report of reports as readonly unknown[]) {
    const volumes = propertyAt(report, 'lv');
    if (!Array.isArray(volumes)) return undefined;
    for (const row of volumes as readonly unknown[]) {
      if (!isLvRow(row)) return undefined;
      rows.push(row);
    }
  }
  return rows;
}

function isLvRow(value: unknown): value is LvRow {
  return LV_FIELDS.every((field) => textAt(value, field) !== undefined);
}

function toPool(row: LvRow, sizeBytes: number): ThinPool {
  const metadataSizeBytes = number(row.lv_metadata_size);
  return {
    vgName: row.vg_name,
    name: row.lv_name,
    sizeBytes,
    dataUsedBytes: share(row.data_percent, sizeBytes),
    metadataSizeBytes,
    metadataUsedBytes: share(row.metadata_percent, metadataSizeBytes),
    state: toState(row),
    needsCheck:
      row.lv_check_needed === 'unknown' ? undefined : row.lv_check_needed === 'check needed',
    queueWhenFull: row.lv_when_full === '' ? undefined : row.lv_when_full === 'queue',
    monitored: row.seg_monitor === '' ? undefined : row.seg_monitor === 'monitored',
    vgFreeBytes: number(row.vg_free),
  };
}

function toVolume(row: LvRow, sizeBytes: number): ThinVolume {
  const major = number(row.lv_kernel_major);
  const minor = number(row.lv_kernel_minor);
  return {
    vgName: row.vg_name,
    name: row.lv_name,
    poolName: row.pool_lv,
    sizeBytes,
    usedBytes: share(row.data_percent, sizeBytes),
    device: major === undefined || minor === undefined ? undefined : `${major}:${minor}`,
    origin: row.origin === '' ? undefined : row.origin,
  };
}

function toState(row: LvRow): ThinPoolState {
  switch (row.lv_health_status) {
    case 'failed':
      return 'failed';
    case 'out_of_data':
      return 'out-of-data-space';
    case 'metadata_read_only':
      return 'ro';
    case '':
      // Health is that of the running device; an inactive pool shows no percentages either.
      return row.data_percent === '' ? 'unknown' : 'rw';
    default:
      return 'unknown';
  }
}

/** Undefined for what lvs leaves empty or marks with -1 (no kernel device). */
function number(text: string): number | undefined {
  return /^\d{1,20}(\.\d{1,20})?$/.test(text) ? Number(text) : undefined;
}

function share(percent: string, of: number | undefined): number | undefined {
  const value = number(percent);
  return value === undefined || of === undefined ? undefined : Math.round((value / 100) * of);
}
