import { describe, expect, it } from 'vitest';

import { MomAverages, type MomHistory } from '../../../../src/overcommit/mom/mom-averages.ts';
import type { Domain } from '../../../../src/model/domain.ts';
import { balloon, domain, GIB, host, MEMINFO, snapshot } from '../assess-fixture.ts';

function hostWithFree(freeBytes: number) {
  return host({ meminfo: { ...MEMINFO, freeBytes } });
}

function ofGuest(history: MomHistory, one: Domain) {
  return history.guests.get(one.uuid);
}

describe('averages for MOM', () => {
  it('are means of the samples so far, and then of the last ten', () => {
    const averages = new MomAverages();
    const means = Array.from(
      { length: 12 },
      (_, i) => averages.add(snapshot({ host: hostWithFree(i + 1) })).freeBytes,
    );
    expect(means.slice(0, 3)).toEqual([1, 1.5, 2]);
    // (1 + … + 10) / 10, then without the 1, then without the 2.
    expect(means.slice(9)).toEqual([5.5, 6.5, 7.5]);
  });

  it('know nothing of what the newest sample does not have', () => {
    const averages = new MomAverages();
    averages.add(snapshot({ host: hostWithFree(2) }));
    expect(averages.add(snapshot({ host: host({ meminfo: undefined }) })).freeBytes).toBe(
      undefined,
    );
    expect(averages.add(snapshot({ host: hostWithFree(4) })).freeBytes).toBe(3);
  });

  it('are kept for each guest by its uuid, until it is off', () => {
    const averages = new MomAverages();
    const web = (gibibytes: number, active = true) =>
      domain('web', {
        active,
        balloon: balloon(gibibytes * GIB, 4 * GIB, { guestFreeBytes: GIB }),
      });
    const add = (one: Domain) => ofGuest(averages.add(snapshot({ domains: [one] })), one);
    add(web(1));
    expect(add({ ...web(3), name: 'renamed' })).toEqual({
      balloonCurrentBytes: 2 * GIB,
      unusedBytes: GIB,
      usableBytes: undefined,
    });
    expect(add(web(3, false))).toBeUndefined();
    expect(add(web(4))?.balloonCurrentBytes).toBe(4 * GIB);
  });
});
