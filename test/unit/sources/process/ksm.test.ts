import { describe, expect, it } from 'vitest';

import { Deadline } from '../../../../src/runtime/deadline.ts';
import { DeadlineFileReader } from '../../../../src/sources/kernel/deadline-file.ts';
import { parseProcessKsm, ProcessKsmReader } from '../../../../src/sources/process/ksm.ts';
import type { Roots } from '../../../../src/sources/kernel/roots.ts';
import { failureOf, HOST, valueIn } from '../../../support/sources/kernel-fixtures.ts';

const reader = (roots: Roots): ProcessKsmReader =>
  new ProcessKsmReader(roots, new DeadlineFileReader());

describe('KSM of a process', () => {
  it('of a new kernel comes in two syntaxes', async () => {
    expect(valueIn(await reader(HOST).read(4242, Deadline.in(1000)))).toEqual({
      rmapItems: 1_048_576,
      zeroPages: 1000,
      mergingPages: 786_432,
      // (786,432 + 1,000) pages - 64 bytes for each rmap item.
      profitBytes: 787_432 * 4096 - 1_048_576 * 64,
      mergeAny: false,
      mergeable: true,
    });
  });

  it('of kernel 6.12 has four lines, and may be a loss', async () => {
    expect(valueIn(await reader(HOST).read(6012, Deadline.in(1000)))).toEqual({
      rmapItems: 4096,
      zeroPages: 16,
      mergingPages: 12,
      profitBytes: 28 * 4096 - 4096 * 64,
      mergeAny: undefined,
      mergeable: undefined,
    });
  });

  it('of kernel 6.1 has its merged pages in a file of their own', async () => {
    expect(valueIn(await reader(HOST).read(6001, Deadline.in(1000)))).toEqual({
      rmapItems: 4096,
      zeroPages: undefined,
      mergingPages: 2048,
      profitBytes: undefined,
      mergeAny: undefined,
      mergeable: undefined,
    });
  });

  it('is absent for a zombie, whose file is empty, and for a process that is gone', async () => {
    expect(failureOf(await reader(HOST).read(4300, Deadline.in(1000)))).toBe('absent');
    expect(failureOf(await reader(HOST).read(999_999, Deadline.in(1000)))).toBe('absent');
  });

  it('is malformed when the file says something else', () => {
    expect(failureOf(parseProcessKsm('VmRSS: 12 kB\n', 'ksm_stat'))).toBe('malformed');
  });
});
