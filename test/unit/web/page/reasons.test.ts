import { describe, expect, it } from 'vitest';

import { DEFAULT_POLICY } from '../../../../src/config/policy.ts';
import { riskLevels, type SignalId } from '../../../../src/overcommit/risk-model.ts';
import { toReasons } from '../../../../src/web/page/reasons.ts';
import { toWords } from '../../../../src/web/page/sentence.ts';

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
      'The host killed 2 processes in the last ten minutes because it ran out of memory.',
    ],
    ['storage_thin_data', 0.85, 'A thin pool is 85 % full (limit 70 %).'],
    ['storage_pool_used', 0.9, 'A storage pool is 90 % full (limit 85 %).'],
    ['network_utilisation', 0.85, 'An uplink carries 85 % of its bandwidth (limit 80 %).'],
  ])('of %s at %d are in plain words, with plural and unit', (id, value, sentence) => {
    expect(said(id, value)).toEqual([sentence]);
  });
});
