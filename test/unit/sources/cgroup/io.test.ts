import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { BlockDeviceNames } from '../../../../src/sources/host/block-device-names.ts';
import {
  GuestCgroupIoReader,
  parseIoStat,
  parseThrottleFiles,
} from '../../../../src/sources/cgroup/io.ts';
import { readCgroupMounts, readGuestCgroup } from '../../../../src/sources/cgroup/cgroup.ts';
import { Faults } from '../../../../src/runtime/result.ts';
import {
  cgroupHost,
  failureOf,
  NOWHERE,
  valueIn,
} from '../../../support/sources/kernel-fixtures.ts';
import type { CgroupDeviceIo } from '../../../../src/model/cgroup.ts';

/** What the guest of process 4242 did to each device. */
function ioOn(tree: 'cgroup-v1' | 'cgroup-v2' | 'cgroup-hybrid'): readonly CgroupDeviceIo[] {
  const roots = cgroupHost(tree);
  const guest = valueIn(readGuestCgroup(roots, valueIn(readCgroupMounts(roots)), 4242));
  const directory = guest.controllers.get('blkio');
  if (directory === undefined) throw new Error('no blkio directory');
  return valueIn(new GuestCgroupIoReader(directory, new BlockDeviceNames(roots)).read());
}

describe('I/O of a guest’s cgroup on v2', () => {
  it('is that of each device it used, by its kernel name, exact past 2^53', () => {
    expect(ioOn('cgroup-v2')).toEqual([
      {
        device: 'nvme0n1',
        readBytes: 9_007_199_254_740_993n,
        writtenBytes: 314_773_504n,
        reads: 192n,
        writes: 353n,
      },
      { device: 'dm-3', readBytes: 1_459_200n, writtenBytes: 0n, reads: 32n, writes: 0n },
    ]);
  });
});

describe('I/O of a guest’s cgroup on v1', () => {
  it('counts the groups inside, where the kernel has files that do', () => {
    expect(ioOn('cgroup-v1')).toEqual([
      {
        device: 'sda',
        readBytes: 18_446_744_073_709_547_520n,
        writtenBytes: 3_145_728n,
        reads: 201n,
        writes: 24n,
      },
      { device: 'cciss/c0d0', readBytes: 65_536n, writtenBytes: 0n, reads: 4n, writes: 0n },
    ]);
  });

  it('adds libvirt’s group inside where it has none; a device without a name has its number', () => {
    expect(ioOn('cgroup-hybrid')).toEqual([
      { device: '8:0', readBytes: 1_052_672n, writtenBytes: 2_097_152n, reads: 17n, writes: 32n },
      { device: '8:16', readBytes: 512n, writtenBytes: 0n, reads: 1n, writes: 0n },
    ]);
  });
});

describe('io.stat', () => {
  it('up to Linux 5.19 puts devices without values before the next one that has some', () => {
    const text =
      '8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=0 dios=0\n' +
      '7:7 7:6 7:5 7:4 rbytes=28672 wbytes=0 rios=22 wios=0 dbytes=0 dios=0\n' +
      '1:15 1:14 1:13 ';
    expect(parseIoStat(text)).toEqual(
      new Map([
        ['8:0', { readBytes: 1n, writtenBytes: 2n, reads: 3n, writes: 4n }],
        ['7:4', { readBytes: 28_672n, writtenBytes: 0n, reads: 22n, writes: 0n }],
      ]),
    );
  });

  it('has no device while a group has done nothing', () => {
    for (const text of ['', '252:0 ', '252:0 \n', '8:16 cost.usage=12\n']) {
      expect(parseIoStat(text)).toEqual(new Map());
    }
  });

  it('hides paths of an NVMe disk, whose line is not a device', () => {
    expect(parseIoStat('(unknown) rbytes=1 wbytes=2 rios=3 wios=4 dbytes=0 dios=0\n').size).toBe(0);
  });

  it('lacks a counter rather than having 0', () => {
    expect(parseIoStat('8:0 rbytes=7 rios= wios=x\n').get('8:0')).toEqual({
      readBytes: 7n,
      writtenBytes: undefined,
      reads: undefined,
      writes: undefined,
    });
  });

  const faultsOf = (text: string) => {
    const faults = new Faults();
    parseIoStat(text, faults);
    return faults.errors.map(({ detail }) => detail);
  };
  it('may have devices without values, lines of other policies, and hidden paths', () => {
    for (const text of [
      '252:0 \n',
      '252:0 ',
      '8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=0 dios=0\n7:7 7:6 ',
      '8:16 cost.usage=12\n',
      '8:0 rbytes=1 wbytes=2 rios=3 wios=4 depth=max avg_lat=7 win=100\n',
      '(unknown) rbytes=1 wbytes=2 rios=3 wios=4 dbytes=0 dios=0\n',
    ]) {
      expect(faultsOf(text)).toEqual([]);
    }
  });

  it.each([
    ['no device', 'rbytes=1 wbytes=2 rios=3 wios=4\n'],
    ['words', 'garbage: | {}\n'],
    ['a device that is none', `${'7'.repeat(400)}:0 rbytes=1 wbytes=2 rios=3 wios=4\n`],
    ['a number no counter can reach', `8:0 rbytes=${'7'.repeat(400)} wbytes=2 rios=3 wios=4\n`],
    ['a word for a number', '8:0 rbytes=x wbytes=2 rios=3 wios=4\n'],
    ['digits with something after them', '8:0 rbytes=1x wbytes=2 rios=3 wios=4\n'],
    ['values that may be cut', '8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=0 dios=0'],
  ])('with %s has a fault', (_, text) => {
    expect(faultsOf(text)).toHaveLength(1);
  });
});

