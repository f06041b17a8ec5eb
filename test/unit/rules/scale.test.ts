import { describe, expect, it } from 'vitest';

import { ALERT_GROUPS, RECORDING_GROUPS } from '../../../rules/src/pack.ts';
import {
  scaledAlerts,
  scaledDuration,
  scaledExpr,
  scaledRecordings,
} from '../../../rules/scale.ts';

describe('a pack that runs faster than the clock', () => {
  it('scales range selectors and offsets and leaves everything else as it is', () => {
    expect(
      scaledExpr('deriv(a{x="5m"}[6h]) < 0 # 5m\nor\nincrease(b_total[10m] offset 1h) > 300', 0.1),
    ).toBe(
      'deriv(a{x="5m"}[2160000ms]) < 0 # 5m\nor\nincrease(b_total[60000ms] offset 360000ms) > 300',
    );
  });

  it('scales the number that makes an increase of a rate with its window, and no other', () => {
    expect(scaledExpr('(rate(b_total[10m]) * 600) > 600 or rate(b_total[5m]) > 300', 0.1)).toBe(
      '(rate(b_total[60000ms]) * 60) > 600 or rate(b_total[30000ms]) > 300',
    );
  });

  it('keeps the names of recording rules', () => {
    expect(scaledExpr('instance:kvm_host_thp_splits:rate5m > 0', 0.01)).toBe(
      'instance:kvm_host_thp_splits:rate5m > 0',
    );
  });

  it('never scales a time to nothing', () => {
    expect(scaledDuration('1m', 1e-9)).toBe('1ms');
  });

  it('changes no rule by a factor of 1 but the way times are written', () => {
    const text = JSON.stringify([RECORDING_GROUPS, ALERT_GROUPS]);
    const asWritten = text.replaceAll(/(?<=[["]|offset )(\d+[mhd])\b/g, (one) =>
      scaledDuration(one, 1),
    );
    const scaled = [
      RECORDING_GROUPS.map((group) => scaledRecordings(group, 1)),
      ALERT_GROUPS.map((group) => scaledAlerts(group, 1)),
    ];
    expect(sorted(scaled)).toEqual(sorted(JSON.parse(asWritten)));
  });

  it('scales the waiting times of alerts', () => {
    const [group] = ALERT_GROUPS;
    const before = group?.rules.find(({ alert }) => alert === 'KvmHostCpuSaturated');
    const after =
      group && scaledAlerts(group, 0.1).rules.find(({ alert }) => alert === 'KvmHostCpuSaturated');
    expect([before?.for, after?.for]).toEqual(['15m', '90000ms']);
  });
});

/** Keys in one order: equal content is what counts. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .toSorted(([one], [other]) => one.localeCompare(other))
      .map(([key, one]) => [key, sorted(one)]),
  );
}
