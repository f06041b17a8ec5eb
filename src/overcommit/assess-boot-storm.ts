/** From the snapshot to the inputs of boot-storm.ts. */

import type { Domain } from '../snapshot/domain.ts';
import { promisedMemory, promisedVcpus } from './assess-promise.ts';
import { bootStorm, type BootStorm, type BootStormDomain } from './boot-storm.ts';
import type { StorageOfGuest, StorageOvercommit } from './storage.ts';

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
      const memory = bootMemory(domain);
      if (vcpus === undefined || memory === undefined) return [];
      return [
        {
          name: domain.name,
          active: domain.active,
          persistent: domain.persistent ?? true,
          autostart: domain.autostart ?? false,
          vcpus,
          ...memory,
          unfundedStorageBytes: unfundedByContainer(parts.get(domain.name) ?? []),
        },
      ];
    }),
  );
}

/** As the XML has it: how far the balloon is blown up now does not outlive the guest. */
function bootMemory(
  domain: Domain,
): { readonly maximumMemoryBytes: number; readonly currentMemoryBytes: number } | undefined {
  const memory = domain.config?.memory ?? promisedMemory(domain);
  if (memory === undefined) return undefined;
  return { maximumMemoryBytes: memory.maximumBytes, currentMemoryBytes: memory.currentBytes };
}

function unfundedByContainer(parts: readonly StorageOfGuest[]): ReadonlyMap<string, number> {
  return new Map(
    parts.flatMap(({ containerId, unfundedBytes }) =>
      containerId === undefined ? [] : [[containerId, unfundedBytes] as const],
    ),
  );
}
