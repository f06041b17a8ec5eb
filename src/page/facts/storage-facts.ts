import type { View } from '../../view/view.ts';
import type { StorageContainer, StorageOvercommit } from '../../overcommit/storage/storage.ts';
import { formatBytes, formatCount, formatDuration, formatPercent } from '../words/format.ts';
import type { Rates } from '../../risk/rates.ts';
import {
  barsIn,
  promiseInShort,
  topGuests,
  unknownBank,
  type Chart,
  type ResourceFacts,
  type RiskOf,
} from './resource-facts.ts';
import { figure, path, say, type Sentence } from '../words/sentence.ts';
import { isPausedOnIoError } from '../../model/facts/domain-state.ts';
import { computeClaimableRatio } from '../../risk/signals.ts';

const bytes = barsIn(formatBytes);

/** Filesystems and pools drawn one by one; a host has few, but may have many. */
const MOST_CHARTS = 3;
/** A pace that fills storage later than that is not worth a sentence. */
const SOON_SECONDS = 24 * 3600;
/** Less of the time is not worth a word. */
const WORTH_SAYING = 0.01;

/** What images of all guests, running or not, may grow to, against where they lie. */
export function storageFacts(
  { assessment, domains, snapshot }: View,
  rates: Rates | undefined,
  risk: RiskOf,
): ResourceFacts {
  const { storage } = assessment;
  const containers = (storage?.containers ?? []).toSorted(
    (one, other) =>
      (computeClaimableRatio(other) ?? -1) - (computeClaimableRatio(one) ?? -1) ||
      (one.name < other.name ? -1 : 1),
  );
  const [worst] = containers;
  return {
    resource: 'storage',
    ...risk,
    promise: promiseInShort(worst?.promisedBytes, worst?.sizeBytes, formatBytes),
    isNothingPromised: storage !== undefined && worst === undefined,
    parts: containers.map((container) => ({
      name: container.name,
      unit: 'bytes',
      promised: container.promisedBytes,
      capacity: container.sizeBytes,
      exposure: container.claimableBytes,
      supply: container.availBytes,
      shortfall: container.shortfallBytes,
      used:
        container.sizeBytes === undefined || container.availBytes === undefined
          ? undefined
          : container.sizeBytes - container.availBytes,
    })),
    bank:
      storage === undefined
        ? unknownBank(snapshot, 'the images of the guests')
        : toBank(worst, storage),
    charts: containers.slice(0, MOST_CHARTS).flatMap(toChart),
    notes: storage === undefined ? [] : toNotes(storage, containers, rates),
    top: {
      title: 'Most claimable space',
      guests: topGuests(
        guestSums(storage),
        ({ claimableBytes }) => claimableBytes,
        ({ promisedBytes }, claimable) =>
          `${formatBytes(claimable)} of ${formatBytes(promisedBytes)}`,
      ),
    },
    sufferers: {
      title: 'Stalling most on I/O',
      guests: topGuests(
        domains.map(({ domain }) => ({
          name: domain.name,
          isPaused: isPausedOnIoError(domain),
          ratio: rates?.guests.get(domain.uuid)?.ioStalledRatio ?? 0,
        })),
        ({ isPaused, ratio }) => (isPaused ? 1 : ratio < WORTH_SAYING ? undefined : ratio),
        ({ isPaused }, ratio) =>
          isPaused ? 'paused, write failed' : `${formatPercent(ratio)} of the time`,
      ),
    },
  };
}

interface GuestSum {
  readonly name: string;
  readonly claimableBytes: number;
  readonly promisedBytes: number;
}

function guestSums(storage: StorageOvercommit | undefined): readonly GuestSum[] {
  const parts = (storage?.guests ?? []).filter(({ place }) => place !== 'remote');
  return [...Map.groupBy(parts, ({ guest }) => guest)].map(([name, own]) => ({
    name,
    claimableBytes: own.reduce((sum, part) => sum + part.claimableBytes, 0),
    promisedBytes: own.reduce((sum, part) => sum + part.promisedBytes, 0),
  }));
}

function toBank(worst: StorageContainer | undefined, storage: StorageOvercommit): Sentence {
  if (worst === undefined) {
    return storage.thick.images + storage.remote.images + storage.unplaced.images === 0
      ? say`No guest has a disk: nothing is promised.`
      : say`No image of this host can grow here.`;
  }
  const { shortfallBytes } = worst;
  if (shortfallBytes === undefined) {
    return say`Storage ${path(worst.name)} does not answer: its free space is unknown.`;
  }
  if (shortfallBytes > 0) {
    return say`If all guests claim what they were promised, storage ${path(worst.name)} is ${figure(`${formatBytes(shortfallBytes)} short`)}. Guests that write then are paused.`;
  }
  return say`If all guests claim what they were promised, ${figure(`${formatBytes(-shortfallBytes)} are left`)} on ${path(worst.name)}.`;
}

function toChart(container: StorageContainer): readonly Chart[] {
  const { name, promisedBytes, sizeBytes, availBytes, claimableBytes } = container;
  if (sizeBytes === undefined || availBytes === undefined) return [];
  return [
    {
      of: path(name),
      bars: [
        bytes('promised', 'Promised', promisedBytes, sizeBytes),
        bytes('capacity', 'Capacity', sizeBytes),
        bytes('used', 'In use', sizeBytes - availBytes),
        bytes('claim', 'Claimable', claimableBytes, availBytes),
        bytes('supply', 'Available', availBytes),
      ],
    },
  ];
}

function toNotes(
  storage: StorageOvercommit,
  containers: readonly StorageContainer[],
  rates: Rates | undefined,
): Sentence[] {
  const notes: Sentence[] = [];
  for (const { id, name, availBytes } of containers) {
    const pace = rates?.fillBytesPerSecond.get(id) ?? 0;
    if (pace <= 0 || availBytes === undefined || availBytes / pace > SOON_SECONDS) continue;
    notes.push(
      availBytes === 0
        ? say`${path(name)} is full.`
        : say`At the pace of the last minute ${path(name)} is full in ${figure(formatDuration(availBytes / pace))}.`,
    );
  }
  const others = containers.length - MOST_CHARTS;
  if (others > 0) {
    notes.push(
      say`${formatCount(others, 'more filesystem or pool', 'more filesystems or pools')} with images and less claimable per available space.`,
    );
  }
  const { imagesUnknown } = storage.host;
  if (imagesUnknown > 0) {
    notes.push(say`${formatCount(imagesUnknown, 'image')} of unknown size, not counted.`);
  }
  if (storage.remote.images > 0) {
    notes.push(
      say`${formatCount(storage.remote.images, 'image')} on other hosts, not counted here.`,
    );
  }
  if (storage.unplaced.images > 0) {
    notes.push(
      say`${formatCount(storage.unplaced.images, 'image')} on an unknown filesystem or pool.`,
    );
  }
  return notes;
}
