import { CAPACITY } from './capacity.ts';
import { FLEET } from './fleet.ts';
import { GUEST } from './guest.ts';
import { HOST } from './host.ts';
import { MEMORY } from './memory.ts';
import { NETWORK } from './network.ts';
import { STORAGE } from './storage.ts';

/** From all hosts down to one guest, then by resource. */
export const DASHBOARDS = [FLEET, CAPACITY, HOST, GUEST, MEMORY, STORAGE, NETWORK];
