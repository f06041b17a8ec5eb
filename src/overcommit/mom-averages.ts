import type { Snapshot } from '../snapshot/model.ts';

/** MOM's sample-history-length (doc/mom.conf of github.com/oVirt/mom). */
const SAMPLES = 10;

/** Means over the last samples; undefined where the newest sample lacks the value. */
export interface MomHistory {
  readonly freeBytes: number | undefined;
  readonly buffersBytes: number | undefined;
  readonly cachedBytes: number | undefined;
  readonly availableBytes: number | undefined;
  /** Running guests, by uuid. */
  readonly guests: ReadonlyMap<string, MomGuestHistory>;
}

export interface MomGuestHistory {
  readonly balloonCurrentBytes: number | undefined;
  /** Guest's MemFree. */
  readonly unusedBytes: number | undefined;
  /** Guest's MemAvailable. */
  readonly usableBytes: number | undefined;
}

/**
 * Means over the last 10 samples, as MOM's StatAvg. MOM samples every 5 s, so its window is 50 s;
 * here a sample is a collection, and the window ten scrape intervals.
 */
export class MomAverages {
  readonly #host = {
    freeBytes: new Window(),
    buffersBytes: new Window(),
    cachedBytes: new Window(),
    availableBytes: new Window(),
  };
  #guests = new Map<string, GuestWindows>();

  /** Takes a sample, once per collection. A guest that is off is dropped. */
  add(snapshot: Snapshot): MomHistory {
    const { meminfo } = snapshot.host;
    const before = this.#guests;
    this.#guests = new Map();
    const guests = new Map<string, MomGuestHistory>();
    for (const { uuid, active, balloon } of snapshot.domains ?? []) {
      if (!active) continue;
      const windows = before.get(uuid) ?? new GuestWindows();
      this.#guests.set(uuid, windows);
      guests.set(uuid, {
        balloonCurrentBytes: windows.current.add(balloon?.currentBytes),
        unusedBytes: windows.unused.add(balloon?.guestFreeBytes),
        usableBytes: windows.usable.add(balloon?.guestAvailableBytes),
      });
    }
    return {
      freeBytes: this.#host.freeBytes.add(meminfo?.freeBytes),
      buffersBytes: this.#host.buffersBytes.add(meminfo?.buffersBytes),
      cachedBytes: this.#host.cachedBytes.add(meminfo?.cachedBytes),
      availableBytes: this.#host.availableBytes.add(meminfo?.availableBytes),
      guests,
    };
  }
}

class Window {
  #samples: readonly (number | undefined)[] = [];

  /** The mean with this sample as the newest. */
  add(sample: number | undefined): number | undefined {
    this.#samples = [...this.#samples, sample].slice(-SAMPLES);
    if (sample === undefined) return undefined;
    const known = this.#samples.filter((one) => one !== undefined);
    return known.reduce((sum, one) => sum + one, 0) / known.length;
  }
}

class GuestWindows {
  readonly current = new Window();
  readonly unused = new Window();
  readonly usable = new Window();
}
