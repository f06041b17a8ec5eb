import { dashboard } from './common/dashboard.ts';
import { guestVariable } from './common/variables.ts';
import { CPU } from './guest/cpu.ts';
import { DISKS } from './guest/disks.ts';
import { MEMORY_OF_HOST } from './guest/host-memory.ts';
import { IDENTITY } from './guest/identity.ts';
import { MEMORY_INSIDE } from './guest/inside-memory.ts';
import { NEIGHBOURS } from './guest/neighbours.ts';
import { NICS } from './guest/nics.ts';

export const GUEST = dashboard({
  uid: 'kvm-guest',
  title: 'Guest',
  description:
    'Everything about one guest, and its neighbours on the same host: what it was promised, what ' +
    'it gets, what it waits for, and who else wants the same.',
  variables: [guestVariable()],
  rows: [IDENTITY, CPU, MEMORY_OF_HOST, MEMORY_INSIDE, DISKS, NICS, NEIGHBOURS],
});
