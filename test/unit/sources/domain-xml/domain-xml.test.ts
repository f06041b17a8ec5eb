import fc from 'fast-check';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

import type { DomainConfig } from '../../../../src/model/domain-config.ts';
import { parseDomainXml } from '../../../../src/sources/domain-xml/domain-xml.ts';

const FIXTURES = join(import.meta.dirname, '../../../fixtures/domain-xml');
const GIB = 2 ** 30;

function fixture(name: string): string {
  return readFileSync(join(FIXTURES, `${name}.xml`), 'utf8');
}

function parse(xml: string): DomainConfig {
  const config = parseDomainXml(xml, 'XML of a guest');
  if (!config.ok) throw new Error(config.error.detail);
  return config.value;
}

/** A domain with nothing but what must be there, and what is put into it. */
function domainWith(content: string, devices = ''): string {
  return (
    "<domain type='kvm'><name>a</name><uuid>u</uuid><memory>1024</memory>" +
    `${content}<devices>${devices}</devices></domain>`
  );
}

describe('a domain of the test driver, as libvirt dumps it', () => {
  it('is read in full', () => {
    expect(parse(fixture('test-driver'))).toMatchObject({
      name: 'test',
      uuid: '6695eb01-f6a4-8304-79aa-97f2502e193f',
      type: 'test',
      os: { type: 'hvm', arch: 'i686', machine: undefined },
      memory: { maximumBytes: 8 * GIB, currentBytes: 2 * GIB, hotplug: undefined, devices: [] },
      vcpu: { current: 2, maximum: 2, placement: 'static', cpus: undefined, list: [] },
      iothreads: 0,
      balloon: { model: 'virtio', statsPeriodSeconds: undefined },
      disks: [{ target: 'vda', source: { kind: 'file', path: '/guest/diskimage1' } }],
      interfaces: [{ type: 'network', target: 'testnet0', source: { network: 'default' } }],
      hostdevs: [],
      partition: undefined,
      nova: undefined,
    });
  });
});

