import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';

import { SharedBody } from '../../../src/web/shared-body.ts';
import { SharedWork } from '../../../src/web/shared-work.ts';

const CHUNKS = 10;

/** A body of ten chunks that notes how far it was made, and whether it was told to stop. */
function counted(failsAt = Number.POSITIVE_INFINITY) {
  const state = { made: 0, ended: false };
  const make = async function* (): AsyncGenerator<Buffer, void, void> {
    try {
      for (let i = 0; i < CHUNKS; i += 1) {
        await nextTurn();
        if (i === failsAt) throw new Error('no more');
        state.made += 1;
        yield Buffer.from(String(i));
      }
    } finally {
      state.ended = true;
    }
  };
  return { state, body: new SharedBody(make()) };
}

async function textOf(chunks: AsyncIterable<Buffer>): Promise<string> {
  let text = '';
  for await (const chunk of chunks) text += chunk.toString();
  return text;
}

describe('a body for several', () => {
  it('is made once, and each gets all of it', async () => {
    const { state, body } = counted();
    const readers = Array.from({ length: 5 }, () => body.open());
    expect(await Promise.all(readers.map(textOf))).toEqual(Array(5).fill('0123456789'));
    expect(state).toEqual({ made: CHUNKS, ended: true });
  });

  it('waits for the slow, who miss nothing', async () => {
    const { body } = counted();
    const slow = body.open();
    expect(await textOf(body.open())).toBe('0123456789');
    expect(await textOf(slow)).toBe('0123456789');
  });

  it('can be joined until its beginning is gone', async () => {
    const { body } = counted();
    const first = body.open();
    await first.next();
    expect(body.joinable).toBe(true);
    const second = body.open();
    await first.next();
    await second.next();
    await second.next();
    expect(body.joinable).toBe(false);
    expect(() => body.open()).toThrow('beginning');
  });

  it('is made no further when the last reader has gone, even in the middle of a chunk', async () => {
    const { state, body } = counted();
    const [first, second] = [body.open(), body.open()];
    await first.next();
    await first.return();
    expect(state.ended).toBe(false);
    const chunk = second.next();
    await second.return();
    await chunk;
    while (!state.ended) await nextTurn();
    expect(state.made).toBeLessThan(3);
    expect(body.joinable).toBe(false);
  });

  it('fails for all when it fails', async () => {
    const { body } = counted(2);
    const readers = [body.open(), body.open()].map(textOf);
    for (const one of await Promise.allSettled(readers)) {
      expect(one).toMatchObject({ status: 'rejected', reason: new Error('no more') });
    }
    expect(body.joinable).toBe(false);
  });
});

describe('work for several', () => {
  it('goes on while one of them waits, and stops when the last has gone', async () => {
    let stop: AbortSignal | undefined;
    const made = Promise.withResolvers<string>();
    const work = new SharedWork((signal) => {
      stop = signal;
      signal.addEventListener('abort', () => {
        made.reject(new Error('nobody waits'));
      });
      return made.promise;
    });
    const [a, b] = [new AbortController(), new AbortController()];
    const results = [work.join(a.signal), work.join(b.signal)];
    a.abort();
    expect(stop?.aborted).toBe(false);
    b.abort();
    expect(stop?.aborted).toBe(true);
    expect(work.stopped).toBe(true);
    for (const result of results) await expect(result).rejects.toThrow('nobody waits');
  });

  it('is not begun again for one who went before', async () => {
    const work = new SharedWork(() => Promise.resolve(1));
    await expect(work.join(AbortSignal.abort())).rejects.toThrow('aborted');
    expect(await work.join(new AbortController().signal)).toBe(1);
  });
});
