import { dashboard } from './common/dashboard.ts';
import { BOOT_STORM } from './host/boot-storm.ts';
import { CPU } from './host/cpu.ts';
import { IDENTITY } from './host/identity.ts';
import { MEMORY } from './host/memory.ts';
import { NETWORK } from './host/network.ts';
import { OVERVIEW } from './host/overview.ts';
import { STORAGE } from './host/storage.ts';
import { TOP_GUESTS } from './host/top-guests.ts';

export const HOST = dashboard({
  uid: 'kvm-host',
  title: 'Host',
  description:
    'One host and its four resources: promised, capacity, in use, what could ' +
    'be claimed, and who waits. Choose one instance.',
  rows: [OVERVIEW, CPU, MEMORY, STORAGE, NETWORK, TOP_GUESTS, BOOT_STORM, IDENTITY],
});
