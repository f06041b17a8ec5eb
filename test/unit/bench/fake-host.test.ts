import { existsSync } from 'node:fs';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { makeFakeHost, type FakeHost } from '../../support/fake-host/fake-host.ts';
import { fakeGuest } from '../../support/fake-host/fake-guest.ts';
import { guestXml } from '../../support/fake-host/guest-xml.ts';
import { EncodedReplies } from '../../support/fake-host/replies.ts';
import { decode, domainStats, procedures } from '../../../src/libvirt/index.ts';
import { BlockDeviceNames } from '../../../src/sources/host/block-device-names.ts';
import { readCgroupMounts, readGuestCgroup } from '../../../src/sources/cgroup/cgroup.ts';
import { GuestCgroupCpuReader } from '../../../src/sources/cgroup/cpu.ts';
import { GuestCgroupIoReader } from '../../../src/sources/cgroup/io.ts';
import { parseDomainXml } from '../../../src/sources/domain-xml/domain-xml.ts';
import { NetworkLinkReader } from '../../../src/sources/network/links.ts';
import { ProcessThreadReader } from '../../../src/sources/process/threads.ts';
import { QemuProcessFinder } from '../../../src/sources/process/qemu-processes.ts';
import type { Roots } from '../../../src/sources/kernel/roots.ts';
import { valueIn } from '../../support/sources/kernel-fixtures.ts';

/** A benchmark on a host with gaps would look better than it is. */
/** Guests of whose processes libvirt says nothing. */
const anybody = (uuids: readonly string[]) =>
  new Map(uuids.map((uuid) => [uuid, { runId: undefined, ownerUid: undefined }]));

describe('the made-up host of bench/scale', () => {
  let host: FakeHost;
  let roots: Roots;
  beforeAll(() => {
    host = makeFakeHost(3);
    roots = { procfs: host.procfs, sysfs: host.sysfs, rootfs: '' };
  });
  afterAll(() => {
    host[Symbol.dispose]();
  });

  it('has a QEMU process with eight threads for each guest', async () => {
    const found = valueIn(
      await new QemuProcessFinder(roots).find(anybody(host.guests.map(({ uuid }) => uuid))),
    );
    expect([...found.values()].map(({ name, pid }) => ({ name, pid }))).toEqual(
      host.guests.map(({ name, pid }) => ({ name, pid })),
    );
    const threads = new ProcessThreadReader(roots);
    for (const { pid, startTimeTicks, stat } of found.values()) {
      const roles = valueIn(threads.read(pid, startTimeTicks, stat.state)).map(
        ({ role }) => role.kind,
      );
      expect(roles.toSorted()).toEqual([
        'emulator',
        'monitor',
        'vcpu',
        'vcpu',
        'vcpu',
        'vcpu',
        'vhost',
        'vhost',
      ]);
    }
  });

  it('has threads which sleep', () => {
    const [guest] = host.guests;
    if (guest === undefined) throw new Error('no guest');
    const threads = new ProcessThreadReader(roots);
    const startTimeTicks = 360_000;
    const seen = valueIn(threads.read(guest.pid, startTimeTicks, 'S'));
    expect(new Set(seen.map(({ state }) => state))).toEqual(new Set(['S']));
  });

  it('has a cgroup for each guest and for each of its vCPUs', () => {
    const mounts = valueIn(readCgroupMounts(roots));
    for (const { pid } of host.guests) {
      const group = valueIn(readGuestCgroup(roots, mounts, pid));
      expect(group.exclusive).toBe(true);
      const cpu = group.controllers.get('cpu');
      expect(
        cpu && valueIn(new GuestCgroupCpuReader(cpu, undefined).read(undefined)).vcpus.size,
      ).toBe(4);
    }
  });

  it('has device I/O for each guest, on a volume of its own and on the disk below', () => {
    const mounts = valueIn(readCgroupMounts(roots));
    const names = new BlockDeviceNames(roots);
    const devices = host.guests.map(({ pid }) => {
      const io = valueIn(readGuestCgroup(roots, mounts, pid)).controllers.get('blkio');
      return io && valueIn(new GuestCgroupIoReader(io, names).read()).map(({ device }) => device);
    });
    expect(devices).toEqual(host.guests.map(({ index }) => [`dm-${index}`, 'nvme0n1']));
  });

  it('has two taps per guest on a bridge with an uplink', async () => {
    const { links } = valueIn(await new NetworkLinkReader(roots).read());
    expect(links.get('br0')?.lower.length).toBe(1 + 3 * 2);
    for (const tap of host.guests.flatMap(({ taps }) => taps)) {
      expect(links.get(tap)).toMatchObject({ kind: 'tap', master: 'br0' });
      expect(links.get(tap)?.counters).toBeDefined();
    }
  });

  it('has guests that come, and leave nothing behind when they go', async () => {
    const finder = new QemuProcessFinder(roots);
    const links = async () => valueIn(await new NetworkLinkReader(roots).read()).links;
    const guest = fakeGuest(7, host.images);
    const wanted = anybody([guest.uuid]);
    host.add(guest);
    expect(valueIn(await finder.find(wanted)).get(guest.uuid)?.pid).toBe(guest.pid);
    const group = valueIn(readGuestCgroup(roots, valueIn(readCgroupMounts(roots)), guest.pid));
    expect(group.exclusive).toBe(true);
    const [tap] = guest.taps;
    expect((await links()).get(tap)).toMatchObject({ kind: 'tap', master: 'br0' });
    expect((await links()).get('br0')?.lower).toContain(tap);
    host.remove(guest);
    expect(valueIn(await finder.find(wanted)).size).toBe(0);
    expect(existsSync(`${host.sysfs}/fs/cgroup${guest.scope}`)).toBe(false);
    expect((await links()).has(tap)).toBe(false);
    expect((await links()).get('br0')?.lower).not.toContain(tap);
  });

  it('describes each guest in XML that names its own disks and taps', () => {
    for (const guest of host.guests) {
      const config = valueIn(parseDomainXml(guestXml(guest), guest.name));
      expect(config.vcpu.current).toBe(4);
      expect(config.interfaces.map(({ target }) => target)).toEqual(guest.taps);
      expect(config.disks.map(({ source }) => source)).toEqual([
        { kind: 'file', path: guest.systemImage },
        { kind: 'file', path: guest.dataImage },
      ]);
    }
  });

  it('answers stats calls with the groups that were asked for', () => {
    const replies = new EncodedReplies(host.guests);
    const { block, balloon } = domainStats;
    const { bytes } = replies.stats(block | balloon, host.guests.slice(1, 2));
    const [record, ...others] = decode(procedures.getAllDomainStats.result, bytes);
    expect(others).toEqual([]);
    expect(record?.domain.name).toBe('guest-1');
    const groups = new Set(record?.params.map(({ field }) => field.split('.')[0]));
    expect(groups).toEqual(new Set(['balloon', 'block']));
  });
});
