import { HOST_KEY } from '../common/columns.ts';
import type { Row } from '../common/dashboard.ts';
import { firingAlerts } from '../common/now.ts';
import { capped, of } from '../common/promql.ts';
import { NONE_IS_GOOD, RISK_MAPPINGS, RISK_THRESHOLDS, worseAbove } from '../common/risk.ts';
import { EXPECTED_HOSTS, hostRisk, KNOWN_HOST_RISK } from '../common/risk-query.ts';
import { stat } from '../common/stat.ts';
import { table } from '../common/table.ts';
import { timeline } from '../common/timeline.ts';

const RESOURCES = [
  ['cpu', 'CPU'],
  ['memory', 'Memory'],
  ['storage', 'Storage'],
  ['network', 'Network'],
] as const;

export const RISK: Row = {
  title: 'Risk',
  tiles: [
    stat({
      title: 'Hosts at high or critical risk',
      description: 'Hosts with a resource at risk level high or critical. Good: 0.',
      unit: 'short',
      queries: [
        {
          expr: `sum(${KNOWN_HOST_RISK} >= bool 2)`,
          legend: 'at risk',
        },
      ],
      thresholds: NONE_IS_GOOD,
      width: 6,
      height: 3,
    }),
    stat({
      title: 'Guests stopped by an I/O error',
      description:
        'Guests QEMU has paused because a disk is full or broken: they stand still until somebody ' +
        'makes room and resumes them. Good: 0.',
      unit: 'short',
      queries: [
        {
          expr: `sum(${of('instance:kvm_domains_paused_on_io_error:count')})`,
          legend: 'paused',
        },
      ],
      thresholds: NONE_IS_GOOD,
      width: 6,
      height: 3,
    }),
    stat({
      title: 'Hosts at unknown risk',
      description:
        'Hosts whose libvirt or exporter does not answer, so that nobody knows what they promise; ' +
        'they stand last in the table below. An exporter that is gone for an hour is no longer shown. ' +
        'Good: 0.',
      unit: 'short',
      queries: [
        {
          expr: `count(${EXPECTED_HOSTS} unless on (cluster, job, instance) ${KNOWN_HOST_RISK}) or 0 * count(${EXPECTED_HOSTS})`,
          legend: 'unknown',
        },
      ],
      thresholds: worseAbove(1),
      width: 6,
      height: 3,
    }),
    stat({
      title: 'Alerts that fire',
      description: 'Firing alerts of the rule pack. Good: 0.',
      unit: 'short',
      queries: [
        {
          expr: `count(${of('ALERTS', 'alertname=~"Kvm.*", alertname!="KvmWatchdog", alertstate="firing"')}) or 0 * count(${KNOWN_HOST_RISK})`,
          legend: 'firing',
        },
      ],
      thresholds: worseAbove(1),
      width: 6,
      height: 3,
    }),
    table({
      title: 'Hosts by risk, worst first',
      description:
        'Risk of each resource, then the figures behind it: promised per capacity, ' +
        'and what guests could still claim per what is left. Good: low everywhere, and exposure ' +
        'below 100 %. Unknown: libvirt or the exporter does not answer, or the host has nothing ' +
        'of that kind. Click a host for its dashboards.',
      keys: [HOST_KEY],
      values: [
        {
          title: 'Risk',
          expr: hostRisk(),
          unit: 'short',
          cell: 'risk',
        },
        ...RESOURCES.map(([resource, title]) => ({
          title,
          expr: hostRisk(resource),
          unit: 'short' as const,
          cell: 'risk' as const,
        })),
        {
          title: 'vCPUs per CPU',
          expr: `max by (cluster, job, instance) (${of('instance:kvm_cpu_promised_per_capacity:ratio')})`,
          unit: 'none',
        },
        {
          title: 'Memory promised',
          width: 156,
          expr: `max by (cluster, job, instance) (${of('instance:kvm_memory_promised_per_capacity:ratio')})`,
          unit: 'percentunit',
        },
        {
          title: 'Memory exposure',
          width: 156,
          expr: `max by (cluster, job, instance) (${capped(of('instance:kvm_memory_exposure_per_supply:ratio'))})`,
          unit: 'percentunit',
          thresholds: worseAbove(1, 1.5),
        },
        {
          title: 'Storage exposure',
          expr: `max by (cluster, job, instance) (${capped(of('instance:kvm_storage_claimable_per_avail:max'))})`,
          unit: 'percentunit',
          thresholds: worseAbove(1),
        },
      ],
      sortBy: 'Risk',
      height: 6,
    }),
    timeline({
      title: 'Risk over time',
      description:
        'The highest risk level of each host. Good: green; a host that keeps flickering is a host ' +
        'without reserve.',
      queries: [{ expr: hostRisk(), legend: '{{instance}}' }],
      mappings: RISK_MAPPINGS,
      thresholds: RISK_THRESHOLDS,
      width: 10,
      height: 8,
    }),
    firingAlerts({ width: 14, height: 8 }, HOST_KEY),
  ],
};

export const COUNTS: Row = {
  title: 'Hosts and guests in numbers',
  folded: true,
  tiles: [
    stat({
      title: 'Hosts',
      description: 'Exporters that answer. Good: as many as there are hosts.',
      unit: 'short',
      queries: [{ expr: `count(${of('kvm_exporter_build_info')})`, legend: 'hosts' }],
      width: 8,
      height: 3,
    }),
    stat({
      title: 'Guests that run',
      description:
        'Running guests of all hosts. A sudden fall means that a host or its guests died. ' +
        'Good: steady.',
      unit: 'short',
      queries: [{ expr: `sum(${of('kvm_domains', 'state="running"')})`, legend: 'running' }],
      width: 8,
      height: 3,
    }),
    stat({
      title: 'Guests whose monitor hangs',
      description:
        'Guests whose QEMU does not answer: libvirt cannot manage them, and their monitor values ' +
        'are absent. Good: 0.',
      unit: 'short',
      queries: [
        {
          expr: `sum(${of('kvm_domain_monitor_responsive')} == bool 0)`,
          legend: 'hanging',
        },
      ],
      thresholds: NONE_IS_GOOD,
      width: 8,
      height: 3,
    }),
  ],
};
