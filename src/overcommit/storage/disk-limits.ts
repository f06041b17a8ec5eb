/** What a guest's disk may do by the limits of its XML. */

import type { Disk, DomainConfig, IoTune } from '../../model/domain-config.ts';

export type IoLimit = Exclude<keyof IoTune, 'group'>;

export interface DiskLimit {
  readonly value: number;
  /** The group whose limit it is, if other disks of the guest share it. */
  readonly sharedGroup: string | undefined;
}

/**
 * One limit of a disk: the lowest of its own (`<iotune>`) and those of the groups it goes through
 * (`<throttlefilters>`, libvirt 11.1), since each request passes all of them. Undefined: unlimited.
 *
 * @param limit what to look for; a burst is not above the limit of a group that allows none.
 */
export function diskLimit(
  disk: Disk,
  { disks, throttleGroups }: DomainConfig,
  limit: IoLimit,
): DiskLimit | undefined {
  if (disk.iotune === undefined && disk.throttleFilters.length === 0) return undefined;
  const groups = disk.throttleFilters.flatMap(
    (name) => throttleGroups.find(({ group }) => group === name) ?? [],
  );
  const all = disk.iotune === undefined ? groups : [disk.iotune, ...groups];
  if (all.every((one) => one[limit] === undefined)) return undefined;
  let lowest: DiskLimit | undefined;
  for (const one of all) {
    const value = one[limit] ?? one[toSteadyLimit(limit)];
    if (value === undefined || (lowest !== undefined && lowest.value <= value)) continue;
    const sharing = disks.filter((other) => uses(other, one));
    lowest = { value, sharedGroup: sharing.length > 1 ? one.group : undefined };
  }
  return lowest;
}

function uses({ iotune, throttleFilters }: Disk, { group }: IoTune): boolean {
  return group !== undefined && (iotune?.group === group || throttleFilters.includes(group));
}

const STEADY: Readonly<Partial<Record<IoLimit, IoLimit>>> = {
  totalBytesPerSecondMax: 'totalBytesPerSecond',
  readBytesPerSecondMax: 'readBytesPerSecond',
  writeBytesPerSecondMax: 'writeBytesPerSecond',
  totalRequestsPerSecondMax: 'totalRequestsPerSecond',
  readRequestsPerSecondMax: 'readRequestsPerSecond',
  writeRequestsPerSecondMax: 'writeRequestsPerSecond',
};

function toSteadyLimit(limit: IoLimit): IoLimit {
  return STEADY[limit] ?? limit;
}
