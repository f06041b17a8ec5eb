import type { DomainRef } from '../../libvirt/index.ts';
import type { ControlCalls } from './control-calls.ts';
import type { DaemonCalls } from './daemon-calls.ts';
import type { Deadline } from '../../runtime/deadline.ts';

/** A healthy QEMU answers within 10 ms. */
const STUCK_AFTER_MS = 2_000n;

/** The answer waits for nothing but the guest's lock. */
const TIMEOUT_MS = 200;

/** virDomainControlState. */
const OCCUPIED = 2;

/**
 * Guests whose monitor owes libvirt an answer, whoever asked: virDomainGetControlInfo tells without
 * entering the monitor. Counted together with our own calls ({@link DaemonCalls}), since they keep the
 * daemon's workers just as well.
 */
export class OccupiedGuests {
  readonly #control: ControlCalls;
  readonly #calls: DaemonCalls;
  /** Occupied for whatever time when last checked, so that it is checked again. */
  readonly #seen = new Map<string, { readonly ref: DomainRef; readonly stuck: boolean }>();
  /** Found stuck when the connection was new: an earlier run of this exporter may have asked. */
  readonly #inherited = new Set<string>();
  #isNew = true;

  constructor(control: ControlCalls, calls: DaemonCalls) {
    this.#control = control;
    this.#calls = calls;
  }

  /** A new connection: all guests are checked once. */
  connected(): void {
    this.#isNew = true;
    this.#seen.clear();
    this.#inherited.clear();
  }

  /** Whether the daemon was last seen to wait for this guest's monitor for more than 2 s. */
  isStuck(uuid: string): boolean {
    return this.#seen.get(uuid)?.stuck === true;
  }

  /** At the beginning of a collection: all running guests once, later those that were occupied. */
  async look(running: readonly DomainRef[], deadline: Deadline): Promise<void> {
    const isNew = this.#isNew;
    const uuids = new Set(running.map(({ uuid }) => uuid));
    for (const uuid of this.#seen.keys()) if (!uuids.has(uuid)) this.#seen.delete(uuid);
    for (const uuid of this.#inherited) if (!uuids.has(uuid)) this.#inherited.delete(uuid);
    for (const ref of running) {
      if (isNew || this.#seen.has(ref.uuid) || this.#calls.owes(ref.uuid)) {
        await this.#lookAt(ref, deadline);
      }
    }
    if (isNew && running.length > 0) {
      for (const [uuid, { stuck }] of this.#seen) if (stuck) this.#inherited.add(uuid);
      this.#isNew = false;
    }
    this.#tell();
  }

  /** A guest that is suspected for another reason. */
  async lookAt(ref: DomainRef, deadline: Deadline): Promise<void> {
    await this.#lookAt(ref, deadline);
    this.#tell();
  }

  async #lookAt(ref: DomainRef, deadline: Deadline): Promise<void> {
    const answer = await this.#control.call(
      `control info of ${ref.uuid}`,
      TIMEOUT_MS,
      deadline,
      (connection, options) => connection.domainGetControlInfo(ref, options),
    );
    // No answer, no news.
    if (!answer.ok && answer.error.kind !== 'refused') return;
    if (answer.ok && answer.value.state === OCCUPIED) {
      this.#seen.set(ref.uuid, { ref, stuck: answer.value.stateTimeMs >= STUCK_AFTER_MS });
      return;
    }
    this.#seen.delete(ref.uuid);
    this.#inherited.delete(ref.uuid);
  }

  #tell(): void {
    let ours = this.#control.overdue;
    let others = 0;
    for (const [uuid, { stuck }] of this.#seen) {
      // Counted there as a call of ours.
      if (!stuck || this.#calls.owes(uuid)) continue;
      if (this.#inherited.has(uuid)) ours += 1;
      else others += 1;
    }
    this.#calls.countElsewhere(ours, others);
  }
}
