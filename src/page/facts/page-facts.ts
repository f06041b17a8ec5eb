import { areGuestsComplete } from '../../model/guest-source.ts';
import { countUnknownGuests } from '../../overcommit/memory/memory.ts';
import type { View } from '../../view/view.ts';
import {
  riskLevels,
  RISK_RESOURCES,
  type ResourceRisk,
  type RiskLevel,
  type RiskResource,
} from '../../risk/risk-model.ts';
import { cpuFacts } from './cpu-facts.ts';
import { exporterFacts, type ExporterFacts } from './exporter-facts.ts';
import { formatBytes, formatCount } from '../words/format.ts';
import { guestList, type GuestRow } from '../words/guest-rows.ts';
import { memoryFacts } from './memory-facts.ts';
import { networkFacts } from './network-facts.ts';
import { findProblems, type Problem } from '../words/problems.ts';
import { toReasons } from '../words/reasons.ts';
import type { HistoryLine } from '../../risk/history.ts';
import type { Recently } from '../../risk/recent-counters.ts';
import { findDoubts, findUnseen } from './doubts.ts';
import { findLead, type ResourceFacts, type RiskOf } from './resource-facts.ts';
import { LEVEL_WORDS } from '../words/risk-words.ts';
import { computeSignals } from '../../risk/signals.ts';
import { storageFacts } from './storage-facts.ts';

/** Everything the page says, before it is HTML. */
export interface PageFacts {
  readonly demo: boolean;
  /** Undefined until the inventory was read. */
  readonly hostname: string | undefined;
  /** What the host is, in a few words each. */
  readonly description: readonly string[];
  readonly takenAtSeconds: number;
  /** The risks in one sentence. */
  readonly summary: string;
  /** False at the first refresh: there are no rates yet. */
  readonly hasRates: boolean;
  readonly problems: readonly Problem[];
  readonly resources: readonly ResourceFacts[];
  /** All of them, who suffers most first. */
  readonly guests: readonly GuestRow[];
  /** The last hour, as far as somebody looked. */
  readonly history: readonly HistoryLine[];
  /** Undefined when nobody told of guests. */
  readonly guestCount: string | undefined;
  readonly exporter: ExporterFacts;
}

/** Pure: what one view means for a person. */
export function pageFacts(view: View, recently: Recently): PageFacts {
  const { snapshot, policy } = view;
  const { rates } = recently;
  const risks = riskLevels(computeSignals(view, recently), policy.policy, resourcesPromised(view));
  const { memory } = view.assessment;
  const lacksGuests = memory !== undefined && countUnknownGuests(memory) > 0;
  const toRisk = (resource: RiskResource): RiskOf => {
    const level = risks[resource]?.level;
    const reasons = toReasons(risks[resource], resource === 'memory' && lacksGuests);
    const isHigh = level === undefined || level >= 2;
    return {
      level,
      reasons,
      lead: findLead(reasons),
      doubts: isHigh ? [] : findDoubts(resource, view, rates),
      unseen: level === 3 ? [] : findUnseen(resource),
    };
  };
  const resources = [
    cpuFacts(view, rates, toRisk('cpu')),
    memoryFacts(view, rates, toRisk('memory')),
    storageFacts(view, rates, toRisk('storage')),
    networkFacts(view, rates, toRisk('network')),
  ];
  const guests = guestList(view, rates);
  return {
    demo: snapshot.demo,
    hostname: snapshot.host.inventory?.hostname,
    description: describe(view),
    takenAtSeconds: snapshot.takenAtSeconds,
    summary: toSummary(risks),
    hasRates: rates !== undefined,
    problems: findProblems(view, resources, guests),
    resources,
    guests,
    history: recently.history,
    guestCount: snapshot.domains === undefined ? undefined : guestCount(view),
    exporter: exporterFacts(view),
  };
}

function resourcesPromised({ assessment }: View): ReadonlySet<RiskResource> {
  return new Set(RISK_RESOURCES.filter((resource) => assessment[resource] !== undefined));
}

function describe({ snapshot }: View): readonly string[] {
  const { cpuTopology, meminfo, inventory } = snapshot.host;
  return [
    ...(cpuTopology === undefined
      ? []
      : [formatCount(cpuTopology.online.length * cpuTopology.threadsPerCpu, 'CPU')]),
    ...(meminfo === undefined ? [] : [`${formatBytes(meminfo.totalBytes)} of memory`]),
    ...(inventory === undefined
      ? []
      : [
          inventory.cpuModel,
          `${inventory.osName} ${inventory.osRelease}`,
          `Linux ${inventory.kernel}`,
        ]),
  ].filter((text) => text.trim() !== '');
}

function guestCount({ domains, snapshot }: View): string {
  const active = domains.filter(({ domain }) => domain.active).length;
  const paused = domains.filter(({ domain }) => domain.state === 'paused').length;
  const parts = [
    `${formatCount(active - paused, 'guest')} running`,
    ...(paused > 0 ? [`${paused} paused`] : []),
    ...(domains.length > active ? [`${domains.length - active} off`] : []),
    ...(areGuestsComplete(snapshot.guestSources) ? [] : ['others not known']),
  ];
  return parts.join(', ');
}

type Risks = Readonly<Record<RiskResource, ResourceRisk | undefined>>;

const LEVELS: readonly RiskLevel[] = [3, 2, 1, 0];

/** `Memory and storage are at high risk, CPU at medium; the risk of network is unknown.` */
function toSummary(risks: Risks): string {
  const byLevel = Map.groupBy(RISK_RESOURCES, (resource) => risks[resource]?.level);
  const parts = LEVELS.flatMap((level) => {
    const resources = byLevel.get(level) ?? [];
    return resources.length === 0 ? [] : [{ resources, word: LEVEL_WORDS[level].toLowerCase() }];
  });
  const [first, ...others] = parts;
  if (first === undefined) return 'All risks are unknown.';
  const verb = first.resources.length === 1 ? 'is' : 'are';
  const rest = others.map(({ resources, word }) => `, ${listWords(resources)} at ${word}`).join('');
  const unknown = byLevel.get(undefined) ?? [];
  const left = unknown.length === 0 ? '' : `; the risk of ${listWords(unknown)} is unknown`;
  const sentence = `${listWords(first.resources)} ${verb} at ${first.word} risk${rest}${left}.`;
  return sentence.charAt(0).toUpperCase() + sentence.slice(1);
}

function listWords(resources: readonly RiskResource[]): string {
  const words = resources.map((resource) => (resource === 'cpu' ? 'CPU' : resource));
  return words.length < 2
    ? words.join('')
    : `${words.slice(0, -1).join(', ')} and ${words.at(-1) ?? ''}`;
}
