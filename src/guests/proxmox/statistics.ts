import { failed, found, type Result } from '../../runtime/result.ts';
import { propertyAt, textAt } from '../../sources/kernel/json-text.ts';
import type { Balloon, DiskCounters } from '../../model/domain.ts';

/** What pvestatd last learnt of a VM from its QEMU. */
export interface PveVmStatistics {
  /** `running`, `stopped`. */
  readonly status: string | undefined;
  /** Of its QEMU, as the node counts. */
  readonly pid: number | undefined;
  /** QEMU's own word: `running`, `paused`, `io-error`, `prelaunch`, … */
  readonly qmpStatus: string | undefined;
  /** Undefined where the monitor did not answer pvestatd. */
  readonly balloon: Balloon | undefined;
  readonly disks: readonly DiskCounters[] | undefined;
}

export interface PveContainerStatistics {
  readonly status: string | undefined;
}

/** The newest line of `/run/pve/metrics`. */
export interface PveStatistics {
  /** Unix time at which pvestatd asked the VMs. */
  readonly atSeconds: number;
  readonly vms: ReadonlyMap<number, PveVmStatistics>;
  readonly containers: ReadonlyMap<number, PveContainerStatistics>;
  /** By id; those that are not active have no sizes. */
  readonly storages: ReadonlyMap<string, PveStorageStatistics>;
}

/** How full a storage is, as the plugin of its type measures it: of `lvmthin` the data of the pool. */
export interface PveStorageStatistics {
  readonly totalBytes: number;
  readonly usedBytes: number;
}

/** pvestatd writes every 10 s; what is older than this tells of another time. */
export const MAX_AGE_SECONDS = 60;

/**
 * Reads the first line of `/run/pve/metrics`, which pvestatd writes for Proxmox VE's own use (pve-manager
 * from 8.2.5, PVE/PullMetric.pm; the fields are those of vmstatus in qemu-server). Any field may be
 * missing. Malformed: not a JSON object with the time of its VMs.
 */
export function parseStatistics(line: string, subject: string): Result<PveStatistics> {
  let json: unknown;
  try {
    json = JSON.parse(line);
  } catch {
    return failed('malformed', subject, 'its first line is not JSON');
  }
  const qemu = propertyAt(json, 'qemu');
  const atSeconds = toCount(propertyAt(qemu, 'timestamp'));
  if (atSeconds === undefined) return failed('malformed', subject, 'it does not say of when it is');
  return found({
    atSeconds,
    vms: new Map(entries(propertyAt(qemu, 'data')).map(([id, vm]) => [id, toVm(vm)])),
    containers: new Map(
      entries(propertyAt(propertyAt(json, 'lxc'), 'data')).map(([id, container]) => [
        id,
        { status: textAt(container, 'status') },
      ]),
    ),
    storages: toStorages(propertyAt(propertyAt(json, 'storage'), 'data')),
  });
}

function toStorages(json: unknown): ReadonlyMap<string, PveStorageStatistics> {
  const storages = new Map<string, PveStorageStatistics>();
  if (typeof json !== 'object' || json === null || Array.isArray(json)) return storages;
  for (const [id, one] of Object.entries(json)) {
    const totalBytes = toCount(propertyAt(one, 'total'));
    const usedBytes = toCount(propertyAt(one, 'used'));
    const isActive = toCount(propertyAt(one, 'active')) === 1;
    if (totalBytes === undefined || totalBytes === 0 || usedBytes === undefined || !isActive)
      continue;
    storages.set(id, { totalBytes, usedBytes });
  }
  return storages;
}

function entries(json: unknown): readonly (readonly [number, unknown])[] {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) return [];
  return Object.entries(json).flatMap(([key, value]: readonly [string, unknown]) =>
    /^[1-9]\d{2,8}$/.test(key) ? [[Number(key), value] as const] : [],
  );
}

