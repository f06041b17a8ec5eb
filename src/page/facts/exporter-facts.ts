import type { View } from '../../view/view.ts';
import { formatCount, formatTime } from '../words/format.ts';
import { foreign, say, type Sentence } from '../words/sentence.ts';

/** What the exporter says of itself. */
export interface ExporterFacts {
  /** What keeps it from seeing everything, worst first; empty when all is well. */
  readonly faults: readonly ExporterFault[];
  readonly about: readonly Sentence[];
}

export interface ExporterFault {
  readonly sentence: Sentence;
  /** What went wrong in the words of who knows, and what to do. */
  readonly detail: Sentence | undefined;
}

/** Collectors that failed are named one by one up to here. */
const MOST_COLLECTORS = 5;

export function exporterFacts({ snapshot, policy, build }: View): ExporterFacts {
  const { libvirt, outcomes } = snapshot;
  const failed = outcomes.filter(({ success }) => !success);
  const domain = failed.find(({ collector }) => collector === 'domain');
  // What fails for want of libvirt, or of another collector, has been said with it.
  const others = failed.filter(
    ({ errors, lacking }) =>
      lacking === undefined &&
      (libvirt.up || !isExpected(snapshot) || errors.some(({ subject }) => subject !== 'libvirt')),
  );
  const faults: ExporterFault[] = [];
  if (!libvirt.up && isExpected(snapshot)) {
    const [error] = domain?.errors ?? [];
    faults.push({
      sentence: say`No connection to libvirt: only the host is shown, no guests.`,
      detail: error === undefined ? undefined : say`${foreign(error.detail)}`,
    });
  }
  if (!policy.lastReadOk) {
    faults.push({
      sentence: say`The policy file is invalid. The policy read at ${formatTime(policy.loadedAtSeconds)} stays in force.`,
      detail: say`The log of the exporter names the line. Fix it and send SIGHUP.`,
    });
  }
  for (const { collector, errors } of others.slice(0, MOST_COLLECTORS)) {
    const [error] = errors;
    const more = errors.length - 1;
    faults.push({
      sentence: say`Collector ${collector} failed: part of what it reads is missing, here and in the metrics.`,
      detail:
        error === undefined
          ? undefined
          : say`${foreign(`${error.subject}: ${error.detail}`)}${more > 0 ? ` (and ${formatCount(more, 'more error')})` : ''}`,
    });
  }
  const unnamed = others.length - MOST_COLLECTORS;
  if (unnamed > 0) {
    faults.push({
      sentence: say`${formatCount(unnamed, 'more collector')} failed; see the log of the exporter.`,
      detail: undefined,
    });
  }
  return { faults, about: toAbout(build.version, snapshot, failed.length) };
}

/** Where guests come from elsewhere, a libvirt that was never there is not missed. */
function isExpected({ guestSources }: View['snapshot']): boolean {
  return guestSources?.states.some(({ name }) => name === 'libvirt') ?? true;
}

function toAbout(
  version: string,
  { libvirt, outcomes }: View['snapshot'],
  failed: number,
): readonly Sentence[] {
  const { versions } = libvirt;
  return [
    say`kvm-overcommit-exporter ${version}`,
    ...(versions === undefined
      ? []
      : [
          say`libvirt ${foreign(versions.libvirt)}, ${foreign(versions.driver)} ${foreign(versions.hypervisor ?? 'of unknown version')}`,
        ]),
    failed === 0
      ? say`${formatCount(outcomes.length, 'collector')}, all succeeded`
      : say`${formatCount(outcomes.length, 'collector')}, ${String(failed)} failed`,
  ];
}
