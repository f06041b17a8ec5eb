import { describe, expect, it } from 'vitest';

import {
  alertFaults,
  lintFaults,
  lossFaults,
  recordFaults,
  skewFaults,
} from '../../../rules/lint.ts';
import { RUNBOOK_BASE_URL } from '../../../rules/src/annotations.ts';
import { increaseOf } from '../../../rules/src/counter.ts';
import { ALERT_GROUPS, RECORDING_GROUPS } from '../../../rules/src/pack.ts';
import type { AlertRule, RecordingRule, Severity } from '../../../rules/src/rule.ts';

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
      record('instance:kvm_host_oom_kills:sum', 'rate(kvm_host_oom_kills_total[1h30m])'),
    ).toEqual(['1h30m is not one number of minutes, hours or days']);
  });

  it('must not count a first value from 0, as MetricsQL does in increase()', () => {
    expect(
      record('instance:kvm_host_oom_kills:sum', 'increase(kvm_host_oom_kills_total[10m])'),
    ).toEqual(['increase() counts a first value from 0 in MetricsQL: use increaseOf()']);
    expect(
      record('instance:kvm_host_oom_kills:sum', increaseOf('kvm_host_oom_kills_total', '10m')),
    ).toEqual([]);
    expect(
      record('instance:kvm_host_oom_kills:sum', 'rate(kvm_host_oom_kills_total[10m]) * 60'),
    ).toEqual(['a rate over 10m times 60 is no increase']);
  });

  it('must not leave a side that may have no label for a number', () => {
    const sum = 'sum by (cluster) (kvm_memory_supply_bytes)';
    expect(record('cluster:kvm_memory_supply:ratio', `${sum} / ${sum}`)).toEqual([
      '/ between series that may have no label needs on (cluster)',
    ]);
    expect(record('cluster:kvm_memory_supply:ratio', `${sum} / on (cluster) ${sum}`)).toEqual([]);
  });

  it('must be PromQL', () => {
    expect(record('instance:kvm_host_load1:sum', 'sum(kvm_host_load1')[0]).toMatch(/^not PromQL/);
  });
});

describe('an alert on an engine whose rules see what others recorded one evaluation later', () => {
  const rule = {
    alert: 'KvmExample',
    // The one side is recorded from what is recorded, the other as it is scraped.
    expr: 'instance:kvm_memory_promised_per_capacity:ratio and on (cluster, job, instance) kvm_libvirt_up',
    labels: { severity: 'warning' },
    annotations: { summary: '', description: '', runbook_url: '', dashboard_url: '' },
  } as const;

  it('must wait until its data are of one time', () => {
    expect(skewFaults([rule, { ...rule, for: '5m' }])).toEqual([
      'KvmExample (warning): its data are up to 2 evaluations apart, and it waits for 0',
    ]);
  });

  it('need not where all of them are late by as much', () => {
    const expr = 'instance:kvm_host_oom_kills:increase10m > 1';
    expect(skewFaults([{ ...rule, expr }])).toEqual([]);
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

describe('level 3 of the risk', () => {
  const alerts = ALERT_GROUPS.flatMap(({ rules }) => rules);
  const recordings = RECORDING_GROUPS.flatMap(({ rules }) => rules);
  const counting = 'instance:kvm_memory_loss_host_stalled:count';
  const changed = (
    is: (rule: RecordingRule) => boolean,
    change: Partial<RecordingRule>,
  ): readonly RecordingRule[] =>
    recordings.map((rule) => (is(rule) ? { ...rule, ...change } : rule));

  it('must be of the very expression of the alert that pages', () => {
    const page = alerts.find(
      ({ alert: name, labels }) =>
        name === 'KvmHostMemoryPressure' && labels.severity === 'critical',
    );
    if (page === undefined) throw new Error('no such alert');
    const later = alerts.map((one) => (one === page ? { ...one, expr: `${one.expr} > 0` } : one));
    expect(lossFaults(later, recordings)).toEqual([
      `${counting}: is not a count of what KvmHostMemoryPressure (critical) finds`,
    ]);
  });

  it('must come from every alert that pages for a resource', () => {
    const [some] = alerts;
    if (some === undefined) throw new Error('no alerts');
    const another: AlertRule = { ...some, alert: 'KvmNew', labels: { severity: 'critical' } };
    expect(lossFaults([...alerts, another], recordings)).toEqual([
      'KvmNew (critical): 0 risk signals instead of 1',
    ]);
  });

  it('must not come from an alert that no longer pages', () => {
    const left = alerts.filter(({ alert: name }) => name !== 'KvmHostMemoryPressure');
    expect(lossFaults(left, recordings)).toEqual([
      `${counting}: is not a count of what KvmHostMemoryPressure (critical) finds`,
    ]);
  });

  it('must not come from anything else', () => {
    const isDelay = ({ labels }: RecordingRule): boolean => labels?.['signal'] === 'cpu_delay';
    expect(lossFaults(alerts, changed(isDelay, { expr: '3 * (kvm_libvirt_up > bool 0)' }))).toEqual(
      ['risk signal cpu_delay: level 3 without a critical alert'],
    );
  });

  it('must be one number of the host', () => {
    const perGuest = 'instance:kvm_storage_loss_paused_guests:count';
    const own = recordings.find(({ record: name }) => name === perGuest);
    if (own === undefined) throw new Error('no such rule');
    const expr = own.expr.replace('without (domain, ', 'without (');
    expect(
      lossFaults(
        alerts,
        changed((rule) => rule === own, { expr }),
      ),
    ).toEqual([`${perGuest}: is not one number of a host, but one for each domain`]);
  });
});
