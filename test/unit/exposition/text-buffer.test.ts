import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { TextBuffer } from '../../../src/exposition/text-buffer.ts';

function written(write: (buffer: TextBuffer) => void): readonly Buffer[] {
  const buffer = new TextBuffer();
  write(buffer);
  buffer.flush();
  return buffer.take();
}

const textOf = (chunks: readonly Buffer[]): string => Buffer.concat(chunks).toString('utf8');

describe('text in buffers', () => {
  it('is the pieces in order, as UTF-8', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'grapheme', maxLength: 50 })), (pieces) => {
        const chunks = written((buffer) => {
          for (const piece of pieces) buffer.text(piece);
        });
        expect(textOf(chunks)).toBe(pieces.join(''));
      }),
    );
  });

  it('has every digit of a safe integer', () => {
    for (const value of [0, 9, 10, 99, 100, 4096, 999_999_999_999_999, Number.MAX_SAFE_INTEGER]) {
      expect(
        textOf(
          written((buffer) => {
            buffer.digits(value);
          }),
        ),
      ).toBe(String(value));
    }
    fc.assert(
      fc.property(fc.maxSafeNat(), (value) => {
        expect(
          textOf(
            written((buffer) => {
              buffer.digits(value);
            }),
          ),
        ).toBe(String(value));
      }),
    );
  });

  it('comes in chunks that never split a piece, and one longer than a chunk comes whole', () => {
    const long = 'ü'.repeat(100_000);
    const chunks = written((buffer) => {
      for (let i = 0; i < 10_000; i += 1) buffer.text('0123456789');
      buffer.text(long);
      buffer.ascii(0x0a);
    });
    expect(textOf(chunks)).toBe(`${'0123456789'.repeat(10_000)}${long}\n`);
    expect(chunks.slice(0, -1).every(({ length }) => length % 10 === 0)).toBe(true);
    expect(chunks[0]?.length).toBeGreaterThan(60_000);
    expect(chunks[0]?.length).toBeLessThanOrEqual(64 * 1024);
  });
});
