import { describe, expect, it } from 'vitest';

import { Deadline } from '../../../../src/runtime/deadline.ts';
import type { DomainConfig } from '../../../../src/model/domain-config.ts';
import {
  parseDomainXml,
  parseDomainXmlInSlices,
} from '../../../../src/sources/domain-xml/domain-xml.ts';
import { parseXml } from '../../../../src/sources/domain-xml/xml-document.ts';
import { only } from '../../../../src/sources/domain-xml/xml-wanted.ts';

/** Text as a socket brings it: one flat string, not the rope that `+` makes. */
function asRead(text: string): string {
  return new TextDecoder().decode(Buffer.from(text));
}

function guestWith(metadata: string, more = ''): string {
  return asRead(
    "<domain type='kvm'><name>shop</name><uuid>6f1d2c3b-0000-4000-8000-000000000007</uuid>" +
      `<metadata>${metadata}</metadata>${more}<memory unit='GiB'>4</memory><vcpu>2</vcpu>` +
      "<devices><disk type='file'><target dev='vda'/></disk></devices></domain>",
  );
}

function parse(xml: string): DomainConfig {
  const config = parseDomainXml(xml, 'XML of shop');
  if (!config.ok) throw new Error(config.error.detail);
  return config.value;
}

/** Names that mean something to JavaScript's objects. */
const NAMES = [
  ...Object.getOwnPropertyNames(Object.prototype),
  ...Object.getOwnPropertyNames(Function.prototype),
  'then',
  'toJSON',
  'length',
];

const MEBIBYTES_3_9 = 3.9 * 1024 * 1024;

function repeated(piece: (index: number) => string, characters = MEBIBYTES_3_9): string {
  const pieces: string[] = [];
  for (let length = 0; length < characters; length += pieces.at(-1)?.length ?? 0) {
    pieces.push(piece(pieces.length));
  }
  return pieces.join('');
}

const nova = 'http://openstack.org/xmlns/libvirt/nova/1.1';

/** What libxml2 lets through into `<metadata>`, as large as libvirt lets through. */
const LARGE: readonly [string, string][] = [
  ['elements', `<x:r xmlns:x='u'>${repeated((i) => `<x:a${i} b='c'>d</x:a${i}>\n`)}</x:r>`],
  ['attributes of one element', `<r ${repeated((i) => ` a${i.toString(36)}=''`)}/>`],
  ['depth', '<a>'.repeat(MEBIBYTES_3_9 / 7) + '</a>'.repeat(MEBIBYTES_3_9 / 7)],
  ['text', `<a>${repeated(() => '&amp;')}</a>`],
  ['an attribute', `<a b='${repeated(() => '&lt;x')}'/>`],
  ['half ends of a CDATA section', `<a><![CDATA[${repeated(() => ']>')}]]></a>`],
  ['half ends of a comment', `<!--${repeated(() => '- ')}-->`],
  ['comments', `<a>${repeated(() => '<!--a-->')}</a>`],
  ['instructions', repeated(() => '<?a b?>')],
  ['a name', `<${'n'.repeat(MEBIBYTES_3_9 / 2)}></${'n'.repeat(MEBIBYTES_3_9 / 2)}>`],
  ['identities of Nova', repeated(() => `<n:instance xmlns:n='${nova}'/>`)],
  ['names of Nova', `<n:instance xmlns:n='${nova}'>${repeated(() => '<n:name/>')}</n:instance>`],
  [
    'a name of Nova',
    `<n:instance xmlns:n='${nova}'><n:name>${repeated(() => 'x')}</n:name></n:instance>`,
  ],
  ['attributes of Nova', `<n:instance xmlns:n='${nova}' ${repeated((i) => ` a${i}=''`)}/>`],
];

