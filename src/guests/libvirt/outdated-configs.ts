import type { DomainRef } from '../../libvirt/index.ts';
import type { ConfiguredGuest } from '../../model/domain.ts';
import type { OutcomeLog } from '../../model/outcome-log.ts';
import type { Deadline } from '../../runtime/deadline.ts';
import { TimeSlice } from '../../runtime/time-slice.ts';
import { agrees, computeSignature, type SeenConfig } from './config-check.ts';
import type { DaemonCalls } from './daemon-calls.ts';
import type { DomainConfigs } from './domain-configs.ts';
import { toConfigured, type KnownGuests } from './list-guests.ts';

/** Not every change sends an event; what is seen of a guest tells of those that matter most. */
export class OutdatedConfigs {
  readonly #configs: DomainConfigs;
  readonly #calls: DaemonCalls;
  /** Sights of guests, by uuid, that a fresh XML did not explain. */
  readonly #unexplained = new Map<string, string>();

  constructor(configs: DomainConfigs, calls: DaemonCalls) {
    this.#configs = configs;
    this.#calls = calls;
  }

  /**
   * Guests whose XML turned out to be out of date, by uuid, with what it is now. Whatever was made of the
   * old one is not true.
   *
   * @param see what was seen of a guest that its XML must agree with.
   */
  async reread(
    known: KnownGuests,
    see: (ref: DomainRef) => SeenConfig,
    log: OutcomeLog,
    deadline: Deadline,
  ): Promise<ReadonlyMap<string, ConfiguredGuest>> {
    const { active, configs } = known;
    const changed = new Map<string, ConfiguredGuest>();
    const seen = new Map<string, SeenConfig>();
    const slice = new TimeSlice();
    for (const ref of active) {
      if (slice.isOver) await slice.nextTurn();
      const { uuid } = ref;
      const config = configs.get(uuid);
      if (config === undefined) continue;
      const one = see(ref);
      if (agrees(config, one)) this.#unexplained.delete(uuid);
      else if (this.#unexplained.get(uuid) !== computeSignature(one)) seen.set(uuid, one);
    }
    const uuids = new Set(active.map(({ uuid }) => uuid));
    for (const uuid of this.#unexplained.keys())
      if (!uuids.has(uuid)) this.#unexplained.delete(uuid);
    if (seen.size === 0) return changed;
    const outdated = active.filter(({ uuid }) => seen.has(uuid));
    const fresh = await this.#configs.again(outdated, this.#calls, deadline);
    for (const error of fresh.errors) log.fail('domain', error);
    for (const ref of outdated) {
      const { uuid } = ref;
      const config = fresh.configs.get(uuid);
      changed.set(uuid, { ...toConfigured(known, ref), config });
      const one = seen.get(uuid);
      if (config !== undefined && one !== undefined && !agrees(config, one)) {
        this.#unexplained.set(uuid, computeSignature(one));
      }
    }
    return changed;
  }
}
