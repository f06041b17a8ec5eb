import { describe, expect, it } from 'vitest';

import type { SignalId } from '../../../src/risk/risk-model.ts';
import type { Snapshot } from '../../../src/model/snapshot.ts';
import { RecentCounters } from '../../../src/risk/recent-counters.ts';
import { computeSignals, type SignalValues } from '../../../src/risk/signals.ts';
import {
  exampleView,
  NOTHING_RECENT,
  unknownSnapshot,
} from '../../support/metrics/example-snapshot.ts';
import { A, B, GIB, smallHost, type Moment } from '../page/small-host.ts';

function atFirstLook(snapshot: Snapshot): SignalValues {
  return computeSignals(exampleView(snapshot), NOTHING_RECENT);
}

/** After ten seconds. */
function later(now: Omit<Moment, 'seconds'>): SignalValues {
  const recent = new RecentCounters();
  recent.add(smallHost());
  const snapshot = smallHost({ seconds: 10, ...now });
  return computeSignals(exampleView(snapshot), recent.before(snapshot));
}

describe('signals at the first look', () => {
  const signals = atFirstLook(smallHost());

  it.each<readonly [SignalId, number, string]>([
    ['cpu_promise', 6 / 4, '6 vCPUs on 4 CPUs'],
    ['cpu_start_all', 6 / 4, 'nobody is off'],
    ['memory_overcommitted', 16 / 15.5, '16 GiB promised of 16 less the reserve of 0.5'],
    ['memory_overcommitted_at_most', 16 / 15.5, 'no balloon holds anything back'],
    ['memory_exposure', 9 / 6, 'a may claim 3 GiB, b 6 GiB, and 6 GiB are available'],
    ['memory_ksm_unmerge', 0, 'nothing is merged'],
    ['memory_available', 6 / 16, '6 of 16 GiB'],
    ['storage_overcommitted', 60 / 40, 'a may write 60 GiB more, and 40 GiB are free'],
    ['storage_promise', 110 / 100, '80 + 30 GiB on 100 GiB'],
    ['storage_available', 40 / 100, '40 GiB free of 100, and a can outgrow them'],
    ['network_promise', 2, 'two NICs without a limit on one uplink'],
    ['network_guarantee', 0, 'no floor'],
    ['memory_loss_host_low', 0, 'much is left'],
    ['storage_loss_full', 0, '40 GiB are left'],
    ['storage_loss_inodes', 0, 'it makes inodes as it needs them'],
    ['storage_loss_unresponsive', 0, 'it answers'],
    ['storage_loss_read_only', 0, 'it is not'],
    ['storage_loss_paused_guests', 0, 'both run'],
    ['storage_loss_corrupt_images', 0, 'raw images have no mark'],
    ['network_loss_down', 0, 'its uplink is up'],
  ])('%s is %d: %s', (id, value) => {
    expect(signals.get(id)).toBeCloseTo(value, 12);
  });

  it('are not made up where rates, swap or pools are missing', () => {
    const measured = [...signals].flatMap(([id, value]) => (value === undefined ? [] : [id]));
    expect(measured).toHaveLength(20);
    for (const id of ['cpu_delay', 'memory_swap_used', 'storage_fill', 'network_drops'] as const) {
      expect(signals.get(id)).toBeUndefined();
    }
  });

  it('are all unmeasured on a host of which nothing is known', () => {
    const none = atFirstLook(unknownSnapshot());
    expect([...none.values()].every((value) => value === undefined)).toBe(true);
  });
});

describe('signals at the second look', () => {
  it.each<readonly [SignalId, number, Omit<Moment, 'seconds'>]>([
    ['cpu_pressure', 0.25, { host: { cpuWaitingSeconds: 2.5 } }],
    // 1 s of 10 for one of a's four vCPUs, none for b's two: 0.1 of 6.
    ['cpu_delay', 0.1 / 6, { guests: [{ ...A, delaySeconds: 1 }, B] }],
    ['memory_pressure', 0.5, { host: { memoryStalledSeconds: 5 } }],
    [
      'memory_swap_storm',
      409_600,
      { host: { swapInPages: 1000, swapOutPages: 5000, memoryWaitingSeconds: 2 } },
    ],
    ['memory_oom_kills', 1, { host: { oomKills: 1 } }],
    ['storage_pressure', 0.3, { host: { ioWaitingSeconds: 3 } }],
    // 1 Gbit/s are 125 MB/s; the busier direction counts.
    ['network_utilisation', 0.8, { host: { receivedBytes: 1e9, sentBytes: 5e8 } }],
    ['network_drops', 0.2, { guests: [A, { ...B, packets: 70, sentPackets: 10, drops: 20 }] }],
  ])('%s is %d', (id, value, now) => {
    expect(later(now).get(id)).toBeCloseTo(value, 9);
  });

  it('do not blame a paused guest for what it drops', () => {
    const paused = { state: 'paused', reason: 'user' } as const;
    const signals = later({
      guests: [A, { ...B, packets: 70, sentPackets: 10, drops: 20, overrides: paused }],
    });
    expect(signals.get('network_drops')).toBeUndefined();
  });
});

describe('signals of a host in need', () => {
  it('count guests paused because a write failed, and no others', () => {
    const paused = { state: 'paused', reason: 'ioerror' } as const;
    const saved = { state: 'shutoff', reason: 'saved', active: false } as const;
    const guests = [
      { ...A, overrides: paused },
      { ...B, overrides: saved },
    ];
    const signals = atFirstLook(smallHost({ seconds: 0, guests }));
    expect(signals.get('storage_loss_paused_guests')).toBe(1);
  });

  it('are infinite where something may be claimed and nothing is left', () => {
    const signals = atFirstLook(smallHost({ seconds: 0, host: { availableGib: 0 } }));
    expect(signals.get('storage_overcommitted')).toBe(Infinity);
    expect(signals.get('storage_available')).toBe(0);
  });

  it('leave a filesystem alone that no image can outgrow', () => {
    const guests = [{ ...A, writtenGib: 79 }, B];
    const signals = atFirstLook(smallHost({ seconds: 0, guests, host: { availableGib: 2 } }));
    expect(signals.get('storage_available')).toBeUndefined();
  });

  describe('and swap', () => {
    const used = (memoryGib: number): number | undefined => {
      const snapshot = smallHost({ seconds: 0, guests: [{ ...A, memoryGib }, B] });
      const area = { path: '/dev/sda2', sizeBytes: 8 * GIB, usedBytes: 2 * GIB, priority: -2 };
      const swapAreas = [
        { ...area, kind: 'partition' as const, zram: undefined },
        { ...area, kind: 'zram' as const, usedBytes: 8 * GIB, zram: undefined },
      ];
      const signals = atFirstLook({ ...snapshot, host: { ...snapshot.host, swapAreas } });
      return signals.get('memory_swap_used');
    };

    it('leave zram out', () => {
      expect(used(16)).toBe(0.25);
    });

    it('do not mind swap that is used where memory covers all that may be claimed', () => {
      expect(used(6)).toBeUndefined();
    });
  });
});
