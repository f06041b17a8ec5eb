import { describe, expect, it } from 'vitest';

import { parseSoftnetDrops, readSoftnetDrops } from '../../../../src/sources/host/softnet.ts';
import { failureOf, HOST, valueIn } from '../../../support/sources/kernel-fixtures.ts';

describe('packets dropped from the queues of CPUs', () => {
  it('are hexadecimal, and added up over the CPUs', () => {
    expect(valueIn(readSoftnetDrops(HOST))).toBe(0x11 + 0xfffffffe);
  });

  it('are in the second column, of old kernels with fewer columns as well', () => {
    expect(valueIn(parseSoftnetDrops('00000010 00000002 00000000\n', 'softnet_stat'))).toBe(2);
  });

  it.each([
    ['has one column', '00000010\n'],
    ['is decimal', '16 2 0\n'],
    ['ends early', '00000010 000\n'],
    ['has nothing of a CPU', '00000010 00000002\n\n00000010 00000002\n'],
    ['is empty', '\n'],
  ])('are not told by a file that %s', (_, text) => {
    expect(failureOf(parseSoftnetDrops(text, 'softnet_stat'))).toBe('malformed');
  });

  it('are absent where the kernel has no network', () => {
    expect(failureOf(readSoftnetDrops({ ...HOST, procfs: '/nonexistent' }))).toBe('absent');
  });
});
