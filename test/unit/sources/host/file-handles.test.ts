import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

import { parseFileHandles, readFileHandles } from '../../../../src/sources/host/file-handles.ts';
import { failureOf, valueIn } from '../../../support/sources/kernel-fixtures.ts';

describe('the file handles of the host', () => {
  it('are those of this kernel', async () => {
    const { allocated, limit } = valueIn(await readFileHandles());
    const [, , max] = readFileSync('/proc/sys/fs/file-nr', 'utf8').trim().split('\t');
    expect(limit).toBe(Number(max));
    expect(allocated).toBeGreaterThan(0);
    expect(allocated).toBeLessThanOrEqual(limit);
  });

  it('may have a limit nobody reaches, as systemd sets it', () => {
    const limit = Number('9223372036854775807');
    expect(valueIn(parseFileHandles({ allocated: 9_000, max: limit }))).toEqual({
      allocated: 9_000,
      limit,
    });
  });

  it.each([
    ['there is no such file', null, null, 'unreadable'],
    ['only the limit is known', null, 2_466_160, 'unreadable'],
    ['they are words', Number.NaN, Number.NaN, 'malformed'],
    ['they are negative', -1, 2_466_160, 'malformed'],
    ['they have 400 digits', 5, Number('7'.repeat(400)), 'malformed'],
  ])('are missing rather than 0 when %s', (_, allocated, max, failure) => {
    expect(failureOf(parseFileHandles({ allocated, max }))).toBe(failure);
  });
});
