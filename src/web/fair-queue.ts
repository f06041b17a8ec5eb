/** Jobs that wait, of one client. */
const MAX_WAITING_PER_CLIENT = 5;
/** Of all clients together. */
const MAX_WAITING = 200;

interface Job {
  readonly run: () => Promise<void>;
  readonly gone: AbortSignal;
}

/**
 * Jobs one after the other, by turns between clients: whoever has many waits for himself. A job
 * whose client has gone is left out.
 */
export class FairQueue {
  /** Whose turn it is comes first. */
  readonly #waiting = new Map<string, Job[]>();
  #count = 0;
  #running = false;

  /**
   * @returns undefined if too many wait already.
   * @throws what the job throws, or the reason of `gone`.
   */
  add<T>(client: string, gone: AbortSignal, job: () => Promise<T>): Promise<T> | undefined {
    const own = this.#waiting.get(client) ?? [];
    if (own.length >= MAX_WAITING_PER_CLIENT || this.#count >= MAX_WAITING) return undefined;
    const result = Promise.withResolvers<T>();
    const run = async (): Promise<void> => {
      try {
        result.resolve(await job());
      } catch (error) {
        result.reject(error);
      }
    };
    gone.addEventListener(
      'abort',
      () => {
        result.reject(gone.reason);
      },
      { once: true },
    );
    own.push({ run, gone });
    this.#waiting.set(client, own);
    this.#count += 1;
    if (!this.#running) void this.#work();
    return result.promise;
  }

  async #work(): Promise<void> {
    this.#running = true;
    for (let job = this.#take(); job !== undefined; job = this.#take()) {
      if (!job.gone.aborted) await job.run();
    }
    this.#running = false;
  }

  #take(): Job | undefined {
    const [turn] = this.#waiting;
    if (turn === undefined) return undefined;
    const [client, jobs] = turn;
    const job = jobs.shift();
    this.#waiting.delete(client);
    if (jobs.length > 0) this.#waiting.set(client, jobs);
    this.#count -= 1;
    return job;
  }
}
