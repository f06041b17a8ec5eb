import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { parseDomainXml } from '../../src/sources/domain-xml.ts';
import { parseStoragePoolXml } from '../../src/sources/storage-pool-xml.ts';
import type { Difference, Report } from './report.ts';
import { compare, secondReadings, type SecondReading } from './second-reading.ts';

/** A document of libvirt's tests, or a part of one. */
interface Document {
  /** Within the directory of tests. */
  readonly name: string;
  /** Where it lies by itself. */
  readonly file: string;
  readonly xml: string;
}

/** Whether both readers refuse it, only one does, or both read it. */
type Parsed =
  { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly why: string };

/** Domains: files of their own, and those inside the state of running guests and of snapshots. */
export function compareDomains(tests: string, scratch: string): Report {
  const documents = documentsOf(
    tests,
    scratch,
    /^domain$/,
    /<domain\s[^>]*type=[^>]*[^/>]>(?:(?!<domain\s)[\s\S])*?<uuid>[\s\S]*?<\/domain>/g,
  );
  return compareDocuments('domain XML of libvirt', documents, (xml) => {
    const config = parseDomainXml(xml, 'a domain');
    return config.ok ? { ok: true, value: config.value } : { ok: false, why: config.error.detail };
  });
}

export function comparePools(tests: string, scratch: string): Report {
  const documents = documentsOf(tests, scratch, /^pool$/, undefined);
  return compareDocuments('storage pool XML of libvirt', documents, (xml) => {
    const pool = parseStoragePoolXml(xml);
    return pool.ok ? { ok: true, value: pool.value } : { ok: false, why: pool.error.detail };
  });
}

/** @param inside what of a document of another kind is one, cut out into a file of its own. */
function documentsOf(
  tests: string,
  scratch: string,
  root: RegExp,
  inside: RegExp | undefined,
): readonly Document[] {
  mkdirSync(scratch, { recursive: true });
  const names = readdirSync(tests, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.xml'))
    .sort();
  return names.flatMap((name): readonly Document[] => {
    const file = join(tests, name);
    const xml = readFileSync(file, 'utf8');
    if (root.test(rootOf(xml) ?? '')) return [{ name, file, xml }];
    return [...(inside === undefined ? [] : xml.matchAll(inside))].map(([part], index) => {
      const own = join(scratch, `${name.replaceAll('/', '_')}.${index}.xml`);
      writeFileSync(own, part);
      return { name: `${name}#${index}`, file: own, xml: part };
    });
  });
}

/** Name of the root element, found without a parser. */
function rootOf(xml: string): string | undefined {
  return /<([\w:-]+)/.exec(xml.replaceAll(/<!--[\s\S]*?-->|<\?[\s\S]*?\?>|<![^>]*>/g, ''))?.[1];
}

function compareDocuments(
  what: string,
  documents: readonly Document[],
  parse: (xml: string) => Parsed,
): Report {
  const theirs = secondReadings(documents.map(({ file }) => file));
  if (theirs.length !== documents.length) throw new Error('read_xml.py left files out');
  const differences: Difference[] = [];
  const refused: string[] = [];
  let values = 0;
  for (const [index, { name, xml }] of documents.entries()) {
    const second: SecondReading | undefined = theirs[index];
    if (second === undefined) continue;
    const first = parse(xml);
    if (!first.ok && 'error' in second) {
      refused.push(first.why);
    } else if (!first.ok || 'error' in second) {
      const [one, other] = [
        first.ok ? 'read' : first.why,
        'error' in second ? second.error : 'read',
      ];
      differences.push({ file: name, text: `document: ${one}, ${other}` });
    } else {
      const comparison = compare(first.value, second.reading);
      values += comparison.values;
      differences.push(...comparison.differences.map((text) => ({ file: name, text })));
    }
  }
  return { what, files: documents.length, values, differences, notes: counted(refused) };
}

/** `no <uuid>: 23 files, refused by both`. */
function counted(reasons: readonly string[]): readonly string[] {
  return [...new Set(reasons)].map(
    (reason) =>
      `${reason}: ${reasons.filter((one) => one === reason).length} files, refused by both`,
  );
}
