import { describe, expect, it } from 'vitest';

import { exampleConfig, exampleInterface } from '../../support/metrics/example-config.ts';
import { exampleNicCounters, unknownGuest } from '../../support/metrics/example-guest.ts';
import { exampleLink, exampleNetwork } from '../../support/metrics/example-network.ts';
import { exampleView, unknownSnapshot, WEB } from '../../support/metrics/example-snapshot.ts';
import {
  brokenDiskOf,
  diskOf,
  exampleImage,
  exampleStorage,
  thinImage,
} from '../../support/metrics/example-storage.ts';
import { ScrapeMemory } from '../../../src/view/scrape-memory.ts';
import { familyOf } from '../metrics/samples.ts';

describe('guests of a view', () => {
  it('are there once when one is renamed while the list is read', () => {
    const domains = [
      unknownGuest({ name: 'old', uuid: 'u1' }),
      unknownGuest({ name: 'new', uuid: 'u1' }),
      unknownGuest({ name: 'old', uuid: 'u2' }),
    ];
    const view = exampleView(unknownSnapshot({ domains }));
    expect(view.domains.map(({ domain }) => domain.name)).toEqual(['old']);
  });

  it('keep their rendered labels from scrape to scrape, until they are renamed', () => {
    const memory = new ScrapeMemory();
    const labelsOf = (name: string) =>
      exampleView(unknownSnapshot({ domains: [unknownGuest({ name, uuid: 'u1' })] }), memory)
        .domains[0]?.labels;
    const first = labelsOf('a');
    expect(labelsOf('a')).toBe(first);
    expect(labelsOf('b')?.only).toBe('{domain="b"}');
  });
});

describe('NICs of a view', () => {
  it('bring together XML and counters by the host device', () => {
    const guest = unknownGuest({
      config: exampleConfig({ interfaces: [exampleInterface({ target: 'vnet7' })] }),
      nics: [exampleNicCounters('vnet7'), exampleNicCounters('vnet8')],
    });
    const [view] = exampleView(unknownSnapshot({ domains: [guest] })).domains;
    expect(
      view?.nics.map(({ device, config, counters }) => [device, config?.mac, counters?.device]),
    ).toEqual([
      ['vnet7', '52:54:00:00:00:01', 'vnet7'],
      ['vnet8', undefined, 'vnet8'],
    ]);
  });

  it('lead over bridge and VLAN to the bond', () => {
    const guest = unknownGuest({ config: exampleConfig({ interfaces: [exampleInterface()] }) });
    const [view] = exampleView(
      unknownSnapshot({ domains: [guest], network: exampleNetwork() }),
    ).domains;
    expect(view?.nics.map(({ bridge, uplinks }) => [bridge, uplinks])).toEqual([
      ['br0', ['bond0']],
    ]);
  });

  it('are on the bridge of Open vSwitch their XML names, of which sysfs knows nothing', () => {
    const links = [
      exampleLink('eth0', { kind: 'physical', master: 'ovs-system' }),
      exampleLink('vnet0', { master: 'ovs-system' }),
      exampleLink('ovs-system', { kind: 'openvswitch', lower: ['eth0', 'vnet0'] }),
    ];
    const one = exampleInterface();
    const nic = { ...one, virtualPort: 'openvswitch', source: { ...one.source, bridge: 'br-ex' } };
    const [view] = exampleView(
      unknownSnapshot({
        domains: [unknownGuest({ config: exampleConfig({ interfaces: [nic] }) })],
        network: { links: new Map(links.map((each) => [each.name, each])) },
      }),
    ).domains;
    expect(view?.nics.map(({ bridge, uplinks }) => [bridge, uplinks])).toEqual([
      ['br-ex', ['eth0']],
    ]);
  });

  it('lead to each of several uplinks of a bridge once', () => {
    const links = [
      exampleLink('eth0', { kind: 'physical', master: 'br0' }),
      exampleLink('eth1.5', { kind: 'vlan', master: 'br0', lower: ['eth1'] }),
      exampleLink('eth1.6', { kind: 'vlan', master: 'br0', lower: ['eth1'] }),
      exampleLink('eth1', { kind: 'physical' }),
      exampleLink('br0', { kind: 'bridge', lower: ['eth0', 'eth1.5', 'eth1.6', 'vnet0'] }),
      exampleLink('vnet0', { master: 'br0' }),
    ];
    const guest = unknownGuest({ config: exampleConfig({ interfaces: [exampleInterface()] }) });
    const [view] = exampleView(
      unknownSnapshot({
        domains: [guest],
        network: { links: new Map(links.map((link) => [link.name, link])) },
      }),
    ).domains;
    expect(view?.nics[0]?.uplinks).toEqual(['eth0', 'eth1']);
  });
});

describe('images of a view', () => {
  const imagesOf = (...disks: Parameters<typeof exampleStorage>[0]) =>
    exampleView(unknownSnapshot({ storage: exampleStorage(disks) })).images;

  it('are there once for two disks with one source', () => {
    const images = imagesOf(
      diskOf('web', WEB, 'vda', exampleImage()),
      diskOf('web', WEB, 'vdb', exampleImage({ path: '/srv/link.qcow2' })),
    );
    expect(images.map(({ path }) => path)).toEqual(['/var/lib/libvirt/images/web.qcow2']);
  });

  it('bear the first of several hard links, whoever comes first', () => {
    const a = exampleImage({ resolvedPath: '/srv/a' });
    const b = exampleImage({ resolvedPath: '/srv/b' });
    expect(imagesOf(diskOf('x', 'u', 'vda', b), diskOf('x', 'u', 'vdb', a))).toEqual(
      imagesOf(diskOf('x', 'u', 'vda', a), diskOf('x', 'u', 'vdb', b)),
    );
  });

  it('join their disk by the path they bear', async () => {
    const a = exampleImage({ resolvedPath: '/srv/a' });
    const b = exampleImage({ resolvedPath: '/srv/b' });
    const view = exampleView(
      unknownSnapshot({
        domains: [unknownGuest({ name: 'web', uuid: WEB })],
        storage: exampleStorage([diskOf('web', WEB, 'vda', b), diskOf('web', WEB, 'vdb', a)]),
      }),
    );
    expect(Object.keys(await familyOf(view, 'kvm_domain_disk_image_info'))).toEqual([
      '{domain="web",device="vda",path="/srv/a",depth="0",role="leaf"}',
      '{domain="web",device="vdb",path="/srv/a",depth="0",role="leaf"}',
    ]);
  });

  it('on logical volumes bear the name that outlives a reboot', () => {
    expect(imagesOf(diskOf('web', WEB, 'vda', thinImage())).map(({ path }) => path)).toEqual([
      '/dev/mapper/vg0-web--data',
    ]);
  });

  it('are there when they could not be read', async () => {
    const storage = exampleStorage([brokenDiskOf('web', WEB, 'vda')]);
    const view = exampleView(unknownSnapshot({ storage }));
    expect(await familyOf(view, 'kvm_image_readable')).toEqual({ '{path="/mnt/nfs/gone.img"}': 0 });
    expect(await familyOf(view, 'kvm_image_capacity_bytes')).toEqual({});
  });
});
