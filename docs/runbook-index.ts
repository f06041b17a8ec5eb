import { SUBJECTS } from '../rules/src/pack.ts';
import type { AlertDefinition, Severity } from '../rules/src/rule.ts';

const SEVERITIES: readonly Severity[] = ['critical', 'warning', 'info'];

/** The text of docs/runbooks/README.md, from the alerts themselves. */
export function runbookIndex(): string {
  return [
    '# Runbooks',
    '',
    '<!-- Written by docs/runbooks-check.ts --write from rules/src. Do not edit. -->',
    '',
    'One page per alert: what it means, what it does to guests, how to find the cause, and what to',
    'do, least risky first. `$instance`, `$domain` and the like are labels of the alert, or what a',
    'step before has found; in a shell, set them as variables first. Commands of a diagnosis change',
    'nothing. Limits are those of the [policy](../policy.md) of each host.',
    '',
    '`$cluster` is empty where targets have no such label. With several clusters whose hosts have',
    'equal names, add `cluster="$cluster"` to the selectors of the queries too. amtool needs to know',
    'where Alertmanager is: `alertmanager.url` in its configuration file, or `--alertmanager.url`.',
    '',
    'What several pages tell to do stands in each of them in the same words, between two comments',
    'that name its file in docs/runbooks/actions.',
    ...SUBJECTS.filter(({ alerts }) => alerts.length > 0).flatMap(({ name, alerts }) => [
      '',
      `## ${name}`,
      '',
      '| alert | severity | meaning |',
      '|---|---|---|',
      ...alerts.map(row),
    ]),
    '',
  ].join('\n');
}

function row({ name, at, summary }: AlertDefinition): string {
  const severities = SEVERITIES.filter((severity) => at[severity] !== undefined).join(', ');
  return `| [${name}](${name}.md) | ${severities} | ${summary} |`;
}
