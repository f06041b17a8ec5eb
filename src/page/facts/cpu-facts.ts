import type { View } from '../../view/view.ts';
import { formatCount, formatPercent, formatRatio } from '../words/format.ts';
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
import { figure, say, type Sentence } from '../words/sentence.ts';

/** vCPUs of running guests against the CPUs they share. */
export function cpuFacts(
  { domains, assessment, snapshot }: View,
  rates: Rates | undefined,
  risk: RiskOf,
): ResourceFacts {
  const { cpu } = assessment;
  const shared = cpu?.shared;
  const vcpus = shared?.promised.current ?? 0;
  const cpus = shared?.capacity.cpus ?? 0;
  return {
    resource: 'cpu',
    ...risk,
    promise: promiseInShort(
      shared?.promised.current,
      shared?.capacity.cpus,
      (count) => formatCount(count, 'vCPU'),
      (count) => formatCount(count, 'CPU'),
    ),
    isNothingPromised: shared?.promised.current === 0,
    parts:
      shared === undefined
        ? []
        : [
            {
              name: undefined,
              unit: 'cpus',
              promised: vcpus,
              capacity: cpus,
              exposure: undefined,
              supply: undefined,
              shortfall: undefined,
              used: rates?.host.busyCpus,
            },
          ],
    bank:
      shared === undefined ? unknownBank(snapshot, 'the CPUs of the host') : toBank(vcpus, cpus),
    charts: shared === undefined ? [] : [toChart(vcpus, cpus, rates?.host.busyCpus)],
    notes: toNotes(assessment, vcpus, cpus),
    top: {
      title: rates === undefined ? 'Most vCPUs' : 'Using most CPU',
      guests:
        rates === undefined
          ? topGuests(
              (cpu?.guests ?? []).filter(({ vcpus: own }) => own.current > 1),
              (guest) => guest.vcpus.current,
              (_guest, count) => formatCount(count, 'vCPU'),
            )
          : topGuests(
              domains.map(({ domain }) => ({
                name: domain.name,
                rates: rates.guests.get(domain.uuid),
              })),
              (guest) => guest.rates?.cpus,
              (guest, used) => `${formatCount(used, 'CPU')}${waited(guest.rates?.delayRatio)}`,
            ),
    },
    sufferers: {
      title: 'Waiting most for a CPU',
      guests: topGuests(
        domains.map(({ domain }) => ({
          name: domain.name,
          delayRatio: rates?.guests.get(domain.uuid)?.delayRatio,
        })),
        ({ delayRatio = 0 }) => (delayRatio < WORTH_SAYING ? undefined : delayRatio),
        (_guest, delayRatio) => `${formatPercent(delayRatio)} of the time`,
      ),
    },
  };
}

/** Less is not worth a word. */
const WORTH_SAYING = 0.01;

function waited(delayRatio: number | undefined): string {
  if (delayRatio === undefined || delayRatio < WORTH_SAYING) return '';
  return `, waited ${formatPercent(delayRatio)} of the time`;
}

function toBank(vcpus: number, cpus: number): Sentence {
  if (vcpus === 0) return say`No guest runs: nothing is promised.`;
  if (vcpus <= cpus) {
    return say`If all vCPUs were busy at once, there would be ${figure('a CPU for each')}.`;
  }
  const part = figure(`${formatPercent(cpus / vcpus)} of a CPU for each`);
  return say`If all vCPUs were busy at once, there would be ${part}. Guests would run slower, not stop.`;
}

const vcpuBar = barsIn((value) => formatCount(value, 'vCPU'));
const cpuBar = barsIn((value) => formatCount(value, 'CPU'));

function toChart(vcpus: number, cpus: number, busyCpus: number | undefined): Chart {
  return {
    of: undefined,
    bars: [
      vcpuBar('promised', 'Promised', vcpus, cpus),
      cpuBar('capacity', 'Capacity', cpus),
      ...(busyCpus === undefined ? [] : [cpuBar('used', 'In use', busyCpus)]),
    ],
  };
}

function toNotes({ cpu, bootStorm }: View['assessment'], vcpus: number, cpus: number): Sentence[] {
  const notes: Sentence[] = [];
  if (cpu === undefined) return notes;
  const { dedicated, withoutOnlineCpu, guests } = cpu;
  if (dedicated.promised.current > 0) {
    notes.push(
      say`${formatCount(dedicated.promised.current, 'vCPU')} more with a CPU of their own.`,
    );
  }
  if (withoutOnlineCpu.current > 0) {
    notes.push(
      say`${formatCount(withoutOnlineCpu.current, 'vCPU')} pinned to CPUs that are all offline.`,
    );
  }
  const large = guests.filter(({ largerThanAllowed }) => largerThanAllowed).length;
  if (large > 0) {
    notes.push(
      say`${formatCount(large, 'guest')} with more vCPUs than CPUs to run on: the vCPUs of such a guest wait for each other.`,
    );
  }
  const added = bootStorm?.all.added.vcpus ?? 0;
  if (added > 0 && cpus > 0) {
    notes.push(
      say`Starting all guests that are off would make it ${formatRatio((vcpus + added) / cpus)}.`,
    );
  }
  return notes;
}
