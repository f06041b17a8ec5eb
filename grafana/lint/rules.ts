import { ALERT_LINK_RULE } from './alert-link-rule.ts';
import { LAYOUT_RULES } from './layout-rules.ts';
import { LINK_RULES, type SetRule } from './link-rules.ts';
import { MEANING_RULES } from './meaning-rules.ts';
import type { DashboardModel } from './model.ts';
import { PANEL_RULES } from './panel-rules.ts';
import type { Rule } from './rule.ts';
import { SEEN_RULES } from './seen-rules.ts';
import { TARGET_RULES } from './target-rules.ts';
import { TEMPLATE_RULES } from './template-rules.ts';

/** Rules about one dashboard: dashboard-linter's first, then our own. */
const DASHBOARD_RULES: readonly Rule[] = [
  ...TEMPLATE_RULES,
  ...PANEL_RULES,
  ...TARGET_RULES,
  ...MEANING_RULES,
  ...LAYOUT_RULES,
  ...SEEN_RULES,
];

/** Every rule over every dashboard, and the rules about the set. No exclusions. */
export const RULES: readonly SetRule[] = [
  ...DASHBOARD_RULES.map(({ name, faults }) => ({
    name,
    faults: (all: readonly DashboardModel[]) =>
      all.flatMap((one) => faults(one).map((fault) => `${one.title}: ${fault}`)),
  })),
  ...LINK_RULES,
  ALERT_LINK_RULE,
];
