/** Bytes handed out at a time. */
const CHUNK_BYTES = 64 * 1024;
/** A UTF-16 unit becomes at most three bytes of UTF-8. */
const BYTES_PER_UNIT = 3;
/** Digits of 2^53. */
const MAX_DIGITS = 16;
const ZERO = 0x30;

/**
 * Text as UTF-8 in Buffers of about 64 KiB. Every piece goes straight to its bytes: pieces that are
 * added up to strings first leave about as much garbage as an exposition is long.
 */
export class TextBuffer {
  #chunk = Buffer.allocUnsafeSlow(CHUNK_BYTES);
  #length = 0;
  readonly #full: Buffer[] = [];

  text(piece: string): void {
    this.#reserve(piece.length * BYTES_PER_UNIT);
    this.#length += this.#chunk.write(piece, this.#length, 'utf8');
  }

  /** One ASCII character, by its code. */
  ascii(code: number): void {
    this.#reserve(1);
    this.#chunk[this.#length] = code;
    this.#length += 1;
  }

  /** @param value a safe integer, not negative */
  digits(value: number): void {
    this.#reserve(MAX_DIGITS);
    const chunk = this.#chunk;
    let count = 1;
    for (let limit = 10; value >= limit; limit *= 10) count += 1;
    let rest = value;
    for (let at = this.#length + count - 1; at >= this.#length; at -= 1) {
      const tenth = Math.floor(rest / 10);
      chunk[at] = ZERO + (rest - tenth * 10);
      rest = tenth;
    }
    this.#length += count;
  }

  /** Takes the Buffers that are full. */
  take(): readonly Buffer[] {
    return this.#full.length === 0 ? [] : this.#full.splice(0);
  }

  /** Counts what was written as full, however little it is. */
  flush(): void {
    if (this.#length === 0) return;
    this.#full.push(this.#chunk.subarray(0, this.#length));
    this.#chunk = Buffer.allocUnsafeSlow(CHUNK_BYTES);
    this.#length = 0;
  }

  #reserve(bytes: number): void {
    if (this.#length + bytes <= this.#chunk.length) return;
    this.flush();
    if (bytes > CHUNK_BYTES) this.#chunk = Buffer.allocUnsafeSlow(bytes);
  }
}
