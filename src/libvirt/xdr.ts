import { ProtocolError } from './errors.ts';
import type { StringCache } from './string-cache.ts';

/**
 * XDR (RFC 4506) as libvirt uses it: big endian, everything padded to 4 bytes, strings UTF-8.
 *
 * The reader trusts nothing: each length is compared with a limit and with the bytes that are left
 * before anything is allocated, and every failure is a ProtocolError.
 */

/** REMOTE_STRING_MAX of src/remote/remote_protocol.x. */
const MAX_STRING_BYTES = 4 * 1024 * 1024;

/** How one type goes to and comes from the wire. */
export interface Codec<T> {
  read(reader: XdrReader): T;
  write(writer: XdrWriter, value: T): void;
}

/** Reads values one after the other from a buffer, which must not change meanwhile. */
export class XdrReader {
  readonly #bytes: Buffer;
  readonly #view: DataView;
  #offset = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** Bytes not read yet. */
  get remaining(): number {
    return this.#bytes.length - this.#offset;
  }

  /** Where the next value begins. */
  get position(): number {
    return this.#offset;
  }

  /** Goes to a position seen before. */
  seek(position: number): void {
    this.#offset = position;
  }

  /** Passes over bytes without looking at them. */
  skip(bytes: number): void {
    this.#take(bytes);
  }

  /** Passes over a string. */
  skipString(): void {
    this.#take(padded(this.#stringLength()));
  }

  int(): number {
    return this.#view.getInt32(this.#take(4));
  }

  uint(): number {
    return this.#view.getUint32(this.#take(4));
  }

  hyper(): bigint {
    return this.#view.getBigInt64(this.#take(8));
  }

  uhyper(): bigint {
    return this.#view.getBigUint64(this.#take(8));
  }

  double(): number {
    return this.#view.getFloat64(this.#take(8));
  }

  /** XDR bool: 0 or 1, nothing else. */
  bool(): boolean {
    const value = this.uint();
    if (value > 1) throw new ProtocolError(`XDR: ${value} is not a boolean`);
    return value === 1;
  }

  /** `length` opaque bytes (a view, not a copy) and their padding. */
  opaque(length: number): Buffer {
    const start = this.#take(padded(length));
    return this.#bytes.subarray(start, start + length);
  }

  /** A string; bytes which are not UTF-8 become U+FFFD, as in any text decoder. */
  string(): string {
    const length = this.#stringLength();
    const start = this.#take(padded(length));
    return this.#bytes.toString('utf8', start, start + length);
  }

  /** As {@link string}, for strings that repeat. */
  cachedString(cache: StringCache): string {
    const length = this.#stringLength();
    const start = this.#take(padded(length));
    return cache.lookup(this.#bytes, this.#view, start, length);
  }

  /**
   * The element count of an array, checked against its limit and against what could possibly be
   * left in the message when each element takes `minElementBytes` or more.
   */
  count(max: number, minElementBytes: number): number {
    const count = this.uint();
    if (count > max) throw new ProtocolError(`XDR: array of ${count} elements, limit ${max}`);
    if (count * minElementBytes > this.remaining) {
      throw new ProtocolError(`XDR: array of ${count} elements in ${this.remaining} bytes`);
    }
    return count;
  }

  /** Checks that all was read: what is left over means that the layout is not the one we know. */
  end(): void {
    if (this.remaining > 0) throw new ProtocolError(`XDR: ${this.remaining} bytes left over`);
  }

  #stringLength(): number {
    const length = this.uint();
    if (length > MAX_STRING_BYTES) {
      throw new ProtocolError(`XDR: string of ${length} bytes, limit ${MAX_STRING_BYTES}`);
    }
    return length;
  }

  /** Moves past `bytes` bytes and returns where they begin. */
  #take(bytes: number): number {
    const start = this.#offset;
    if (bytes > this.#bytes.length - start) {
      throw new ProtocolError(`XDR: ${bytes} bytes wanted, ${this.remaining} left`);
    }
    this.#offset = start + bytes;
    return start;
  }
}

/** Writes values one after the other into a buffer that grows. */
export class XdrWriter {
  #bytes: Buffer;
  #length = 0;

