import { describe, expect, it } from 'vitest';

import { RisingValues } from '../../../src/view/rising.ts';
import { ScrapeMemory } from '../../../src/view/scrape-memory.ts';
import type { Snapshot } from '../../../src/model/snapshot.ts';

import { exampleSnapshot, exampleView } from '../../support/metrics/example-snapshot.ts';
import { familyOf } from '../metrics/samples.ts';
import type { CpuTime } from '../../../src/model/host-cpu.ts';

describe('a rising value', () => {
  it('stays where it is when the difference steps back by a tick', () => {
    const rising = new RisingValues();
    expect([5, 4.99, 5, 5.01].map((value) => rising.of('user', 1, value))).toEqual([5, 5, 5, 5.01]);
  });

  it('begins anew with a new epoch', () => {
    const rising = new RisingValues();
    rising.of('user', 1, 5);
    expect(rising.of('user', 2, 0.5)).toBe(0.5);
  });

  it('is kept for each key by itself', () => {
    const rising = new RisingValues();
    rising.of('user', 1, 5);
    expect(rising.of('nice', 1, 2)).toBe(2);
  });
});

/** The example with some of its CPU times as the kernel would give them. */
function withTimes(times: Partial<CpuTime>): Snapshot {
  const snapshot = exampleSnapshot();
  const { cpuTime } = snapshot.host;
  if (cpuTime === undefined) throw new Error('the example has CPU times');
  const total = { ...cpuTime.total, ...times };
  return { ...snapshot, host: { ...snapshot.host, cpuTime: { ...cpuTime, total } } };
}

describe('user time of the host without guests', () => {
  it('does not fall when only guests ran and the kernel rounds the two differently', async () => {
    const memory = new ScrapeMemory();
    // True times: user 1.204 and guest 0.199, then both 2 ms more.
    const before = exampleView(withTimes({ userSeconds: 1.2, guestSeconds: 0.19 }), memory);
    const user = '{mode="user"}';
    expect((await familyOf(before, 'kvm_host_cpu_seconds_total'))[user]).toBe(1.01);
    const after = exampleView(withTimes({ userSeconds: 1.2, guestSeconds: 0.2 }), memory);
    expect((await familyOf(after, 'kvm_host_cpu_seconds_total'))[user]).toBe(1.01);
  });
});

describe('idle and iowait of the host', () => {
  it('do not fall when the kernel takes some back, which would look like a reboot', async () => {
    const memory = new ScrapeMemory();
    const times = async (idleSeconds: number, ioWaitSeconds: number) => {
      const view = exampleView(withTimes({ idleSeconds, ioWaitSeconds }), memory);
      const modes = await familyOf(view, 'kvm_host_cpu_seconds_total');
      return [modes['{mode="idle"}'], modes['{mode="iowait"}']];
    };
    expect(await times(9000, 40)).toEqual([9000, 40]);
    expect(await times(8990.5, 39.99)).toEqual([9000, 40]);
    expect(await times(9001, 40.5)).toEqual([9001, 40.5]);
  });
});
