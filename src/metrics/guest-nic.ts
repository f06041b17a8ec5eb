import type { Domain, NicCounters } from '../snapshot/domain.ts';
import type { Interface } from '../sources/domain-config.ts';
import { nicNames } from './nic-name.ts';

/** A NIC of a guest: what its XML says and what was counted. At least one of them is there. */
export interface GuestNic {
  /** Unique within the guest. */
  readonly device: string;
  readonly config: Interface | undefined;
  readonly counters: NicCounters | undefined;
}

/** The NICs of the XML in its order, then those that only have counters (just plugged in). */
export function guestNics({ config, nics }: Domain): readonly GuestNic[] {
  const interfaces = config?.interfaces ?? [];
  const counted = nics ?? [];
  if (interfaces.length === 0 && counted.length === 0) return [];
  const targets = new Set(interfaces.map(({ target }) => target));
  const unplanned = counted.filter(({ device }) => !targets.has(device));
  const names = nicNames([
    ...interfaces,
    ...unplanned.map(({ device }) => ({ target: device, alias: undefined })),
  ]);
  const all = [
    ...interfaces.map((one) => ({
      config: one,
      counters:
        one.target === undefined
          ? undefined
          : counted.find(({ device }) => device === one.target),
    })),
    ...unplanned.map((counters) => ({ config: undefined, counters })),
  ];
  return all.map((nic, index) => ({ device: names[index] ?? `nic${index}`, ...nic }));
}
