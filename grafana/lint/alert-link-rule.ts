import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { parse } from 'yaml';
import { z } from 'zod';

import { parsePromql } from '../../tools/promql.ts';
import { labelsOfExpression } from '../../rules/tool/series.ts';
import { linkFaults, type SetRule } from './link-rules.ts';
import type { DashboardModel } from './model.ts';

const AlertFile = z.object({
  groups: z.array(
    z.object({
      rules: z.array(
        z.object({
          alert: z.string(),
          expr: z.string(),
          annotations: z.object({ dashboard_url: z.string() }),
        }),
      ),
    }),
  ),
});

const ALERTS = join(import.meta.dirname, '../../rules/alerts.yaml');

export const ALERT_LINK_RULE: SetRule = {
  name: 'alerts-lead-to-dashboards',
  faults: (all) => alertLinkFaults(readFileSync(ALERTS, 'utf8'), all),
};

/** What a link must carry of what an alert is about. */
const CHOSEN = ['instance', 'domain'] as const;

/**
 * Whoever follows the link of a notification arrives, with host and guest chosen.
 *
 * @param alertFile rule file of alerts, YAML.
 */
export function alertLinkFaults(
  alertFile: string,
  dashboards: readonly DashboardModel[],
): readonly string[] {
  const { groups } = AlertFile.parse(parse(alertFile));
  return groups.flatMap(({ rules }) =>
    rules.flatMap(({ alert, expr, annotations: { dashboard_url: url } }) => {
      const { labels } = labelsOfExpression(parsePromql(expr));
      return [
        ...linkFaults(url, dashboards),
        ...CHOSEN.filter(
          (label) => labels.has(label) && !url.includes(`&var-${label}={{ $labels.${label} |`),
        ).map((label) => `its link does not carry the ${label}`),
      ].map((fault) => `${alert}: ${fault}`);
    }),
  );
}
