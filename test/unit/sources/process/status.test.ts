import { describe, expect, it } from 'vitest';

import { parseProcessStatus, readProcessStatus } from '../../../../src/sources/process/status.ts';
import { failureOf, HOST, valueIn } from '../../../support/sources/kernel-fixtures.ts';

describe('process status', () => {
  it('of a guest says where its memory is, in bytes', () => {
    expect(valueIn(readProcessStatus(HOST, 4242))).toEqual({
      virtualBytes: 18_527_240 * 1024,
      residentBytes: 12 * 2 ** 30,
      residentAnonymousBytes: 12_320_768 * 1024,
      residentFileBytes: 21_888 * 1024,
      residentSharedBytes: 240_256 * 1024,
      swappedBytes: 512 * 2 ** 20,
      hugetlbBytes: 2 * 2 ** 30,
      lockedBytes: 0,
      pinnedBytes: 16 * 2 ** 20,
      threads: 9,
      voluntaryContextSwitches: 2500,
      involuntaryContextSwitches: 808,
      allowedCpus: '0-4,7',
      allowedNodes: '0-1',
    });
  });

  it.each([
    ['a zombie', 4300],
    ['a kernel thread', 37],
  ])('of %s knows no memory, which is not 0 memory', (_, pid) => {
    const status = valueIn(readProcessStatus(HOST, pid));
    expect(status.residentBytes).toBeUndefined();
    expect(status.swappedBytes).toBeUndefined();
    expect(status.hugetlbBytes).toBeUndefined();
    expect(status.threads).toBe(1);
  });

  it('is not confused by a process which calls itself VmRSS', () => {
    // The kernel shows a newline in a name as \\n.
    const text = 'Name:\tx\\nVmRSS:9\nState:\tS (sleeping)\nVmRSS:\t       4 kB\n';
    expect(valueIn(parseProcessStatus(text, 'status')).residentBytes).toBe(4096);
  });

  it('is absent when the process is gone, malformed when it is something else', () => {
    expect(failureOf(readProcessStatus(HOST, 999_999))).toBe('absent');
    expect(failureOf(parseProcessStatus('', 'status'))).toBe('malformed');
  });
});
