import { describe, expect, it } from 'vitest';

import { assess } from '../../../../src/overcommit/assess.ts';
import type { Assessment } from '../../../../src/overcommit/assessment.ts';
import { MomAverages } from '../../../../src/overcommit/mom/mom-averages.ts';
import { guestRam, isPinned, memoryTraits } from '../../../../src/model/facts/memory-traits.ts';
import type { MemoryOvercommit } from '../../../../src/overcommit/memory/memory.ts';
import type { Domain } from '../../../../src/model/domain.ts';
import type { Snapshot } from '../../../../src/model/snapshot.ts';
import { parseKsm } from '../../../../src/sources/host/ksm.ts';
import {
  balloon,
  config,
  domain,
  GIB,
  host,
  MIB,
  NO_RESERVES,
  process,
  snapshot,
} from '../../overcommit/assess-fixture.ts';

const PAGES = { baseBytes: 4096, defaultHugeBytes: 2 * MIB };

function assessed(more: Partial<Snapshot>): Assessment {
  const one = snapshot(more);
  return assess(one, NO_RESERVES, new MomAverages().add(one));
}

/** The XML of a guest of 4 GiB. */
function xml(elements: string, devices = "<memballoon model='virtio'/>") {
  return config('guest', { elements, devices });
}

function memoryOf(...guests: Domain[]): MemoryOvercommit {
  const { memory } = assessed({ domains: guests });
  if (memory === undefined) throw new Error('the host has memory');
  return memory;
}

/** A running guest of 4 GiB whose balloon is empty. */
function running(elements: string, more: Partial<Domain> = {}, devices?: string): Domain {
  return domain('guest', {
    config: xml(elements, devices),
    balloon: balloon(4 * GIB, 4 * GIB),
    ...more,
  });
}

describe('an encrypted guest', () => {
  it.each(['sev', 'sev-snp', 'tdx'])('of type %s is fixed in memory, on or off', (type) => {
    const elements = `<launchSecurity type='${type}'/>`;
    expect(memoryTraits(xml(elements), PAGES, undefined)).toEqual({
      backing: 'anonymous',
      mergeable: false,
      swappable: false,
      balloonable: false,
    });
    const guest = running(elements, { process: process({ RssAnon: 1024 }) });
    const { guests, current } = memoryOf(guest);
    expect(guests).toMatchObject([
      { class: 'locked', swappable: false, balloon: 'ineffective', claimableBytes: 0 },
    ]);
    expect(current.claimableBytes).toBe(0);
  });

  it('of s390 can be swapped and ballooned, but not merged', () => {
    expect(memoryTraits(xml("<launchSecurity type='s390-pv'/>"), PAGES, undefined)).toEqual({
      backing: 'anonymous',
      mergeable: false,
      swappable: true,
      balloonable: true,
    });
  });

  it.each(['sev', 'sev-snp', 'tdx', 's390-pv'])('of type %s is nothing MOM can merge', (type) => {
    const ksm = parseKsm(
      new Map([
        ['run', '1'],
        ['pages_to_scan', '100'],
      ]),
      'ksm',
    );
    // 60 GiB that can be merged and 12.8 GiB that should be free are more than 64 GiB.
    const runs = (elements: string) =>
      assessed({
        host: host({ ksm: ksm.ok ? ksm.value : undefined }),
        domains: [running(elements, { process: process({ RssAnon: 60 * 1024 }) })],
      }).mom.find(({ variant }) => variant === 'corrected')?.ksm?.run;
    expect(runs('')).toBe(true);
    expect(runs(`<launchSecurity type='${type}'/>`)).toBe(false);
  });
});

