import type { View } from '../../view/view.ts';
import { computeAvailableMemory } from '../../model/facts/available-memory.ts';
import { countUnknownGuests, type MemoryOvercommit } from '../../overcommit/memory/memory.ts';
import type { Rates } from '../../risk/rates.ts';
import { formatBytes, formatCount, formatPercent } from '../words/format.ts';
import {
  barsIn,
  promiseInShort,
  topGuests,
  unknownBank,
  type Chart,
  type ResourceFacts,
  type ResourcePart,
  type RiskOf,
  type TopGuests,
} from './resource-facts.ts';
import { figure, say, type Sentence } from '../words/sentence.ts';

const bytes = barsIn(formatBytes);

/** Memory promised to running guests, what they can still claim, and the supply for it. */
export function memoryFacts(
  { assessment, domains, snapshot }: View,
  rates: Rates | undefined,
  risk: RiskOf,
): ResourceFacts {
  const { memory } = assessment;
  return {
    resource: 'memory',
    ...risk,
    promise: promiseInShort(
      memory?.promised.currentBytes,
      memory?.capacityBytes,
      (bytesPromised) =>
        `${(memory?.guestsWithUnknownPromise ?? 0) > 0 ? 'at least ' : ''}${formatBytes(bytesPromised)}`,
      formatBytes,
    ),
    isNothingPromised: memory?.promised.guests === 0 && memory.guestsWithUnknownPromise === 0,
    parts: memory === undefined ? [] : [toPart(memory, snapshot)],
    bank: memory === undefined ? unknownBank(snapshot, 'the memory of the host') : toBank(memory),
    charts: memory === undefined ? [] : toCharts(memory, snapshot),
    notes: memory === undefined ? [] : toNotes(memory),
    top: {
      title: 'Most claimable memory',
      guests: topGuests(
        domains.flatMap(({ memory: own }) => own ?? []),
        ({ claimableBytes }) => claimableBytes,
        ({ swapBytes = 0 }, claim) =>
          swapBytes > 0
            ? `${formatBytes(claim)}, ${formatBytes(swapBytes)} swapped out`
            : formatBytes(claim),
      ),
    },
    sufferers: toSufferers(domains, rates),
  };
}

/** Less is not worth a word. */
const WORTH_SAYING = 0.01;

/** Who stalls most on memory; where that is not measured or nobody does, whose memory is swapped out. */
function toSufferers(domains: View['domains'], rates: Rates | undefined): TopGuests {
  const stalled = topGuests(
    domains.map(({ domain }) => ({
      name: domain.name,
      ratio: rates?.guests.get(domain.uuid)?.memoryStalledRatio,
    })),
    ({ ratio = 0 }) => (ratio < WORTH_SAYING ? undefined : ratio),
    (_guest, ratio) => `${formatPercent(ratio)} of the time`,
  );
  if (stalled.length > 0) return { title: 'Stalling most on memory', guests: stalled };
  return {
    title: 'Most swapped out',
    guests: topGuests(
      domains.flatMap(({ memory: own }) => own ?? []),
      ({ swapBytes }) => swapBytes,
      (_guest, swapped) => formatBytes(swapped),
    ),
  };
}

function toPart(memory: MemoryOvercommit, { host }: View['snapshot']): ResourcePart {
  const { exposureBytes, supplyBytes, shortfallBytes } = memory.current;
  const total = host.meminfo?.totalBytes;
  const available = computeAvailableMemory(host);
  return {
    name: undefined,
    unit: 'bytes',
    promised: memory.promised.currentBytes,
    capacity: memory.capacityBytes,
    exposure: exposureBytes,
    supply: supplyBytes,
    shortfall: shortfallBytes,
    used: total === undefined || available === undefined ? undefined : total - available,
  };
}

