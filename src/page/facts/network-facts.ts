import type { View } from '../../view/view.ts';
import type { NetworkOfUplink } from '../../overcommit/network/network.ts';
import { formatBitRate, formatCount, formatNumber, formatPercent } from '../words/format.ts';
import type { Rates, Traffic } from '../../risk/rates.ts';
import {
  barsIn,
  promiseInShort,
  topGuests,
  unknownBank,
  type Chart,
  type ResourceFacts,
  type RiskOf,
} from './resource-facts.ts';
import { figure, name, say, type Sentence } from '../words/sentence.ts';
import { promisedBytesPerSecond } from '../../risk/signals.ts';

const bar = barsIn(formatBitRate);

const MOST_CHARTS = 3;
/** Fewer of the packets are not worth a word. */
const WORTH_SAYING = 0.001;

/** Bandwidth promised to running guests against the uplinks their traffic leaves by. */
export function networkFacts(
  { assessment, domains, snapshot }: View,
  rates: Rates | undefined,
  risk: RiskOf,
): ResourceFacts {
  const { network } = assessment;
  const uplinks = (network?.uplinks ?? [])
    .filter(({ nics }) => nics > 0)
    .toSorted(
      (one, other) =>
        (computePromisedRatio(other) ?? -1) - (computePromisedRatio(one) ?? -1) ||
        (one.id < other.id ? -1 : 1),
    );
  const [worst] = uplinks;
  return {
    resource: 'network',
    ...risk,
    promise: promiseInShort(
      worst && promisedBytesPerSecond(worst),
      worst?.speedBytesPerSecond,
      formatBitRate,
    ),
    isNothingPromised: network !== undefined && worst === undefined,
    parts: uplinks.map((uplink) => {
      const promised = promisedBytesPerSecond(uplink);
      const speed = uplink.speedBytesPerSecond;
      const traffic = rates?.links.get(uplink.id);
      return {
        name: uplink.id,
        unit: 'bytes_per_second',
        promised,
        capacity: speed,
        exposure: undefined,
        supply: undefined,
        shortfall: undefined,
        used: traffic && Math.max(traffic.receivedBytesPerSecond, traffic.sentBytesPerSecond),
      };
    }),
    bank:
      network === undefined ? unknownBank(snapshot, 'the interfaces of the host') : toBank(worst),
    charts: uplinks
      .slice(0, MOST_CHARTS)
      .flatMap((uplink) => toChart(uplink, rates?.links.get(uplink.id))),
    notes: network === undefined ? [] : toNotes(network.nicsWithoutUplink, uplinks),
    top: {
      title: 'Most traffic',
      guests: topGuests(
        domains.map(({ domain }) => ({
          name: domain.name,
          traffic: rates?.guests.get(domain.uuid)?.traffic,
        })),
        ({ traffic }) => traffic && traffic.receivedBytesPerSecond + traffic.sentBytesPerSecond,
        ({ traffic }) =>
          `${formatBitRate(traffic?.receivedBytesPerSecond ?? 0)} in, ` +
          `${formatBitRate(traffic?.sentBytesPerSecond ?? 0)} out`,
      ),
    },
    sufferers: {
      title: 'Losing most packets',
      guests: topGuests(
        domains.map(({ domain }) => ({
          name: domain.name,
          ratio: rates?.guests.get(domain.uuid)?.dropRatio,
        })),
        ({ ratio = 0 }) => (ratio < WORTH_SAYING ? undefined : ratio),
        (_guest, ratio) => formatPercent(ratio),
      ),
    },
  };
}

function computePromisedRatio(uplink: NetworkOfUplink): number | undefined {
  const promised = promisedBytesPerSecond(uplink);
  const speed = uplink.speedBytesPerSecond;
  return promised === undefined || speed === undefined || speed === 0
    ? undefined
    : promised / speed;
}

function toBank(worst: NetworkOfUplink | undefined): Sentence {
  if (worst === undefined) return say`No running guest uses an uplink of this host.`;
  const promise = computePromisedRatio(worst);
  if (promise === undefined) {
    return say`The speed of ${name(worst.id)} is unknown, and so is the ratio of promised bandwidth.`;
  }
  if (promise <= 1) {
    return say`If all guests send as fast as they may, ${figure('all of it fits')} through ${name(worst.id)}.`;
  }
  const times = figure(`${formatNumber(promise)}\u00a0times what fits`);
  return say`If all guests send as fast as they may, that is ${times} through ${name(worst.id)}. Guests would wait, not stop.`;
}

function toChart(uplink: NetworkOfUplink, traffic: Traffic | undefined): readonly Chart[] {
  const promised = promisedBytesPerSecond(uplink);
  const speed = uplink.speedBytesPerSecond;
  if (promised === undefined || speed === undefined) return [];
  const used = traffic && Math.max(traffic.receivedBytesPerSecond, traffic.sentBytesPerSecond);
  return [
    {
      of: name(uplink.id),
      bars: [
        bar('promised', 'Promised', promised, speed),
        bar('capacity', 'Capacity', speed),
        ...(used === undefined ? [] : [bar('used', 'In use', used)]),
      ],
    },
  ];
}

function toNotes(nicsWithoutUplink: number, uplinks: readonly NetworkOfUplink[]): Sentence[] {
  const notes: Sentence[] = [];
  for (const { id, up, nics, inbound, outbound } of uplinks.slice(0, MOST_CHARTS)) {
    if (up === false) notes.push(say`${name(id)} is down.`);
    const uncapped = Math.max(inbound.uncappedNics, outbound.uncappedNics);
    if (uncapped === nics) {
      notes.push(say`No interface of a guest on ${name(id)} has a limit.`);
    } else if (uncapped > 0) {
      const some = `${formatNumber(uncapped)} of ${formatCount(nics, 'interface')}`;
      notes.push(say`${some} on ${name(id)} without a limit.`);
    }
  }
  if (uplinks.length > MOST_CHARTS) {
    notes.push(
      say`${formatCount(uplinks.length - MOST_CHARTS, 'more uplink')}, each with less promised per bandwidth.`,
    );
  }
  if (nicsWithoutUplink > 0) {
    notes.push(
      say`${formatCount(nicsWithoutUplink, 'interface')} of guests without an uplink on this host.`,
    );
  }
  return notes;
}
