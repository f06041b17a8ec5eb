import type { View } from '../../metrics/view.ts';
import { availableMemoryOf } from '../../overcommit/available-memory.ts';
import type { MemoryOvercommit } from '../../overcommit/memory.ts';
import { formatBytes, formatCount } from './format.ts';
import {
  barsIn,
  promiseInShort,
  topGuests,
  type Chart,
  type ResourceFacts,
  type RiskOf,
} from './resource-facts.ts';
import { figure, say, type Sentence } from './sentence.ts';

const bytes = barsIn(formatBytes);

/** Memory promised to running guests, what they may still claim, and what there is to meet it. */
export function memoryFacts({ assessment, domains, snapshot }: View, risk: RiskOf): ResourceFacts {
  const { memory } = assessment;
  return {
    resource: 'memory',
    ...risk,
    promise: promiseInShort(memory?.promised.currentBytes, memory?.capacityBytes, formatBytes),
    bank: memory === undefined ? unknown(snapshot) : bankOf(memory),
    charts: memory === undefined ? [] : chartsOf(memory, snapshot),
    notes: memory === undefined ? [] : notesOf(memory),
    top: {
      title: 'May still claim most',
      guests: topGuests(
        domains.flatMap(({ memory: own }) => own ?? []),
        ({ claimableBytes }) => claimableBytes,
        ({ swapBytes = 0 }, claim) =>
          swapBytes > 0
            ? `${formatBytes(claim)}, ${formatBytes(swapBytes)} swapped out`
            : formatBytes(claim),
      ),
    },
  };
}

function unknown({ domains }: View['snapshot']): Sentence {
  return domains === undefined
    ? say`Not known: libvirt tells nothing about guests.`
    : say`Not known: the memory of the host could not be read.`;
}

function bankOf({ promised, current }: MemoryOvercommit): Sentence {
  if (promised.guests === 0) return say`No guest runs: nothing is promised.`;
  const { exposureBytes, supplyBytes, supplyWithoutSwapBytes } = current;
  const { shortfallBytes, shortfallWithoutSwapBytes } = current;
  if (shortfallBytes > 0) {
    const swap = supplyBytes > supplyWithoutSwapBytes ? ', with all swap used up' : '';
    return say`If every guest claims its promise, memory is ${figure(`${formatBytes(shortfallBytes)} short`)}${swap}.`;
  }
  if (shortfallWithoutSwapBytes > 0) {
    return say`If every guest claims its promise, ${figure(`${formatBytes(shortfallWithoutSwapBytes)} must be swapped out`)}: they may still take ${formatBytes(exposureBytes)}.`;
  }
  return say`If every guest claims its promise, ${figure(`${formatBytes(supplyBytes - exposureBytes)} are left`)} of memory and swap.`;
}

function chartsOf(memory: MemoryOvercommit, { host }: View['snapshot']): readonly Chart[] {
  const { promised, capacityBytes, current, hugepages } = memory;
  const total = host.meminfo?.totalBytes;
  const available = availableMemoryOf(host);
  return [
    {
      of: undefined,
      bars: [
        bytes('promised', 'Promised', promised.currentBytes, capacityBytes),
        bytes('capacity', 'Capacity', capacityBytes),
        ...(total === undefined || available === undefined
          ? []
          : [bytes('used', 'In use', total - available)]),
        bytes('claim', 'May be claimed', current.exposureBytes, current.supplyBytes),
        bytes('supply', 'Free, with swap', current.supplyBytes),
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

function notesOf(memory: MemoryOvercommit): Sentence[] {
  const { promised, maximum, ksmSavedBytes } = memory;
  const notes: Sentence[] = [];
  if (promised.maximumBytes > promised.currentBytes) {
    const short =
      maximum.shortfallBytes > 0
        ? say`${formatBytes(maximum.shortfallBytes)} short`
        : say`${formatBytes(-maximum.shortfallBytes)} left`;
    notes.push(
      say`Balloons hold back ${formatBytes(promised.maximumBytes - promised.currentBytes)}; with all of them empty it would be ${short}.`,
    );
  }
  if (ksmSavedBytes > 0) {
    notes.push(
      say`Merging equal pages saves ${formatBytes(ksmSavedBytes)} as long as nobody writes to them.`,
    );
  }
  if (memory.guestsWithUnknownResident > 0) {
    notes.push(
      say`Of ${formatCount(memory.guestsWithUnknownResident, 'guest')} it is not known what they may still claim.`,
    );
  }
  if (memory.guestsWithIneffectiveBalloon > 0) {
    notes.push(
      say`From ${formatCount(memory.guestsWithIneffectiveBalloon, 'guest')} a balloon gets nothing back: their memory is pinned or in huge pages.`,
    );
  }
  return notes;
}
