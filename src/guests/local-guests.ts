import type { Deadline } from '../runtime/deadline.ts';
import type { ConfiguredGuest, Domain } from '../model/domain.ts';
import type { GuestSourceName, UserQemus } from '../model/guest-source.ts';
import type { NetworkLinks } from '../model/network.ts';
import type { OutcomeLog } from '../model/outcome-log.ts';
import type { HostFiles } from '../sources/files/host-files.ts';
import type { Roots } from '../sources/kernel/roots.ts';
import { QemuCensus, type CountedQemu } from '../sources/process/qemu-census.ts';
import { ProcessSource } from './process/process-source.ts';
import type { GuestSource, SourceChoice, Told } from './source.ts';

/** A libvirt that has not listed its guests by then hangs; whose a process is then shows later. */
const LIBVIRT_PATIENCE_MS = 2_000;

/** What libvirt said of its guests before it was asked for more. */
export interface LibvirtGuests {
  /** Undefined: it could not be asked. */
  readonly configured: Promise<readonly ConfiguredGuest[] | undefined>;
}

export interface LocalGuestsUnderWay {
  /** With what their files say; known as soon as the files and processes have been read. */
  readonly configured: Promise<readonly ConfiguredGuest[]>;
  readonly told: Promise<LocalGuests>;
}

export interface LocalGuests {
  /** In the order in which they are believed; sources this host has nothing of are missing. */
  readonly sources: ReadonlyMap<GuestSourceName, Told>;
  readonly userQemus: UserQemus | undefined;
  /** A QEMU runs in a scope that only libvirt makes: there is a libvirt, whether it answers or not. */
  readonly hasLibvirtScope: boolean;
  readonly pvestatdAtSeconds: number | undefined;
}

/**
 * The guests of all sources but libvirt. One look through /proc serves all of them; each takes its own
 * out of what the one before has left.
 */
export class LocalGuestCollector {
  readonly #choice: SourceChoice;
  readonly #census: QemuCensus;
  readonly #sources: readonly GuestSource[];
  readonly #pageBytes: number;
  /** /proc could be looked through once without a gap. */
  #wasWhole = false;

  constructor(
    choice: SourceChoice,
    roots: Roots,
    pageBytes: number,
    files: HostFiles,
    proxmox: GuestSource | undefined,
  ) {
    this.#choice = choice;
    this.#census = new QemuCensus(roots);
    this.#pageBytes = pageBytes;
    this.#sources = [
      ...(proxmox !== undefined && choice.used.has('proxmox') ? [proxmox] : []),
      ...(choice.used.has('process') ? [new ProcessSource(roots, pageBytes, files)] : []),
    ];
  }

  /**
   * Never rejects.
   *
   * @param libvirt undefined where libvirt is not used at all: its QEMUs are then as good as any.
   */
  collect(
    log: OutcomeLog,
    deadline: Deadline,
    selects: (name: string) => boolean,
    network: Promise<NetworkLinks | undefined>,
    libvirt: LibvirtGuests | undefined,
  ): LocalGuestsUnderWay {
    const told = this.#collect(log, deadline, selects, network, libvirt);
    const configured = told.then(({ sources }) =>
      [...sources.values()].flatMap((source) => source.configured),
    );
    return { configured, told };
  }

  async #collect(
    log: OutcomeLog,
    deadline: Deadline,
    selects: (name: string) => boolean,
    network: Promise<NetworkLinks | undefined>,
    libvirt: LibvirtGuests | undefined,
  ): Promise<LocalGuests> {
    const sources = new Map<GuestSourceName, Told>();
    const census = await log.runAsync('domain', () => this.#census.take());
    const all = census?.ok === true ? census.value : [];
    const isWhole = census?.ok === true && census.faults === undefined;
    this.#wasWhole ||= isWhole;
    const waits =
      census?.ok === true && census.faults?.some(({ kind }) => kind === 'timeout') === true;
    const isExpected = this.#wasWhole || waits || this.#choice.named.has('process');
    if (census !== undefined && isExpected && !isWhole) log.required('domain', census);

    let left: readonly CountedQemu[] = all.filter(({ owner }) => owner === 'host');
    if (libvirt !== undefined) {
      const patience = deadline.share(0.5).within(LIBVIRT_PATIENCE_MS);
      left = withoutLibvirts(left, all, await patience.race(libvirt.configured));
    }
    for (const source of this.#sources) {
      const qemus = left;
      const told = await source.collect({ log, deadline, selects, network, qemus });
      if (told === undefined) continue;
      left = left.filter(({ pid }) => !told.claimed.has(pid));
      if (source.name !== 'process') sources.set(source.name, told);
      else if (isExpected)
        sources.set(source.name, { ...told, up: isWhole || census === undefined });
    }
    const users = all.filter(({ owner }) => owner === 'user');
    return {
      sources,
      userQemus:
        census?.ok === true && this.#choice.used.has('process')
          ? { count: users.length, residentBytes: this.#resident(users) }
          : undefined,
      hasLibvirtScope: all.some(({ scope }) => scope?.manager === 'libvirt'),
      pvestatdAtSeconds: sources.get('proxmox')?.writtenAtSeconds,
    };
  }

  #resident(qemus: readonly CountedQemu[]): number {
    return qemus.reduce((sum, { stat }) => sum + stat.residentPages, 0) * this.#pageBytes;
  }
}

/**
 * Those that libvirt does not know. One in its scope is its, also while it does not answer; so is the only
 * one with the uuid of a guest of its. Of several with one uuid, which is which shows when it is known
 * what process libvirt's guest has (see merge.ts).
 */
function withoutLibvirts(
  qemus: readonly CountedQemu[],
  all: readonly CountedQemu[],
  configured: readonly ConfiguredGuest[] | undefined,
): readonly CountedQemu[] {
  const running = configured?.filter(({ active }) => active !== false);
  const uuids = new Set(running?.map(({ uuid }) => uuid));
  const claims = Map.groupBy(all, ({ commandLine }) => commandLine.uuid);
  return qemus.filter(({ scope, commandLine: { uuid } }) => {
    if (scope?.manager === 'libvirt') return false;
    return uuid === undefined || !uuids.has(uuid) || (claims.get(uuid)?.length ?? 0) > 1;
  });
}

/** Guests by source, for {@link mergeGuests}. */
export function guestsOf({ sources }: LocalGuests): readonly (readonly Domain[])[] {
  return [...sources.values()].map(({ guests }) => guests);
}
