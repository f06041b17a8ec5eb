import { describe, expect, it } from 'vitest';

import { absenceFaults, restartFaults } from '../../../rules/robustness.ts';
import type { AlertRule } from '../../../rules/src/rule.ts';
import { SliceRunner } from '../../../rules/tool/run-tests.ts';
import type { RuleTest, TestFile } from '../../../rules/tool/test-file.ts';

const FIRES = 'KvmExample fires when it should';
const SILENT = 'KvmExample stays silent when nothing happens';

function rule(expr: string): AlertRule {
  return {
    alert: 'KvmExample',
    expr,
    labels: { severity: 'warning' },
    annotations: { summary: '', description: '', runbook_url: '', dashboard_url: '' },
  };
}

function test(name: string, series: Readonly<Record<string, string>>): RuleTest {
  const fires = name === FIRES;
  return {
    name,
    interval: '1m',
    input_series: Object.entries(series).map(([metric, values]) => ({
      series: `${metric}{instance="a"}`,
      values,
    })),
    alert_rule_test: [
      {
        eval_time: '8m',
        alertname: 'KvmExample',
        exp_alerts: fires ? [{ exp_labels: { instance: 'a', severity: 'warning' } }] : [],
      },
    ],
  };
}

function fileOf(...tests: readonly RuleTest[]): TestFile {
  return { rule_files: [], evaluation_interval: '1m', group_eval_order: [], tests: [...tests] };
}

async function without(
  expr: string,
  series: Readonly<Record<string, string>>,
  exceptions: Parameters<typeof absenceFaults>[4] = [],
) {
  await using runner = await SliceRunner.open();
  const rules = [rule(expr)];
  const groups = [{ name: 'alerts', rules }];
  return await absenceFaults(rules, groups, [fileOf(test(FIRES, series))], runner, exceptions);
}

async function afterRestart(
  expr: string,
  series: Readonly<Record<string, string>>,
  exceptions: Parameters<typeof restartFaults>[4] = [],
) {
  await using runner = await SliceRunner.open();
  const rules = [rule(expr)];
  const groups = [{ name: 'alerts', rules }];
  return await restartFaults(rules, groups, [fileOf(test(SILENT, series))], runner, exceptions);
}

describe('an alert whose data are missing', () => {
  const both = { kvm_a_bytes: '2+0x9', kvm_b_bytes: '1+0x9' };

  it('is all right when it fires only with all of them', async () => {
    expect(await without('kvm_a_bytes > kvm_b_bytes', both)).toEqual([]);
  });

  it('is at fault when it fires without one of them', async () => {
    expect(await without('kvm_a_bytes > kvm_b_bytes or kvm_a_bytes', both)).toEqual([
      `KvmExample (warning): fires without kvm_b_bytes in "${FIRES}"`,
    ]);
  });

  it('may fire without what it is excused for', async () => {
    const excuse = { alert: 'KvmExample', without: ['kvm_b_bytes'], why: 'it can do without' };
    expect(await without('kvm_a_bytes unless kvm_b_bytes > 1', both, [excuse])).toEqual([]);
  });

  it('has no excuse it does not need', async () => {
    const excuse = { alert: 'KvmExample', without: ['kvm_b_bytes'], why: 'no more' };
    expect(await without('kvm_a_bytes > kvm_b_bytes', both, [excuse])).toEqual([
      'KvmExample: excused for firing without kvm_b_bytes, and does not',
    ]);
  });

  it('must have a test from which something can be taken away', async () => {
    expect(await without('absent(kvm_a_bytes) == 1', {})).toEqual([
      'KvmExample (warning): no test in which something could be missing',
    ]);
    // A watchdog reads nothing.
    expect(await without('vector(1) == 1', {})).toEqual([]);
  });
});

describe('an alert whose counters begin anew', () => {
  const counter = { kvm_a_total: '1000+10x9' };

  it('is all right when it asks for a rate', async () => {
    expect(await afterRestart('rate(kvm_a_total[5m]) > 1', counter)).toEqual([]);
  });

  it('is at fault when it takes the counter for a gauge', async () => {
    expect(await afterRestart('deriv(kvm_a_total[5m]) < 0', counter)).toEqual([
      `KvmExample (warning): a restart wakes it in "${SILENT}"`,
    ]);
  });

  it('has no excuse it does not need', async () => {
    const excuse = { alert: 'KvmExample', why: 'no more' };
    expect(await afterRestart('rate(kvm_a_total[5m]) > 1', counter, [excuse])).toEqual([
      'KvmExample: excused for a restart, which does not wake it',
    ]);
  });

  it('must have a test in which they count', async () => {
    expect(await afterRestart('rate(kvm_a_total[5m]) > 1', {})).toEqual([
      'KvmExample (warning): reads counters, and no test could restart them',
    ]);
  });
});
