import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import {
  imageReference,
  visibleNetworkName,
  visibleReference,
} from '../../../../src/model/facts/image-reference.ts';

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
    expect(imageReference(name, OVERLAY)).toEqual({ kind: 'path', path, format: undefined });
  });

  it.each([
    ['nbd://127.0.0.1:10809/base', 'nbd'],
    ['nbd:unix:/run/base.sock', 'nbd'],
    ['rbd:pool/base', 'rbd'],
    ['https://mirror.example/base.qcow2', 'https'],
    ['with:colon.raw', 'with'],
  ])('%s leads elsewhere, by %s', (name, protocol) => {
    expect(imageReference(name, OVERLAY)).toMatchObject({ kind: 'remote', protocol });
  });
});

describe('a backing file name in JSON', () => {
  it.each([
    ['{"driver":"qcow2","file":{"driver":"file","filename":"/b"}}', '/b', 'qcow2'],
    ['{"driver":"raw","file.driver":"host_device","file.filename":"/dev/b"}', '/dev/b', 'raw'],
    ['{"driver":"file","filename":"b"}', '/images/vm/b', undefined],
    ['{"file":{"driver":"file","filename":"/b"}}', '/b', undefined],
    ['{"file.filename":"/b"}', '/b', undefined],
    ['{"file":{"filename":"b"}}', '/images/vm/b', undefined],
    [
      '{"driver":"qcow2","file":{"driver":"raw","file":{"driver":"file","filename":"/b"}}}',
      '/b',
      'qcow2',
    ],
    [
      '{"driver":"raw","file":{"driver":"qcow2","file":{"driver":"file","filename":"/b"}}}',
      '/b',
      'qcow2',
    ],
    [
      '{"driver":"raw","file":{"driver":"raw","file.driver":"file","file.filename":"/b"}}',
      '/b',
      'raw',
    ],
    [
      '{"driver":"qcow2","file.driver":"raw","file.file.driver":"file","file.file.filename":"/b"}',
      '/b',
      'qcow2',
    ],
    [
      '{"driver":"throttle","throttle-group":"g","file":{"driver":"qcow2","file.filename":"/b"}}',
      '/b',
      'qcow2',
    ],
    [
      '{"driver":"luks","key-secret":"s","file":{"driver":"host_device","filename":"/dev/b"}}',
      '/dev/b',
      'luks',
    ],
  ])('%s is the local file %s of format %s', (json, path, format) => {
    expect(imageReference(`json:${json}`, OVERLAY)).toEqual({ kind: 'path', path, format });
  });

  it('can say which part of a file it is', () => {
    const slice = { offsetBytes: 1_048_576, sizeBytes: 4096 };
    const raw =
      '"driver":"raw","offset":1048576,"size":"4096","file":{"driver":"file","filename":"/b"}';
    expect(imageReference(`json:{${raw}}`, OVERLAY)).toMatchObject({ format: 'raw', slice });
    expect(imageReference(`json:{"driver":"qcow2","file":{${raw}}}`, OVERLAY)).toMatchObject({
      path: '/b',
      format: 'qcow2',
      slice,
    });
  });

  it.each([
    ['{"driver":"raw","file":{"driver":"nbd","host":"h"}}', 'nbd'],
    ['{"file.driver":"rbd","file.pool":"p"}', 'rbd'],
    ['{"file":{"filename":"ssh://h/b"}}', 'ssh'],
    // One image in another; a name given twice; what is below told by the JSON itself.
    [
      '{"driver":"qcow2","file":{"driver":"vmdk","file":{"driver":"file","filename":"/b"}}}',
      'json',
    ],
    ['{"file":{"driver":"file","filename":"/b"},"file.filename":"/c"}', 'json'],
    ['{"driver":"qcow2","file.filename":"/b","backing":{"file.filename":"/c"}}', 'json'],
    ['{"driver":"raw","offset":-1,"size":5,"file.filename":"/b"}', 'json'],
    ['{"driver":7}', 'json'],
    ['{', 'json'],
    ['[]', 'json'],
    ['{"file":"node-name"}', 'json'],
    [`${'{"file":'.repeat(100)}{"filename":"/b"}${'}'.repeat(100)}`, 'json'],
    [`{"${'file.'.repeat(100)}filename":"/b"}`, 'json'],
  ])('%s is none', (json, protocol) => {
    expect(imageReference(`json:${json}`, OVERLAY)).toMatchObject({ kind: 'remote', protocol });
  });
});

