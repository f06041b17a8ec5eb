import type { DomainView, View } from '../../view/view.ts';
import { GUEST_RUNBOOKS, type GuestTroubleId } from '../../risk/guest-risk.ts';
import type { RiskLevel, SignalId } from '../../risk/risk-model.ts';
import { formatCount } from './format.ts';
import type { GuestRow } from './guest-rows.ts';
import type { Reason, ResourceFacts } from '../facts/resource-facts.ts';
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
  const paused = pausedOnIoError(view);
  const losses = resources.flatMap((facts) =>
    facts.reasons
      .filter(
        ({ level, signal }) =>
          // The paused guests have been named.
          level === 3 && (paused.length === 0 || signal !== 'storage_paused_guests'),
      )
      .map((reason) => ({ reason, facts })),
  );
  const lost = new Set(losses.map(({ reason }) => reason.signal));
  return [
    ...paused,
    ...losses.map(({ reason, facts }) => withNames(reason, facts)),
    ...guestProblems(view.domains),
    ...lostGuests(guests, lost),
    ...storageProblems(view.snapshot),
  ].toSorted((one, other) => other.level - one.level);
}

/** When a resource is short, who takes it and who suffers are the next questions. */
function withNames(
  { level, sentence, runbook }: Reason,
  { resource, top, sufferers }: ResourceFacts,
): Problem {
  const lists = resource === 'cpu' ? [top, sufferers] : [sufferers];
  const named = lists.flatMap(({ title, guests }) =>
    guests.length === 0 ? [] : say` ${title}: ${listNames(guests.map(({ name }) => name))}.`,
  );
  return { level, sentence: [...sentence, ...named], runbook };
}

/** Of what the whole host suffers, the guests have been named with it. */
const SAID_BY: Readonly<Partial<Record<GuestTroubleId, SignalId>>> = {
  waits_for_cpu: 'cpu_delay',
  stalls_on_memory: 'memory_pressure',
};

const LOST_WORDS: Readonly<Partial<Record<GuestTroubleId, string>>> = {
  waits_for_cpu: 'waiting for a CPU too long',
  stalls_on_memory: 'stalled on memory',
  out_of_memory: 'out of memory inside',
};

/** Guests that lose service each by itself, though the host as a whole does not. */
function lostGuests(guests: readonly GuestRow[], lost: ReadonlySet<SignalId>): readonly Problem[] {
  const troubled = guests.flatMap(({ name, troubles }) =>
    troubles.filter(({ level }) => level === 3).map((trouble) => ({ name, trouble })),
  );
  return [...Map.groupBy(troubled, ({ trouble }) => trouble.id)].flatMap(([id, own]) => {
    const words = LOST_WORDS[id];
    const said = SAID_BY[id];
    if (words === undefined || (said !== undefined && lost.has(said))) return [];
    const names = own.map(({ name }) => name);
    const sentence = say`${listNames(names)} ${areOrIs(names)} ${words}.`;
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
      level: 2,
      sentence: say`Storage ${path(mount.mountpoint)} does not answer: ${foreign(space.error.detail)}`,
      runbook: 'KvmFilesystemUnresponsive',
    });
  }
  for (const { vgName, name, state, needsCheck } of storage?.thin?.storage.pools ?? []) {
    const pool = path(thinPoolName(vgName, name));
    const bad = THIN_STATES[state];
    if (bad !== undefined) {
      problems.push({
        level: bad.level,
        sentence: say`Thin pool ${pool} ${bad.words}.`,
        runbook: 'KvmThinPoolBroken',
      });
    }
    if (needsCheck === true) {
      problems.push({
        level: 2,
        sentence: say`The metadata of thin pool ${pool} needs a check.`,
        runbook: 'KvmThinPoolBroken',
      });
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
      if (image.qcow2?.ok === true && image.qcow2.value.corrupt) paths.add(image.resolvedPath);
    }
  }
  return [...paths];
}
