import { describe, expect, it } from 'vitest';

import { Deadline } from '../../../../src/runtime/deadline.ts';
import { DeadlineFileReader } from '../../../../src/sources/kernel/deadline-file.ts';
import { parseSmapsRollup, readSmapsRollup } from '../../../../src/sources/process/smaps-rollup.ts';
import { failureOf, HOST, valueIn } from '../../../support/sources/kernel-fixtures.ts';

describe('smaps_rollup', () => {
  it('counts each shared page in part, in bytes', async () => {
    const rollup = valueIn(
      await readSmapsRollup(HOST, 4242, new DeadlineFileReader(), Deadline.in(1000)),
    );
    expect(rollup.residentBytes).toBe(12 * 2 ** 30);
    expect(rollup.proportionalBytes).toBe(9 * 2 ** 30);
    expect(rollup.ksmBytes).toBe(3 * 2 ** 30);
    expect(rollup.anonymousHugePageBytes).toBe(8 * 2 ** 30);
    expect(rollup.swappedBytes).toBe(540_672 * 1024);
    expect(rollup.lockedBytes).toBe(0);
  });

  it('of an old kernel lacks what came later', () => {
    const text = '55b1-7fff ---p 00000000 00:00 0   [rollup]\nRss:  8 kB\nPss:  4 kB\n';
    const rollup = valueIn(parseSmapsRollup(text, 'smaps_rollup'));
    expect(rollup.proportionalBytes).toBe(4096);
    expect(rollup.ksmBytes).toBeUndefined();
    expect(rollup.proportionalDirtyBytes).toBeUndefined();
  });

  it('is absent when the process is gone, malformed without Pss', async () => {
    const gone = await readSmapsRollup(HOST, 999_999, new DeadlineFileReader(), Deadline.in(1000));
    expect(failureOf(gone)).toBe('absent');
    expect(failureOf(parseSmapsRollup('Rss: 8 kB\n', 'smaps_rollup'))).toBe('malformed');
  });
});