function toBank(memory: MemoryOvercommit): Sentence {
  const { promised, current } = memory;
  const isPart = countUnknownGuests(memory) > 0;
  if (promised.guests === 0) {
    return isPart
      ? say`Unknown: nothing tells the memory of the guests that run.`
      : say`No guest runs: nothing is promised.`;
  }
  const [least, most] = isPart ? ['at least ', 'at most '] : ['', ''];
  const { exposureBytes, supplyBytes, supplyWithoutSwapBytes } = current;
  const { shortfallBytes, shortfallWithoutSwapBytes } = current;
  if (shortfallBytes > 0) {
    const swap = supplyBytes > supplyWithoutSwapBytes ? ', with all swap used up' : '';
    return say`If all guests claim what they were promised, memory is ${figure(`${least}${formatBytes(shortfallBytes)} short`)}${swap}.`;
  }
  if (shortfallWithoutSwapBytes > 0) {
    return say`If all guests claim what they were promised, ${figure(`${least}${formatBytes(shortfallWithoutSwapBytes)} must be swapped out`)}: they can still claim ${least}${formatBytes(exposureBytes)}.`;
  }
  return say`If all guests claim what they were promised, ${figure(`${most}${formatBytes(supplyBytes - exposureBytes)} are left`)} in memory and swap.`;
}

function toCharts(memory: MemoryOvercommit, { host }: View['snapshot']): readonly Chart[] {
  const { promised, capacityBytes, current, hugepages } = memory;
  const total = host.meminfo?.totalBytes;
  const available = computeAvailableMemory(host);
  return [
    {
      of: undefined,
      bars: [
        bytes('promised', 'Promised', promised.currentBytes, capacityBytes),
        bytes('capacity', 'Capacity', capacityBytes),
        ...(total === undefined || available === undefined
          ? []
          : [bytes('used', 'In use', total - available)]),
        bytes('claim', 'Claimable', current.exposureBytes, current.supplyBytes),
        bytes('supply', 'Available, with swap', current.supplyBytes),
      ],
    },
    ...hugepages.flatMap(({ pageBytes, totalBytes, promised: pages }) =>
      pages.guests === 0 || totalBytes === undefined
        ? []
        : [
            {
              of: `Pages of ${formatBytes(pageBytes)}`,
              bars: [
                bytes('promised', 'Promised', pages.currentBytes, totalBytes),
                bytes('capacity', 'Capacity', totalBytes),
              ],
            },
          ],
    ),
  ];
}

function toNotes(memory: MemoryOvercommit): Sentence[] {
  const { promised, maximum, ksmSavedBytes } = memory;
  const notes: Sentence[] = [];
  if (promised.maximumBytes > promised.currentBytes) {
    const short =
      maximum.shortfallBytes > 0
        ? say`memory would be ${formatBytes(maximum.shortfallBytes)} short`
        : say`${formatBytes(-maximum.shortfallBytes)} would be left`;
    notes.push(
      say`Balloons hold back ${formatBytes(promised.maximumBytes - promised.currentBytes)}; if guests claim all with empty balloons, ${short}.`,
    );
  }
  if (ksmSavedBytes > 0) {
    notes.push(
      say`Merging equal pages saves ${formatBytes(ksmSavedBytes)} as long as no guest writes to them.`,
    );
  }
  if (memory.guestsWithUnknownResident > 0) {
    notes.push(
      say`The claimable memory of ${formatCount(memory.guestsWithUnknownResident, 'guest')} is unknown.`,
    );
  }
  if (memory.guestsWithUnknownPromise > 0) {
    notes.push(
      say`Nothing tells how much memory ${formatCount(memory.guestsWithUnknownPromise, 'guest')} may have; no sum here has it.`,
    );
  }
  if (memory.guestsWithIneffectiveBalloon > 0) {
    notes.push(
      say`Balloons free no memory of ${formatCount(memory.guestsWithIneffectiveBalloon, 'guest')}: it is locked, pinned or in huge pages.`,
    );
  }
  return notes;
}
