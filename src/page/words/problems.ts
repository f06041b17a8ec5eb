import type { DomainView, View } from '../../view/view.ts';
import { isUsedUp } from '../../risk/losses.ts';
import type { RiskLevel, SignalId } from '../../risk/risk-model.ts';
import { formatCount } from './format.ts';
import type { Reason, ResourceFacts } from '../facts/resource-facts.ts';
import { foreign, listNames, path, say, type Sentence } from './sentence.ts';
import { hasCrashed, isPausedOnIoError } from '../../model/facts/domain-state.ts';
import { thinPoolName } from '../../model/facts/thin-pool-name.ts';

/** Something a person should do about; `critical` things are losses already. */
export interface Problem {
  readonly level: RiskLevel;
  readonly sentence: Sentence;
}

/**
 * What is wrong now, severest first: guests that stand still, storage that does not answer, and
 * whatever the risk model calls a loss.
 */
export function findProblems(view: View, resources: readonly ResourceFacts[]): readonly Problem[] {
  const lossReasons = resources.flatMap((facts) =>
    facts.reasons
      .filter(({ level, signal }) => level === 3 && !NAMED.has(signal))
      .map((reason) => withCulprits(reason, facts)),
  );
  return [
    ...pausedOnIoError(view),
    ...lossReasons,
    ...guestProblems(view.domains),
    ...storageProblems(view.snapshot),
  ].toSorted((one, other) => other.level - one.level);
}

/** Losses that are said with the names of what is lost, rather than counted. */
const NAMED: ReadonlySet<SignalId> = new Set<SignalId>([
  'storage_loss_paused_guests',
  'storage_loss_unresponsive',
  'storage_loss_corrupt_images',
  'storage_loss_thin_pools',
]);

/** When vCPUs wait for a CPU, who has the CPUs is the next question. */
function withCulprits({ level, sentence }: Reason, { resource, top }: ResourceFacts): Problem {
  if (resource !== 'cpu' || top.guests.length === 0) return { level, sentence };
  const names = top.guests.map(({ name }) => name);
  return { level, sentence: say`${sentence} ${top.title}: ${listNames(names)}.` };
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
    },
  ];
}

function guestProblems(domains: readonly DomainView[]): readonly Problem[] {
  const problems: Problem[] = [];
  const add = (
    level: RiskLevel,
    is: (domain: DomainView['domain']) => boolean,
    tell: (names: readonly string[]) => Sentence,
  ): void => {
    const names = namesWhere(domains, is);
    if (names.length > 0) problems.push({ level, sentence: tell(names) });
  };
  add(3, hasCrashed, (names) => say`${listNames(names)} crashed.`);
  add(
    2,
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
    });
  }
  for (const thin of storage?.thin?.storage.pools ?? []) {
    const { vgName, name, state, needsCheck } = thin;
    const pool = path(thinPoolName(vgName, name));
    const bad = THIN_STATES[state];
    if (bad !== undefined) {
      problems.push({ level: bad.level, sentence: say`Thin pool ${pool} ${bad.words}.` });
    } else if (isUsedUp(thin.dataUsedBytes, thin.sizeBytes)) {
      problems.push({
        level: 3,
        sentence: say`Thin pool ${pool} has no free space: the next write waits or fails.`,
      });
    } else if (isUsedUp(thin.metadataUsedBytes, thin.metadataSizeBytes)) {
      problems.push({
        level: 3,
        sentence: say`The metadata of thin pool ${pool} is used up: the next write fails.`,
      });
    }
    if (needsCheck === true) {
      problems.push({ level: 3, sentence: say`The metadata of thin pool ${pool} needs a check.` });
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
