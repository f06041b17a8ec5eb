import { dashboard } from './common/dashboard.ts';
import { tenants } from './common/tenants.ts';
import { BOOT_STORM } from './host/boot-storm.ts';
import { CPU, CPU_DETAILS } from './host/cpu.ts';
import { IDENTITY } from './host/identity.ts';
import { MEMORY, MEMORY_DETAILS } from './host/memory.ts';
import { NETWORK } from './host/network.ts';
import { NOW } from './host/now.ts';
import { STORAGE, STORAGE_DETAILS } from './host/storage.ts';
import { TOP_GUESTS } from './host/top-guests.ts';

export const HOST = dashboard({
  uid: 'kvm-host',
  title: 'Host',
  description:
    'One host and its four resources: promised, capacity, in use, what could ' +
    'be claimed, and who waits. Choose one instance.',
  hostByHost: true,
  rows: [
    NOW,
    CPU,
    MEMORY,
    STORAGE,
    NETWORK,
    TOP_GUESTS,
    tenants('host'),
    CPU_DETAILS,
    MEMORY_DETAILS,
    STORAGE_DETAILS,
    BOOT_STORM,
    IDENTITY,
  ],
});
