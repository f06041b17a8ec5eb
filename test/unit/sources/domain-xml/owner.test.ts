import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

import type { DomainConfig } from '../../../../src/model/domain-config.ts';
import { emptyOwner, type MetadataPath } from '../../../../src/model/guest-owner.ts';
import { MetadataPaths, parseDomainXml } from '../../../../src/sources/domain-xml/domain-xml.ts';

const GIB = 2 ** 30;

function fixture(name: string): string {
  return readFileSync(
    join(import.meta.dirname, `../../../fixtures/domain-xml/${name}.xml`),
    'utf8',
  );
}

function parse(xml: string, paths: readonly MetadataPath[] = []): DomainConfig {
  const config = parseDomainXml(xml, 'XML of a guest', new MetadataPaths(paths));
  if (!config.ok) throw new Error(config.error.detail);
  expect(config.value.faults).toEqual([]);
  return config.value;
}

function guest(metadata: string, name = 'web'): string {
  return (
    `<domain type='kvm'><name>${name}</name><uuid>6f1d2c3b-0000-4000-8000-000000000007</uuid>` +
    `<metadata>${metadata}</metadata><memory unit='GiB'>4</memory></domain>`
  );
}

describe('the owner of a guest', () => {
  it('of OpenStack is its project', () => {
    expect(parse(fixture('nova')).owner).toEqual({
      manager: 'openstack',
      tenant: 'shop',
      project: 'shop',
      user: 'alice',
      flavor: 'm1.small',
      image: '6a5b4c3d-2e1f-4a0b-9c8d-7e6f5a4b3c2d',
      namespace: undefined,
    });
  });

  it('of OpenStack has no image where the guest was started from a volume', () => {
    const fromVolume = fixture('nova').replace('type="image"', 'type="volume"');
    expect(parse(fromVolume).owner?.image).toBeUndefined();
  });

  it('of oVirt is not told, only who manages it and what it is guaranteed', () => {
    const { owner, memory } = parse(fixture('ovirt'));
    expect(owner).toEqual(emptyOwner('ovirt'));
    expect(memory.minimumBytes).toBe(GIB);
  });

  it('of OpenNebula is its group', () => {
    expect(parse(fixture('opennebula')).owner).toEqual({
      ...emptyOwner('opennebula'),
      tenant: 'shop',
      user: 'ann',
    });
  });

  it('of CloudStack is the account in its name, and its balloon is not taken below its target', () => {
    const { owner, memory } = parse(fixture('cloudstack'));
    expect(owner).toEqual({ ...emptyOwner('cloudstack'), tenant: '2' });
    expect(memory.minimumBytes).toBe(2 * GIB);
  });

  it.each(['r-7-VM', 's-1-VM', 'v-2-VM'])('of CloudStack itself, %s, is nobody', (name) => {
    expect(parse(guest('', name)).owner).toEqual(emptyOwner('cloudstack'));
  });

  it.each(['i-2-42-VM-old', 'i-2-VM', 'x-1-VM', 'i-a-42-VM'])(
    'is not CloudStack for a guest called %s',
    (name) => {
      expect(parse(guest('', name)).owner).toBeUndefined();
    },
  );

  it('of KubeVirt is the namespace in its name', () => {
    expect(parse(fixture('kubevirt')).owner).toEqual({
      ...emptyOwner('kubevirt'),
      tenant: 'shop',
      namespace: 'shop',
    });
  });

  it('is not known from libosinfo, but the system it was made for is', () => {
    const { owner, memory } = parse(fixture('libosinfo'));
    expect(owner).toEqual({ ...emptyOwner('libosinfo'), image: 'http://debian.org/debian/12' });
    expect(memory.minimumBytes).toBe(GIB / 2);
  });

  it('with libosinfo beside a manager is that of the manager, made for that system', () => {
    const both = fixture('opennebula').replace(
      '</metadata>',
      '<l:libosinfo xmlns:l="http://libosinfo.org/xmlns/libvirt/domain/1.0"><l:os id="os"/></l:libosinfo></metadata>',
    );
    expect(parse(both).owner).toMatchObject({ manager: 'opennebula', image: 'os' });
  });

  it('of a guest nobody manages is nobody', () => {
    expect(parse(guest('<note xmlns="urn:me">mine</note>'))).toMatchObject({
      owner: undefined,
      memory: { minimumBytes: undefined },
    });
  });

  it('is found by its namespace, wherever that is declared', () => {
    const instance = '<n:instance><n:owner><n:project>shop</n:project></n:owner></n:instance>';
    const uri = 'http://openstack.org/xmlns/libvirt/nova/1.1';
    const onMetadata = guest(instance).replace('<metadata>', `<metadata xmlns:n="${uri}">`);
    const onDomain = guest(instance).replace('<domain ', `<domain xmlns:n='${uri}' `);
    const asDefault = guest(
      `<instance xmlns="${uri}"><owner><project>shop</project></owner></instance>`,
    );
    for (const xml of [onMetadata, onDomain, asDefault]) {
      expect(parse(xml)).toMatchObject({
        owner: { tenant: 'shop' },
        nova: { project: { name: 'shop' } },
      });
    }
  });

  it('is not taken from elements of another namespace inside', () => {
    const foreign =
      '<n:instance xmlns:n="http://openstack.org/xmlns/libvirt/nova/1.1" xmlns:x="urn:x">' +
      '<x:owner><x:project>forged</x:project></x:owner></n:instance>';
    expect(parse(guest(foreign)).owner).toEqual(emptyOwner('openstack'));
  });

  it('is not a name of megabytes', () => {
    const long = fixture('opennebula').replace('>shop<', `>${'x'.repeat(60_000)}<`);
    expect(parse(long).owner).toMatchObject({ manager: 'opennebula', tenant: undefined });
  });

  it('leaves nothing of what cannot be a minimum, and says so', () => {
    const odd = fixture('ovirt').replaceAll('>1024<', '>-1<');
    const config = parseDomainXml(odd, 'XML of a guest');
    expect(config.ok && config.value.memory.minimumBytes).toBeUndefined();
    expect(config.ok && config.value.faults).toEqual([
      '<ovirt-vm:minGuaranteedMemoryMb>: not a whole number of up to 64 bits: "-1"',
    ]);
  });
});

