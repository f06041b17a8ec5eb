import { describe, expect, it } from 'vitest';

import { findFamilyFaults, openMetricsName, type Family } from '../../../src/exposition/family.ts';

const gauge: Family = { name: 'kvm_x', help: 'h', type: 'gauge', unit: '', labels: [] };

describe('a family declaration', () => {
  it('is sound when name, type, unit and labels agree', () => {
    expect(
      findFamilyFaults({
        name: 'kvm_domain_vcpu_seconds_total',
        help: 'h',
        type: 'counter',
        unit: 'seconds',
        labels: ['domain', 'vcpu'],
      }),
    ).toEqual([]);
  });

  it.each<[string, Partial<Family>]>([
    ['a counter without _total', { type: 'counter' }],
    ['an info without _info', { type: 'info' }],
    ['a gauge that ends in _total', { name: 'kvm_x_total' }],
    ['a gauge that ends in _count', { name: 'kvm_x_count' }],
    ['a unit that is not in the name', { unit: 'bytes' }],
    ['an info with a unit', { type: 'info', name: 'kvm_bytes_info', unit: 'bytes' }],
    ['a name with a colon, kept for rules', { name: 'kvm:x' }],
    ['a name with a hyphen', { name: 'kvm-x' }],
    ['a reserved label', { labels: ['__name__'] }],
    ['a label named twice', { labels: ['a', 'a'] }],
    ['no help', { help: ' ' }],
  ])('is at fault with %s', (_, change) => {
    expect(findFamilyFaults({ ...gauge, ...change })).toHaveLength(1);
  });

  it('loses _total and _info in OpenMetrics, and nothing else', () => {
    expect(openMetricsName({ ...gauge, name: 'kvm_a_total', type: 'counter' })).toBe('kvm_a');
    expect(openMetricsName({ ...gauge, name: 'kvm_a_info', type: 'info' })).toBe('kvm_a');
    expect(openMetricsName({ ...gauge, name: 'kvm_a' })).toBe('kvm_a');
  });
});