  constructor(initialBytes = 256) {
    this.#bytes = Buffer.alloc(Math.max(initialBytes, 16));
  }

  int(value: number): void {
    const at = this.#reserve(4);
    this.#bytes.writeInt32BE(value, at);
  }

  uint(value: number): void {
    const at = this.#reserve(4);
    this.#bytes.writeUInt32BE(value, at);
  }

  hyper(value: bigint): void {
    const at = this.#reserve(8);
    this.#bytes.writeBigInt64BE(value, at);
  }

  uhyper(value: bigint): void {
    const at = this.#reserve(8);
    this.#bytes.writeBigUInt64BE(value, at);
  }

  double(value: number): void {
    const at = this.#reserve(8);
    this.#bytes.writeDoubleBE(value, at);
  }

  bool(value: boolean): void {
    this.uint(value ? 1 : 0);
  }

  /** Bytes of a length both sides know, and their padding. */
  opaque(value: Uint8Array): void {
    const at = this.#reserve(padded(value.length));
    this.#bytes.set(value, at);
  }

  string(value: string): void {
    const length = Buffer.byteLength(value, 'utf8');
    this.uint(length);
    const at = this.#reserve(padded(length));
    this.#bytes.write(value, at, 'utf8');
  }

  /** What was written so far; a view that later writes may or may not change. */
  finish(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }

  #reserve(bytes: number): number {
    const start = this.#length;
    const needed = start + bytes;
    if (needed > this.#bytes.length) {
      const grown = Buffer.alloc(Math.max(needed, this.#bytes.length * 2));
      this.#bytes.copy(grown, 0, 0, start);
      this.#bytes = grown;
    }
    this.#length = needed;
    return start;
  }
}

function padded(length: number): number {
  return Math.ceil(length / 4) * 4;
}

export const int: Codec<number> = {
  read: (reader) => reader.int(),
  write: (writer, value) => {
    writer.int(value);
  },
};

export const uint: Codec<number> = {
  read: (reader) => reader.uint(),
  write: (writer, value) => {
    writer.uint(value);
  },
};

export const uhyper: Codec<bigint> = {
  read: (reader) => reader.uhyper(),
  write: (writer, value) => {
    writer.uhyper(value);
  },
};

export const string: Codec<string> = {
  read: (reader) => reader.string(),
  write: (writer, value) => {
    writer.string(value);
  },
};

/** No bytes at all: the arguments or the result of a procedure that has none. */
export const nothing: Codec<undefined> = {
  read: () => undefined,
  write: () => undefined,
};

/** libvirt's booleans travel as a plain int, where any non-zero value is true. */
export const intBool: Codec<boolean> = {
  read: (reader) => reader.int() !== 0,
  write: (writer, value) => {
    writer.int(value ? 1 : 0);
  },
};

/** XDR optional: a presence flag, then the value. */
export function optional<T>(codec: Codec<T>): Codec<T | undefined> {
  return {
    read: (reader) => (reader.bool() ? codec.read(reader) : undefined),
    write: (writer, value) => {
      writer.bool(value !== undefined);
      if (value !== undefined) codec.write(writer, value);
    },
  };
}

/** Variable-length array of at most `max` elements of at least `minElementBytes` each. */
export function array<T>(
  codec: Codec<T>,
  max: number,
  minElementBytes: number,
): Codec<readonly T[]> {
  return {
    read: (reader) => {
      const count = reader.count(max, minElementBytes);
      const values: T[] = [];
      for (let i = 0; i < count; i++) values.push(codec.read(reader));
      return values;
    },
    write: (writer, values) => {
      writer.uint(values.length);
      for (const value of values) codec.write(writer, value);
    },
  };
}

/** The bytes of one value. */
export function encode<T>(codec: Codec<T>, value: T): Buffer {
  const writer = new XdrWriter();
  codec.write(writer, value);
  return writer.finish();
}

/** One value that takes up the whole of `bytes`. Throws ProtocolError. */
export function decode<T>(codec: Codec<T>, bytes: Buffer): T {
  const reader = new XdrReader(bytes);
  const value = codec.read(reader);
  reader.end();
  return value;
}
