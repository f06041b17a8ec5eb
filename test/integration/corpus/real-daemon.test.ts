import { beforeAll, describe, expect, it } from 'vitest';

import { domainCases, poolCases } from '../../corpus/cases.ts';
import { compare } from '../../corpus/second-reading.ts';
import { CHANGED, MENDED, REFUSED } from './libvirt-9.ts';
import { libvirtVersion, throughLibvirt, type Refused, type Returned } from './real-daemon.ts';

let domains: readonly Returned[];
let pools: readonly Returned[];
let refused: readonly Refused[];

beforeAll(async () => {
  const ofDomains = await throughLibvirt('domain', domainCases());
  const ofPools = await throughLibvirt('pool', poolCases());
  domains = ofDomains.returned;
  pools = ofPools.returned;
  refused = [...ofDomains.refused, ...ofPools.refused];
}, 600_000);

describe('a real libvirtd that is given the corpus', () => {
  it('is of the version that the lists are of', async () => {
    expect(await libvirtVersion()).toBe('9.0');
  });

  it('takes all of it but what it cannot know, and says so', () => {
    expect(refused.map(({ name }) => name).sort()).toEqual(Object.keys(REFUSED).sort());
    for (const { name, messages } of refused) {
      expect(messages.qemu).toContain(REFUSED[name]?.message);
      expect(messages.test).toContain(REFUSED[name]?.message);
    }
  });

  it('has its QEMU driver take most of them', () => {
    const byQemu = domains.filter(({ driver }) => driver === 'qemu');
    expect(byQemu.length).toBeGreaterThan(domains.length * 0.8);
  });

  it('gives back XML that virsh and python read as this client and parser do', () => {
    const differences: string[] = [];
    let values = 0;
    for (const { name, ours, theirs } of [...domains, ...pools]) {
      const comparison = compare(ours, theirs);
      values += comparison.values;
      differences.push(...comparison.differences.map((line) => `${name}: ${line}`));
    }
    expect(differences).toEqual([]);
    expect(values).toBeGreaterThan(5000);
  });

  it('lists each under the name that is read in its XML', () => {
    for (const { ours, listedAs } of [...domains, ...pools]) {
      expect(ours).toMatchObject({ name: listedAs });
    }
  });

  it('keeps what a person read in the file, but for what it is known to change', () => {
    const unexplained: string[] = [];
    const used = new Set<(typeof CHANGED)[number]>();
    const given = new Map([...domains, ...pools].map(({ name, ours }) => [name, ours]));
    for (const { name, right } of [...domainCases(), ...poolCases()]) {
      const ours = given.get(name);
      if (ours === undefined) continue;
      if ('malformed' in right) {
        if (MENDED[name] === undefined) unexplained.push(`${name}: ${right.malformed}`);
        continue;
      }
      for (const difference of compare(right.reading, ours).differences) {
        // What libvirtd adds by itself is no reading of the file.
        if (/: nothing, /.test(difference)) continue;
        const [place = ''] = difference.split(': ');
        const change = CHANGED.find(
          (one) => one.place.test(place) && (one.files?.includes(name) ?? true),
        );
        if (change === undefined) unexplained.push(`${name}: ${difference}`);
        else used.add(change);
      }
    }
    expect(unexplained).toEqual([]);
    expect(CHANGED.filter((one) => !used.has(one))).toEqual([]);
  });
});
