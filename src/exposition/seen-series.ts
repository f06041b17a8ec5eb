/** More than this, and a Set finds them sooner. */
const FEW = 16;

/**
 * Which series were written already. Most groups have a few series; a Set that is filled and
 * cleared for each of 100,000 groups would cost more than all the rest of an exposition.
 */
export class SeenSeries {
  readonly #few: string[] = [];
  #count = 0;
  readonly #many = new Set<string>();

  /** False when it was there before. */
  add(key: string): boolean {
    if (this.#many.size > 0) {
      const before = this.#many.size;
      return this.#many.add(key).size > before;
    }
    for (let i = 0; i < this.#count; i += 1) if (this.#few[i] === key) return false;
    if (this.#count < FEW) {
      this.#few[this.#count] = key;
      this.#count += 1;
    } else {
      for (const known of this.#few) this.#many.add(known);
      this.#many.add(key);
    }
    return true;
  }

  clear(): void {
    this.#count = 0;
    if (this.#many.size > 0) this.#many.clear();
  }
}
