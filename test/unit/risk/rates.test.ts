import { describe, expect, it } from 'vitest';

import { counterSample } from '../../../src/risk/counters.ts';
import { ratesBetween } from '../../../src/risk/rates.ts';
import { exampleCgroup } from '../../support/metrics/example-guest.ts';
import { A, B, smallHost, uuidOf, type Moment } from '../page/small-host.ts';

function rates(now: Moment, before: Moment = { seconds: 0 }) {
  return ratesBetween(counterSample(smallHost(before)), counterSample(smallHost(now)));
}

describe('rates of the host', () => {
  it('are what was added per second', () => {
    const measured = rates({
      seconds: 20,
      host: {
        busySeconds: 50,
        cpuWaitingSeconds: 5,
        memoryStalledSeconds: 2,
        memoryWaitingSeconds: 4,
        ioWaitingSeconds: 1,
        swapInPages: 1000,
        swapOutPages: 2000,
        majorFaults: 600,
        allocationStalls: 40,
      },
    });
    expect(measured?.host).toEqual({
      busyCpus: 2.5,
      cpuWaitingRatio: 0.25,
      memoryStalledRatio: 0.1,
      memoryWaitingRatio: 0.2,
      ioWaitingRatio: 0.05,
      swapInBytesPerSecond: 50 * 4096,
      swapOutBytesPerSecond: 100 * 4096,
      majorFaultsPerSecond: 30,
      allocationStallsPerSecond: 2,
    });
  });

  it('are not known of a counter that stepped back', () => {
    const measured = rates(
      { seconds: 20, host: { busySeconds: 10 } },
      { seconds: 0, host: { busySeconds: 11 } },
    );
    expect(measured?.host.busyCpus).toBeUndefined();
  });

  it('are not known of two looks at the same time', () => {
    expect(rates({ seconds: 0 })).toBeUndefined();
  });

  it('tell both directions of an uplink, and leave taps to their guests', () => {
    const measured = rates({
      seconds: 10,
      host: { receivedBytes: 1000, sentBytes: 5000, sentPackets: 75, sendDrops: 25 },
    });
    expect([...(measured?.links ?? [])]).toEqual([
      [
        'eno1',
        {
          receivedBytesPerSecond: 100,
          sentBytesPerSecond: 500,
          dropRatio: 0.25,
          sentDropRatio: 0.25,
        },
      ],
    ]);
  });

  it('tell how fast a filesystem gets fuller', () => {
    const measured = rates({ seconds: 8, host: { availableGib: 32 } });
    expect(measured?.fillBytesPerSecond.get('8:1')).toBe(2 ** 30);
  });
});

describe('rates of a guest', () => {
  it('are its CPU time, and the vCPU that waited most', () => {
    const measured = rates({
      seconds: 10,
      guests: [{ ...A, cpuSeconds: 25, delaySeconds: 2 }, B],
    });
    expect(measured?.guests.get(uuidOf(0))).toMatchObject({
      cpus: 2.5,
      delayRatio: 0.2,
      delayedVcpus: 0.2,
      measuredVcpus: 4,
    });
  });

  it('do not count as waiting what its quota took away', () => {
    const throttledFor = (seconds: number) => {
      const cgroup = exampleCgroup();
      return {
        cgroup: {
          ...cgroup,
          cpu: cgroup.cpu && {
            ...cgroup.cpu,
            throttling: { periods: 100, throttledPeriods: 50, throttledSeconds: seconds },
            vcpus: new Map(),
            iothreads: new Map(),
            emulator: undefined,
          },
        },
      };
    };
    const measured = rates(
      { seconds: 10, guests: [{ ...A, delaySeconds: 3, overrides: throttledFor(7) }] },
      { seconds: 0, guests: [{ ...A, delaySeconds: 0, overrides: throttledFor(5) }] },
    );
    expect(measured?.guests.get(uuidOf(0))?.delayRatio).toBeCloseTo(0.1, 9);
  });

  it('are its traffic, and the part of its packets that was dropped', () => {
    const measured = rates({
      seconds: 10,
      guests: [
        { ...A, receivedBytes: 5000, packets: 80, sentPackets: 10, drops: 10 },
        // Nothing is sent by it: what is broadcast to a NIC nobody set up is dropped for good.
        { ...B, packets: 5, drops: 30 },
      ],
    });
    expect(measured?.guests.get(uuidOf(0))).toMatchObject({
      traffic: { receivedBytesPerSecond: 500, sentBytesPerSecond: 0 },
      dropRatio: 0.1,
    });
    expect(measured?.guests.get(uuidOf(1))?.dropRatio).toBeUndefined();
  });

  it('are not known of another process than before', () => {
    const sample = counterSample(smallHost());
    const restarted = counterSample(smallHost({ seconds: 10 }));
    const own = restarted.guests.get(uuidOf(0));
    if (own === undefined) throw new Error('no guest a');
    const guests = new Map(restarted.guests).set(uuidOf(0), { ...own, process: '4711 1' });
    const measured = ratesBetween(sample, { ...restarted, guests });
    expect([...(measured?.guests.keys() ?? [])]).toEqual([uuidOf(1)]);
  });
});
