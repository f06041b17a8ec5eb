import type { Policy } from '../config/policy.ts';
import type { Assessment } from '../overcommit/assessment.ts';
import type { CpuOfGuest } from '../overcommit/cpu.ts';
import type { MemoryOfGuest } from '../overcommit/memory.ts';
import type { StorageOfGuest } from '../overcommit/storage.ts';
import type { Domain } from '../snapshot/domain.ts';
import type { Snapshot } from '../snapshot/model.ts';
import type { DomainDisk } from '../snapshot/storage.ts';
import type { GuestLabelCache, GuestLabels } from './guest-labels.ts';

/** What metrics are made from: one snapshot, what it means, and the policy it is measured by. */
export interface View {
  readonly snapshot: Snapshot;
  readonly domains: readonly DomainView[];
  readonly assessment: Assessment;
  readonly policy: PolicyInForce;
  readonly build: Build;
}

export interface PolicyInForce {
  readonly policy: Policy;
  /** False while the file on disk is broken and an older policy stays in force. */
  readonly lastReadOk: boolean;
  readonly loadedAtSeconds: number;
}

export interface Build {
  readonly version: string;
  readonly nodeVersion: string;
}

/** One guest with everything a metric about it needs at hand. */
export interface DomainView {
  readonly domain: Domain;
  readonly labels: GuestLabels;
  readonly pageBytes: number;
  readonly cpu: CpuOfGuest | undefined;
  readonly memory: MemoryOfGuest | undefined;
  /** Its part of each filesystem and thin pool. */
  readonly storage: readonly StorageOfGuest[];
  readonly disks: readonly DomainDisk[];
}

/** Brings the parts of a scrape together, guest by guest. */
export function viewOf(
  snapshot: Snapshot,
  assessment: Assessment,
  policy: PolicyInForce,
  build: Build,
  labelCache: GuestLabelCache,
): View {
  const domains = snapshot.domains ?? [];
  const labels = labelCache.forGuests(domains);
  const cpu = new Map(assessment.cpu?.guests.map((guest) => [guest.name, guest]));
  const memory = new Map(assessment.memory?.guests.map((guest) => [guest.name, guest]));
  const storage = Map.groupBy(assessment.storage?.guests ?? [], ({ guest }) => guest);
  const disks = Map.groupBy(snapshot.storage?.disks ?? [], ({ domainUuid }) => domainUuid);
  return {
    snapshot,
    assessment,
    policy,
    build,
    domains: domains.flatMap((domain) => {
      const own = labels.get(domain.uuid);
      if (own === undefined) return [];
      return {
        domain,
        labels: own,
        pageBytes: snapshot.host.pageBytes,
        cpu: cpu.get(domain.name),
        memory: memory.get(domain.name),
        storage: storage.get(domain.name) ?? [],
        disks: disks.get(domain.uuid) ?? [],
      };
    }),
  };
}
