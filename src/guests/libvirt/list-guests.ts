import type { DomainRef } from '../../libvirt/index.ts';
import type { DomainConfig } from '../../model/domain-config.ts';
import type { ConfiguredGuest } from '../../model/domain.ts';
import type { OutcomeLog } from '../../model/outcome-log.ts';
import type { Deadline } from '../../runtime/deadline.ts';
import type { Roots } from '../../sources/kernel/roots.ts';
import { QemuProcessFinder, type QemuProcess } from '../../sources/process/qemu-processes.ts';
import type { DaemonCalls } from './daemon-calls.ts';
import type { DomainConfigs } from './domain-configs.ts';
import { GuestList, type ListedGuest } from './guest-list.ts';
import type { LibvirtSession } from './libvirt-session.ts';
import type { OccupiedGuests } from './occupied-guests.ts';

/** The guests of one collection, before anything is asked that one of them could hold up. */
export interface KnownGuests {
  /** All that are reported. */
  readonly selected: readonly ListedGuest[];
  /** Those of them that run. */
  readonly active: readonly DomainRef[];
  /** Guests whose lock libvirt holds for a question of ours. */
  readonly locked: ReadonlySet<string>;
  readonly configs: ReadonlyMap<string, DomainConfig>;
  readonly qemus: ReadonlyMap<string, QemuProcess>;
}

export function toConfigured(
  { configs, qemus }: KnownGuests,
  { name, uuid, id }: DomainRef,
): ConfiguredGuest {
  return {
    name,
    uuid,
    active: id !== undefined,
    config: configs.get(uuid),
    memoryFiles: qemus.get(uuid)?.memoryFiles ?? [],
  };
}

/** Finds out which guests there are: libvirt's list, their XML (cached) and their QEMU processes. */
export class GuestLister {
  readonly #session: LibvirtSession;
  readonly #calls: DaemonCalls;
  readonly #list: GuestList;
  readonly #occupied: OccupiedGuests;
  readonly #configs: DomainConfigs;
  readonly #finder: QemuProcessFinder;

  constructor(
    session: LibvirtSession,
    calls: DaemonCalls,
    occupied: OccupiedGuests,
    configs: DomainConfigs,
    roots: Roots,
  ) {
    this.#session = session;
    this.#calls = calls;
    this.#list = new GuestList(calls, session.control);
    this.#occupied = occupied;
    this.#configs = configs;
    this.#finder = new QemuProcessFinder(roots);
  }

  /** A new connection: what the one before it told is void. */
  forget(): void {
    this.#list.forget();
  }

  /**
   * The guests `selects` lets through; undefined when libvirt could not be asked.
   *
   * @param locked guests whose lock libvirt holds for a question of ours.
   */
  async list(
    log: OutcomeLog,
    deadline: Deadline,
    selects: (name: string) => boolean,
    locked: ReadonlySet<string>,
  ): Promise<KnownGuests | undefined> {
    if (this.#session.current === undefined) {
      const error = this.#session.lastError;
      log.fail('domain', {
        kind: 'absent',
        subject: 'libvirt',
        detail: error === undefined ? 'not connected yet' : error.message,
      });
      return undefined;
    }
    const listed = await log.runAsync('domain', () => this.#list.read(log, deadline, locked));
    if (listed === undefined) return undefined;
    const wanted = listed.filter(({ ref }) => selects(ref.name));
    const running = wanted.map(({ ref }) => ref).filter(({ id }) => id !== undefined);
    // Control info waits for a guest's lock as well.
    const unlocked = running.filter(({ uuid }) => !locked.has(uuid));
    await log.runAsync('domain', () => this.#occupied.look(unlocked, deadline));

    const refs = wanted.map(({ ref }) => ref);
    const { configs, gone, errors } = await this.#configs.of(refs, this.#calls, deadline);
    for (const error of errors) log.fail('domain', error);
    const isThere = ({ uuid }: DomainRef): boolean => !gone.has(uuid);
    const active = running.filter(isThere);
    return {
      selected: wanted.filter(({ ref }) => isThere(ref)),
      active,
      locked,
      configs,
      qemus: await this.#find(active, configs, log),
    };
  }

  async #find(
    active: readonly DomainRef[],
    configs: ReadonlyMap<string, DomainConfig>,
    log: OutcomeLog,
  ): Promise<ReadonlyMap<string, QemuProcess>> {
    const expected = new Map(
      active.map(({ uuid, id }) => [uuid, { runId: id, ownerUid: configs.get(uuid)?.ownerUid }]),
    );
    const found = await log.runAsync('process', async () =>
      log.required('process', await this.#finder.find(expected)),
    );
    if (found === undefined) log.failDependants('process');
    return found ?? new Map();
  }
}
