import type { Policy } from '../config/policy.ts';
import { toHostPages } from '../overcommit/memory/assess-memory.ts';
import type { Assessment } from '../overcommit/assessment.ts';

import type { HostPages } from '../model/facts/memory-traits.ts';
import type { MemoryOfGuest } from '../overcommit/memory/memory.ts';
import type { MomVariant } from '../overcommit/mom/mom.ts';
import type { StorageContainer, StorageOfGuest } from '../overcommit/storage/storage.ts';
import type { Domain } from '../model/domain.ts';
import { atOnce, mapInParts, type Parts } from '../runtime/in-parts.ts';
import type { Snapshot } from '../model/snapshot.ts';
import type { DomainDisk } from '../model/storage.ts';
import type { GuestLabels } from './guest-labels.ts';
import { guestNics, WaysOut, type GuestNic } from './guest-nic.ts';
import { namedImages, type NamedImage } from './named-image.ts';
import type { RisingValues } from './rising.ts';
import type { ScrapeMemory } from './scrape-memory.ts';
import type { CpuOfGuest } from '../overcommit/cpu/model.ts';

/** What metrics are made from: one snapshot, what it means, and the policy it is measured by. */
export interface View {
  readonly snapshot: Snapshot;
  readonly domains: readonly DomainView[];
  readonly assessment: Assessment;
  readonly policy: PolicyInForce;
  readonly build: Build;
  /** Each image once. */
  readonly images: readonly NamedImage[];
  readonly rising: RisingValues;
}

export interface PolicyInForce {
  readonly policy: Policy;
  /** False while the file on disk is broken and an older policy stays in force. */
  readonly lastReadOk: boolean;
  readonly loadedAtSeconds: number;
  /** For how long the host is still being worked on; 0: it is not. */
  readonly maintenanceRemainingSeconds: number;
}

export interface Build {
  readonly version: string;
  readonly nodeVersion: string;
}

/** One guest with everything a metric about it needs at hand. */
export interface DomainView {
  /** By the clock of this host. */
  readonly takenAtSeconds: number;
  readonly domain: Domain;
  readonly labels: GuestLabels;
  readonly pageBytes: number;
  readonly pages: HostPages;
  readonly cpu: CpuOfGuest | undefined;
  readonly memory: MemoryOfGuest | undefined;
  /** Its part of each filesystem and thin pool. */
  readonly storage: readonly GuestStorage[];
  readonly disks: readonly DomainDisk[];
  /** Path of an image by its identity. */
  readonly imagePathOf: ReadonlyMap<string, string>;
  readonly nics: readonly GuestNic[];
  readonly momTargets: readonly GuestMomTarget[];
}

interface GuestStorage {
  readonly part: StorageOfGuest;
  readonly container: StorageContainer;
}

interface GuestMomTarget {
  readonly variant: MomVariant;
  readonly targetBytes: number | undefined;
}

/** Brings the parts of a scrape together, guest by guest. */
export function toView(...parts: Parameters<typeof viewInParts>): View {
  return atOnce(viewInParts(...parts));
}

/** As {@link toView}. */
export function* viewInParts(
  snapshot: Snapshot,
  assessment: Assessment,
  policy: PolicyInForce,
  build: Build,
  memory: ScrapeMemory,
): Parts<View> {
  const domains = distinct(snapshot.domains ?? []);
  const labels = memory.guestLabels.forGuests(domains);
  yield;
  const cpu = new Map(assessment.cpu?.guests.map((guest) => [guest.name, guest]));
  const claims = new Map(assessment.memory?.guests.map((guest) => [guest.name, guest]));
  const storage = storageByGuest(assessment);
  yield;
  const momTargets = momTargetsByGuest(assessment);
  const disks = Map.groupBy(snapshot.storage?.disks ?? [], ({ domainUuid }) => domainUuid);
  yield;
  const images = namedImages(snapshot.storage);
  yield;
  const pages = toHostPages(snapshot.host);
  const waysOut = new WaysOut(snapshot.network);
  const views = yield* mapInParts(domains, (domain): DomainView | undefined => {
    const own = labels.get(domain.uuid);
    if (own === undefined) return undefined;
    return {
      takenAtSeconds: snapshot.takenAtSeconds,
      domain,
      labels: own,
      pageBytes: snapshot.host.pageBytes,
      pages,
      cpu: cpu.get(domain.name),
      memory: claims.get(domain.name),
      storage: storage.get(domain.name) ?? [],
      disks: disks.get(domain.uuid) ?? [],
      imagePathOf: images.pathOf,
      nics: guestNics(domain, waysOut),
      momTargets: momTargets.get(domain.name) ?? [],
    };
  });
  return {
    snapshot,
    assessment,
    policy,
    build,
    images: images.all,
    rising: memory.rising,
    domains: views.filter((view) => view !== undefined),
  };
}

/**
 * Each guest once: one that is renamed while the list is being read may come under both names, and
 * another may take its old name. The first mention counts.
 */
function distinct(domains: readonly Domain[]): readonly Domain[] {
  const uuids = new Set<string>();
  const names = new Set<string>();
  return domains.filter(({ uuid, name }) => {
    if (uuids.has(uuid) || names.has(name)) return false;
    uuids.add(uuid);
    names.add(name);
    return true;
  });
}

function storageByGuest({ storage }: Assessment): ReadonlyMap<string, readonly GuestStorage[]> {
  const containers = new Map(storage?.containers.map((container) => [container.id, container]));
  const parts = (storage?.guests ?? []).flatMap((part) => {
    const container = part.containerId === undefined ? undefined : containers.get(part.containerId);
    return container === undefined ? [] : [{ part, container }];
  });
  return Map.groupBy(parts, ({ part }) => part.guest);
}

function momTargetsByGuest({ mom }: Assessment): ReadonlyMap<string, readonly GuestMomTarget[]> {
  const targets = mom.flatMap(({ variant, guests }) =>
    guests.map(({ name, targetBytes }) => ({ name, variant, targetBytes })),
  );
  return Map.groupBy(targets, ({ name }) => name);
}