describe('a pinned guest on huge pages', () => {
  const config = parse(fixture('pinned-hugepages'));

  it('has the name it was given, whatever is in it', () => {
    expect(config.name).toBe('db & "cache" <прод>');
  });

  it('has its memory in bytes', () => {
    expect(config.memory).toMatchObject({
      maximumBytes: 18 * GIB,
      currentBytes: 17 * GIB,
      hotplug: { maximumBytes: 64 * GIB, slots: 16 },
      hardLimitBytes: 20 * GIB,
      swapHardLimitBytes: 24 * GIB,
    });
  });

  it('has no soft limit where libvirt writes its number for unlimited', () => {
    expect(config.memory.softLimitBytes).toBeUndefined();
  });

  it('has its backing', () => {
    expect(config.memory.backing).toEqual({
      hugepages: [
        { pageBytes: GIB, guestNodes: [0] },
        { pageBytes: 2 ** 21, guestNodes: undefined },
      ],
      noSharePages: true,
      locked: true,
      source: 'memfd',
      access: 'shared',
      allocation: 'immediate',
      discard: true,
    });
  });

  it('has its memory devices', () => {
    expect(config.memory.devices).toEqual([
      {
        model: 'dimm',
        sizeBytes: GIB,
        requestedBytes: undefined,
        currentBytes: undefined,
        blockBytes: undefined,
        node: 1,
        pageBytes: 2 ** 21,
        hostNodes: [1, 2, 3],
        path: undefined,
        readOnly: false,
        access: 'private',
        alias: 'dimm0',
      },
      {
        model: 'virtio-mem',
        sizeBytes: 4 * GIB,
        requestedBytes: 2 * GIB,
        currentBytes: GIB,
        blockBytes: 2 ** 21,
        node: 0,
        pageBytes: undefined,
        hostNodes: undefined,
        path: undefined,
        readOnly: false,
        access: undefined,
        alias: undefined,
      },
    ]);
  });

  it('has its vCPUs, plugged and not, and where they may run', () => {
    expect(config.vcpu).toMatchObject({ current: 4, maximum: 8, cpus: [0, 1, 2, 4, 5, 6, 7] });
    expect(config.vcpu.list.filter(({ enabled }) => enabled).map(({ id }) => id)).toEqual([
      0, 1, 2, 3,
    ]);
    expect(config.vcpu.list[2]).toEqual({ id: 2, enabled: true, hotpluggable: true });
    expect(config.cpu).toEqual({
      mode: 'host-passthrough',
      model: undefined,
      topology: { sockets: 2, dies: 1, clusters: 1, cores: 2, threads: 2 },
    });
  });

  it('has its weights, caps and pins; a negative quota is no cap', () => {
    expect(config.iothreads).toBe(2);
    expect(config.cputune).toEqual({
      shares: 2048,
      vcpu: { periodMicroseconds: 100_000, quotaMicroseconds: 50_000 },
      global: { periodMicroseconds: 100_000, quotaMicroseconds: 300_000 },
      emulator: { periodMicroseconds: 100_000, quotaMicroseconds: undefined },
      iothread: { periodMicroseconds: 50_000, quotaMicroseconds: 25_000 },
      vcpuPins: [
        { vcpu: 0, cpus: [4] },
        { vcpu: 1, cpus: [5, 6] },
      ],
      emulatorPin: [0, 1],
      iothreadPins: [{ iothread: 1, cpus: [2] }],
    });
    expect(config.blkio).toEqual({
      weight: 800,
      devices: [{ path: '/dev/nvme0n1', weight: 500 }],
    });
    expect(config.partition).toBe('/machine/production');
  });

  it('has its NUMA placement and its own nodes', () => {
    expect(config.numa).toEqual({
      memory: { mode: 'strict', hostNodes: [0, 1] },
      cells: [{ cell: 0, mode: 'preferred', hostNodes: [1] }],
      guestCells: [
        { id: 0, vcpus: [0, 1, 2, 3], memoryBytes: 8 * GIB, access: 'shared', discard: false },
        { id: 1, vcpus: [4, 5, 6, 7], memoryBytes: 9 * GIB, access: 'private', discard: true },
      ],
    });
  });

  it('has its passed-through devices and no balloon', () => {
    expect(config.hostdevs).toEqual([
      { type: 'pci', mode: 'subsystem', model: undefined, alias: 'hostdev0' },
      { type: 'mdev', mode: 'subsystem', model: 'vfio-pci', alias: undefined },
    ]);
    expect(config.interfaces).toMatchObject([{ type: 'hostdev', target: undefined }]);
    expect(config.balloon).toBeUndefined();
    expect(config.launchSecurity).toBe('sev');
  });

  it('has disks with their driver and limits; a limit of 0 is none', () => {
    expect(config.disks).toEqual([
      {
        type: 'block',
        device: 'disk',
        target: 'vda',
        bus: 'virtio',
        source: { kind: 'block', path: '/dev/vg0/db' },
        driver: {
          name: 'qemu',
          type: 'raw',
          cache: 'none',
          discard: 'unmap',
          detectZeroes: 'unmap',
          io: 'native',
          iothread: 1,
          errorPolicy: undefined,
          readErrorPolicy: undefined,
        },
        readOnly: false,
        shareable: false,
        transient: false,
        serial: 'DB-0001',
        alias: 'virtio-disk0',
        backing: [],
        backingComplete: false,
        iotune: {
          totalBytesPerSecond: 104_857_600,
          readBytesPerSecond: undefined,
          writeBytesPerSecond: undefined,
          totalRequestsPerSecond: undefined,
          readRequestsPerSecond: 2000,
          writeRequestsPerSecond: undefined,
          totalBytesPerSecondMax: 209_715_200,
          readBytesPerSecondMax: undefined,
          writeBytesPerSecondMax: undefined,
          totalRequestsPerSecondMax: undefined,
          readRequestsPerSecondMax: undefined,
          writeRequestsPerSecondMax: undefined,
          group: 'gold',
        },
        throttleFilters: [],
      },
      expect.objectContaining({
        target: 'vdb',
        source: { kind: 'nvme', address: '0000:5e:00.1', namespace: '1' },
        iotune: undefined,
      }),
    ]);
  });
});