describe('huge pages', () => {
  const huge = (pages: string, numa = '') =>
    `<memoryBacking><hugepages>${pages}</hugepages></memoryBacking>${numa}`;
  const cells = (...gib: number[]) =>
    `<cpu><numa>${gib
      .map((size, id) => `<cell id='${id}' cpus='${id}' memory='${size}' unit='GiB'/>`)
      .join('')}</numa></cpu>`;

  it("of the host's base page size are normal pages: libvirt drops them", () => {
    const elements = huge("<page size='4' unit='KiB'/>");
    expect(memoryTraits(xml(elements), PAGES, undefined)).toEqual({
      backing: 'anonymous',
      mergeable: true,
      swappable: true,
      balloonable: true,
    });
    const { hugepages, promisedByClass } = memoryOf(running(elements));
    expect(hugepages.some(({ pageBytes }) => pageBytes === 4096)).toBe(false);
    expect(promisedByClass.anonymous.maximumBytes).toBe(4 * GIB);
  });

  it('of 64 KiB are normal where the base page has 64 KiB, and a pool where it has not', () => {
    const guest = xml(huge("<page size='64' unit='KiB'/>"));
    const large = { baseBytes: 65536, defaultHugeBytes: 512 * MIB };
    expect(guestRam(guest, large).backing).toEqual({ kind: 'anonymous' });
    expect(guestRam(guest, PAGES).backing).toEqual({ kind: 'hugepages', pageBytes: 65536 });
  });

  it('of two sizes draw on two pools, each cell on its own', () => {
    const elements = huge(
      "<page size='1' unit='GiB' nodeset='0'/><page size='2' unit='MiB' nodeset='1'/>",
      cells(3, 1),
    );
    const { hugepages, promised, promisedByClass, guests } = memoryOf(running(elements));
    expect(hugepages.map(({ pageBytes, promised: of }) => [pageBytes, of.maximumBytes])).toEqual([
      [2 * MIB, GIB],
      [GIB, 3 * GIB],
    ]);
    expect(promised.maximumBytes).toBe(0);
    expect(promisedByClass.hugepages).toMatchObject({ guests: 1, maximumBytes: 4 * GIB });
    expect(guests).toMatchObject([{ class: 'hugepages', claimableBytes: 0 }]);
  });

  it('of one cell leave the rest of the guest in its own class', () => {
    const elements = huge("<page size='1' unit='GiB' nodeset='0'/>", cells(3, 1));
    const guest = running(elements, { process: process({ RssAnon: 256, HugetlbPages: 3072 }) });
    const { hugepages, promised, promisedByClass, guests, current } = memoryOf(guest);
    expect(hugepages.map(({ pageBytes, promised: of }) => [pageBytes, of.maximumBytes])).toEqual([
      [2 * MIB, 0],
      [GIB, 3 * GIB],
    ]);
    expect(promised).toEqual({ guests: 1, currentBytes: GIB, maximumBytes: GIB });
    expect(promisedByClass.anonymous).toMatchObject({ guests: 1, maximumBytes: GIB });
    expect(promisedByClass.hugepages).toMatchObject({ guests: 0, maximumBytes: 3 * GIB });
    expect(guests).toMatchObject([
      { class: 'anonymous', swappable: true, balloon: 'effective', claimableBytes: 768 * MIB },
    ]);
    expect(current.claimableBytes).toBe(768 * MIB);
  });

  it('of one cell and base pages of another are huge for the first alone', () => {
    const elements = huge("<page size='2' unit='MiB'/><page size='4' nodeset='1'/>", cells(3, 1));
    expect(guestRam(xml(elements), PAGES)).toMatchObject({
      backing: { kind: 'anonymous' },
      hugepageCells: [{ pageBytes: 2 * MIB, bytes: 3 * GIB }],
      mergeable: true,
    });
  });

  it('of a memory device with pages of its own draw on the pool of those', () => {
    const dimm =
      "<memory model='dimm'><source><pagesize unit='GiB'>1</pagesize></source>" +
      "<target><size unit='GiB'>1</size><node>0</node></target></memory>";
    expect(guestRam(xml(cells(3), dimm), PAGES)).toMatchObject({
      backing: { kind: 'anonymous' },
      hugepageCells: [{ pageBytes: GIB, bytes: GIB }],
    });
    expect(guestRam(xml(huge(''), dimm), PAGES)).toMatchObject({
      backing: { kind: 'hugepages', pageBytes: 2 * MIB },
      hugepageCells: [{ pageBytes: GIB, bytes: GIB }],
    });
  });

  it('given up with the balloon are given up by all cells alike', () => {
    const elements = huge("<page size='1' unit='GiB' nodeset='0'/>", cells(3, 1));
    const half = running(elements, { balloon: balloon(2 * GIB, 4 * GIB) });
    const { hugepages, promised } = memoryOf(half);
    expect(hugepages.at(-1)?.promised.currentBytes).toBe(1.5 * GIB);
    expect(promised.currentBytes).toBe(0.5 * GIB);
  });
});

describe('a memory device that is no RAM', () => {
  const device = (model: string) =>
    `<memballoon model='virtio'/><memory model='${model}'><source><path>/v/pmem.img</path></source>` +
    "<target><size unit='GiB'>3</size><node>0</node></target></memory>";

  it.each(['nvdimm', 'virtio-pmem', 'sgx-epc'])('(%s) is not promised RAM', (model) => {
    // libvirt's maximum has it in; what QEMU's balloon reports has not.
    const told = running('', { balloon: balloon(GIB, 4 * GIB) }, device(model));
    const untold = running('', { balloon: balloon(4 * GIB, 4 * GIB) }, device(model));
    const silent = running('', { balloon: undefined }, device(model));
    for (const guest of [told, untold, silent]) {
      const { promised } = memoryOf(guest);
      expect(promised).toEqual({ guests: 1, currentBytes: GIB, maximumBytes: GIB });
    }
    const { bootStorm } = assessed({ domains: [{ ...told, active: false }] });
    expect(bootStorm?.all.added.maximumMemoryBytes).toBe(GIB);
  });

  it('stands beside those that are', () => {
    for (const model of ['dimm', 'virtio-mem']) {
      const { promised } = memoryOf(running('', {}, device(model)));
      expect(promised.maximumBytes).toBe(4 * GIB);
    }
  });
});

