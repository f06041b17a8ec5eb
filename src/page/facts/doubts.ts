import { findLimit } from '../../config/policy.ts';
import { countUnknownGuests } from '../../overcommit/memory/memory.ts';
import type { Rates } from '../../risk/rates.ts';
import { isLoss, RISK_SIGNALS, type RiskResource } from '../../risk/risk-model.ts';
import { promisedBytesPerSecond } from '../../risk/signals.ts';
import type { View } from '../../view/view.ts';
import { formatCount } from '../words/format.ts';
import { name, path, say, type Sentence } from '../words/sentence.ts';

/**
 * What could make the risk of a resource higher than it is shown, and is not known to somebody who
 * looks twice: what needs a second look, hours of history, or could not be read.
 */
export function findDoubts(
  resource: RiskResource,
  view: View,
  rates: Rates | undefined,
): readonly Sentence[] {
  switch (resource) {
    case 'cpu':
      return [...withoutRates(rates, 'how long vCPUs wait'), ...cpuDoubts(view, rates)];
    case 'memory':
      return [...withoutRates(rates, 'stalls and swap traffic'), ...memoryDoubts(view, rates)];
    case 'storage':
      return [...withoutRates(rates, 'how fast storage fills'), ...storageDoubts(view, rates)];
    case 'network':
      return [...withoutRates(rates, 'traffic and lost packets'), ...networkDoubts(view)];
  }
}

/** What would be level 3, and takes more than this exporter sees; nothing where it sees all. */
export function findUnseen(resource: RiskResource): readonly Sentence[] {
  const unseen = RISK_SIGNALS.filter(isLoss)
    .filter((loss) => loss.resource === resource && loss.threshold.takesPrometheus !== undefined)
    // What stands after the colon is why the model has it.
    .map(({ meaning }) => meaning.replace(/:.*/u, ''));
  return unseen.length === 0 ? [] : [say`Only Prometheus can tell: ${unseen.join('; ')}.`];
}

function withoutRates(rates: Rates | undefined, what: string): readonly Sentence[] {
  return rates === undefined ? [say`Not known before the next look: ${what}.`] : [];
}

function cpuDoubts({ domains }: View, rates: Rates | undefined): readonly Sentence[] {
  if (rates === undefined) return [];
  const running = domains.filter(({ domain }) => domain.state === 'running');
  const unmeasured = running.filter(
    ({ domain }) => rates.guests.get(domain.uuid)?.delayRatio === undefined,
  );
  return unmeasured.length === 0
    ? []
    : [say`How long the vCPUs of ${formatCount(unmeasured.length, 'guest')} wait is not known.`];
}

function memoryDoubts({ assessment }: View, rates: Rates | undefined): readonly Sentence[] {
  const { memory } = assessment;
  const unknown = memory === undefined ? 0 : countUnknownGuests(memory);
  return [
    ...(rates !== undefined && rates.host.memoryStalledRatio === undefined
      ? [say`Stalls on memory are not known: the kernel shows no pressure (PSI).`]
      : []),
    ...(unknown === 0
      ? []
      : [say`What ${formatCount(unknown, 'guest')} can still claim is not known.`]),
  ];
}

function storageDoubts(
  { assessment, policy }: View,
  rates: Rates | undefined,
): readonly Sentence[] {
  const { storage } = assessment;
  if (storage === undefined) return [];
  const soon = findLimit(policy.policy, 'storage.fill_seconds').warning ?? 0;
  const filling = storage.containers.flatMap(({ id, name: where, availBytes }) => {
    const pace = rates?.fillBytesPerSecond.get(id) ?? 0;
    if (pace <= 0 || availBytes === undefined || availBytes / pace >= soon) return [];
    return [
      say`Whether ${path(where)} fills on as in the last minute takes hours of history to tell, which Prometheus has.`,
    ];
  });
  const silent = storage.containers.filter(({ availBytes }) => availBytes === undefined);
  return [
    ...filling,
    ...silent.map(({ name: where }) => say`How much is left on ${path(where)} is not known.`),
    ...(storage.host.imagesUnknown === 0
      ? []
      : [say`${formatCount(storage.host.imagesUnknown, 'image')} of unknown size.`]),
  ];
}

function networkDoubts({ assessment }: View): readonly Sentence[] {
  return (assessment.network?.uplinks ?? [])
    .filter(
      (uplink) =>
        uplink.nics > 0 &&
        (uplink.speedBytesPerSecond === undefined || promisedBytesPerSecond(uplink) === undefined),
    )
    .map(({ id }) => say`How much of ${name(id)} is promised is not known: its speed is not.`);
}