describe('disks', () => {
  const config = parse(fixture('disks'));
  const disk = (target: string): DomainConfig['disks'][number] => {
    const one = config.disks.find((candidate) => candidate.target === target);
    if (one === undefined) throw new Error(`no ${target}`);
    return one;
  };

  it('list their backing chain, outermost first, and say that it ends', () => {
    expect(disk('vda')).toMatchObject({
      source: { kind: 'file', path: '/var/lib/libvirt/images/leaf.qcow2' },
      driver: { type: 'qcow2', errorPolicy: 'stop', readErrorPolicy: 'report', discard: 'unmap' },
      backing: [
        {
          type: 'file',
          format: 'qcow2',
          source: { kind: 'file', path: '/var/lib/libvirt/images/middle.qcow2' },
        },
        { type: 'block', format: 'raw', source: { kind: 'block', path: '/dev/vg0/base' } },
      ],
      backingComplete: true,
    });
    expect(disk('sda').backingComplete).toBe(false);
  });

  it('may lie on the 200 images that libvirt allows', () => {
    const store = "<backingStore type='file'><format type='qcow2'/><source file='/x'/>";
    const chain = `${store.repeat(200)}<backingStore/>${'</backingStore>'.repeat(200)}`;
    const deep = `<disk type='file'><source file='/leaf'/>${chain}<target dev='vda'/></disk>`;
    const [disk] = parse(domainWith('', deep)).disks;
    expect([disk?.backing.length, disk?.backingComplete]).toEqual([200, true]);
  });

  it('on the network keep protocol, name and hosts', () => {
    expect(disk('vdb').source).toEqual({
      kind: 'network',
      protocol: 'rbd',
      name: 'vms/disk-1',
      hosts: [
        { name: 'mon1.example.org', port: '6789' },
        { name: 'mon2.example.org', port: undefined },
      ],
    });
    expect(disk('vdc').source).toMatchObject({ hosts: [{ name: '/run/nbd.sock' }] });
  });

  it('in a pool keep pool and volume', () => {
    expect(disk('sda')).toMatchObject({
      type: 'volume',
      source: { kind: 'volume', pool: 'images', volume: 'data.qcow2' },
      shareable: true,
      transient: true,
    });
  });

  it('may be an empty drive', () => {
    expect(disk('hdc')).toMatchObject({ device: 'cdrom', source: undefined, readOnly: true });
  });

  it('may have any name', () => {
    expect(disk('hdd').source).toEqual({ kind: 'file', path: '/iso/a & b "c" <d> é.iso' });
  });

  it('may be driven by another process', () => {
    expect(disk('vdd')).toMatchObject({
      type: 'vhostuser',
      source: { kind: 'other', path: '/run/vhost-blk.sock' },
    });
  });

  it('stand in a domain with GiB, an upper-case uuid and a balloon that reports', () => {
    expect(config).toMatchObject({
      uuid: '5b2d1c3e-0000-4000-8000-00000000d15c',
      memory: { maximumBytes: 2 * GIB, currentBytes: 2 * GIB },
      balloon: {
        model: 'virtio',
        statsPeriodSeconds: 10,
        freePageReporting: true,
        autodeflate: true,
      },
    });
  });
});

