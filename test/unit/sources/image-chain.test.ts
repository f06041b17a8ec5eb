import { describe, expect, it } from 'vitest';

import { backingReference } from '../../../src/sources/image-chain.ts';

const OVERLAY = '/images/vm/overlay.qcow2';

describe('a backing file name', () => {
  it.each([
    ['base.raw', '/images/vm/base.raw'],
    ['../base.raw', '/images/vm/../base.raw'],
    ['/srv/base.raw', '/srv/base.raw'],
    ['file:/srv/base.raw', '/srv/base.raw'],
    ['file:base.raw', '/images/vm/base.raw'],
    ['./with:colon.raw', '/images/vm/./with:colon.raw'],
  ])('%s is the path %s', (name, path) => {
    expect(backingReference(name, OVERLAY)).toEqual({ kind: 'path', path, format: undefined });
  });

  it.each([
    ['nbd://127.0.0.1:10809/base', 'nbd'],
    ['nbd:unix:/run/base.sock', 'nbd'],
    ['rbd:pool/base', 'rbd'],
    ['https://mirror.example/base.qcow2', 'https'],
    ['with:colon.raw', 'with'],
  ])('%s leads elsewhere, by %s', (name, protocol) => {
    expect(backingReference(name, OVERLAY)).toEqual({ kind: 'remote', protocol });
  });

  it.each([
    ['json:{"driver":"qcow2","file":{"driver":"file","filename":"/b"}}', '/b', 'qcow2'],
    ['json:{"driver":"raw","file.driver":"host_device","file.filename":"/dev/b"}', '/dev/b', 'raw'],
    ['json:{"driver":"file","filename":"b"}', '/images/vm/b', undefined],
  ])('%s is a local file', (name, path, format) => {
    expect(backingReference(name, OVERLAY)).toEqual({ kind: 'path', path, format });
  });

  it.each([
    ['json:{"driver":"raw","file":{"driver":"nbd","host":"h"}}', 'nbd'],
    ['json:{"file.driver":"rbd","file.pool":"p"}', 'rbd'],
    ['json:{"driver":7}', 'json'],
    ['json:{', 'json'],
    ['json:[]', 'json'],
  ])('%s is not', (name, protocol) => {
    expect(backingReference(name, OVERLAY)).toEqual({ kind: 'remote', protocol });
  });
});
