import fc from 'fast-check';
import { hostname } from 'node:os';
import { describe, expect, it } from 'vitest';

import { toClient, plainAddress } from '../../../src/web/client-address.ts';
import { HostNames, parseHost } from '../../../src/web/host-names.ts';
import { parseRequestTarget } from '../../../src/web/request-target.ts';

describe("a request's target", () => {
  it.each([
    ['/metrics', { path: '/metrics', query: '', authority: undefined }],
    ['/a%20b?x=%zz&y', { path: '/a%20b', query: 'x=%zz&y', authority: undefined }],
    ['http://kvm1:9177/metrics?a', { path: '/metrics', query: 'a', authority: 'kvm1:9177' }],
    ['HTTPS://kvm1', { path: '/', query: '', authority: 'kvm1' }],
    ['http://kvm1?a=b', { path: '/', query: 'a=b', authority: 'kvm1' }],
  ])('%s is understood', (target, parsed) => {
    expect(parseRequestTarget(target)).toEqual(parsed);
  });

  it.each(['', '*', 'metrics', '//', '//evil/x', '/%', '/%2', '/%g0', '/a#b', '/a b', '/ä', '?a'])(
    '%j is none',
    (target) => {
      expect(parseRequestTarget(target)).toBeUndefined();
    },
  );

  it('of any text has a path that begins with one slash, or is none', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        for (const target of [text, `/${text}`, `http://${text}`]) {
          const parsed = parseRequestTarget(target);
          if (parsed !== undefined) expect(parsed.path).toMatch(/^\/(?!\/)[!-~]*$/);
        }
      }),
      { numRuns: 2000 },
    );
  });
});

describe('a Host header', () => {
  it.each([
    [['kvm1'], 'kvm1'],
    [['KVM1.Example.com.:9177'], 'kvm1.example.com'],
    [['[::1]:9177'], '::1'],
    [['[0:0:0:0:0:0:0:1]'], '::1'],
    [['[::ffff:192.0.2.1]'], '192.0.2.1'],
    [['kvm1:'], 'kvm1'],
  ])('%j names %s', (values, name) => {
    expect(parseHost(values)).toEqual({ kind: 'name', name });
  });

  it.each([
    [['a', 'a']],
    [['a b']],
    [['a:65536']],
    [['a:-1']],
    [['[::1']],
    [['[1.2.3.4]']],
    [['[:::1]']],
    [['u@a']],
    [['a/b']],
    [['ä']],
  ])('%j is malformed', (values) => {
    expect(parseHost(values)).toEqual({ kind: 'malformed' });
  });

  it.each([[[]], [['']]])('%j names none', (values) => {
    expect(parseHost(values)).toEqual({ kind: 'none' });
  });
});

describe('the names of a listener', () => {
  const names = new HostNames(['KVM1.example.com', '198.51.100.7', '2001:DB8::7']);

  it.each([
    ['localhost', true],
    ['127.8.7.6', true],
    ['::1', true],
    [hostname().toLowerCase(), true],
    ['kvm1.example.com', true],
    ['198.51.100.7', true],
    ['2001:db8::7', true],
    ['192.0.2.1', true],
    ['192.0.2.2', false],
    ['127.evil.example', false],
    ['localhost.evil.example', false],
    ['kvm1.example.com.evil.example', false],
    ['::2', false],
    ['0.0.0.0', false],
  ])('%s: %s', (name, known) => {
    expect(names.know(name, '::ffff:192.0.2.1')).toBe(known);
  });
});

describe('the client of an address', () => {
  it.each([
    ['192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
    ['2001:db8::1', '2001:db8:0:0'],
    ['::1', '0:0:0:0'],
    ['fe80::1%eth0', 'fe80:0:0:0'],
    [undefined, ''],
  ])('%s is %s', (address, client) => {
    expect(toClient(address)).toBe(client);
  });

  it('has one spelling', () => {
    expect(plainAddress('2001:0DB8:0:0::1')).toBe('2001:db8::1');
  });
});
