/** The rules with a word in the place of each setting, for rules/mixin/mixin.libsonnet to put its own. */
import { parse } from 'yaml';

import type { AlertGroup, RecordingGroup } from '../src/rule.ts';
import { parsePromql, selectorsOf } from '../../tools/promql.ts';
import { ruleFile } from './render.ts';
import { withSettings, type Settings } from './settings.ts';

const PLACES: Settings = {
  clusterLabel: '__cluster__',
  grafanaUrl: '__grafanaUrl__',
  runbookUrl: '__runbookUrl__',
  interval: '__interval__',
  severities: { critical: '__critical__', warning: '__warning__', info: '__info__' },
};

/** Text of rules/mixin/rules.json: `{ "recording": rule file, "alerts": rule file }`. */
export function mixinRules(
  recording: readonly RecordingGroup[],
  alerts: readonly AlertGroup[],
): string {
  const groupsOf = (groups: readonly (RecordingGroup | AlertGroup)[]): unknown =>
    parse(
      ruleFile(
        groups.map((group) => {
          const set = withSettings(group, PLACES);
          return {
            ...set,
            rules: set.rules.map((rule) => ({ ...rule, expr: withSelectorPlaces(rule.expr) })),
          };
        }),
      ),
    );
  const rules = { recording: groupsOf(recording), alerts: groupsOf(alerts) };
  return `${JSON.stringify(rules, undefined, 2)}\n`;
}

/** A place for more matchers in each selector of what is scraped; recorded series come from these. */
function withSelectorPlaces(expr: string): string {
  const scraped = selectorsOf(parsePromql(expr)).filter(({ metric }) => !metric.includes(':'));
  let text = expr;
  for (const { node, metric, matchers } of scraped.toSorted((a, b) => b.node.from - a.node.from)) {
    const after = node.from + metric.length;
    const place = matchers.length === 0 ? '{__selector__}' : '{__selector__,';
    // An opening brace follows the name where there are matchers.
    text = text.slice(0, after) + place + text.slice(after + (matchers.length === 0 ? 0 : 1));
  }
  return text;
}