describe('the throttle files of v1', () => {
  it('end with a total of all devices, which is none of them', () => {
    expect(parseThrottleFiles('Total 0\n', 'Total 0\n').size).toBe(0);
    expect(parseThrottleFiles('8:0 Total 4096\nTotal 4096\n', 'Total 0\n').size).toBe(0);
  });

  it('have no discards on old kernels, and hide paths of an NVMe disk', () => {
    const bytes = '(unknown) Read 1\n8:0 Read 4096\n8:0 Write 512\n8:0 Sync 4608\n8:0 Async 0\n';
    expect(parseThrottleFiles(bytes, '8:0 Read 1\n8:0 Write 1\nTotal 2\n')).toEqual(
      new Map([['8:0', { readBytes: 4096n, writtenBytes: 512n, reads: 1n, writes: 1n }]]),
    );
  });

  it('may have a device in one and not yet in the other', () => {
    expect(parseThrottleFiles('8:0 Read 4096\n8:0 Write 0\n', 'Total 0\n').get('8:0')).toEqual({
      readBytes: 4096n,
      writtenBytes: 0n,
      reads: undefined,
      writes: undefined,
    });
  });

  it.each([
    ['no total', '8:0 Read 4096\n8:0 Write 0\n'],
    ['words', 'garbage: | {}\nTotal 0\n'],
    ['a device that is none', 'x:x Read 1\nTotal 1\n'],
    ['a number no counter can reach', `8:0 Read ${'7'.repeat(400)}\nTotal 1\n`],
    ['a word for a number', '8:0 Read x\nTotal 1\n'],
    ['a kind nobody knows', '8:0 Reed 1\nTotal 1\n'],
  ])('with %s have a fault', (_, text) => {
    const faults = new Faults();
    parseThrottleFiles(text, 'Total 0\n', faults);
    expect(faults.errors).toHaveLength(1);
  });
});

describe('I/O of a cgroup', () => {
  it('is absent when the group is gone, or its controller is off', () => {
    for (const version of [1, 2] as const) {
      const directory = { version, path: '/nowhere', nestedPath: undefined };
      expect(
        failureOf(new GuestCgroupIoReader(directory, new BlockDeviceNames(NOWHERE)).read()),
      ).toBe('absent');
    }
  });
});

