import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

import type { Guest, Lab } from '../../harness/index.ts';

/** Weight of the lab's guests together; other cgroups, and sessions of the host, have 1024 or 100. */
const SHARES = { v1: ['cpu.shares', '2048'], v2: ['cpu.weight', '200'] } as const;

/**
 * Gives the lab's guests together twice the weight of another session, as slices do on a host that
 * is there for its guests. What else the machine does then decides little of who waits.
 *
 * @param guests running guests of the lab; the cgroup above theirs is the lab's.
 */
export function preferGuests(lab: Lab, [guest]: readonly Guest[]): void {
  if (guest === undefined) throw new RangeError('no guest runs');
  const cgroups = guest.cgroups();
  for (const [controller, [file, value]] of [
    ['cpu', SHARES.v1],
    ['unified', SHARES.v2],
  ] as const) {
    const directory = cgroups.get(controller);
    if (directory === undefined) continue;
    const path = join(dirname(directory), file);
    if (existsSync(path)) {
      lab.changeSetting(path, value);
      return;
    }
  }
  throw new Error('no cgroup with CPU weights');
}
