import type { AnnotationQuery } from '@grafana/grafana-foundation-sdk/dashboard';
import { of } from './promql.ts';
import { CRITICAL, WARNING } from './risk.ts';
import { DATASOURCE } from './variables.ts';

/** Alerts of rules/ as they fired, drawn over every graph. */
export const ALERT_ANNOTATIONS: AnnotationQuery[] = [
  firing('critical', CRITICAL),
  firing('warning', WARNING),
];

function firing(severity: string, iconColor: string): AnnotationQuery {
  const matchers = `alertname=~"Kvm.*", alertname!="KvmWatchdog", alertstate="firing", severity="${severity}"`;
  return {
    name: `Alerts: ${severity}`,
    datasource: DATASOURCE,
    enable: true,
    iconColor,
    expr: of('ALERTS', matchers),
    step: '60s',
    titleFormat: '{{alertname}}',
    textFormat: '{{instance}} {{domain}}{{mountpoint}}{{device}}',
    tagKeys: 'severity',
    useValueForTime: false,
  };
}
