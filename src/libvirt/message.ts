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

/**
 * Cuts a byte stream into messages. Holds at most the bytes that were really received of one
 * message, copies each byte at most twice, and refuses a bad length as soon as it is seen.
 */
export class MessageSplitter {
  #chunks: Buffer[] = [];
  #buffered = 0;
  /** Of the message being received; undefined until its length word is complete. */
  #length: number | undefined;

  /** Bytes of an unfinished message. */
  get buffered(): number {
    return this.#buffered;
  }

  /** How long the unfinished message is going to be; undefined when not known yet. */
  get expected(): number | undefined {
    return this.#length;
  }

  /** Takes received bytes and gives the messages they complete. Throws ProtocolError. */
  *push(chunk: Buffer): Generator<Message> {
    this.#chunks.push(chunk);
    this.#buffered += chunk.length;
    for (;;) {
      if (this.#length === undefined) {
        if (this.#buffered < LENGTH_BYTES) return;
        this.#length = checkedLength(this.#joined().readUInt32BE(0));
      }
      if (this.#buffered < this.#length) return;
      const bytes = this.#joined();
      const frame = bytes.subarray(0, this.#length);
      const rest = bytes.subarray(this.#length);
      this.#chunks = rest.length > 0 ? [rest] : [];
      this.#buffered = rest.length;
      this.#length = undefined;
      yield parseFrame(frame);
    }
  }

  /** All buffered bytes in one piece. Called once per length word and once per message. */
  #joined(): Buffer {
    const [only] = this.#chunks;
    if (only !== undefined && this.#chunks.length === 1) return only;
    const joined = Buffer.concat(this.#chunks, this.#buffered);
    this.#chunks = [joined];
    return joined;
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
  return {
    header: {
      program: frame.readUInt32BE(4),
      version: frame.readUInt32BE(8),
      procedure: frame.readInt32BE(12),
      type: frame.readInt32BE(16),
      serial: frame.readUInt32BE(20),
      status: frame.readInt32BE(24),
    },
    payload: frame.subarray(MIN_MESSAGE_BYTES),
  };
}