describe('metadata the administrator asked for', () => {
  const ns = 'http://example.com/ns/1.0';
  const team = { label: 'team', path: `${ns}/guest/owner/team` };
  const cost = { label: 'cost_center', path: `${ns}/guest/@cost-center` };

  it('are read from elements and attributes', () => {
    expect(parse(fixture('libosinfo'), [team, cost]).metadataLabels).toEqual([
      { label: 'team', value: 'shop floor' },
      { label: 'cost_center', value: '4711' },
    ]);
  });

  it('leave what else is read as it is', () => {
    const path = {
      label: 'made',
      path: 'http://openstack.org/xmlns/libvirt/nova/1.1/instance/creationTime',
    };
    const { owner, metadataLabels } = parse(fixture('nova'), [path]);
    expect(owner?.tenant).toBe('shop');
    expect(metadataLabels).toEqual([{ label: 'made', value: '2026-11-01 10:00:00' }]);
  });

  it('may be of a namespace that is no address, or ends in a slash', () => {
    const urn = '<m:meta xmlns:m="urn:iso-meta"><ipaddr>192.0.2.7</ipaddr></m:meta>';
    expect(
      parse(guest(urn), [{ label: 'ip', path: 'urn:iso-meta/meta/ipaddr' }]).metadataLabels,
    ).toEqual([{ label: 'ip', value: '192.0.2.7' }]);
    const slash = '<a:who xmlns:a="http://example.com/"><a:id>7</a:id></a:who>';
    expect(
      parse(guest(slash), [{ label: 'id', path: 'http://example.com/who/id' }]).metadataLabels,
    ).toEqual([{ label: 'id', value: '7' }]);
  });

  it('are absent where the path leads nowhere, is empty, or is of another namespace', () => {
    const others = [
      guest(`<guest xmlns="${ns}"><owner/></guest>`),
      guest(`<guest xmlns="${ns}"><owner><team>  </team></owner></guest>`),
      guest('<guest xmlns="http://example.com/ns/2.0"><owner><team>x</team></owner></guest>'),
      guest('<guest><owner><team>x</team></owner></guest>'),
      guest(`<guest xmlns="${ns}"><owner><team>${'x'.repeat(2000)}</team></owner></guest>`),
    ];
    for (const xml of others) expect(parse(xml, [team, cost]).metadataLabels).toEqual([]);
  });
});
