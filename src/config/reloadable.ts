import type { Result } from '../runtime/result.ts';
import type { FileFaults } from './yaml-file.ts';

/**
 * What a file of the operator says, as it is in force: read when the exporter starts and again on SIGHUP. A
 * broken file changes nothing: what was in force before it stays.
 */
export class Reloadable<T> {
  #inForce: T;
  #lastReadOk = true;
  #last: Promise<unknown> = Promise.resolve();
  readonly #read: (inForce: T) => Promise<Result<T, FileFaults>>;

  /**
   * @param initial in force until the first `reload`.
   * @param read reads and checks the file; it is told what is in force, which may forbid some changes.
   */
  constructor(initial: T, read: (inForce: T) => Promise<Result<T, FileFaults>>) {
    this.#inForce = initial;
    this.#read = read;
  }

  get inForce(): T {
    return this.#inForce;
  }

  /** False while the file on disk is not the one in force because it is broken. */
  get lastReadOk(): boolean {
    return this.#lastReadOk;
  }

  /**
   * Reads the file and puts it in force if it is sound; one reading after the other, so that the last
   * signal decides.
   */
  reload(): Promise<Result<T, FileFaults>> {
    const reading = this.#last.then(async () => {
      const result = await this.#read(this.#inForce);
      this.#lastReadOk = result.ok;
      if (result.ok) this.#inForce = result.value;
      return result;
    });
    this.#last = reading.catch(() => undefined);
    return reading;
  }
}
