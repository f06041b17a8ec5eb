import { ProtocolError } from './errors.ts';

/**
 * The frame around every libvirt message (src/rpc/virnetprotocol.x): a length that counts itself,
 * six 32-bit header words, then an XDR payload.
 */
export const REMOTE_PROGRAM = 0x2000_8086;
export const KEEPALIVE_PROGRAM = 0x6b65_6570;
/** Both programs are at version 1. */
export const PROGRAM_VERSION = 1;

export const keepaliveProcedures = { ping: 1, pong: 2 } as const;

/** virNetMessageType. */
export const messageTypes = { call: 0, reply: 1, event: 2, stream: 3 } as const;

/** virNetMessageStatus. */
export const messageStatus = { ok: 0, error: 1, continue: 2 } as const;

/** VIR_NET_MESSAGE_MAX plus the length word. */
export const MAX_MESSAGE_BYTES = 33_554_432 + 4;

const LENGTH_BYTES = 4;
const HEADER_BYTES = 24;
const MIN_MESSAGE_BYTES = LENGTH_BYTES + HEADER_BYTES;

/** The longest payload that fits. */
export const MAX_PAYLOAD_BYTES = MAX_MESSAGE_BYTES - MIN_MESSAGE_BYTES;

export interface MessageHeader {
  readonly program: number;
  readonly version: number;
  readonly procedure: number;
  readonly type: number;
  readonly serial: number;
  readonly status: number;
}

export interface Message {
  readonly header: MessageHeader;
  readonly payload: Buffer;
}

/** The bytes of one message. */
export function encodeMessage(header: MessageHeader, payload: Uint8Array): Buffer {
  const length = MIN_MESSAGE_BYTES + payload.length;
  if (length > MAX_MESSAGE_BYTES) throw new RangeError(`message of ${length} bytes is too long`);
  const frame = Buffer.allocUnsafe(length);
  frame.writeUInt32BE(length, 0);
  frame.writeUInt32BE(header.program, 4);
  frame.writeUInt32BE(header.version, 8);
  frame.writeInt32BE(header.procedure, 12);
  frame.writeInt32BE(header.type, 16);
  frame.writeUInt32BE(header.serial, 20);
  frame.writeInt32BE(header.status, 24);
  frame.set(payload, MIN_MESSAGE_BYTES);
  return frame;
}

/** Called with the header of a message as soon as that is there; throws to refuse the rest of it. */
export type HeaderCheck = (header: MessageHeader, payloadBytes: number) => void;

/** What a message takes at first, however long it says it is going to be. */
const FIRST_CAPACITY_BYTES = 64 * 1024;

/**
 * Cuts a byte stream into messages. Holds, of one unfinished message, at most twice the bytes that
 * were really received, in however small pieces they come, and refuses a bad length or header as
 * soon as it is seen.
 */
export class MessageSplitter {
  readonly #check: HeaderCheck;
  /** The unfinished message and room for more of it. */
  #held: Buffer = Buffer.alloc(0);
  #size = 0;
  /** Of the message being received; undefined until its length word is complete. */
  #length: number | undefined;

  constructor(check: HeaderCheck = () => undefined) {
    this.#check = check;
  }

  /** Bytes of an unfinished message. */
  get buffered(): number {
    return this.#size;
  }

  /** How long the unfinished message is going to be; undefined when not known yet. */
  get expected(): number | undefined {
    return this.#length;
  }

  /** Takes received bytes and gives the messages they complete. Throws ProtocolError. */
  *push(chunk: Buffer): Generator<Message> {
    let rest = chunk;
    while (rest.length > 0) {
      const whole = this.#size === 0 ? this.#wholeAtStart(rest) : undefined;
      if (whole !== undefined) {
        rest = rest.subarray(whole.length);
        yield parseFrame(whole);
        continue;
      }
      const wanted = this.#wanted();
      const taken = Math.min(rest.length, wanted - this.#size);
      this.#hold(rest.subarray(0, taken));
      rest = rest.subarray(taken);
      if (this.#size < wanted) return;
      this.#length ??= checkedLength(this.#held.readUInt32BE(0));
      const frame = this.#held.subarray(0, this.#size);
      if (this.#size === MIN_MESSAGE_BYTES) this.#checkHeader(frame, this.#length);
      if (this.#size < this.#length) continue;
      this.#held = Buffer.alloc(0);
      this.#size = 0;
      this.#length = undefined;
      yield parseFrame(frame);
    }
  }

  /** A message that begins and ends in these bytes needs no copy. */
  #wholeAtStart(bytes: Buffer): Buffer | undefined {
    if (bytes.length < MIN_MESSAGE_BYTES) return undefined;
    const length = checkedLength(bytes.readUInt32BE(0));
    if (bytes.length < length) return undefined;
    this.#checkHeader(bytes, length);
    return bytes.subarray(0, length);
  }

  #checkHeader(frame: Buffer, length: number): void {
    this.#check(parseHeader(frame), length - MIN_MESSAGE_BYTES);
  }

  /** How far to collect before looking: the length word, the header, the whole. */
  #wanted(): number {
    if (this.#length === undefined) return LENGTH_BYTES;
    return this.#size < MIN_MESSAGE_BYTES ? MIN_MESSAGE_BYTES : this.#length;
  }

  #hold(bytes: Buffer): void {
    const size = this.#size + bytes.length;
    if (size > this.#held.length) {
      const most = this.#length ?? MIN_MESSAGE_BYTES;
      const roomy = Math.max(size, 2 * this.#held.length, FIRST_CAPACITY_BYTES);
      const grown = Buffer.allocUnsafe(Math.max(size, Math.min(most, roomy)));
      this.#held.copy(grown, 0, 0, this.#size);
      this.#held = grown;
    }
    bytes.copy(this.#held, this.#size);
    this.#size = size;
  }
}

function checkedLength(length: number): number {
  if (length < MIN_MESSAGE_BYTES) {
    throw new ProtocolError(`message length ${length} is shorter than a header`);
  }
  if (length > MAX_MESSAGE_BYTES) {
    throw new ProtocolError(`message length ${length} is over the limit of ${MAX_MESSAGE_BYTES}`);
  }
  return length;
}

function parseFrame(frame: Buffer): Message {
  return { header: parseHeader(frame), payload: frame.subarray(MIN_MESSAGE_BYTES) };
}

function parseHeader(frame: Buffer): MessageHeader {
  return {
    program: frame.readUInt32BE(4),
    version: frame.readUInt32BE(8),
    procedure: frame.readInt32BE(12),
    type: frame.readInt32BE(16),
    serial: frame.readUInt32BE(20),
    status: frame.readInt32BE(24),
  };
}
