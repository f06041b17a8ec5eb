import { describe, expect, it } from 'vitest';

import { duplicateSeries } from '../../soak/duplicate-series.ts';

describe('series an exposition has twice', () => {
  it('are named, whatever their values', () => {
    const text = `# TYPE kvm_domain_state gauge
kvm_domain_state{domain="web",state="running"} 1
kvm_domain_state{domain="web",state="paused"} 0
kvm_domain_state{domain="web",state="running"} 0
kvm_libvirt_up 1
kvm_libvirt_up 1
# EOF
`;
    expect(duplicateSeries(text)).toEqual([
      'kvm_domain_state{domain="web",state="running"}',
      'kvm_libvirt_up{}',
    ]);
  });

  it('are the same with their labels in another order', () => {
    const text = 'a{x="1",y="2"} 1\na{y="2",x="1"} 1\n';
    expect(duplicateSeries(text)).toEqual(['a{x="1",y="2"}']);
  });

  it('are not confused by what stands in quotes', () => {
    const text = 'a{x="} 1 \\" ,y=\\"2"} 1\na{x="} 1 \\" ,y=\\"3"} 1\na{x=""} 1\na 1\n';
    expect(duplicateSeries(text)).toEqual([]);
  });

  it('are not looked for in what is no exposition', () => {
    expect(() => duplicateSeries('<html>')).toThrow('not a sample: <html>');
  });
});
