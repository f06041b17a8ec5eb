/**
 * What one guest was promised, from the best that is known of it. A promise does not end because
 * a monitor hangs or an XML did not arrive: then the next best source is taken.
 */

import type { Domain } from '../../model/domain.ts';
import { currentRamBytes, ramBytes } from '../../model/facts/memory-traits.ts';

/** Numbers of the vCPUs a guest may have, with those it has now. */
export interface PromisedVcpu {
  readonly id: number;
  readonly online: boolean;
}

/**
 * From `<vcpus>`, else the two counts of `<vcpu>` (the first ones are online: libvirt
 * docs/formatdomain.rst), else where the XML does not tell its vCPU threads, else libvirt's `vcpu.<n>`. Undefined:
 * nothing tells.
 */
export function promisedVcpus({
  config,
  process,
  libvirtCpu,
}: Domain): readonly PromisedVcpu[] | undefined {
  if (config !== undefined) {
    const { list, current, maximum } = config.vcpu;
    if (list.length > 0) return list.map(({ id, enabled }) => ({ id, online: enabled }));
    if (maximum !== undefined && current !== undefined) {
      return Array.from({ length: maximum }, (_, id) => ({ id, online: id < current }));
    }
  }
  const threads = process?.threads?.flatMap(({ role }) =>
    role.kind === 'vcpu' ? [{ id: role.index, online: true }] : [],
  );
  if (threads !== undefined && threads.length > 0) return threads;
  return libvirtCpu?.vcpus.map(({ index }) => ({ id: index, online: true }));
}

export interface PromisedGuestMemory {
  readonly currentBytes: number;
  readonly maximumBytes: number;
}

/**
 * libvirt's `balloon.current` and `balloon.maximum`; where the monitor was not asked or does not
 * answer, `<currentMemory>` and `<memory>` of the XML. libvirt keeps `<currentMemory>` of a running
 * guest up to date by events, but before the guest's balloon driver first obeys, it is what was
 * asked for and less than what the guest has. Memory devices that are no RAM are left out.
 * Undefined: neither is known.
 */
export function promisedMemory({ balloon, config }: Domain): PromisedGuestMemory | undefined {
  const totalBytes = balloon?.maximumBytes ?? config?.memory.maximumBytes;
  const maximumBytes = ramBytes(totalBytes, config);
  const saidBytes = balloon?.currentBytes ?? config?.memory.currentBytes;
  const currentBytes = currentRamBytes(saidBytes, totalBytes, config) ?? maximumBytes;
  if (currentBytes === undefined) return undefined;
  return { currentBytes, maximumBytes: Math.max(maximumBytes ?? 0, currentBytes) };
}
