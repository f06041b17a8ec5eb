import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

import type { Lab } from '../../../lab/index.ts';

/**
 * Weight of the lab's guests together; other cgroups, and sessions of the host, have 1024 or 100.
 * With v1 that is half of what monitoring has as sessions that run first. With v2 monitoring is in
 * a session that has no more than the others, and must not be starved by the guests it watches.
 */
const SHARES = { v1: ['cpu.shares', '16384'], v2: ['cpu.weight', '200'] } as const;

/**
 * Gives the lab's guests together more weight than other sessions, as slices do on a host that is
 * there for its guests. What else the machine does then decides little of who waits. Twice their
 * weight was not enough: beside two other busy sessions the guests had half of the CPUs, one noisy
 * guest a quarter, which is where the limit is.
 *
 * @param lab with at least one guest that runs: the cgroup above the guest's is the lab's.
 */
export function preferGuests(lab: Lab): void {
  const [guest] = lab.guests;
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