/** Every secret in the names below. */
const SECRET = /hunter2|alice|AQB|topsecret/;

describe('what is shown of a name', () => {
  it.each([
    ['https://alice:hunter2@mirror.example/pub/base.qcow2?token=topsecret', 'https:base.qcow2'],
    ['https://alice:hunt/hunter2@mirror.example/pub/base.qcow2', 'https:base.qcow2'],
    ['https://mirror.example/topsecret/base.qcow2#topsecret', 'https:base.qcow2'],
    ['https://alice:hunter2@mirror.example', 'https:'],
    ['http://alice@h/base.img;session=topsecret', 'http:base.img'],
    ['ftp://alice:hunter2@h/base.img', 'ftp:base.img'],
    ['ftps://alice:hunter2@h/base.img', 'ftps:base.img'],
    ['ssh://alice:hunter2@h:22/srv/base.img?host_key_check=md5:topsecret', 'ssh:base.img'],
    ['sftp://alice:hunter2@h/srv/base.img', 'sftp:base.img'],
    ['nfs://h/export/base.img?uid=0', 'nfs:base.img'],
    [
      'iscsi://alice%hunter2@h:3260/iqn.2013-07.com.example:pool/1',
      'iscsi:iqn.2013-07.com.example:pool/1',
    ],
    ['iscsi://alice%hunter2@h/hunter2', 'iscsi:'],
    [
      'iser://alice%hunt/hunter2@h/iqn.2013-07.com.example:pool/0',
      'iser:iqn.2013-07.com.example:pool/0',
    ],
    ['rbd:vms/base:id=alice:key=AQBhunter2==:mon_host=h\\:6789', 'rbd:vms/base'],
    ['rbd:vms/base@gold:id=alice', 'rbd:vms/base@gold'],
    ['rbd:vms/with\\:colon:key=AQB', 'rbd:vms/with:colon'],
    ['rbd://alice:hunter2@h/x', 'rbd:'],
    ['nbd://alice:hunter2@h:10809/base?tls-creds=topsecret', 'nbd:base'],
    ['nbd+unix:///base?socket=/run/topsecret', 'nbd+unix:base'],
    ['nbds://h/base', 'nbds:base'],
    ['nbd:h:10809:exportname=base', 'nbd:base'],
    ['nbd:unix:/run/alice.sock', 'nbd:'],
    ['gluster+tcp://h:24007/vol/dir/base.img?debug=9', 'gluster+tcp:vol/dir/base.img'],
    ['gluster://alice:hunter2@h/vol/base.img', 'gluster:vol/base.img'],
    ['sheepdog:disk1', 'sheepdog:disk1'],
    ['sheepdog:h:7000:disk1:snap', 'sheepdog:disk1'],
    ['sheepdog://h/disk1#alice', 'sheepdog:disk1'],
    ['vxhs://h:9999/eb90ae15', 'vxhs:eb90ae15'],
    ['tftp://alice:hunter2@h/base.img', 'tftp:base.img'],
    ['blkdebug:/conf:https://alice:hunter2@h/x', 'blkdebug:'],
    ['alice:hunter2@h/base.img', 'unknown:'],
    ['smb://alice:hunter2@h/base.img', 'unknown:'],
    ['file://alice:hunter2@h/base.img', 'file:base.img'],
    [
      'json:{"file":{"driver":"https","url":"https://alice:hunter2@h/base.img?topsecret","cookie":"topsecret","password-secret":"topsecret"}}',
      'https:base.img',
    ],
    [
      'json:{"driver":"https","url":"https://h/base.img","username":"alice","cookie":"topsecret"}',
      'https:base.img',
    ],
    ['json:{"file":{"filename":"https://alice:hunter2@h/base.img"}}', 'https:base.img'],
    [
      'json:{"file":{"driver":"rbd","pool":"vms","image":"base","user":"alice","key-secret":"topsecret","conf":"hunter2"}}',
      'rbd:vms/base',
    ],
    ['json:{"file":{"driver":"rbd","pool":"vms","image":"base:key=AQBhunter2"}}', 'rbd:vms/base'],
    [
      'json:{"driver":"raw","file":{"driver":"iscsi","portal":"h","target":"iqn.2013-07.com.example:pool","lun":2,"user":"alice","password-secret":"topsecret"}}',
      'iscsi:iqn.2013-07.com.example:pool/2',
    ],
    ['json:{"driver":"nbd","export":"base","tls-creds":"topsecret"}', 'nbd:base'],
    ['json:{"driver":"ssh","path":"/srv/base.img","user":"alice"}', 'ssh:base.img'],
    [
      'json:{"driver":"gluster","volume":"vol","path":"/base.img","server":[]}',
      'gluster:vol/base.img',
    ],
    ['json:{"driver":"alice","filename":"hunter2"}', 'unknown:'],
    ['json:{"alice":"hunter2"}', 'json:'],
    ['json:{"alice":"hunter2"', 'json:'],
    [
      'json:{"driver":"qcow2","encrypt.key-secret":"topsecret","file.filename":"/srv/base.img"}',
      '/srv/base.img',
    ],
    ['../base.raw', '../base.raw'],
    ['/srv/base.raw', '/srv/base.raw'],
  ])('%s is %s', (name, shown) => {
    expect(visibleReference(name)).toBe(shown);
    expect(visibleReference(name)).not.toMatch(SECRET);
  });

  it('is the same for network disks of the domain XML, options behind their names or not', () => {
    expect(visibleNetworkName('rbd', 'vms/archive')).toBe('rbd:vms/archive');
    expect(visibleNetworkName('rbd', 'vms/archive:id=alice:key=AQBhunter2')).toBe(
      'rbd:vms/archive',
    );
    expect(visibleNetworkName('https', 'pub/base.iso?token=topsecret')).toBe('https:base.iso');
    expect(visibleNetworkName('iscsi', 'iqn.2013-07.com.example:pool/1')).toBe(
      'iscsi:iqn.2013-07.com.example:pool/1',
    );
    expect(visibleNetworkName('nbd', 'base')).toBe('nbd:base');
    expect(visibleNetworkName('nbd', undefined)).toBe('nbd:');
  });

  it('never has a user, password, query or option in it, whatever the name', () => {
    const schemes = [
      'https',
      'ftp',
      'ssh',
      'iscsi',
      'nbd',
      'gluster',
      'sheepdog',
      'nfs',
      'rbd',
      'x',
    ];
    const part = fc.stringMatching(/^[a-z0-9.:@%/_-]{0,12}$/);
    fc.assert(
      fc.property(fc.constantFrom(...schemes), part, part, part, (scheme, user, host, image) => {
        const name = `${scheme}://${user}:hunter2@${host}/${image}?alice=topsecret`;
        expect(visibleReference(name)).not.toMatch(SECRET);
      }),
      { numRuns: 2000 },
    );
  });

  it('leaves images apart that look the same', () => {
    const digest = (name: string): string | undefined => {
      const reference = imageReference(name, OVERLAY);
      return reference.kind === 'remote' ? reference.digest : undefined;
    };
    expect(digest('https://one/base.img')).not.toBe(digest('https://two/base.img'));
    expect(digest('https://one/base.img')).toBe(digest('https://one/base.img'));
    expect(digest('https://alice:hunter2@one/base.img')).not.toMatch(SECRET);
  });

  it('comes of any text without an end and without a crash', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.json().map((json) => `json:${json}`),
        ),
        (name) => {
          expect(typeof visibleReference(name)).toBe('string');
          imageReference(name, OVERLAY);
        },
      ),
      { numRuns: 5000 },
    );
  });
});
