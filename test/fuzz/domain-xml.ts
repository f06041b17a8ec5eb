import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

import { parseDomainXml } from '../../src/sources/domain-xml/domain-xml.ts';
import { mangledXml } from './mangle-xml.ts';
import { judged } from './numbers.ts';
import { simple, type Target } from './target.ts';

const FIXTURES = join(import.meta.dirname, '../fixtures/domain-xml');

/** The XML of a guest, of which a tenant writes metadata, names and tags. */
export const domainXml: Target = {
  name: 'domain-xml',
  open() {
    const samples = readdirSync(FIXTURES).map((name) => readFileSync(join(FIXTURES, name), 'utf8'));
    return simple((pick) => {
      const good = samples[pick(samples.length)] ?? '';
      return judged(parseDomainXml(mangledXml(good, pick), 'a guest'));
    });
  },
};
