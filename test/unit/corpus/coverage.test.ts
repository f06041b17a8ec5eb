import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import ts from 'typescript';
import { afterEach, describe, expect, it, vi } from 'vitest';

import { parseDomainXml } from '../../../src/sources/domain-xml/domain-xml.ts';
import { parseStoragePoolXml } from '../../../src/sources/domain-xml/storage-pool-xml.ts';
import { parseXml } from '../../../src/sources/domain-xml/xml-document.ts';
import { XmlElement } from '../../../src/sources/domain-xml/xml-element.ts';
import { domainCases, poolCases } from '../../corpus/cases.ts';

/**
 * The corpus is of use only as far as it holds what the parsers read. What they read is found out
 * from three sides: what they ask of the XML while they read the corpus, what their source text
 * names (a branch no file leads into asks for nothing), and what their readings have a place for.
 */

const SOURCES = join(import.meta.dirname, '../../../src/sources/domain-xml');
/** What they are written with. */
const TOOLS = /^xml-/;
const PARSERS = readdirSync(SOURCES).filter((name) => !TOOLS.test(name));

afterEach(() => {
  vi.restoreAllMocks();
});

/**
 * One source of a disk is described like any other, and read by one function: of a disk, of an
 * image below it, of a mirror, of a data store.
 */
function place(path: string): string {
  return path
    .replace(/disk(?:\/(?:backingStore|mirror|source\/dataStore))+\/source/, 'disk/source')
    .replace(/(?:\/backingStore)+/, '/backingStore')
    .replace(/(?:\/dataStore\/source)+/, '/dataStore/source');
}

function localName(name: string): string {
  return name.slice(name.indexOf(':') + 1);
}

/** The elements below one and itself, by their place. */
function placesOf(element: XmlElement, path: string, places: Map<XmlElement, string>): void {
  places.set(element, path);
  for (const child of element.children) {
    placesOf(child, `${path}/${localName(child.name)}`, places);
  }
}

/** What was asked of elements while `read` ran, and what of it was there. */
function questionsDuring(read: () => unknown): {
  readonly asked: ReadonlySet<string>;
  readonly found: ReadonlySet<string>;
} {
  const child = vi.spyOn(XmlElement.prototype, 'child');
  const all = vi.spyOn(XmlElement.prototype, 'all');
  const attribute = vi.spyOn(XmlElement.prototype, 'attribute');
  read();
  const places = new Map<XmlElement, string>();
  const asked = new Set<string>();
  const found = new Set<string>();
  const note = (context: unknown, name: string, isThere: boolean): void => {
    if (!(context instanceof XmlElement)) throw new Error('asked of something else');
    // The first that is asked is the root, and what is asked later was found below it.
    if (!places.has(context)) placesOf(context, localName(context.name), places);
    const question = place(`${places.get(context) ?? '?'}/${name}`);
    asked.add(question);
    if (isThere) found.add(question);
  };
  for (const [index, context] of child.mock.contexts.entries()) {
    const name = child.mock.calls[index]?.[0] ?? '?';
    note(context, localName(name), child.mock.results[index]?.value !== undefined);
  }
  for (const [index, context] of all.mock.contexts.entries()) {
    const name = all.mock.calls[index]?.[0] ?? '?';
    const value: unknown = all.mock.results[index]?.value;
    note(context, localName(name), Array.isArray(value) && value.length > 0);
  }
  for (const [index, context] of attribute.mock.contexts.entries()) {
    const name = attribute.mock.calls[index]?.[0] ?? '?';
    if (name.startsWith('xmlns')) continue;
    note(context, `@${name}`, attribute.mock.results[index]?.value !== undefined);
  }
  vi.restoreAllMocks();
  return { asked, found };
}

/** A floor is inbound only: libvirt refuses one outbound (virNetDevBandwidthParse). */
const REFUSED = new Set([
  'domain/devices/interface/bandwidth/outbound/@floor',
  'interfaces[].outbound.floorBytesPerSecond',
]);

function missing(read: readonly (() => unknown)[]): readonly string[] {
  const asked = new Set<string>();
  const found = new Set<string>();
  for (const one of read) {
    const questions = questionsDuring(one);
    for (const question of questions.asked) asked.add(question);
    for (const question of questions.found) found.add(question);
  }
  expect(asked.size).toBeGreaterThan(10);
  return [...asked.difference(found).difference(REFUSED)].sort();
}

