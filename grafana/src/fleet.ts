import { dashboard } from './common/dashboard.ts';
import { tenants } from './common/tenants.ts';
import { EXPORTERS } from './fleet/exporters.ts';
import { EXPOSURE, PRESSURE, PROMISE } from './fleet/trends.ts';
import { COUNTS, RISK } from './fleet/risk.ts';
import { WORST_GUESTS } from './fleet/guests.ts';

export const FLEET = dashboard({
  uid: 'kvm-fleet',
  title: 'Fleet',
  description:
    'All over-committed hosts, the one at most risk first: where to look, and whether the promise ' +
    'made to guests could be kept.',
  rows: [RISK, WORST_GUESTS, PROMISE, EXPOSURE, PRESSURE, tenants('fleet'), COUNTS, EXPORTERS],
});
