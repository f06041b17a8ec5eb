/** From the snapshot to the inputs of boot-storm.ts. */

import type { Domain } from '../model/domain.ts';
import { promisedMemory, promisedVcpus } from './memory/assess-promise.ts';
import { bootStorm, type BootStorm, type BootStormDomain } from './boot-storm.ts';
import { ramBytes } from '../model/facts/memory-traits.ts';
import type { StorageOfGuest, StorageOvercommit } from './storage/storage.ts';

/**
 * All defined guests of which vCPUs and memory are known. One whose persistence libvirt did not
 * tell counts as persistent, as nearly all are; one whose autostart it did not tell does not start
 * by itself.
 */
export function assessBootStorm(
  domains: readonly Domain[],
  storage: StorageOvercommit | undefined,
): BootStorm {
  const parts = Map.groupBy(storage?.guests ?? [], ({ guest }) => guest);
  return bootStorm(
    domains.flatMap((domain): readonly BootStormDomain[] => {
      const vcpus = promisedVcpus(domain)?.filter(({ online }) => online).length;
      const maximumMemoryBytes =
        ramBytes(domain.config?.memory.maximumBytes, domain.config) ??
        promisedMemory(domain)?.maximumBytes;
      if (vcpus === undefined || maximumMemoryBytes === undefined) return [];
      return [
        {
          name: domain.name,
          active: domain.active,
          persistent: domain.persistent ?? true,
          autostart: domain.autostart ?? false,
          vcpus,
          maximumMemoryBytes,
          claimableStorageBytes: claimableOn(parts.get(domain.name) ?? []),
        },
      ];
    }),
  );
}

function claimableOn(parts: readonly StorageOfGuest[]): number {
  return parts
    .filter(({ place }) => place === 'container')
    .reduce((sum, { claimableBytes }) => sum + claimableBytes, 0);
}
