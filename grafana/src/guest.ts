import { dashboard } from './common/dashboard.ts';
import { guestVariable } from './common/variables.ts';
import { CPU, CPU_DETAILS } from './guest/cpu.ts';
import { DISK_DETAILS, DISKS } from './guest/disks.ts';
import { MEMORY_DETAILS, MEMORY_OF_HOST } from './guest/host-memory.ts';
import { IDENTITY, NOW } from './guest/identity.ts';
import { INSIDE, MEMORY_INSIDE } from './guest/inside-memory.ts';
import { SLO } from './guest/slo.ts';
import { NEIGHBOURS } from './guest/neighbours.ts';
import { NIC_DETAILS, NICS } from './guest/nics.ts';

export const GUEST = dashboard({
  uid: 'kvm-guest',
  title: 'Guest',
  description:
    'Everything about one guest, and its neighbours on the same host: what it was promised, what ' +
    'it gets, what it waits for, and who else wants the same.',
  variables: [guestVariable()],
  hostByHost: true,
  rows: [
    NOW,
    SLO,
    CPU,
    { title: 'Memory', tiles: [...MEMORY_OF_HOST, ...INSIDE] },
    DISKS,
    NICS,
    NEIGHBOURS,
    CPU_DETAILS,
    MEMORY_DETAILS,
    MEMORY_INSIDE,
    DISK_DETAILS,
    NIC_DETAILS,
    IDENTITY,
  ],
});
