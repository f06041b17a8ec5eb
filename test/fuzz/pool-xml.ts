import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

import { parseStoragePoolXml } from '../../src/sources/domain-xml/storage-pool-xml.ts';
import { mangledXml } from './mangle-xml.ts';
import { judged } from './numbers.ts';
import { simple, type Target } from './target.ts';

const FIXTURES = join(import.meta.dirname, '../fixtures/storage');

/** The XML of a storage pool. */
export const poolXml: Target = {
  name: 'pool-xml',
  open() {
    const samples = readdirSync(FIXTURES)
      .filter((name) => name.endsWith('.xml'))
      .map((name) => readFileSync(join(FIXTURES, name), 'utf8'));
    return simple((pick) =>
      judged(parseStoragePoolXml(mangledXml(samples[pick(samples.length)] ?? '', pick))),
    );
  },
};
