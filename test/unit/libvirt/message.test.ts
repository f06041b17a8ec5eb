import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import {
  encodeMessage,
  MessageSplitter,
  ProtocolError,
  type Message,
} from '../../../src/libvirt/index.ts';

const header = { program: 0x20008086, version: 1, procedure: 59, type: 0, serial: 1, status: 0 };

function split(chunks: readonly Uint8Array[]): Message[] {
  const splitter = new MessageSplitter();
  return chunks.flatMap((chunk) => [...splitter.push(Buffer.from(chunk))]);
}

const lengthWord = (length: number) => {
  const word = Buffer.alloc(4);
  word.writeUInt32BE(length);
  return word;
};

describe('libvirt messages', () => {
  it('begin with their whole length and six header words', () => {
    expect(encodeMessage(header, Buffer.from('abcd')).toString('hex')).toBe(
      '00000020' +
        '20008086' +
        '00000001' +
        '0000003b' +
        '00000000' +
        '00000001' +
        '00000000' +
        '61626364',
    );
  });

  it('come out whole however the stream is cut', () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 8 }),
        fc.array(fc.integer({ min: 1, max: 90 }), { minLength: 1, maxLength: 20 }),
        (payloads, cuts) => {
          const stream = Buffer.concat(
            payloads.map((payload, i) => encodeMessage({ ...header, serial: i }, payload)),
          );
          const chunks: Buffer[] = [];
          for (let at = 0, i = 0; at < stream.length; i++) {
            const length = cuts[i % cuts.length] ?? 1;
            chunks.push(stream.subarray(at, at + length));
            at += length;
          }
          const messages = split(chunks);
          expect(messages.map((message) => message.header.serial)).toEqual([...payloads.keys()]);
          expect(messages.map((message) => [...message.payload])).toEqual(
            payloads.map((payload) => [...payload]),
          );
        },
      ),
    );
  });

  it.each([
    ['shorter than a header', 27],
    ['of zero bytes', 0],
    ['above 32 MiB', 33554432 + 5],
    ['of 4 GiB', 0xffffffff],
  ])('with a length %s are refused as soon as the length is there', (_name, length) => {
    expect(() => split([lengthWord(length)])).toThrow(ProtocolError);
  });

  it('keep no more memory than was received, whatever length they claim', () => {
    const splitter = new MessageSplitter();
    expect([...splitter.push(lengthWord(33554432))]).toEqual([]);
    expect([splitter.buffered, splitter.expected]).toEqual([4, 33554432]);
  });

  it('of 16 MiB in 1 KiB pieces take time in proportion to their size', () => {
    const stream = encodeMessage(header, Buffer.alloc(16 * 1024 * 1024));
    const splitter = new MessageSplitter();
    const started = performance.now();
    let messages = 0;
    for (let at = 0; at < stream.length; at += 1024) {
      for (const message of splitter.push(stream.subarray(at, at + 1024))) {
        messages += message.payload.length === 16 * 1024 * 1024 ? 1 : 100;
      }
    }
    expect(messages).toBe(1);
    // Joining on each piece would copy 128 GiB.
    expect(performance.now() - started).toBeLessThan(2000);
  });

  it('above 32 MiB cannot be made either', () => {
    expect(() => encodeMessage(header, Buffer.alloc(33554432))).toThrow(RangeError);
  });
});
