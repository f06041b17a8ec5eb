import { Readable } from 'node:stream';
import { createGzip } from 'node:zlib';

import { TimeSlice } from '../runtime/time-slice.ts';
import type { Format } from './format.ts';
import { ExpositionWriter, type WriterOptions } from './writer.ts';

/**
 * Writes all families. It yields wherever a pause would do, for instance after some guests: the
 * renderer decides whether to pause there. Work between two yields must stay well below a
 * millisecond.
 */
export type Producer = (writer: ExpositionWriter) => Iterable<void>;

export interface RenderResult {
  readonly samples: number;
  /** Samples left out as duplicates; more than 0 is worth a log line. */
  readonly dropped: number;
}

/**
 * Renders an exposition as Buffers of about 64 KiB, giving the event loop a turn at least every
 * few milliseconds. Returns the totals when done. An error of the producer passes through.
 */
export async function* render(
  produce: Producer,
  format: Format,
  options?: WriterOptions,
): AsyncGenerator<Buffer, RenderResult, void> {
  const writer = new ExpositionWriter(format, options);
  const steps = produce(writer)[Symbol.iterator]();
  try {
    const slice = new TimeSlice();
    while (steps.next().done !== true) {
      if (!slice.isOver) continue;
      yield* writer.take();
      await slice.nextTurn();
    }
    writer.end();
    yield* writer.take();
  } finally {
    // The reader may have gone away in the middle.
    steps.return?.();
  }
  return { samples: writer.samples, dropped: writer.dropped };
}

/** A response body: the chunks as they are, or through gzip (which zlib does on its own thread). */
export function bodyStream(chunks: AsyncIterable<Buffer>, encoding: 'gzip' | 'identity'): Readable {
  const plain = Readable.from(chunks, { objectMode: false });
  if (encoding === 'identity') return plain;
  // Level 1: exposition text shrinks tenfold already, higher levels cost more CPU than they save.
  const gzip = createGzip({ level: 1 });
  plain.once('error', (error) => gzip.destroy(error));
  gzip.once('close', () => plain.destroy());
  return plain.pipe(gzip);
}
