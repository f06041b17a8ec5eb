/** The pack as an operator wants it: other names and addresses, the same rules. */
import { RUNBOOK_BASE_URL } from '../src/annotations.ts';
import type { AlertGroup, AlertRule, RecordingGroup, Severity } from '../src/rule.ts';

export interface Settings {
  /** The target label that says which cluster a host belongs to. */
  readonly clusterLabel: string;
  /** Without a slash at the end; empty: relative to the Grafana that shows the alert. */
  readonly grafanaUrl: string;
  /** The folder of the runbooks, without a slash at the end. */
  readonly runbookUrl: string;
  /** How often groups are evaluated, e.g. `30s`; undefined: as the server does by itself. */
  readonly interval: string | undefined;
  /** What alerts have in their label `severity`. */
  readonly severities: Readonly<Record<Severity, string>>;
}

export const DEFAULT_SETTINGS: Settings = {
  clusterLabel: 'cluster',
  grafanaUrl: '',
  runbookUrl: RUNBOOK_BASE_URL,
  interval: undefined,
  severities: { critical: 'critical', warning: 'warning', info: 'info' },
};

/** An alert whose severity is a word of the operator's. */
export type SetAlertRule = Omit<AlertRule, 'labels'> & {
  readonly labels: { readonly severity: string };
};

/** A group as it is written into a file. */
export interface SetGroup {
  readonly name: string;
  readonly interval?: string;
  readonly rules: readonly (RecordingGroup['rules'][number] | SetAlertRule)[];
}

/** Rules of a group with the settings in force. */
export function withSettings(group: RecordingGroup | AlertGroup, settings: Settings): SetGroup {
  return {
    name: group.name,
    ...(settings.interval === undefined ? {} : { interval: settings.interval }),
    rules: group.rules.map((rule) => {
      const expr = withClusterLabel(rule.expr, settings.clusterLabel);
      if ('record' in rule) return { ...rule, expr };
      const { summary, description, runbook_url, dashboard_url } = rule.annotations;
      return {
        ...rule,
        expr,
        labels: { severity: settings.severities[rule.labels.severity] },
        annotations: {
          summary,
          description: withClusterLabel(description, settings.clusterLabel),
          runbook_url: settings.runbookUrl + runbook_url.slice(RUNBOOK_BASE_URL.length),
          dashboard_url:
            settings.grafanaUrl + withClusterLabel(dashboard_url, settings.clusterLabel),
        },
      };
    }),
  };
}

/** As a label in lists, matchers and templates; names of rules begin with `cluster:` and stay. */
function withClusterLabel(text: string, label: string): string {
  return text
    .replaceAll(/\$labels\.cluster\b/g, `$$labels.${label}`)
    .replaceAll(/(?<=[({,]\s*)cluster(?=\s*[,)=])/g, label);
}

/**
 * The Alertmanager example for alerts with these settings: the label of the cluster in its lists, and
 * the words of the operator where it asks for a severity.
 *
 * @param example text of alertmanager.example.yaml.
 */
export function alertmanagerWithSettings(
  example: string,
  { clusterLabel, severities }: Settings,
): string {
  const wordOf = (severity: string): string =>
    severity === 'critical' || severity === 'warning' || severity === 'info'
      ? severities[severity]
      : severity;
  return example
    .replaceAll(/(?<=\b(?:group_by|equal): \[[^\]\n]*)\bcluster\b/g, clusterLabel)
    .replaceAll(/(?<=\bseverity=~?")[^"]*/g, (words) => words.split('|').map(wordOf).join('|'));
}

/** Alerts for rulers that do not know `keep_firing_for`. */
export function withoutKeepFiring({ name, rules }: AlertGroup): AlertGroup {
  return {
    name,
    rules: rules.map(({ alert, expr, for: pending, labels, annotations }) => ({
      alert,
      expr,
      ...(pending === undefined ? {} : { for: pending }),
      labels,
      annotations,
    })),
  };
}

/**
 * Alerts whose annotations ask no questions, for engines whose templates have no `query`: of each
 * description the sentences that need none, else the summary.
 */
export function withoutQueries({ name, rules }: AlertGroup): AlertGroup {
  return {
    name,
    rules: rules.map((rule) => ({
      ...rule,
      annotations: {
        ...rule.annotations,
        description: plainSentences(rule.annotations.description) || rule.annotations.summary,
      },
    })),
  };
}

function plainSentences(description: string): string {
  // A dot inside a template or a block of it ends no sentence.
  const sentences: string[] = [];
  let sentence = '';
  let blocks = 0;
  for (const part of description.split(/(\{\{.*?\}\})/)) {
    if (part.startsWith('{{')) {
      if (/^\{\{ (?:range|with|if)\b/.test(part)) blocks += 1;
      if (/^\{\{ end\b/.test(part)) blocks -= 1;
      sentence += part;
      continue;
    }
    const pieces = blocks > 0 ? [part] : part.split(/(?<=\.)\s+/);
    for (const [index, piece] of pieces.entries()) {
      if (index > 0) {
        sentences.push(sentence);
        sentence = '';
      }
      sentence += piece;
    }
  }
  return [...sentences, sentence]
    .filter((one) => !one.includes('query '))
    .join(' ')
    .trim();
}
