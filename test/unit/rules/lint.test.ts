import { describe, expect, it } from 'vitest';

import { alertFaults, lintFaults, recordFaults } from '../../../rules/lint.ts';
import { RUNBOOK_BASE_URL } from '../../../rules/src/annotations.ts';
import type { AlertRule, Severity } from '../../../rules/src/rule.ts';

function record(name: string, expr: string): readonly string[] {
  return recordFaults({ record: name, expr }).map((fault) => fault.slice(name.length + 2));
}

const BUSIEST =
  '{{ with query (printf `topk(1, kvm_domain_vcpus{job=%q})` $labels.job) }}{{ . }}{{ end }}';

function alert(
  expr: string,
  change: { name?: string; summary?: string; description?: string; for?: string } = {},
) {
  const name = change.name ?? 'KvmExample';
  const severity: Severity = 'warning';
  const rule: AlertRule = {
    alert: name,
    expr,
    ...(change.for === undefined ? {} : { for: change.for }),
    labels: { severity },
    annotations: {
      summary: change.summary ?? 'Something is wrong.',
      description: change.description ?? `{{ $labels.instance }} is wrong. Busiest: ${BUSIEST}.`,
      runbook_url: `${RUNBOOK_BASE_URL}/${name}.md`,
      dashboard_url: '/d/kvm-host',
    },
  };
  return alertFaults(rule).map((fault) => fault.slice(`${name} (warning): `.length));
}

describe('the pack', () => {
  it('follows its conventions', () => {
    expect(lintFaults()).toEqual([]);
  });
});

describe('a recording rule', () => {
  it('is named level:metric:operation', () => {
    expect(record('kvm_memory_ratio', 'kvm_memory_supply_bytes')).toContain(
      'the name is not level:metric:operation',
    );
  });

  it('must have the labels its level promises', () => {
    expect(
      record('instance_domain:kvm_domain_vcpus:sum', 'sum without (domain) (kvm_domain_vcpus)'),
    ).toEqual(['its level says domain, its series have none']);
  });

  it('must read metrics of the catalogue', () => {
    expect(record('instance:kvm_invented:sum', 'kvm_invented_bytes')).toEqual([
      'kvm_invented_bytes is neither in the catalogue nor a recording rule',
    ]);
  });

  it('must match on labels that are there', () => {
    expect(record('instance:kvm_domain_vcpus:sum', 'kvm_domain_vcpus{vcpu="0"}')).toEqual([
      'kvm_domain_vcpus has no label vcpu',
    ]);
  });

  it('must not join series that can never have the same labels', () => {
    expect(
      record('instance_domain:kvm_domain_vcpus:ratio', 'kvm_domain_vcpus / kvm_host_online_cpus'),
    ).toEqual([
      'Div can never match series with {job,instance,cluster,domain} and {job,instance,cluster}',
    ]);
  });

  it('must not divide bytes by seconds and call it a ratio', () => {
    expect(
      record(
        'instance:kvm_memory_supply:ratio',
        'kvm_memory_supply_bytes / kvm_host_boot_time_seconds',
      ),
    ).toEqual(['a ratio of unlike units']);
  });

  it('must not compare bytes with seconds', () => {
    expect(
      record(
        'instance:kvm_memory_supply:sum',
        'kvm_memory_supply_bytes > kvm_host_boot_time_seconds',
      ),
    ).toEqual(['bytes^1 seconds^0 > bytes^0 seconds^1: unlike units']);
  });

  it('must read counters through rate and gauges without', () => {
    expect(record('instance:kvm_host_oom_kills:sum', 'kvm_host_oom_kills_total')).toEqual([
      'kvm_host_oom_kills_total is a counter and is read without rate',
    ]);
    expect(record('instance:kvm_host_load1:sum', 'rate(kvm_host_load1[5m])')).toEqual([
      'rate of kvm_host_load1, which is a gauge',
    ]);
  });

  it('must have times that a lab can scale', () => {
    expect(
      record('instance:kvm_host_oom_kills:sum', 'increase(kvm_host_oom_kills_total[1h30m])'),
    ).toEqual(['1h30m is not one number of minutes, hours or days']);
  });

  it('must be PromQL', () => {
    expect(record('instance:kvm_host_load1:sum', 'sum(kvm_host_load1')[0]).toMatch(/^not PromQL/);
  });
});

describe('an alert', () => {
  const limit =
    'on (cluster, job, instance) group_left () kvm_policy_cpu_load_ratio{severity="warning"}';

  it('that keeps to everything has no faults', () => {
    expect(alert(`kvm_host_load1 > ${limit}`)).toEqual([]);
  });

  it('must take its limit from the policy', () => {
    expect(alert('kvm_host_load1 > 4')).toEqual([
      'compares with 4 instead of a limit of the policy',
    ]);
  });

  it('must have a summary that is one sentence without a template', () => {
    expect(
      alert(`kvm_host_load1 > ${limit}`, { summary: 'load of {{ $labels.instance }}' }),
    ).toEqual(['the summary is no sentence', 'the summary has a template']);
  });

  it('must not use a label its series do not have', () => {
    expect(
      alert(`kvm_host_load1 > ${limit}`, {
        description: `{{ $labels.domain }} is wrong: ${BUSIEST}.`,
      }),
    ).toEqual(['an annotation uses domain, its series have none']);
  });

  it('about a guest must name it', () => {
    expect(alert('kvm_domain_monitor_responsive == 0')).toEqual([
      'the description does not name the guest',
    ]);
  });

  it('must ask in its description for series that exist', () => {
    const description =
      '{{ $labels.instance }}: {{ query (printf `topk(3, kvm_invented{job=%q})` $labels.job) }}.';
    expect(alert(`kvm_host_load1 > ${limit}`, { description })).toEqual([
      'kvm_invented is neither in the catalogue nor a recording rule',
    ]);
  });

  it('must say who could be moved or made smaller', () => {
    const description = '{{ $labels.instance }} is wrong.';
    expect(alert(`kvm_host_load1 > ${limit}`, { description })).toEqual([
      'the description asks for no candidates for mitigation',
    ]);
  });

  it('must show numbers so that people can read them', () => {
    const description = `{{ $labels.instance }} is at {{ $value }}: ${BUSIEST}.`;
    expect(alert(`kvm_host_load1 > ${limit}`, { description })).toEqual([
      'the description shows a number nobody can read',
    ]);
  });

  it('must have a name of at most 40 characters', () => {
    const name = 'KvmSomethingIsVeryMuchOutOfOrderWithThisHost';
    expect(alert(`kvm_host_load1 > ${limit}`, { name })).toEqual(['a name of 44 characters']);
  });
});
