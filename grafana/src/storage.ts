import { dashboard } from './common/dashboard.ts';
import { labelVariable } from './common/variables.ts';
import { GUESTS } from './storage/guests.ts';
import { IMAGES } from './storage/images.ts';
import { IO, IO_DETAILS } from './storage/io.ts';
import { NOW } from './storage/now.ts';
import { POOLS, THIN_POOLS } from './storage/pools.ts';
import { FILESYSTEMS, RUN_ON_THE_BANK } from './storage/run-on-the-bank.ts';
import { TIME_TO_FULL } from './storage/time-to-full.ts';

export const STORAGE = dashboard({
  uid: 'kvm-storage',
  title: 'Storage',
  description:
    'Whether the space promised to guests exists: filesystems with images, thin pools, storage ' +
    'pools and single images, and how long it will last.',
  variables: [labelVariable('mountpoint', 'Filesystem', 'kvm_filesystem_size_bytes')],
  hostByHost: true,
  rows: [
    NOW,
    RUN_ON_THE_BANK,
    TIME_TO_FULL,
    GUESTS,
    IO,
    FILESYSTEMS,
    IO_DETAILS,
    IMAGES,
    POOLS,
    THIN_POOLS,
  ],
});
