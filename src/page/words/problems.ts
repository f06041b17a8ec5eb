import type { DomainView, View } from '../../view/view.ts';
import { GUEST_RUNBOOKS, type GuestTroubleId } from '../../risk/guest-risk.ts';
import { isUsedUp } from '../../risk/losses.ts';
import type { RiskLevel, SignalId } from '../../risk/risk-model.ts';
import { formatCount } from './format.ts';
import type { GuestRow } from './guest-rows.ts';
import type { Reason, ResourceFacts, TopGuests } from '../facts/resource-facts.ts';
import { foreign, listNames, path, say, type Sentence } from './sentence.ts';
import { hasCrashed, isPausedOnIoError } from '../../model/facts/domain-state.ts';
import { thinPoolName } from '../../model/facts/thin-pool-name.ts';

/** Something a person should do about; `critical` things are losses already. */
export interface Problem {
  readonly level: RiskLevel;
  readonly sentence: Sentence;
  /** What to do, step by step. */
  readonly runbook: string | undefined;
}

/**
 * What is wrong now, severest first: guests that stand still, storage that does not answer, and
 * whatever the risk model calls a loss.
 */
export function findProblems(
  view: View,
  resources: readonly ResourceFacts[],
  guests: readonly GuestRow[],
): readonly Problem[] {
  const paused = new Set(namesWhere(view.domains, isPausedOnIoError));
  const losses = resources.flatMap((facts) =>
    facts.reasons.filter(({ level }) => level === 3).map((reason) => ({ reason, facts })),
  );
  const lost = new Set(losses.map(({ reason }) => reason.signal));
  return [
    ...pausedOnIoError(view),
    ...losses
      .filter(({ reason }) => !NAMED.has(reason.signal))
      .map(({ reason, facts }) => withNames(reason, facts, paused)),
    ...guestProblems(view.domains),
    ...lostGuests(guests, lost, resources),
    ...storageProblems(view.snapshot),
  ].toSorted((one, other) => other.level - one.level);
}

/** Losses that are said with the names of what is lost, rather than counted. */
const NAMED: ReadonlySet<SignalId> = new Set<SignalId>([
  'cpu_loss_guests',
  'memory_loss_guests_exhausted',
  'memory_loss_guests_limited',
  'storage_loss_paused_guests',
  'storage_loss_unresponsive',
  'storage_loss_corrupt_images',
  'storage_loss_thin_pools',
]);

/**
 * When a resource is short, who takes it and who suffers are the next questions.
 *
 * @param named guests whose suffering has been said.
 */
function withNames(
  { level, sentence, runbook }: Reason,
  { resource, top, sufferers }: ResourceFacts,
  named: ReadonlySet<string>,
): Problem {
  const others = { ...sufferers, guests: sufferers.guests.filter(({ name }) => !named.has(name)) };
  const lists = resource === 'cpu' ? [top, others] : [others];
  return { level, sentence: [...sentence, ...lists.flatMap(namesOf)], runbook };
}

function namesOf({ title, guests }: TopGuests): Sentence {
  return guests.length === 0 ? [] : say` ${title}: ${listNames(guests.map(({ name }) => name))}.`;
}

/** Of what the whole host suffers, the guests have been named with it. */
const SAID_BY: Readonly<Partial<Record<GuestTroubleId, readonly SignalId[]>>> = {
  waits_for_cpu: ['cpu_loss_host'],
  stalls_on_memory: ['memory_loss_host_stalled', 'memory_loss_swap_storm'],
};

const LOST_WORDS: Readonly<Partial<Record<GuestTroubleId, string>>> = {
  waits_for_cpu: 'waiting for a CPU too long',
  stalls_on_memory: 'stalled on memory',
  out_of_memory: 'out of memory inside',
};

/** Guests that lose service each by itself, though the host as a whole does not. */
function lostGuests(
  guests: readonly GuestRow[],
  lost: ReadonlySet<SignalId>,
  resources: readonly ResourceFacts[],
): readonly Problem[] {
  const cpu = resources.find(({ resource }) => resource === 'cpu');
  const troubled = guests.flatMap(({ name, troubles }) =>
    troubles.filter(({ level }) => level === 3).map((trouble) => ({ name, trouble })),
  );
  return [...Map.groupBy(troubled, ({ trouble }) => trouble.id)].flatMap(([id, own]) => {
    const words = LOST_WORDS[id];
    if (words === undefined || SAID_BY[id]?.some((loss) => lost.has(loss)) === true) return [];
    const names = own.map(({ name }) => name);
    const takers = id === 'waits_for_cpu' && cpu !== undefined ? namesOf(cpu.top) : [];
    const sentence = say`${listNames(names)} ${areOrIs(names)} ${words}.${takers}`;
    return [{ level: 3 as const, sentence, runbook: GUEST_RUNBOOKS[id] }];
  });
}

