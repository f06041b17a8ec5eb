import { describe, expect, it } from 'vitest';

import { emittedFaults } from '../../../rules/tool/emitted.ts';

function faultsOf(series: string, values: string): readonly string[] {
  return emittedFaults({ name: 'test', interval: '1m', input_series: [{ series, values }] });
}

describe('the input of a rule test', () => {
  it('is what an exporter can publish', () => {
    expect(faultsOf('kvm_domain_swap_bytes{job="kvm",instance="a",domain="db"}', '5-1x5')).toEqual(
      [],
    );
    expect(faultsOf('kvm_ksm_profit_bytes{job="kvm",instance="a"}', '-4096 _ stale')).toEqual([]);
    expect(faultsOf('up{job="kvm",instance="a"}', '1 0')).toEqual([]);
    expect(faultsOf('instance:kvm_cpu_promised:ratio{job="kvm",instance="a"}', '-1')).toEqual([]);
  });

  it.each([
    ['kvm_domain_swapped{job="kvm",instance="a"}', '1', 'not in the catalogue'],
    ['kvm_domain_swap_bytes{job="kvm",instance="a"}', '1', 'needs domain'],
    ['kvm_host_load1{job="kvm",instance="a",cpu="0"}', '1', 'has no label cpu'],
    ['kvm_domain_swap_bytes{job="kvm",instance="a",domain="db"}', '5-4x5', 'is never -3'],
    ['kvm_host_oom_kills_total{job="kvm",instance="a"}', '-1', 'is never -1'],
    ['kvm_libvirt_up{job="kvm",instance="a"}', '0.5', 'is never 0.5'],
  ])('is not %s with %s', (series, values, fault) => {
    expect(faultsOf(series, values)).toEqual([`test: ${series}: ${fault}`]);
  });
});
