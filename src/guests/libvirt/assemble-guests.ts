import type { Domain } from '../../model/domain.ts';
import type { OutcomeLog } from '../../model/outcome-log.ts';
import { TimeSlice } from '../../runtime/time-slice.ts';
import type { LearntOfGuests } from './ask-guests.ts';
import type { BalloonCache } from './balloon-cache.ts';
import { stateNames } from './domain-state-names.ts';
import type { ListedGuest } from './guest-list.ts';
import { toDisks, toLibvirtCpu, toPerf } from './guest-stats.ts';
import type { KnownGuests } from './list-guests.ts';

/** Puts together what is known and what was learnt of each guest. Asks nobody. */
export async function assembleGuests(
  known: KnownGuests,
  learnt: LearntOfGuests,
  balloons: BalloonCache,
  log: OutcomeLog,
): Promise<readonly Domain[]> {
  const domains: Domain[] = [];
  const slice = new TimeSlice();
  for (const guest of known.selected) {
    if (slice.isOver) await slice.nextTurn();
    domains.push(toDomain(guest, known, learnt, balloons, log));
  }
  return domains;
}

function toDomain(
  { ref, state, persistent, autostart, params }: ListedGuest,
  { configs }: KnownGuests,
  { answers, facts, nics, jobs, changed }: LearntOfGuests,
  balloons: BalloonCache,
  log: OutcomeLog,
): Domain {
  const { name, uuid } = ref;
  const answer = answers.get(uuid);
  const answered = answer?.stats;
  const found = facts.get(uuid);
  const fresh = changed.get(uuid);
  const hasBalloon = log.wants('balloon') && answer?.monitor !== 'unresponsive';
  return {
    name,
    uuid,
    ...stateNames(state.state, state.reason),
    active: ref.id !== undefined,
    persistent,
    autostart,
    config: fresh === undefined ? configs.get(uuid) : fresh.config,
    monitor: answer?.monitor ?? 'unasked',
    unaskedReason: answer?.reason,
    balloon: hasBalloon ? balloons.get(uuid) : undefined,
    disks:
      answered === undefined || !log.wants('block') || answer?.reason === 'storage'
        ? undefined
        : toDisks(answered),
    nics: nics?.get(uuid),
    libvirtCpu:
      answered === undefined || found?.process !== undefined ? undefined : toLibvirtCpu(answered),
    kvm: hasBalloon ? balloons.getKvm(ref) : undefined,
    process: found?.process,
    cgroup: found?.cgroup,
    job: jobs?.get(uuid),
    perf: params === undefined || !log.wants('perf') ? undefined : toPerf(params),
  };
}