describe('I/O of a guest’s cgroup, read again', () => {
  let path: string;
  let sysfs: string;
  let names: BlockDeviceNames;
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['performance'] });
    path = mkdtempSync(join(tmpdir(), 'cgroup-io-'));
    sysfs = mkdtempSync(join(tmpdir(), 'cgroup-io-sys-'));
    names = new BlockDeviceNames({ procfs: '', sysfs, rootfs: '' });
  });
  afterEach(() => {
    vi.useRealTimers();
    rmSync(path, { recursive: true });
    rmSync(sysfs, { recursive: true });
  });

  const unified = () => new GuestCgroupIoReader({ version: 2, path, nestedPath: undefined }, names);
  const did = (...numbers: readonly string[]) => {
    const lines = numbers.map((one) => `${one} rbytes=1 wbytes=2 rios=3 wios=4 dbytes=0 dios=0\n`);
    writeFileSync(join(path, 'io.stat'), lines.join(''));
  };
  const callDevice = (number: string, name: string) => {
    const directory = join(sysfs, 'dev/block', number);
    mkdirSync(directory, { recursive: true });
    const [major, minor] = number.split(':');
    writeFileSync(
      join(directory, 'uevent'),
      `MAJOR=${major}\nMINOR=${minor}\nDEVNAME=${name}\nDEVTYPE=disk\n`,
    );
  };
  const devicesOf = (reader: GuestCgroupIoReader) =>
    valueIn(reader.read()).map(({ device }) => device);

  it('is looked for again half a minute after it was not there', () => {
    const reader = unified();
    expect(failureOf(reader.read())).toBe('absent');
    did('8:0');
    vi.advanceTimersByTime(29_000);
    expect(failureOf(reader.read())).toBe('absent');
    vi.advanceTimersByTime(1_000);
    expect(devicesOf(reader)).toEqual(['8:0']);
  });

  it('goes on with the recursive files of v1, and is absent rather than partial without', () => {
    const group = `${cgroupHost('cgroup-v1').sysfs}/fs/cgroup/blkio/machine/qemu-3-db.libvirt-qemu`;
    cpSync(group, path, { recursive: true });
    const reader = new GuestCgroupIoReader({ version: 1, path, nestedPath: undefined }, names);
    expect(valueIn(reader.read())[0]?.reads).toBe(201n);
    rmSync(join(path, 'blkio.throttle.io_serviced_recursive'));
    expect(failureOf(reader.read())).toBe('absent');
  });

  it('has the new name of a number half a minute later', () => {
    const reader = unified();
    did('259:0');
    callDevice('259:0', 'nvme0n1');
    expect(devicesOf(reader)).toEqual(['nvme0n1']);
    callDevice('259:0', 'nvme1n1');
    expect(devicesOf(reader)).toEqual(['nvme0n1']);
    vi.advanceTimersByTime(30_000);
    expect(devicesOf(reader)).toEqual(['nvme1n1']);
  });

  it('never gives two devices one name, not even while a name goes over to another number', () => {
    const reader = unified();
    did('259:0');
    callDevice('259:0', 'nvme0n1');
    expect(devicesOf(reader)).toEqual(['nvme0n1']);
    did('259:0', '259:1');
    callDevice('259:0', 'nvme1n1');
    callDevice('259:1', 'nvme0n1');
    expect(devicesOf(reader)).toEqual(['nvme0n1', '259:1']);
  });

  it('is none, and no failure, of a guest that has used no device', () => {
    writeFileSync(join(path, 'io.stat'), '');
    expect(unified().read()).toEqual({ ok: true, value: [] });
  });

  it('does not go without a word where counters were before', () => {
    const reader = unified();
    did('8:0');
    expect(devicesOf(reader)).toEqual(['8:0']);
    writeFileSync(join(path, 'io.stat'), '');
    expect(failureOf(reader.read())).toBe('malformed');
    vi.advanceTimersByTime(30_000);
    expect(reader.read()).toEqual({ ok: true, value: [] });
  });

  it.each([
    ['is empty', ''],
    ['is about another device', 'MAJOR=8\nMINOR=1\nDEVNAME=sda1\nDEVTYPE=partition\n'],
    ['has no name', 'MAJOR=8\nMINOR=0\nDEVTYPE=disk\n'],
    ['has a name of 400 letters', `MAJOR=8\nMINOR=0\nDEVNAME=${'d'.repeat(400)}\n`],
    ['has a name that is none', 'MAJOR=8\nMINOR=0\nDEVNAME=sd a\u0001\n'],
    ['ends in the middle', 'MAJOR=8\nMINOR=0\nDEVNAME=sd'],
  ])('goes by the number, with a fault, while the uevent of its device %s', (_, uevent) => {
    const reader = unified();
    did('8:0');
    callDevice('8:0', 'sda');
    writeFileSync(join(sysfs, 'dev/block/8:0/uevent'), uevent);
    expect(devicesOf(reader)).toEqual(['8:0']);
    expect(reader.read()).toMatchObject({ ok: true, faults: [{ kind: 'malformed' }] });
    callDevice('8:0', 'sda');
    expect(devicesOf(reader)).toEqual(['sda']);
  });

  it('is no sum where one of two groups of v1 cannot be read', () => {
    const nestedPath = join(path, 'libvirt');
    mkdirSync(nestedPath);
    for (const directory of [path, nestedPath]) {
      for (const file of ['io_service_bytes', 'io_serviced']) {
        const text = '8:0 Read 8\n8:0 Write 8\n8:0 Total 16\nTotal 16\n';
        writeFileSync(join(directory, `blkio.throttle.${file}`), text);
      }
    }
    const reader = new GuestCgroupIoReader({ version: 1, path, nestedPath }, names);
    expect(valueIn(reader.read())[0]?.reads).toBe(16n);
    writeFileSync(join(nestedPath, 'blkio.throttle.io_serviced'), '8:0 Read x\nTotal 16\n');
    expect(failureOf(reader.read())).toBe('malformed');
  });
});
