import { describe, expect, it } from 'vitest';

import { parseDomainXml } from '../../../src/sources/domain-xml.ts';
import { parseStoragePoolXml } from '../../../src/sources/storage-pool-xml.ts';
import { domainCases, poolCases } from '../../corpus/cases.ts';

describe('each domain of the corpus is read as a person reads it', () => {
  it.each(domainCases().map((one) => [one.name, one] as const))('%s', (_, { xml, right }) => {
    const parsed = parseDomainXml(xml, 'XML of a guest');
    if ('malformed' in right) {
      if (parsed.ok) throw new Error('was read');
      expect(parsed.error.kind).toBe('malformed');
      expect(parsed.error.detail).toContain(right.malformed);
    } else {
      expect(parsed.ok ? parsed.value : parsed.error).toEqual(right.reading);
    }
  });

  it('and there are enough of them', () => {
    expect(domainCases().length).toBeGreaterThanOrEqual(80);
  });
});

describe('each storage pool of the corpus is read as a person reads it', () => {
  it.each(poolCases().map((one) => [one.name, one] as const))('%s', (_, { xml, right }) => {
    const parsed = parseStoragePoolXml(xml);
    if ('malformed' in right) throw new Error('no pool here is malformed');
    expect(parsed.ok ? parsed.value : parsed.error).toEqual(right.reading);
  });

  it('and there are enough of them', () => {
    expect(poolCases().length).toBeGreaterThanOrEqual(20);
  });
});
