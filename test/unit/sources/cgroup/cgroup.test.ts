import { describe, expect, it } from 'vitest';

import {
  listCgroupThreadGroups,
  parseCgroupMounts,
  parseGuestCgroup,
  readCgroupMounts,
  readGuestCgroup,
  type CgroupMounts,
  type GuestCgroup,
  type GuestCgroupDirectory,
} from '../../../../src/sources/cgroup/cgroup.ts';
import type { Roots } from '../../../../src/sources/kernel/roots.ts';
import { cgroupHost, failureOf, HOST, valueIn } from '../../../support/sources/kernel-fixtures.ts';

const WEB = '/machine.slice/machine-qemu\\x2d1\\x2dweb.scope';

function guest(roots: Roots, pid: number): GuestCgroup {
  return valueIn(readGuestCgroup(roots, valueIn(readCgroupMounts(roots)), pid));
}

function directory(cgroup: GuestCgroup, controller: 'cpu' | 'memory'): GuestCgroupDirectory {
  const found = cgroup.controllers.get(controller);
  if (found === undefined) throw new Error(`no ${controller} directory`);
  return found;
}

describe('the cgroup of a guest on v2', () => {
  const roots = cgroupHost('cgroup-v2');
  const scope = `${roots.sysfs}/fs/cgroup${WEB}`;

  it('is the scope systemd made, not the emulator group its main thread sits in', () => {
    const cgroup = guest(roots, 4242);
    expect(cgroup.name).toBe(WEB);
    expect(cgroup.exclusive).toBe(true);
    expect(cgroup.unifiedPath).toBe(scope);
    expect(directory(cgroup, 'memory')).toEqual({
      version: 2,
      path: scope,
      nestedPath: `${scope}/libvirt`,
    });
  });

  it('counts CPU usage under cpu: there is no cpuacct', () => {
    expect(guest(roots, 4242).controllers.has('cpuacct')).toBe(false);
  });

  it('has groups for vCPUs, I/O threads and the emulator inside libvirt/', () => {
    const groups = valueIn(listCgroupThreadGroups(directory(guest(roots, 4242), 'cpu')));
    expect([...groups.vcpus.keys()].sort()).toEqual([0, 1]);
    expect([...groups.iothreads.keys()]).toEqual([1]);
    expect(groups.emulator).toEqual({ version: 2, path: `${scope}/libvirt/emulator` });
  });

  it('of a session daemon is not the guest’s own', () => {
    const cgroup = guest(roots, 5000);
    expect(cgroup.exclusive).toBe(false);
    expect(cgroup.name).toBe(
      '/user.slice/user-1000.slice/user@1000.service/app.slice/libvirtd.service',
    );
  });
});

describe('the cgroup of a guest on v1, without systemd or with libvirt before 7.1', () => {
  const roots = cgroupHost('cgroup-v1');

  it('is in libvirt’s own partition, with the thread groups directly inside', () => {
    const cgroup = guest(roots, 4242);
    expect(cgroup.exclusive).toBe(true);
    expect(cgroup.name).toBe('/machine/qemu-3-db.libvirt-qemu');
    expect(cgroup.unifiedPath).toBeUndefined();
    const cpu = directory(cgroup, 'cpu');
    expect(cpu).toEqual({
      version: 1,
      path: `${roots.sysfs}/fs/cgroup/cpu,cpuacct/machine/qemu-3-db.libvirt-qemu`,
      nestedPath: undefined,
    });
    expect(cgroup.controllers.get('cpuacct')).toEqual(cpu);
    expect([...valueIn(listCgroupThreadGroups(cpu)).vcpus.keys()]).toEqual([0]);
  });
});

describe('the cgroup of a guest on a hybrid host', () => {
  const roots = cgroupHost('cgroup-hybrid');

  it('has v1 controllers and its pressure files in the unified hierarchy', () => {
    const cgroup = guest(roots, 4242);
    expect(directory(cgroup, 'memory')).toEqual({
      version: 1,
      path: `${roots.sysfs}/fs/cgroup/memory${WEB}`,
      nestedPath: `${roots.sysfs}/fs/cgroup/memory${WEB}/libvirt`,
    });
    expect(cgroup.unifiedPath).toBe(`${roots.sysfs}/fs/cgroup/unified${WEB}`);
    // This host has hugetlb on v2.
    expect(cgroup.controllers.get('hugetlb')?.version).toBe(2);
  });

  it('leaves out hierarchies where the guest sits in the root: those numbers are the host’s', () => {
    const cgroup = guest(roots, 5000);
    expect(cgroup.exclusive).toBe(true);
    expect([...cgroup.controllers.keys()]).toEqual(['memory']);
    expect(cgroup.unifiedPath).toBeUndefined();
  });

  it('has no groups any more when the guest is gone', () => {
    expect(failureOf(listCgroupThreadGroups(directory(guest(roots, 5000), 'memory')))).toBe(
      'absent',
    );
  });
});

describe('seen from a container with a cgroup namespace of its own', () => {
  const roots: Roots = { procfs: '/host/proc', sysfs: '/host/sys', rootfs: '/host/root' };
  const own = '30 23 0:28 / /sys/fs/cgroup ro,relatime - cgroup2 cgroup rw,nsdelegate\n';
  const host = '90 80 0:28 /../../.. /host/sys/fs/cgroup ro,relatime - cgroup2 cgroup rw\n';
  const emulator = `0::/../../..${WEB}/libvirt/emulator\n`;
  const mountsOf = (text: string): CgroupMounts =>
    valueIn(parseCgroupMounts(text, roots, 'mountinfo'));

  it('the host’s mount is used, in either order, and the group is found below its root', () => {
    for (const text of [own + host, host + own]) {
      const cgroup = valueIn(parseGuestCgroup(emulator, mountsOf(text), 'cgroup'));
      expect(cgroup.unifiedPath).toBe(`/host/sys/fs/cgroup${WEB}`);
      expect(cgroup.exclusive).toBe(true);
    }
  });

  it('nothing is made up when only the container’s own subtree is mounted', () => {
    expect(failureOf(parseGuestCgroup(emulator, mountsOf(own), 'cgroup'))).toBe('unsupported');
  });

  it('a hierarchy mounted outside /sys is looked for under the host’s root', () => {
    const text = '30 23 0:28 / /mnt/with\\040space rw - cgroup2 cgroup rw\n';
    expect(mountsOf(text).unified?.mountPoint).toBe('/host/root/mnt/with space');
  });
});

describe('cgroups', () => {
  it('are absent where no hierarchy is mounted', () => {
    expect(failureOf(parseCgroupMounts('40 1 259:1 / / rw - xfs /dev/sda rw\n', HOST, 'm'))).toBe(
      'absent',
    );
  });

  it('are malformed when the process shows none, absent when it is gone', () => {
    const mounts = valueIn(readCgroupMounts(cgroupHost('cgroup-v2')));
    expect(failureOf(parseGuestCgroup('nonsense\n', mounts, 'cgroup'))).toBe('malformed');
    expect(failureOf(readGuestCgroup(cgroupHost('cgroup-v2'), mounts, 999_999))).toBe('absent');
  });
});
