import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { Deadline } from '../../../src/runtime/deadline.ts';
import { DeadlineFileReader } from '../../../src/sources/kernel/deadline-file.ts';
import { makeFifo, releaseFifo } from '../../support/fifo.ts';
import { failureOf, valueIn } from '../../support/sources/kernel-fixtures.ts';

describe('reading under a deadline', () => {
  let directory: string;
  let files: DeadlineFileReader;
  const path = (name: string): string => join(directory, name);
  const makePipe = (name: string): string => makeFifo(path(name));

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'deadline-'));
    files = new DeadlineFileReader();
    writeFileSync(path('plain'), 'text');
  });
  afterEach(() => {
    rmSync(directory, { recursive: true });
  });

  it('gives the text when it comes in time', async () => {
    expect(valueIn(await files.read(path('plain'), Deadline.in(1000)))).toBe('text');
  });

  it('gives the reason when there is no file', async () => {
    expect(failureOf(await files.read(path('missing'), Deadline.in(1000)))).toBe('absent');
  });

  it('queues more than two at once and answers all', async () => {
    for (const name of ['a', 'b', 'c', 'd', 'e']) writeFileSync(path(name), name);
    const texts = await Promise.all(
      ['a', 'b', 'c', 'd', 'e'].map((name) => files.read(path(name), Deadline.in(1000))),
    );
    expect(texts.map(valueIn)).toEqual(['a', 'b', 'c', 'd', 'e']);
  });

  it('times out, lets others pass, and does not ask a stuck file again', async () => {
    const stuck = makePipe('stuck');
    expect(failureOf(await files.read(stuck, Deadline.in(20)))).toBe('timeout');
    expect(failureOf(await files.read(stuck, Deadline.in(20)))).toBe('timeout');
    expect(valueIn(await files.read(path('plain'), Deadline.in(1000)))).toBe('text');
    releaseFifo(stuck);
  });

  it('refuses at once when two are stuck, and works again when they come back', async () => {
    const pipes = [makePipe('one'), makePipe('two')];
    const stuck = await Promise.all(pipes.map((pipe) => files.read(pipe, Deadline.in(20))));
    expect(stuck.map(failureOf)).toEqual(['timeout', 'timeout']);

    const before = performance.now();
    expect(failureOf(await files.read(path('plain'), Deadline.in(10_000)))).toBe('timeout');
    expect(performance.now() - before).toBeLessThan(9000);

    pipes.forEach(releaseFifo);
    await expect
      .poll(async () => (await files.read(path('plain'), Deadline.in(1000))).ok, {
        timeout: 10_000,
      })
      .toBe(true);
  });
});