describe('network interfaces', () => {
  const { interfaces } = parse(fixture('interfaces'));

  it('of a libvirt network have its bridge and their bandwidth in bytes', () => {
    expect(interfaces[0]).toEqual({
      type: 'network',
      mac: '52:54:00:00:00:01',
      target: 'vnet0',
      source: {
        bridge: 'virbr0',
        network: 'default',
        portgroup: 'gold',
        device: undefined,
        mode: undefined,
        path: undefined,
      },
      virtualPort: undefined,
      model: 'virtio',
      driver: 'vhost',
      queues: 4,
      mtuBytes: 9000,
      linkUp: false,
      // 1000 kB/s of 1000 bytes = 8 Mbit/s; the burst is 1024 KiB = 1 MiB.
      inbound: {
        averageBytesPerSecond: 1_000_000,
        peakBytesPerSecond: 5_000_000,
        burstBytes: 1_048_576,
        floorBytesPerSecond: 200_000,
      },
      outbound: {
        averageBytesPerSecond: 128_000,
        peakBytesPerSecond: 256_000,
        burstBytes: 262_144,
        floorBytesPerSecond: undefined,
      },
      alias: 'net0',
    });
  });

  it('of other types have what leads to their uplink', () => {
    expect(interfaces.slice(1)).toMatchObject([
      { type: 'direct', target: 'macvtap0', source: { device: 'eth2', mode: 'vepa' } },
      { type: 'bridge', source: { bridge: 'br-int' }, virtualPort: 'openvswitch', linkUp: true },
      { type: 'user', target: undefined },
      { type: 'bridge', target: undefined, source: { bridge: 'br0' }, inbound: undefined },
      { type: 'vhostuser', source: { path: '/run/vhost-net.sock' } },
    ]);
  });
});

describe('the metadata of OpenStack', () => {
  it('is read by its namespace', () => {
    const nova = {
      instanceName: 'web & mail é',
      flavor: 'm1.small',
      user: { name: 'alice', id: '5d6c1c6e4bfb4e6c8f6c2d6a1b0f9e8d' },
      project: { name: 'shop', id: '0f9e8d7c6b5a49388271605f4e3d2c1b' },
    };
    expect(parse(fixture('nova')).nova).toEqual(nova);
    expect(parse(fixture('nova').replaceAll(/\bnova(?=[:=])/g, 'n')).nova).toEqual(nova);
  });

  it('of anybody else is passed over', () => {
    const foreign = fixture('nova').replace('openstack.org', 'example.org');
    expect(parse(foreign).nova).toBeUndefined();
  });
});

describe('values', () => {
  it.each([
    ['KiB', 1024],
    ['k', 1024],
    ['KB', 1000],
    ['b', 1],
    ['bytes', 1],
    ['MiB', 2 ** 20],
    ['M', 2 ** 20],
    ['MB', 1e6],
    ['GiB', 2 ** 30],
    ['TiB', 2 ** 40],
    ['PB', 1e15],
  ])('in %s are taken %d-fold', (unit, bytes) => {
    const xml = domainWith('').replace('<memory>1024', `<memory unit='${unit}'>3`);
    expect(parse(xml).memory.maximumBytes).toBe(3 * bytes);
  });

  it('of a statistics period 0 mean that there is none', () => {
    const balloon = "<memballoon model='virtio'><stats period='0'/></memballoon>";
    expect(parse(domainWith('', balloon)).balloon?.statsPeriodSeconds).toBeUndefined();
  });

  it('that libvirt leaves out are one vCPU and all memory', () => {
    expect(parse(domainWith(''))).toMatchObject({
      vcpu: { current: 1, maximum: 1 },
      memory: { currentBytes: 1_048_576, backing: { hugepages: undefined, locked: false } },
    });
  });
});

