import { extname, join } from 'node:path';
import { Worker } from 'node:worker_threads';

/** Beside this file, TypeScript or compiled as it is; a program of one file holds its code. */
const WORKER =
  import.meta.bundledPasswordWorker === undefined
    ? join(import.meta.dirname, `password-worker${extname(import.meta.filename)}`)
    : new URL(`data:text/javascript,${encodeURIComponent(import.meta.bundledPasswordWorker)}`);

export interface PasswordCheck {
  readonly id: number;
  readonly password: string;
  /** The bcrypt hash it may belong to. */
  readonly hash: string;
  /** Hashes it is held against for the time that takes. */
  readonly padding: readonly string[];
}

export interface PasswordResult {
  readonly id: number;
  readonly matches: boolean;
}

/** The thread that checks passwords; it begins with the first check and keeps nothing alive. */
export class PasswordThread {
  readonly #open = new Map<number, PromiseWithResolvers<boolean>>();
  #worker: Worker | undefined;
  #lastId = 0;

  /** @throws Error if the thread came to an end; the next check begins another. */
  check(password: string, hash: string, padding: readonly string[]): Promise<boolean> {
    this.#worker ??= this.#start();
    this.#lastId += 1;
    const answer = Promise.withResolvers<boolean>();
    this.#open.set(this.#lastId, answer);
    const check: PasswordCheck = { id: this.#lastId, password, hash, padding };
    this.#worker.postMessage(check);
    return answer.promise;
  }

  #start(): Worker {
    const worker = new Worker(WORKER, {
      env: {},
      resourceLimits: { maxOldGenerationSizeMb: 32, maxYoungGenerationSizeMb: 4 },
    });
    worker.on('message', ({ id, matches }: PasswordResult) => {
      this.#open.get(id)?.resolve(matches);
      this.#open.delete(id);
    });
    const end = (error: Error): void => {
      if (this.#worker !== worker) return;
      this.#worker = undefined;
      for (const answer of this.#open.values()) answer.reject(error);
      this.#open.clear();
    };
    worker.on('error', end);
    worker.on('exit', () => {
      end(new Error('the thread that checks passwords ended'));
    });
    // After the listeners: each one added makes the thread keep the process again.
    worker.unref();
    return worker;
  }
}
