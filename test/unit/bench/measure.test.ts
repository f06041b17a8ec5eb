import { describe, expect, it } from 'vitest';

import { integerFlag } from '../../support/measure/integer-flag.ts';
import { countSeries, valueOfSeries } from '../../support/measure/series.ts';
import { mean, median } from '../../support/measure/statistics.ts';
import { markdownTable } from '../../support/measure/table.ts';

const EXPOSITION = `# HELP kvm_domain_info About a guest.
# TYPE kvm_domain_info gauge
kvm_domain_info{domain="web",uuid="1"} 1
kvm_domain_info{domain="web-2",uuid="2"} 1
kvm_domain_vcpu_seconds_total{domain="web",vcpu="0"} 12.5
kvm_libvirt_up 1
# EOF
`;

describe('counting series', () => {
  it('counts samples, not comments', () => {
    expect(countSeries(EXPOSITION, []).total).toBe(4);
  });

  it('counts for a guest the series that bear exactly its name', () => {
    const { byGuest } = countSeries(EXPOSITION, ['web', 'web-2', 'db']);
    expect([...byGuest]).toEqual([
      ['web', 2],
      ['web-2', 1],
      ['db', 0],
    ]);
  });

  it('finds the value of a series by its beginning', () => {
    expect(valueOfSeries(EXPOSITION, 'kvm_libvirt_up ')).toBe(1);
    expect(valueOfSeries(EXPOSITION, 'kvm_domain_vcpu_seconds_total{domain="web"')).toBe(12.5);
    expect(valueOfSeries(EXPOSITION, 'kvm_missing')).toBeUndefined();
  });
});

describe('summing up measurements', () => {
  it('takes the middle of an odd number and the mean of the two middle ones of an even one', () => {
    expect(median([30, 10, 20])).toBe(20);
    expect(median([40, 10, 30, 20])).toBe(25);
  });

  it('takes the mean where the clock is too coarse for a median', () => {
    expect(mean([10, 10, 40])).toBe(20);
  });

  it('refuses to sum up nothing', () => {
    expect(() => median([])).toThrow(RangeError);
  });

  it('prints names to the left and numbers to the right', () => {
    expect(markdownTable(['', 'ours'], [['series', '7']])).toBe(
      ['|        | ours |', '| ------ | ---: |', '| series |    7 |'].join('\n'),
    );
  });
});

describe('a flag that takes a whole number', () => {
  it('gives the number', () => {
    expect(integerFlag('guests', '50', 1, 100)).toBe(50);
  });

  it.each(['0', '101', '5x', '', '-1', '1.5'])('refuses %j', (text) => {
    expect(() => integerFlag('guests', text, 1, 100)).toThrow(/--guests/);
  });
});