describe('malformed XML', () => {
  it.each<[string, string, string]>([
    ['no XML', 'garbage', 'XML: text data outside of root node'],
    ['nothing', '', 'XML: document must contain a root element'],
    ['an open element', "<domain type='kvm'><name>a</domain>", 'XML: unexpected close tag'],
    ['two roots', '<domain/><domain/>', 'XML: documents may contain only one root'],
    ['another document', "<pool type='dir'/>", 'root element <pool>, not <domain>'],
    ['no name', "<domain type='kvm'/>", 'no <name>'],
    ['no type', '<domain><name>a</name><uuid>u</uuid></domain>', '<domain>: no type'],
  ])('with %s is a failed reading that names the element', (_, xml, detail) => {
    const config = parseDomainXml(xml, 'XML of web');
    if (config.ok) throw new Error('it was accepted');
    expect(config.error).toMatchObject({ kind: 'malformed', subject: 'XML of web' });
    expect(config.error.detail).toContain(detail);
  });

  it('never expands entities of its own', () => {
    let entities = '<!ENTITY a "aaaaaaaaaa">';
    for (const [from, to] of ['ab', 'bc', 'cd', 'de', 'ef', 'fg', 'gh', 'hi']) {
      entities += `<!ENTITY ${to} "${`&${from};`.repeat(10)}">`;
    }
    const xml = `<!DOCTYPE domain [${entities}]>${domainWith('<vcpu>&i;</vcpu>')}`;
    const config = parseDomainXml(xml, 'XML of web');
    expect(config.ok || config.error.detail.length < 200).toBe(true);
    expect(config.ok).toBe(false);
  });

  it('never throws, however it is bent', () => {
    const texts = readdirSync(FIXTURES).map((name) => readFileSync(join(FIXTURES, name), 'utf8'));
    const bent = fc
      .record({
        text: fc.constantFrom(...texts),
        cuts: fc.array(
          fc.record({
            at: fc.double({ min: 0, max: 1, noNaN: true }),
            length: fc.nat(40),
            insert: fc.oneof(
              fc.string({ maxLength: 8 }),
              fc.constantFrom(
                '<',
                '>',
                '/>',
                "'",
                '"',
                '&',
                '<![CDATA[',
                '<!--',
                '-1',
                '__proto__',
              ),
            ),
          }),
          { minLength: 1, maxLength: 4 },
        ),
      })
      .map(({ text, cuts }) =>
        cuts.reduce((soFar, { at, length, insert }) => {
          const start = Math.floor(at * soFar.length);
          return soFar.slice(0, start) + insert + soFar.slice(start + length);
        }, text),
      );
    fc.assert(
      fc.property(bent, (xml) => {
        const config = parseDomainXml(xml, 'XML of web');
        expect(config.ok || config.error.kind).toSatisfy(
          (outcome) => outcome === true || outcome === 'malformed',
        );
      }),
      { numRuns: 2000 },
    );
  });
});

