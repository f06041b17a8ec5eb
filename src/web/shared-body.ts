/**
 * A body that is made once for all who ask for it while it is made. Each reads at its own pace; the
 * fastest sets that of the making, and what all have read is let go. When the last reader has gone,
 * the making stops.
 */
export class SharedBody {
  readonly #source: AsyncIterator<Buffer, unknown, void>;
  readonly #chunks: Buffer[] = [];
  readonly #readers = new Set<BodyReader>();
  /** Chunks let go. */
  #released = 0;
  #made = 0;
  #next: Promise<boolean> | undefined;
  #stopped = false;

  constructor(source: AsyncIterable<Buffer, unknown, void>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  /** False once a newcomer would miss its beginning. */
  get joinable(): boolean {
    return !this.#stopped && this.#released === 0;
  }

  /** A reader from the beginning on; it counts from now, and until its end or `return`. */
  open(): BodyReader {
    if (!this.joinable) throw new Error('the beginning of this body is gone');
    const reader = new BodyReader(
      (position) => this.#chunkAt(position),
      () => {
        this.#close(reader);
      },
    );
    this.#readers.add(reader);
    return reader;
  }

  async #chunkAt(position: number): Promise<Buffer | undefined> {
    while (position >= this.#made) {
      this.#next ??= this.#make();
      if (!(await this.#next)) return undefined;
    }
    const chunk = this.#chunks[position - this.#released];
    this.#release();
    return chunk;
  }

  /** @returns false at the end. */
  async #make(): Promise<boolean> {
    const { done, value } = await this.#source.next();
    // An end or an error is what every later question gets as well.
    if (done === true) return false;
    this.#chunks.push(value);
    this.#made += 1;
    this.#next = undefined;
    return true;
  }

  #release(): void {
    let slowest = this.#made;
    for (const { position } of this.#readers) slowest = Math.min(slowest, position);
    if (slowest <= this.#released) return;
    this.#chunks.splice(0, slowest - this.#released);
    this.#released = slowest;
  }

  #close(reader: BodyReader): void {
    if (!this.#readers.delete(reader)) return;
    if (this.#readers.size > 0) {
      this.#release();
      return;
    }
    this.#stopped = true;
    this.#chunks.length = 0;
    // It may be in the middle of a chunk; what it says of being stopped is nobody's business.
    this.#source.return?.().then(undefined, () => undefined);
  }
}

/** One who reads a {@link SharedBody}. */
export class BodyReader implements AsyncIterableIterator<Buffer, undefined, void> {
  /** Chunks it has asked for. */
  position = 0;
  readonly #chunkAt: (position: number) => Promise<Buffer | undefined>;
  readonly #close: () => void;

  constructor(chunkAt: (position: number) => Promise<Buffer | undefined>, close: () => void) {
    this.#chunkAt = chunkAt;
    this.#close = close;
  }

  async next(): Promise<IteratorResult<Buffer, undefined>> {
    try {
      const chunk = await this.#chunkAt(this.position);
      if (chunk !== undefined) {
        this.position += 1;
        return { done: false, value: chunk };
      }
    } catch (error) {
      this.#close();
      throw error;
    }
    this.#close();
    return { done: true, value: undefined };
  }

  return(): Promise<IteratorResult<Buffer, undefined>> {
    this.#close();
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}