describe('what a tenant writes into the metadata of his guest', () => {
  it.each(NAMES)('may be called %s', (name) => {
    const element = `<${name} xmlns='urn:shop'/>`;
    const attribute = `<a ${name}='1'/>`;
    const both = `<n:instance xmlns:n='${nova}' ${name}='1'><${name}/><n:${name}/></n:instance>`;
    for (const metadata of [element, attribute, both]) {
      expect(parse(guestWith(metadata)).memory.maximumBytes).toBe(4 * 2 ** 30);
    }
  });

  it.each(NAMES)('may be called %s where elements are read', (name) => {
    const xml = `<domain ${name}='1'><${name} a='2'/><devices><${name}/></devices></domain>`;
    const root = parseXml(xml, 'XML');
    if (!root.ok) throw new Error(root.error.detail);
    expect(root.value.attribute(name)).toBe('1');
    expect(root.value.child(name)?.attribute('a')).toBe('2');
    const none = parseXml(xml, 'XML', only({}));
    expect(none.ok && none.value.children).toEqual([]);
  });

  it('may be as deep as it likes', () => {
    const deep = '<a>'.repeat(100_000) + '</a>'.repeat(100_000);
    for (const xml of [
      guestWith(deep),
      guestWith('', deep),
      guestWith('').replace('/>', `/>${deep}`),
    ])
      expect(parse(xml).vcpu.maximum).toBe(2);
  });

  it('may hold what looks like the end of it', () => {
    const metadata =
      `<a b="</metadata>" c='<!--'/><!-- </metadata><memory>1</memory> --><?p </metadata> ?>` +
      '<![CDATA[</metadata></domain>]]><metadata><memory>1</memory></metadata>';
    expect(parse(guestWith(metadata))).toMatchObject({
      memory: { maximumBytes: 4 * 2 ** 30 },
      disks: [{ target: 'vda' }],
    });
  });

  it('may be numbers without end', () => {
    expect(parse(guestWith(`<a>${'9'.repeat(400)}</a>`)).faults).toEqual([]);
  });

  it('is an identity of Nova among what is not', () => {
    const own =
      `<n:instance xmlns:n='${nova}'><n:name>web</n:name><n:flavor name='m1'/>` +
      `<n:owner><n:user uuid='7'>ann</n:user></n:owner></n:instance>`;
    const foreign = "<n:instance xmlns:n='urn:other'><n:name>x</n:name></n:instance><constructor/>";
    expect(parse(guestWith(foreign + own)).nova).toMatchObject({
      instanceName: 'web',
      flavor: 'm1',
      user: { name: 'ann', id: '7' },
    });
  });

  it.each(LARGE)('may be 3.9 MiB of %s', (_, metadata) => {
    expect(parse(guestWith(metadata))).toMatchObject({
      memory: { maximumBytes: 4 * 2 ** 30 },
      vcpu: { maximum: 2 },
      faults: [],
    });
  });

  it('has no name of megabytes in a label', () => {
    const [, metadata] = LARGE.find(([name]) => name === 'a name of Nova') ?? ['', ''];
    expect(parse(guestWith(metadata)).nova?.instanceName).toBeUndefined();
  });
});

/** CPU time of this thread in milliseconds: another process on the machine does not count. */
function cpuMilliseconds(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}

/** The longest time the event loop had no turn while something was going on. */
async function longestBlock(work: () => Promise<unknown>): Promise<number> {
  let longest = 0;
  let turnAt = cpuMilliseconds();
  let isDone = false;
  const turn = (): void => {
    const now = cpuMilliseconds();
    longest = Math.max(longest, now - turnAt);
    turnAt = now;
    if (!isDone) setImmediate(turn);
  };
  turn();
  await work();
  isDone = true;
  turn();
  return longest;
}

describe('3.9 MiB of metadata', () => {
  // The first time the engine compiles, and now and then it collects what an earlier test left.
  it.each(LARGE)('of %s block nobody for 20 ms', { retry: 2 }, async (_, metadata) => {
    const xml = guestWith(metadata);
    const block = await longestBlock(async () => {
      const config = await parseDomainXmlInSlices(xml, 'XML of shop', Deadline.in(600_000));
      expect(config.ok).toBe(true);
    });
    expect(block).toBeLessThan(20);
  });

  it('of ten guests at once neither', { retry: 2 }, async () => {
    const documents = LARGE.slice(0, 10).map(([, metadata]) => guestWith(metadata));
    const block = await longestBlock(() =>
      Promise.all(documents.map((xml) => parseDomainXmlInSlices(xml, 'XML', Deadline.in(600_000)))),
    );
    expect(block).toBeLessThan(20);
  });

  it('are given up when the scrape must answer', async () => {
    const deadline = Deadline.in(-1);
    expect(await parseDomainXmlInSlices(guestWith(''), 'XML of shop', deadline)).toMatchObject({
      ok: false,
      error: { kind: 'timeout', subject: 'XML of shop' },
    });
  });
});

describe('XML that libvirt never writes', () => {
  it.each([
    ['a document type', "<!DOCTYPE domain SYSTEM '/etc/passwd'><domain/>", 'a document type'],
    ['an entity of its own', '<domain>&a;</domain>', 'undefined entity'],
    ['a tag of megabytes', `<domain a='${'x'.repeat(70_000)}'/>`, 'a tag of more than 64 KiB'],
    ['a value of megabytes', `<domain>${'x'.repeat(70_000)}</domain>`, '64 KiB of text'],
    ['elements without end', `<domain>${'<disk/>'.repeat(100_001)}</domain>`, '100000 elements'],
    ['more than 4 MiB', `<domain>${' '.repeat(2 ** 22)}</domain>`, 'longer than 4 MiB'],
    ['half of it', '<domain><disk/><metadata>', 'unclosed tag'],
    ['half an element', '<domain><a></domain>', 'unexpected close tag'],
  ])('with %s is refused', (_, xml, detail) => {
    const parsed = parseXml(xml, 'XML of shop');
    if (parsed.ok) throw new Error('it was accepted');
    expect(parsed.error.kind).toBe('malformed');
    expect(parsed.error.detail).toContain(detail);
  });
});
