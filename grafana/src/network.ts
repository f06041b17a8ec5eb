import { dashboard } from './common/dashboard.ts';
import { labelVariable } from './common/variables.ts';
import { GUEST_DETAILS, GUESTS } from './network/guests.ts';
import { NOW } from './network/now.ts';
import { UPLINK_DETAILS, UPLINKS } from './network/uplinks.ts';

export const NETWORK = dashboard({
  uid: 'kvm-network',
  title: 'Network',
  description:
    'Uplinks of the hosts and the guests that share them: what is promised, what flows, what is ' +
    'lost, and who takes it.',
  variables: [labelVariable('device', 'Uplink', 'kvm_uplink_info')],
  hostByHost: true,
  rows: [NOW, UPLINKS, GUESTS, UPLINK_DETAILS, GUEST_DETAILS],
});
