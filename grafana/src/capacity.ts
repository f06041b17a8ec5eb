import { dashboard } from './common/dashboard.ts';
import { PLACEMENT, PLACEMENT_VARIABLES } from './capacity/placement.ts';
import { HEADROOM, TREND } from './capacity/headroom.ts';

export const CAPACITY = dashboard({
  uid: 'kvm-capacity',
  title: 'Capacity',
  description:
    'What hosts may still promise until the limits of the policy, how long that will last, and which ' +
    'of them could take a guest of a given size.',
  variables: PLACEMENT_VARIABLES,
  rows: [PLACEMENT, HEADROOM, TREND],
});
