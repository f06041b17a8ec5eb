import { describe, expect, it } from 'vitest';

import { FAULTS } from '../../support/hang/faults.ts';
import { rowName } from '../../support/hang/row.ts';
import { allRows, chooseRows, COUNTS, leftOut, usualRows } from '../../hang/rows.ts';

describe('the cases of a usual hang test', () => {
  const usual = usualRows(60, 10);

  it('have every fault, every count, and both states of the daemon', () => {
    expect(new Set(usual.map(({ fault }) => fault))).toEqual(new Set(FAULTS));
    expect(new Set(usual.map(({ count }) => count))).toEqual(new Set(COUNTS));
    expect(new Set(usual.map(({ daemon }) => daemon))).toEqual(new Set(['fresh', 'warm']));
  });

  it('are repeated where half of the runs went wrong: 6 and 10 stopped on a fresh daemon', () => {
    expect(usual.filter(({ repeats }) => repeats > 1).map(rowName)).toEqual([
      '6 stopped mixed fresh',
      '10 stopped mixed fresh',
    ]);
  });

  it('and those left out are all there are', () => {
    const out = leftOut(60, usual).flatMap((line) => {
      const [, counts = '', faults = ''] = /daemon, (.*) of 60: (.*)$/.exec(line) ?? [];
      return counts.split(', ').flatMap((count) => faults.split(', ').map((f) => `${count} ${f}`));
    });
    expect(out.length + usual.length).toBe(allRows(60).length);
  });

  it('with fewer guests have all of them where 60 have 60', () => {
    const names = usualRows(20, 1).map(rowName);
    expect(names).toContain('20 stopped mixed fresh');
    expect(names).not.toContain('30 stopped mixed fresh');
  });
});

describe('choosing cases', () => {
  it('takes those that have all words of a pattern, of several patterns', () => {
    const names = chooseRows(allRows(60), '6 stopped fresh mixed, 10 vcpu frozen warm').map(
      rowName,
    );
    expect(names).toEqual([
      '6 stopped mixed fresh',
      '10 vcpu frozen mixed warm',
      '10 vcpu frozen started warm',
      '10 vcpu frozen paused warm',
    ]);
  });
});
