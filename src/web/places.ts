/** A place that a request holds while it is answered. */
export interface Place {
  /** More than once does no harm. */
  readonly release: () => void;
}

interface Holder {
  readonly client: string;
  readonly giveUp: () => void;
}

/**
 * The places for requests that cost something, over all routes. When all are taken, the client with
 * most of them gives its latest up to one that has at least two fewer: whoever asks for everything
 * at once does not keep others out.
 */
export class Places {
  readonly #most: number;
  /** From the earliest to the latest. */
  readonly #holders = new Set<Holder>();

  constructor(most: number) {
    this.#most = most;
  }

  /**
   * @param client whose share it is.
   * @param giveUp called if the place is given to somebody else.
   * @returns undefined when there is none.
   */
  take(client: string, giveUp: () => void): Place | undefined {
    if (this.#holders.size >= this.#most && !this.#makeRoomFor(client)) return undefined;
    const holder: Holder = { client, giveUp };
    this.#holders.add(holder);
    return {
      release: () => {
        this.#holders.delete(holder);
      },
    };
  }

  get taken(): number {
    return this.#holders.size;
  }

  #makeRoomFor(client: string): boolean {
    const shares = Map.groupBy(this.#holders, (holder) => holder.client);
    const own = shares.get(client)?.length ?? 0;
    let largest: readonly Holder[] = [];
    for (const share of shares.values()) if (share.length > largest.length) largest = share;
    const latest = largest.at(-1);
    if (latest === undefined || largest.length < own + 2) return false;
    this.#holders.delete(latest);
    latest.giveUp();
    return true;
  }
}