describe('all that the parsers ask for', () => {
  it('is in the domains', () => {
    expect(
      missing(
        domainCases().map(
          ({ xml }) =>
            () =>
              parseDomainXml(xml, 'a'),
        ),
      ),
    ).toEqual([]);
  });

  it('is in the storage pools', () => {
    expect(
      missing(
        poolCases().map(
          ({ xml }) =>
            () =>
              parseStoragePoolXml(xml),
        ),
      ),
    ).toEqual([]);
  });

  it('would be missed: a domain alone does not hold it', () => {
    const [first] = domainCases();
    expect(missing([() => parseDomainXml(first?.xml ?? '', 'a')])).toContain('domain/memtune');
  });
});

/** Functions whose text arguments are words for people. */
const SPEAKING = new Set([
  ...['required', 'failed', 'malformed', 'complain', 'countFrom', 'numberSet'],
  // What a manager is called, and not how it writes itself.
  'emptyOwner',
]);

/** Names of elements and attributes in the source text of a parser, and of types it tells apart. */
function namedIn(file: string): {
  readonly names: readonly string[];
  readonly types: readonly string[];
} {
  const text = readFileSync(join(SOURCES, file), 'utf8');
  const names: string[] = [];
  const types: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isCallExpression(node)) {
      const { expression } = node;
      const callee = ts.isPropertyAccessExpression(expression)
        ? expression.name.text
        : expression.getText();
      for (const argument of node.arguments) {
        if (ts.isStringLiteral(argument) && !SPEAKING.has(callee)) names.push(argument.text);
        if (ts.isObjectLiteralExpression(argument) && /^only/.test(callee)) {
          for (const property of argument.properties) names.push(property.name?.getText() ?? '?');
        }
      }
    }
    if (ts.isCaseClause(node) && ts.isStringLiteral(node.expression)) {
      types.push(node.expression.text);
    }
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true));
  return { names, types };
}

describe('all that the source text of the parsers names', () => {
  const elements: XmlElement[] = [];
  const collect = (element: XmlElement): void => {
    elements.push(element);
    element.children.forEach(collect);
  };
  for (const { xml } of [...domainCases(), ...poolCases()]) {
    const root = parseXml(xml, 'a');
    if (root.ok) collect(root.value);
  }
  const names = new Set(
    elements.flatMap((element) => [localName(element.name), ...element.attributes.keys()]),
  );
  const types = new Set(elements.map((element) => element.attribute('type')));

  it.each(PARSERS)('in %s is an element or attribute of the corpus', (file) => {
    // `vcpu` and `emulator_` are put in front of others.
    const named = namedIn(file).names.filter((name) => /^[A-Za-z]\w*[A-Za-z\d]$/.test(name));
    expect(named.filter((name) => !names.has(name))).toEqual([]);
  });

  it('as a type of a source is a type in the corpus', () => {
    const named = PARSERS.flatMap((file) => namedIn(file).types);
    expect(named).toContain('nvme');
    expect(named.filter((type) => !types.has(type))).toEqual([]);
  });

  it('is found at all', () => {
    const named = new Set(PARSERS.flatMap((file) => namedIn(file).names));
    for (const name of ['memoryBacking', 'nosharepages', 'detect_zeroes', 'slots', 'adapter']) {
      expect(named).toContain(name);
    }
  });
});

/** Places of a reading, and those of them that are filled. */
function placesIn(value: unknown, path: string, all: Set<string>, filled: Set<string>): void {
  if (Array.isArray(value)) {
    all.add(path);
    filled.add(path);
    for (const one of value) placesIn(one, `${path}[]`, all, filled);
    return;
  }
  all.add(path);
  if (value === undefined || value === false) return;
  filled.add(path);
  if (typeof value !== 'object' || value === null) return;
  for (const [key, one] of Object.entries(value)) {
    placesIn(one, path === '' ? key : `${path}.${key}`, all, filled);
  }
}

describe('every place of a reading', () => {
  it.each([
    ['a domain', domainCases().map(({ xml }) => parseDomainXml(xml, 'a'))],
    ['a storage pool', poolCases().map(({ xml }) => parseStoragePoolXml(xml))],
  ])('of %s is filled by some file of the corpus', (_, readings) => {
    const all = new Set<string>();
    const filled = new Set<string>();
    for (const reading of readings) if (reading.ok) placesIn(reading.value, '', all, filled);
    const simple = (path: string): string =>
      path.replace(
        /^disks\[\]\.(?:mirror|backing\[\]|source\.dataStore|backing|\.)*\.source/,
        'disks[].source',
      );
    const filledSimply = new Set([...filled].map(simple));
    expect(all.size).toBeGreaterThan(8);
    const empty = [...all.difference(REFUSED)].filter((path) => !filledSimply.has(simple(path)));
    expect(empty).toEqual([]);
  });
});