describe('memory that is pinned', () => {
  it.each([
    ["<hostdev mode='subsystem' type='pci'/>", true],
    ["<hostdev mode='subsystem' type='mdev' model='vfio-pci'/>", true],
    ["<hostdev mode='subsystem' type='mdev' model='vfio-ap'/>", false],
    ["<hostdev mode='subsystem' type='usb'/>", false],
    ["<interface type='vdpa'/>", true],
    ["<interface type='hostdev'/>", true],
    ["<interface type='bridge'/>", false],
    ["<disk type='nvme'><source namespace='1'/><target dev='vda'/></disk>", true],
    ["<disk type='vhostvdpa'><source dev='/dev/vhost-vdpa-0'/><target dev='vda'/></disk>", true],
    ["<disk type='vhostuser'><source path='/run/a.sock'/><target dev='vda'/></disk>", false],
    [
      "<disk type='file'><source file='/v/top.qcow2'/><backingStore type='file'>" +
        "<format type='qcow2'/><source file='/v/middle.qcow2'/><backingStore type='nvme'>" +
        "<format type='raw'/><source type='pci' namespace='1'><address domain='0x0000' " +
        "bus='0x41' slot='0x00' function='0x0'/></source><backingStore/></backingStore>" +
        "</backingStore><target dev='vda'/></disk>",
      true,
    ],
    [
      "<disk type='file'><source file='/v/top.qcow2'/><backingStore type='file'>" +
        "<format type='qcow2'/><source file='/v/base.qcow2'/><backingStore/></backingStore>" +
        "<target dev='vda'/></disk>",
      false,
    ],
    [
      "<disk type='file'><source file='/v/a.raw'/><backingStore/>" +
        "<mirror type='nvme' job='copy'><format type='raw'/><source type='pci' namespace='1'>" +
        "<address domain='0x0000' bus='0x41' slot='0x00' function='0x0'/></source></mirror>" +
        "<target dev='vda'/></disk>",
      true,
    ],
    [
      "<disk type='file'><source file='/v/a.raw'/><backingStore/>" +
        "<mirror type='file' job='copy'><format type='raw'/><source file='/w/a.raw'/></mirror>" +
        "<target dev='vda'/></disk>",
      false,
    ],
  ])('by %s: %s', (devices, pinned) => {
    expect(isPinned(xml('', devices))).toBe(pinned);
  });

  it('by a lock', () => {
    expect(isPinned(xml('<memoryBacking><locked/></memoryBacking>'))).toBe(true);
  });
});

describe('memory KSM may merge', () => {
  it.each([
    ['', true],
    ['<memoryBacking><hugepages/></memoryBacking>', false],
    ['<memoryBacking><nosharepages/></memoryBacking>', false],
    ['<memoryBacking><locked/></memoryBacking>', false],
    ["<memoryBacking><source type='memfd'/></memoryBacking>", false],
    ["<memoryBacking><source type='memfd'/><access mode='shared'/></memoryBacking>", false],
    ["<memoryBacking><source type='memfd'/><access mode='private'/></memoryBacking>", true],
    ["<memoryBacking><source type='file'/><access mode='shared'/></memoryBacking>", false],
    ["<memoryBacking><source type='file'/></memoryBacking>", true],
    ["<cpu><numa><cell id='0' memory='1' memAccess='shared'/></numa></cpu>", false],
    [
      "<memoryBacking><access mode='shared'/></memoryBacking>" +
        "<cpu><numa><cell id='0' memory='1' memAccess='private'/></numa></cpu>",
      true,
    ],
  ])('with %j: %s', (content, mergeable) => {
    expect(guestRam(xml(content), PAGES).mergeable).toBe(mergeable);
  });
});

describe('memory in a file', () => {
  const inFile = "<memoryBacking><source type='file'/><access mode='shared'/></memoryBacking>";

  it('on a disk is held as RssFile, and goes back to its file instead of to swap', () => {
    const guest = running(inFile, { process: process({ RssAnon: 24, RssFile: 3072 }) });
    const { guests, promisedByClass, current } = memoryOf(guest);
    expect(guests).toMatchObject([
      {
        class: 'file',
        backing: 'file',
        swappable: false,
        balloon: 'effective',
        claimableBytes: 1000 * MIB,
      },
    ]);
    expect(promisedByClass.file).toEqual({
      guests: 1,
      currentBytes: 4 * GIB,
      maximumBytes: 4 * GIB,
    });
    expect(current.supplyBytes).toBe(current.supplyWithoutSwapBytes);
  });

  it('on a tmpfs is shared memory like a memfd', () => {
    const guest = running(inFile, {
      process: process({ RssAnon: 24, RssFile: 40, RssShmem: 3072 }),
    });
    expect(memoryOf(guest).guests).toMatchObject([
      { class: 'shared', backing: 'shared', swappable: true, claimableBytes: 1000 * MIB },
    ]);
  });

  it('is where shared memory lies that is no memfd, whether or not the XML says so', () => {
    const shared = "<memoryBacking><access mode='shared'/></memoryBacking>";
    expect(memoryTraits(xml(shared), PAGES, undefined)).toEqual({
      backing: 'file',
      mergeable: false,
      swappable: false,
      balloonable: true,
    });
  });
});
