import { describe, expect, it } from 'vitest';

import { textFormat } from '../../../src/exposition/format.ts';
import { exampleConfig, exampleDisk } from '../../support/metrics/example-config.ts';
import { unknownGuest } from '../../support/metrics/example-guest.ts';
import {
  exampleView,
  expositionOf,
  unknownSnapshot,
  WEB,
} from '../../support/metrics/example-snapshot.ts';
import {
  diskOf,
  exampleImage,
  exampleQcow2Header,
  exampleStorage,
} from '../../support/metrics/example-storage.ts';
import { familyOf } from './samples.ts';

const SECRETS = /alice|hunter2/;

const NAMES = [
  'https://alice:hunter2@mirror.example/base.qcow2?token=hunter2',
  'rbd:vms/base:id=alice:key=hunter2',
  'ssh://alice:hunter2@h/base.qcow2',
  'iscsi://alice%hunter2@h/iqn.2013-07.com.example:pool/1',
  'json:{"file":{"driver":"https","url":"https://h/b","cookie":"hunter2","username":"alice"}}',
];

describe('a name with credentials in it', () => {
  it.each(NAMES)('%s is shown without them, as backing and as data file', async (name) => {
    const image = exampleImage({
      qcow2: exampleQcow2Header({
        backingFileName: name,
        hasExternalDataFile: true,
        externalDataFileName: name,
      }),
      below: { kind: 'named', name, format: 'raw' },
      dataFiles: [{ name, format: 'raw' }],
    });
    const storage = exampleStorage([diskOf('web', WEB, 'vda', image)]);
    const view = exampleView(unknownSnapshot({ storage }));
    const labels = Object.keys(await familyOf(view, 'kvm_image_info'));
    expect(labels).toHaveLength(1);
    expect(labels[0]).toMatch(/backing_file="(?:https|rbd|ssh|iscsi):[^"]+"/);
    expect(await expositionOf(view, textFormat)).not.toMatch(SECRETS);
  });

  it('is shown without them as a disk of the domain', async () => {
    const disks = NAMES.map((path, i) =>
      exampleDisk({ target: `vd${i}`, source: { kind: 'file', path } }),
    );
    const name = 'vms/base:id=alice:key=hunter2';
    const network = exampleDisk({
      target: 'vdz',
      source: { kind: 'network', protocol: 'rbd', name, hosts: [] },
    });
    const config = { ...exampleConfig(), disks: [...disks, network] };
    const domains = [unknownGuest({ name: 'g', config })];
    const view = exampleView(unknownSnapshot({ domains }));
    const labels = Object.keys(await familyOf(view, 'kvm_domain_disk_info'));
    expect(labels).toHaveLength(NAMES.length + 1);
    expect(labels.at(-1)).toContain('source="rbd:vms/base"');
    expect(labels.join('\n')).not.toMatch(SECRETS);
  });
});
