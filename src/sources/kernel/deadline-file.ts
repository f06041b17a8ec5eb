import { readFile } from 'node:fs/promises';

import type { Deadline } from '../../runtime/deadline.ts';
import { failed, failedFrom, found, type Result } from '../../runtime/result.ts';

/** Half of libuv's four file threads: the other half stays free for everybody else. */
const MAX_AT_ONCE = 2;

interface Waiting {
  readonly start: () => void;
}

/**
 * Reads text files whose read may never return, such as those in /proc/<pid> which take the mmap
 * lock of a process that is stuck. A read that was started can not be taken back and holds one of
 * the few threads all file I/O of Node shares; therefore at most two are under way, further ones
 * queue, and once both are past their deadline new ones are refused at once. Share one instance.
 */
export class DeadlineFileReader {
  readonly #queue: Waiting[] = [];
  /** Paths under way; the value tells whether the deadline has passed. */
  readonly #underWay = new Map<string, boolean>();

  /** The file's text; `timeout` after the deadline, the time in the queue included. */
  async read(path: string, deadline: Deadline): Promise<Result<string>> {
    const stuck = [...this.#underWay.values()].filter((late) => late).length;
    if (this.#underWay.has(path) || stuck >= MAX_AT_ONCE) {
      return failed('timeout', path, 'earlier reads have not come back yet');
    }
    const { promise, resolve } = Promise.withResolvers<Result<string>>();
    const waiting: Waiting = {
      start: () => {
        this.#underWay.set(path, false);
        void readFile(path, 'utf8')
          .then(found, (error: unknown) => failedFrom(error, path))
          .then((reading) => {
            this.#underWay.delete(path);
            resolve(reading);
            this.#startNext();
          });
      },
    };
    const milliseconds = Math.round(deadline.remaining());
    const expiry = deadline.onExpiry(() => {
      const queued = this.#queue.indexOf(waiting);
      if (queued !== -1) this.#queue.splice(queued, 1);
      if (this.#underWay.has(path)) this.#underWay.set(path, true);
      resolve(failed('timeout', path, `no answer within ${milliseconds} ms`));
    });
    this.#queue.push(waiting);
    this.#startNext();
    try {
      return await promise;
    } finally {
      expiry.cancel();
    }
  }

  #startNext(): void {
    while (this.#underWay.size < MAX_AT_ONCE) {
      const next = this.#queue.shift();
      if (next === undefined) return;
      next.start();
    }
  }
}
