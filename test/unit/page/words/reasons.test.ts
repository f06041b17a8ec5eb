import { describe, expect, it } from 'vitest';

import { DEFAULT_POLICY } from '../../../../src/config/policy.ts';
import { riskLevels, type SignalId } from '../../../../src/risk/risk-model.ts';
import { toReasons } from '../../../../src/page/words/reasons.ts';
import { toWords } from '../../../../src/page/words/sentence.ts';

/** What the page says when this signal alone is past its limit. */
function said(id: SignalId, value: number): readonly string[] {
  const risks = riskLevels(new Map([[id, value]]), DEFAULT_POLICY, new Set());
  return Object.values(risks).flatMap((risk) =>
    toReasons(risk).map(({ sentence }) => toWords(sentence).replaceAll('\u00a0', ' ')),
  );
}

describe('the reasons for a risk', () => {
  it.each<[SignalId, number, string]>([
    ['cpu_promise', 5, 'Each CPU is shared by 5 vCPUs (limit 4).'],
    ['cpu_pressure', 0.6, 'At least one task waited for a CPU 60 % of the time (limit 50 %).'],
    [
      'memory_exposure',
      1.5,
      'Guests can still claim 1.5 times the memory and swap that is available (limit 1).',
    ],
    ['memory_pressure', 0.12, 'All tasks stalled on memory 12 % of the time (limit 10 %).'],
    [
      'memory_oom_kills',
      2,
      'The host killed 2 processes in the last ten minutes because memory ran out; ' +
        'whether guests were among them takes Prometheus to know.',
    ],
    [
      'memory_overcommitted',
      Infinity,
      'Guests are promised memory, but the host has none to give.',
    ],
    ['cpu_loss_guests', 1, '1 guest waits so long for CPUs that all of it is slow.'],
    ['storage_loss_full', 1, '1 filesystem is full, and images can still grow there.'],
    ['storage_loss_inodes', 2, '2 filesystems have no free inode.'],
    ['storage_loss_paused_guests', 2, '2 guests are paused because a write failed.'],
    ['network_loss_down', 1, '1 uplink of guests is down.'],
    ['storage_thin_data', 0.85, 'A thin pool is 85 % full (limit 70 %).'],
    ['storage_pool_used', 0.9, 'A storage pool is 90 % full (limit 85 %).'],
    ['network_utilisation', 0.85, 'An uplink carries 85 % of its bandwidth (limit 80 %).'],
  ])('of %s at %d are in plain words, with plural and unit', (id, value, sentence) => {
    expect(said(id, value)).toEqual([sentence]);
  });
});