function namesWhere(
  domains: readonly DomainView[],
  is: (domain: DomainView['domain']) => boolean,
): readonly string[] {
  return domains.flatMap(({ domain }) => (is(domain) ? [domain.name] : []));
}

function areOrIs(names: readonly string[]): string {
  return names.length === 1 ? 'is' : 'are';
}

function pausedOnIoError({ domains, assessment }: View): readonly Problem[] {
  const names = namesWhere(domains, isPausedOnIoError);
  if (names.length === 0) return [];
  const full = (assessment.storage?.containers ?? []).filter(({ availBytes }) => availBytes === 0);
  const [first] = full;
  const where = first === undefined ? say`where their disks lie` : say`on ${path(first.name)}`;
  return [
    {
      level: 3,
      sentence: say`${listNames(names)} ${areOrIs(names)} paused because a write failed. Make room ${where}, then resume.`,
      runbook: 'KvmGuestPausedOnIoError',
    },
  ];
}

function guestProblems(domains: readonly DomainView[]): readonly Problem[] {
  const problems: Problem[] = [];
  const add = (
    level: RiskLevel,
    runbook: string,
    is: (domain: DomainView['domain']) => boolean,
    tell: (names: readonly string[]) => Sentence,
  ): void => {
    const names = namesWhere(domains, is);
    if (names.length > 0) problems.push({ level, sentence: tell(names), runbook });
  };
  add(3, 'KvmGuestCrashed', hasCrashed, (names) => say`${listNames(names)} crashed.`);
  add(
    2,
    'KvmGuestMonitorUnresponsive',
    ({ monitor }) => monitor === 'unresponsive',
    (names) =>
      say`${listNames(names)} ${names.length === 1 ? 'does' : 'do'} not answer on the QEMU monitor: balloon and disk values are missing.`,
  );
  return problems;
}

const THIN_STATES: Readonly<Record<string, { level: RiskLevel; words: string } | undefined>> = {
  ro: { level: 3, words: 'is read-only: its metadata failed or filled up' },
  'out-of-data-space': { level: 3, words: 'has no free space: writes wait or fail' },
  failed: { level: 3, words: 'has failed' },
};

function storageProblems({ storage }: View['snapshot']): readonly Problem[] {
  const problems: Problem[] = [];
  for (const { mount, space } of storage?.filesystems ?? []) {
    if (space.ok) continue;
    problems.push({
      level: 3,
      sentence: say`Storage ${path(mount.mountpoint)} does not answer: ${foreign(space.error.detail)}`,
      runbook: 'KvmFilesystemUnresponsive',
    });
  }
  for (const thin of storage?.thin?.storage.pools ?? []) {
    const { vgName, name, state, needsCheck } = thin;
    const pool = path(thinPoolName(vgName, name));
    const add = (level: RiskLevel, sentence: Sentence): void => {
      problems.push({ level, sentence, runbook: 'KvmThinPoolBroken' });
    };
    const bad = THIN_STATES[state];
    if (bad !== undefined) {
      add(bad.level, say`Thin pool ${pool} ${bad.words}.`);
    } else if (isUsedUp(thin.dataUsedBytes, thin.sizeBytes)) {
      add(3, say`Thin pool ${pool} has no free space: the next write waits or fails.`);
    } else if (isUsedUp(thin.metadataUsedBytes, thin.metadataSizeBytes)) {
      add(3, say`The metadata of thin pool ${pool} is used up: the next write fails.`);
    }
    if (needsCheck === true) {
      add(3, say`The metadata of thin pool ${pool} needs a check.`);
    }
  }
  const corrupt = corruptImages(storage);
  if (corrupt.length > 0) {
    const [first = ''] = corrupt;
    const others = corrupt.length - 1;
    problems.push({
      level: 3,
      sentence:
        others === 0
          ? say`Image ${path(first)} is marked corrupt.`
          : say`Image ${path(first)} and ${formatCount(others, 'other')} are marked corrupt.`,
      runbook: 'KvmImageCorrupt',
    });
  }
  return problems;
}

/** QEMU sets bit 1 of the qcow2 header's incompatible features when it finds damage. */
function corruptImages(storage: View['snapshot']['storage']): readonly string[] {
  const paths = new Set<string>();
  for (const { source } of storage?.disks ?? []) {
    if (source.kind === 'remote') continue;
    for (const { image } of source.chain.images) {
      if (image.qcow2?.corrupt === true) paths.add(image.resolvedPath);
    }
  }
  return [...paths];
}
