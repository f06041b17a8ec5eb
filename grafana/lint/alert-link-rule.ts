import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { parse } from 'yaml';
import { z } from 'zod';

import { linkFaults, type SetRule } from './link-rules.ts';

const AlertFile = z.object({
  groups: z.array(
    z.object({
      rules: z.array(
        z.object({
          alert: z.string(),
          annotations: z.object({ dashboard_url: z.string() }),
        }),
      ),
    }),
  ),
});

const ALERTS = join(import.meta.dirname, '../../rules/alerts.yaml');

/** Whoever follows the link of a notification arrives, with host and guest chosen. */
export const ALERT_LINK_RULE: SetRule = {
  name: 'alerts-lead-to-dashboards',
  faults: (all) =>
    AlertFile.parse(parse(readFileSync(ALERTS, 'utf8'))).groups.flatMap(({ rules }) =>
      rules.flatMap(({ alert, annotations }) =>
        linkFaults(annotations.dashboard_url, all).map((fault) => `${alert}: ${fault}`),
      ),
    ),
};
