import { Document, Scalar, visit } from 'yaml';

import type { AlertGroup, RecordingGroup, RecordingRule } from '../src/rule.ts';
import type { SetAlertRule, SetGroup } from './settings.ts';

const HEADER =
  ' Written by rules/generate.ts from rules/src/. Change it there: npm run generate:rules';

/** As the pack has it, or with the settings of an operator. */
type Group = RecordingGroup | AlertGroup | SetGroup;

/** A rule file as Prometheus reads it. */
export function ruleFile(groups: readonly Group[]): string {
  return yamlText({ groups: groups.map(groupOf) });
}

/** The manifest for the Prometheus operator (monitoring.coreos.com/v1). */
export function prometheusRule(groups: readonly Group[]): string {
  return yamlText({
    apiVersion: 'monitoring.coreos.com/v1',
    kind: 'PrometheusRule',
    metadata: {
      name: 'kvm-overcommit',
      labels: { 'app.kubernetes.io/name': 'kvm-overcommit-exporter', role: 'alert-rules' },
    },
    spec: { groups: groups.map(groupOf) },
  });
}

function groupOf(group: Group): unknown {
  const interval = 'interval' in group ? { interval: group.interval } : {};
  return { name: group.name, ...interval, rules: group.rules.map(ruleOf) };
}

function ruleOf(rule: RecordingRule | SetAlertRule): unknown {
  if ('record' in rule) {
    const { record, expr, labels } = rule;
    return { record, expr, ...(labels === undefined ? {} : { labels }) };
  }
  return {
    alert: rule.alert,
    expr: rule.expr,
    ...(rule.for === undefined ? {} : { for: rule.for }),
    ...(rule.keepFiringFor === undefined ? {} : { keep_firing_for: rule.keepFiringFor }),
    labels: rule.labels,
    annotations: rule.annotations,
  };
}

/** Expressions of several lines as they are written, everything else on one line. */
function yamlText(content: unknown): string {
  const document = new Document(content);
  document.commentBefore = HEADER;
  visit(document, {
    Scalar(_key, node) {
      if (typeof node.value !== 'string') return;
      if (node.value.includes('\n')) node.type = Scalar.BLOCK_LITERAL;
    },
  });
  return document.toString({ lineWidth: 0, singleQuote: true });
}
