import { dashboard } from './common/dashboard.ts';
import { labelVariable } from './common/variables.ts';
import { BALLOON } from './memory/balloon.ts';
import { COST } from './memory/cost.ts';
import { HUGE_PAGES } from './memory/huge-pages.ts';
import { KSM } from './memory/ksm.ts';
import { MOM } from './memory/mom.ts';
import { NOW } from './memory/now.ts';
import { NUMA } from './memory/numa.ts';
import { PAGING, PAGING_DETAILS } from './memory/paging.ts';
import { PROMISE, RUN_ON_THE_BANK } from './memory/run-on-the-bank.ts';
import { SETTINGS } from './memory/settings.ts';
import { USE } from './memory/use.ts';

export const MEMORY = dashboard({
  uid: 'kvm-memory',
  title: 'Memory',
  description:
    'How a host makes more memory than it has: promise, exposure, paging, merging, balloons, huge ' +
    'pages, and how they get in the way of each other. Choose one instance.',
  variables: [labelVariable('domain', 'Guest', 'kvm_domain_memory_maximum_bytes')],
  hostByHost: true,
  rows: [
    NOW,
    RUN_ON_THE_BANK,
    PAGING,
    PROMISE,
    PAGING_DETAILS,
    USE,
    KSM,
    BALLOON,
    HUGE_PAGES,
    COST,
    MOM,
    NUMA,
    SETTINGS,
  ],
});