function toVm(vm: unknown): PveVmStatistics {
  return {
    status: textAt(vm, 'status'),
    pid: toCount(propertyAt(vm, 'pid')),
    qmpStatus: textAt(vm, 'qmpstatus'),
    balloon: toBalloon(propertyAt(vm, 'ballooninfo')),
    disks: toDisks(propertyAt(vm, 'blockstat')),
  };
}

/** QMP's query-balloon as Proxmox VE's own QEMU extends it (pve-qemu, "query-balloon" patch). */
function toBalloon(info: unknown): Balloon | undefined {
  const bytes = (name: string): number | undefined => toCount(propertyAt(info, name));
  const currentBytes = bytes('actual');
  if (currentBytes === undefined) return undefined;
  const lastUpdate = bytes('last_update');
  return {
    currentBytes,
    maximumBytes: bytes('max_mem'),
    guestTotalBytes: bytes('total_mem'),
    guestFreeBytes: bytes('free_mem'),
    guestAvailableBytes: undefined,
    guestDiskCachesBytes: undefined,
    guestSwapInBytes: bytes('mem_swapped_in'),
    guestSwapOutBytes: bytes('mem_swapped_out'),
    guestMajorFaults: toCounter(propertyAt(info, 'major_page_faults')),
    guestMinorFaults: toCounter(propertyAt(info, 'minor_page_faults')),
    guestHugetlbAllocations: undefined,
    guestHugetlbFailures: undefined,
    residentBytes: undefined,
    lastUpdateSeconds: lastUpdate === 0 ? undefined : lastUpdate,
  };
}

/** QMP's BlockDeviceStats (qapi/block-core.json) by the name of the drive in the config. */
function toDisks(stats: unknown): readonly DiskCounters[] | undefined {
  if (typeof stats !== 'object' || stats === null || Array.isArray(stats)) return undefined;
  return Object.entries(stats).flatMap(([device, one]: readonly [string, unknown]) => {
    if (!DRIVE.test(device)) return [];
    const counter = (name: string): bigint | undefined => toCounter(propertyAt(one, name));
    return [
      {
        device,
        readBytes: counter('rd_bytes'),
        readRequests: counter('rd_operations'),
        readNanoseconds: counter('rd_total_time_ns'),
        writtenBytes: counter('wr_bytes'),
        writeRequests: counter('wr_operations'),
        writeNanoseconds: counter('wr_total_time_ns'),
        flushRequests: counter('flush_operations'),
        flushNanoseconds: counter('flush_total_time_ns'),
        capacityBytes: undefined,
        highestOffsetBytes: counter('wr_highest_offset'),
        physicalBytes: undefined,
        thresholdBytes: undefined,
        beyondLibvirt: {
          failedReads: counter('failed_rd_operations'),
          failedWrites: counter('failed_wr_operations'),
          failedFlushes: counter('failed_flush_operations'),
          failedDiscards: counter('failed_unmap_operations'),
          discardedBytes: counter('unmap_bytes'),
        },
      },
    ];
  });
}

export const DRIVE =
  /^(?:ide[0-3]|sata[0-5]|scsi(?:[12]?\d|30)|virtio(?:\d|1[0-5])|efidisk0|tpmstate0)$/;

/** Perl writes a number as text once it was used as one. */
function toCount(json: unknown): number | undefined {
  const value = typeof json === 'string' && /^\d{1,16}$/.test(json) ? Number(json) : json;
  return typeof value === 'number' && Number.isFinite(value) && value >= 0 && value <= 2 ** 60
    ? value
    : undefined;
}

/** QEMU's counters have 64 bits. */
const MOST = 2n ** 64n - 1n;

function toCounter(json: unknown): bigint | undefined {
  const value = toWhole(json);
  return value !== undefined && value <= MOST ? value : undefined;
}

function toWhole(json: unknown): bigint | undefined {
  if (typeof json === 'string') return /^\d{1,20}$/.test(json) ? BigInt(json) : undefined;
  return typeof json === 'number' && Number.isInteger(json) && json >= 0 ? BigInt(json) : undefined;
}
