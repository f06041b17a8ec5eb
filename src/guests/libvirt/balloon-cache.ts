import type { DomainRef } from '../../libvirt/index.ts';
import type { Balloon, KvmCounters } from '../../model/domain.ts';

/** Without a statistics period only the size can change, and that sends an event. */
const UNASKED_FOR_MS = 60_000;

/** A guest that begins to report is seen when it has been silent for half as long again. */
const SILENCE_SHARE = 1 / 3;

interface Kept {
  readonly id: number | undefined;
  /** Of this run, and since it last changed. */
  readonly firstAskedAt: number;
  readonly askedAt: number;
  readonly balloon: Balloon;
  readonly kvm: KvmCounters | undefined;
}

/**
 * The last balloon answer of each guest, and KVM's counters that came with it. A guest refreshes its statistics only once per `<stats
 * period>`, and QEMU hands out the same ones in between, so the monitor is not bothered more often;
 * the values carry their own time (`last-update`). A change of the balloon's size sends an event.
 *
 * A guest without a driver that reports, or whose driver has stopped, is polled with back-off. Its
 * answer is the costliest there is: QEMU reads what it is asked byte by byte, and here that is half.
 */
export class BalloonCache {
  readonly #kept = new Map<string, Kept>();

  /**
   * Whether the guest has to be asked: never asked, restarted, changed, a period has passed, or it
   * was busy. libvirt then gives the two sizes it keeps itself and leaves out all it has to take the
   * guest's job for, the resident size included.
   */
  isDue({ uuid, id }: DomainRef, periodSeconds: number | undefined): boolean {
    const kept = this.#kept.get(uuid);
    if (kept === undefined || kept.id !== id) return true;
    if (kept.balloon.residentBytes === undefined) return true;
    const patience =
      periodSeconds === undefined
        ? UNASKED_FOR_MS
        : Math.max(periodSeconds * 1000, patienceWithSilence(kept));
    return performance.now() - kept.askedAt >= patience;
  }

  put({ uuid, id }: DomainRef, balloon: Balloon, kvm?: KvmCounters): void {
    const askedAt = performance.now();
    const kept = this.#kept.get(uuid);
    const firstAskedAt = kept !== undefined && kept.id === id ? kept.firstAskedAt : askedAt;
    this.#kept.set(uuid, { id, firstAskedAt, askedAt, balloon, kvm });
  }

  get(uuid: string): Balloon | undefined {
    return this.#kept.get(uuid)?.balloon;
  }

  /** Of this run of the guest. */
  getKvm({ uuid, id }: DomainRef): KvmCounters | undefined {
    const kept = this.#kept.get(uuid);
    return kept !== undefined && kept.id === id ? kept.kvm : undefined;
  }

  invalidate(uuid: string): void {
    this.#kept.delete(uuid);
  }

  invalidateAll(): void {
    this.#kept.clear();
  }

  /** Drops all other guests. */
  retain(uuids: ReadonlySet<string>): void {
    for (const uuid of this.#kept.keys()) if (!uuids.has(uuid)) this.#kept.delete(uuid);
  }
}

/** In milliseconds. A guest that reports once per period gets less than one. */
function patienceWithSilence({ firstAskedAt, balloon }: Kept): number {
  const reportedAt = (balloon.lastUpdateSeconds ?? 0) * 1000;
  const silent = Math.min(performance.now() - firstAskedAt, Date.now() - reportedAt);
  return Math.min(silent * SILENCE_SHARE, UNASKED_FOR_MS);
}
