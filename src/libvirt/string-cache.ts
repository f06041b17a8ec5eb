/**
 * Gives the same string object for the same bytes without decoding them again. In a stats reply
 * the same ~100 field names repeat for every domain, and decoding them would be most of the work.
 *
 * Bounded: long strings are never kept, and a full cache starts over. A peer that sends ever new
 * names costs speed, not memory.
 */
const MAX_ENTRIES = 8192;
const MAX_BYTES = 128;

interface Entry {
  readonly length: number;
  /** The bytes as 32-bit words, padding included. */
  readonly words: Int32Array;
  readonly text: string;
  /** Another string with the same hash. */
  readonly next: Entry | undefined;
}

export class StringCache {
  readonly #entries = new Map<number, Entry>();
  #size = 0;

  /**
   * The string at `start`, `length` bytes of UTF-8. The caller has checked that the bytes up to
   * the next multiple of 4 are inside the buffer (XDR padding).
   */
  lookup(bytes: Buffer, view: DataView, start: number, length: number): string {
    if (length > MAX_BYTES) return bytes.toString('utf8', start, start + length);
    const wordCount = (length + 3) >> 2;
    let hash = length;
    for (let i = 0; i < wordCount; i++) {
      hash = Math.imul(hash ^ view.getInt32(start + i * 4), 0x01000193);
      hash ^= hash >>> 15;
    }
    const first = this.#entries.get(hash);
    for (let entry = first; entry !== undefined; entry = entry.next) {
      if (entry.length === length && sameWords(entry.words, view, start)) return entry.text;
    }
    return this.#add(bytes, view, start, length, hash);
  }

  #add(bytes: Buffer, view: DataView, start: number, length: number, hash: number): string {
    if (this.#size >= MAX_ENTRIES) {
      this.#entries.clear();
      this.#size = 0;
    }
    const words = new Int32Array((length + 3) >> 2);
    for (let i = 0; i < words.length; i++) words[i] = view.getInt32(start + i * 4);
    const text = bytes.toString('utf8', start, start + length);
    this.#entries.set(hash, { length, words, text, next: this.#entries.get(hash) });
    this.#size++;
    return text;
  }
}

function sameWords(words: Int32Array, view: DataView, start: number): boolean {
  for (let i = 0; i < words.length; i++) {
    if (words[i] !== view.getInt32(start + i * 4)) return false;
  }
  return true;
}
