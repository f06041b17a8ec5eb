import { describe, expect, it } from 'vitest';

import { mutantsOf } from '../../../rules/tool/mutants.ts';

const expressionsOf = (expr: string): readonly string[] =>
  mutantsOf({ record: 'instance:kvm_x:sum', expr }).map(({ rule }) => rule.expr);

describe('mutants', () => {
  it('turn every comparison round and blur its edge', () => {
    expect(expressionsOf('a > b')).toEqual(['a >= b', 'a < b']);
    expect(expressionsOf('a == b')).toEqual(['a != b']);
  });

  it('move a limit by a tenth both ways and exchange its severity', () => {
    const limit = 'kvm_policy_cpu_load_ratio{severity="warning"}';
    expect(expressionsOf(limit)).toEqual([
      `(${limit} * 1.1)`,
      `(${limit} * 0.9)`,
      'kvm_policy_cpu_load_ratio{severity="critical"}',
    ]);
  });

  it('move the one limit that is 0 by one, because scaling it would change nothing', () => {
    const limit = 'kvm_policy_memory_oom_kills{severity="critical"}';
    expect(expressionsOf(limit).slice(0, 2)).toEqual([`(${limit} + 1)`, `(${limit} - 1)`]);
  });

  it('drop arms and turn them into their opposite', () => {
    expect(expressionsOf('a and b')).toEqual(['a', 'a unless b']);
    expect(expressionsOf('a or b')).toEqual(['a', 'b']);
  });

  it('drop matchers, negate them and move constants', () => {
    expect(expressionsOf('a{x="1"} * 2')).toEqual([
      'a{x="1"} / 2',
      'a{} * 2',
      'a{x!="1"} * 2',
      'a{x="1"} * 3',
      'a{x="1"} * 1',
    ]);
  });

  it('halve and double the time an alert waits, and let it stop early', () => {
    const changes = mutantsOf({
      alert: 'KvmX',
      expr: 'a',
      for: '10m',
      keepFiringFor: '5m',
      labels: { severity: 'warning' },
      annotations: { summary: '', description: '', runbook_url: '', dashboard_url: '' },
    }).map(({ change }) => change);
    expect(changes).toEqual([
      'for 10m => 300s',
      'for 10m => 1200s',
      'keep_firing_for 5m => none',
      'keep_firing_for 5m => 600s',
    ]);
  });
});