describe('a value nobody can read', () => {
  it.each<[string, string, string]>([
    ['no memory', domainWith('').replace('<memory>1024</memory>', ''), 'no <memory>'],
    [
      'words for vCPUs',
      domainWith('<vcpu>two</vcpu>'),
      '<vcpu>: not a whole number of up to 64 bits: "two"',
    ],
    [
      'negative vCPUs',
      domainWith('<vcpu>-1</vcpu>'),
      '<vcpu>: not a whole number of up to 64 bits: "-1"',
    ],
    [
      'a number beyond all precision',
      domainWith('<vcpu>99999999999999999999</vcpu>'),
      '<vcpu>: not a whole number of up to 64 bits: "99999999999999999999"',
    ],
    [
      'a unit nobody knows',
      domainWith("<currentMemory unit='XiB'>1</currentMemory>"),
      '<currentMemory>: not a unit of memory: "XiB"',
    ],
    [
      'a CPU list without end',
      domainWith("<vcpu cpuset='0-999999999'>1</vcpu>"),
      '<vcpu cpuset>: not a list of numbers: "0-999999999"',
    ],
    [
      'a CPU list backwards',
      domainWith("<cputune><vcpupin vcpu='0' cpuset='3-1'/></cputune>"),
      '<vcpupin cpuset>: not a list of numbers: "3-1"',
    ],
    [
      'a pin without vCPU',
      domainWith("<cputune><vcpupin cpuset='1'/></cputune>"),
      '<vcpupin>: no vcpu',
    ],
    ['a disk without target', domainWith('', "<disk type='file'/>"), 'no <disk><target>'],
    [
      'neither yes nor no',
      domainWith('', "<memballoon model='virtio' autodeflate='maybe'/>"),
      '<memballoon autodeflate>: not yes or no: "maybe"',
    ],
  ])('as %s is named, and the guest is still there', (_, xml, fault) => {
    const config = parse(xml);
    expect(config.name).toBe('a');
    expect(config.faults).toEqual([expect.stringContaining(fault)]);
  });

  it('is absent, and not the value of a domain without it', () => {
    const { vcpu, memory, iothreads, cpu } = parse(
      domainWith(
        "<vcpu current='1e3'>99999999999999999999</vcpu><iothreads>x</iothreads>" +
          `<currentMemory>${'9'.repeat(400)}</currentMemory>` +
          "<cpu><topology sockets='1' cores='-2' threads='1'/></cpu>",
      ),
    );
    expect([vcpu.maximum, vcpu.current, iothreads, memory.currentBytes, cpu.topology]).toEqual(
      Array.from({ length: 5 }, () => undefined),
    );
  });

  it('in one disk leaves out this disk alone', () => {
    const disks = "<disk type='file'/><disk type='file'><target dev='vdb'/></disk>";
    expect(parse(domainWith('', disks)).disks.map(({ target }) => target)).toEqual(['vdb']);
  });

  it('in the list of vCPUs leaves the list empty, as a shorter one would be a smaller sum', () => {
    const config = parse(
      domainWith("<vcpu>2</vcpu><vcpus><vcpu id='0' enabled='yes'/><vcpu id='?'/></vcpus>"),
    );
    expect(config.vcpu).toMatchObject({ maximum: 2, list: [] });
  });

  it('is not a limit that libvirt writes with all its 64 bits', () => {
    const most = '18446744073709551615';
    const config = parse(
      domainWith(
        `<memtune><hard_limit>9007199254740993</hard_limit></memtune>`,
        "<disk type='file'><target dev='vda'/>" +
          `<iotune><total_bytes_sec>${most}</total_bytes_sec></iotune></disk>`,
      ),
    );
    expect(config.faults).toEqual([]);
    expect(config.memory.hardLimitBytes).toBeUndefined();
    expect(config.disks[0]?.iotune?.totalBytesPerSecond).toBe(2 ** 64);
  });

  it('is said ten times at most, however often it is there', () => {
    const { faults } = parse(domainWith('', "<disk type='file'/>".repeat(5000)));
    expect(faults).toHaveLength(11);
    expect(faults.at(-1)).toBe('and more');
  });

  it('as a vCPU count is not counted up to', () => {
    const config = parse(domainWith('<vcpu>4294967295</vcpu>'));
    expect(config.vcpu.maximum).toBeUndefined();
    expect(config.faults).toEqual(['<vcpu>: not a number of CPUs: "4294967295"']);
  });
});

describe('sizes beyond what 64 bits can count', () => {
  const LARGEST = '18446744073709551615';

  it('are none, and said: memory', () => {
    const { memory, faults } = parse(domainWith('').replace('>1024<', `>${LARGEST}<`));
    expect(memory.maximumBytes).toBeUndefined();
    expect(faults).toHaveLength(1);
  });

  it('are none, and said: the bandwidth of an interface', () => {
    const devices =
      "<interface type='bridge'><mac address='52:54:00:00:00:01'/><source bridge='br0'/>" +
      `<bandwidth><inbound average='${LARGEST}'/></bandwidth></interface>`;
    const { interfaces, faults } = parse(domainWith('', devices));
    expect(interfaces[0]?.inbound?.averageBytesPerSecond).toBeUndefined();
    expect(faults).toHaveLength(1);
  });
});
