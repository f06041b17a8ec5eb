import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { formatCpuList, parseCpuList } from '../../../../src/model/facts/cpu-list.ts';
import { failureOf, valueIn } from '../../../support/sources/kernel-fixtures.ts';

const parse = (text: string): readonly number[] => valueIn(parseCpuList(text, 'list'));

describe('a CPU list', () => {
  it('is of single CPUs and ranges', () => {
    expect(parse('0-2,5,7-8\n')).toEqual([0, 1, 2, 5, 7, 8]);
    expect(parse('\n')).toEqual([]);
  });

  it('may be (null), which nohz_full says when unset', () => {
    expect(parse('  (null)\n')).toEqual([]);
  });

  it('may exclude CPUs named before, as libvirt writes a cpuset', () => {
    expect(parse('0-7,^3,^5')).toEqual([0, 1, 2, 4, 6, 7]);
    // From left to right: what is added after the exclusion stays.
    expect(parse('^3,0-3')).toEqual([0, 1, 2, 3]);
  });

  it('is malformed when a range runs backwards, is open, excluded, or not of numbers', () => {
    for (const text of ['3-1', '1-', '-1', '0-7,^2-3', 'all', '0x3', '1,,2', '0-4294967295']) {
      expect([text, failureOf(parseCpuList(text, 'list'))]).toEqual([text, 'malformed']);
    }
  });

  it('is written in the shortest form', () => {
    expect(formatCpuList([8, 0, 1, 2, 5, 2])).toBe('0-2,5,8');
    expect(formatCpuList([])).toBe('');
  });

  it('reads back as what was written', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.integer({ min: 0, max: 1023 })), (cpus) => {
        expect(parse(formatCpuList(cpus))).toEqual([...cpus].sort((a, b) => a - b));
      }),
    );
  });
});
