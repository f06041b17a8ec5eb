import { describe, expect, it } from 'vitest';

import { coverageFaults } from '../../../rules/coverage.ts';
import type { AlertRule, RecordingRule, Severity } from '../../../rules/src/rule.ts';
import type { RuleTest } from '../../../rules/tool/test-file.ts';

function rule(severity: Severity, more: Pick<AlertRule, 'keepFiringFor'> = {}): AlertRule {
  return {
    alert: 'KvmExample',
    expr: 'kvm_memory_supply_bytes > 0',
    ...more,
    labels: { severity },
    annotations: { summary: '', description: '', runbook_url: '', dashboard_url: '' },
  };
}

/** A test that expects the alert at the given severities. */
function test(name: string, ...severities: readonly Severity[]): RuleTest {
  return {
    name,
    interval: '1m',
    input_series: [],
    alert_rule_test: [
      {
        eval_time: '1m',
        alertname: 'KvmExample',
        exp_alerts: severities.map((severity) => ({ exp_labels: { severity } })),
      },
    ],
  };
}

function faults(
  rules: readonly AlertRule[],
  tests: readonly RuleTest[],
  records: readonly RecordingRule[] = [],
): readonly string[] {
  return coverageFaults([{ name: 'records', rules: records }], [{ name: 'alerts', rules }], tests);
}

const FIRES = test('KvmExample fires when it should', 'warning');
const SILENT = test('KvmExample stays silent at the limit');

describe('the tests of an alert', () => {
  it('are enough when one expects it and one expects nothing', () => {
    expect(faults([rule('warning')], [FIRES, SILENT])).toEqual([]);
  });

  it('lack one in which it fires', () => {
    expect(faults([rule('warning')], [SILENT])).toEqual([
      'KvmExample (warning): no test in which it fires',
    ]);
  });

  it('lack one in which it is silent', () => {
    expect(faults([rule('warning')], [FIRES])).toEqual([
      'KvmExample (warning): no test "KvmExample stays silent …"',
    ]);
  });

  it('do not show silence when a test of that name expects it to fire', () => {
    const wrong = test('KvmExample stays silent at the limit', 'warning');
    expect(faults([rule('warning')], [FIRES, wrong])).toEqual([
      'KvmExample (warning): no test "KvmExample stays silent …"',
    ]);
  });

  it('lack one in which it is a warning and not yet critical', () => {
    const critical = test('KvmExample is critical above the critical limit', 'critical');
    expect(faults([rule('warning'), rule('critical')], [FIRES, SILENT, critical])).toEqual([
      'KvmExample (critical): no test "KvmExample is only a warning …"',
    ]);
  });

  it('lack one that it keeps firing, where it should', () => {
    expect(faults([rule('warning', { keepFiringFor: '5m' })], [FIRES, SILENT])).toEqual([
      'KvmExample (warning): no test that it keeps firing for 5m',
    ]);
  });

  it('belong to the alert their name begins with', () => {
    const other = test('KvmOther fires, and KvmExample too', 'warning');
    expect(faults([rule('warning')], [other, SILENT])).toEqual([
      'KvmExample (warning): no test in which it fires',
    ]);
  });
});

describe('all tests', () => {
  it('reach every recording rule', () => {
    const unused = {
      record: 'instance:kvm_memory_supply_bytes:sum',
      expr: 'kvm_memory_supply_bytes',
    };
    expect(faults([rule('warning')], [FIRES, SILENT], [unused])).toEqual([
      'instance:kvm_memory_supply_bytes:sum: no test reaches it',
    ]);
  });

  it('have names of their own', () => {
    expect(faults([rule('warning')], [FIRES, SILENT, SILENT])).toEqual([
      'two tests are called "KvmExample stays silent at the limit"',
    ]);
  });
});
