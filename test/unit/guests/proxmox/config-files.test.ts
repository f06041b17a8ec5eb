import { describe, expect, it } from 'vitest';

import { parsePools, parseStartedByHa } from '../../../../src/guests/proxmox/cluster-conf.ts';
import { toContainerConfig } from '../../../../src/guests/proxmox/container-config.ts';
import { parseGuestConf, type GuestConf } from '../../../../src/guests/proxmox/guest-conf.ts';
import { parseStatistics } from '../../../../src/guests/proxmox/statistics.ts';
import { locateVolume, parseStorageConf } from '../../../../src/guests/proxmox/storage-conf.ts';
import { toVmConfig } from '../../../../src/guests/proxmox/vm-config.ts';
import { toVmState } from '../../../../src/guests/proxmox/vm-state.ts';
import { failureOf, valueIn } from '../../../support/sources/kernel-fixtures.ts';
import { STORAGE_CFG, VM_100 } from '../../../support/sources/proxmox-files.ts';

const MIB = 1024 ** 2;
const GIB = 1024 ** 3;

const conf = (text: string): GuestConf => valueIn(parseGuestConf(text, 'x.conf'));
const storages = parseStorageConf(STORAGE_CFG);
const vm = (text: string) => toVmConfig(100, '100/x', conf(text), storages);

describe('the config of a VM', () => {
  it('is its main section: what is pending and what snapshots had does not run', () => {
    const { values, pending, snapshots } = conf(VM_100);
    expect(values.get('memory')).toBe('4096');
    expect([...pending]).toEqual(['memory', 'balloon']);
    expect(snapshots).toBe(1);
  });

  it('promises memory that a balloon may shrink to its minimum', () => {
    const { memory, balloon, vcpu, cputune } = vm(VM_100);
    expect(memory).toMatchObject({ maximumBytes: 4 * GIB, minimumBytes: GIB });
    expect(balloon?.model).toBe('virtio');
    expect(vcpu).toMatchObject({ current: 2, maximum: 2 });
    expect(cputune.global).toEqual({ periodMicroseconds: 100_000, quotaMicroseconds: 150_000 });
  });

  it('has no balloon device with balloon: 0, and one without automatics where nothing is said', () => {
    expect(vm('balloon: 0\nmemory: 1024').balloon).toBeUndefined();
    expect(vm('memory: 1024').balloon).toBeDefined();
    expect(vm('memory: 1024').memory.minimumBytes).toBeUndefined();
  });

  it('has 512 MiB and one vCPU where nothing is said, and the vCPUs plugged in of those that fit', () => {
    expect(vm('name: x')).toMatchObject({
      memory: { maximumBytes: 512 * MIB },
      vcpu: { current: 1, maximum: 1 },
    });
    expect(vm('sockets: 2\ncores: 4\nvcpus: 3').vcpu).toMatchObject({ current: 3, maximum: 8 });
    expect(vm('memory: current=2048').memory.maximumBytes).toBe(2 * GIB);
  });

  it('does not turn what it cannot read into a promise', () => {
    const broken = vm('memory: a lot');
    expect(broken.memory.maximumBytes).toBeUndefined();
    expect(broken.faults).toEqual(['memory: a lot']);
  });

  it('has no more vCPUs and memory than there can be', () => {
    expect(vm('cores: 99999\nsockets: 99999').vcpu).toMatchObject({ maximum: undefined });
    expect(vm('cores: 4096\nsockets: 4').vcpu).toMatchObject({ maximum: undefined });
    expect(vm('memory: 777777777777777').memory.maximumBytes).toBeUndefined();
  });

  it('has limits of MiB per second, both ways of a NIC', () => {
    const { interfaces, disks } = vm(VM_100);
    expect(interfaces).toMatchObject([
      {
        type: 'bridge',
        target: 'tap100i0',
        mac: 'bc:24:11:00:00:01',
        source: { bridge: 'vmbr0' },
        inbound: { averageBytesPerSecond: 13_107_200 },
        outbound: { averageBytesPerSecond: 13_107_200 },
        queues: 2,
      },
    ]);
    expect(disks.find(({ target }) => target === 'scsi0')?.iotune).toMatchObject({
      readBytesPerSecond: 50 * MIB,
      writeRequestsPerSecond: 500,
    });
  });

  it('has disks where its storages keep them, unused volumes too, and no inserted media', () => {
    expect(vm(VM_100).disks.map(({ target, source }) => [target, source])).toEqual([
      ['scsi0', { kind: 'block', path: '/dev/pve/vm-100-disk-0' }],
      ['scsi1', { kind: 'file', path: '/var/lib/vz/images/100/vm-100-disk-1.qcow2' }],
      ['unused0', { kind: 'block', path: '/dev/pve/vm-100-disk-2' }],
    ]);
  });

  it('pins memory for a device of the host, and keeps it from KSM when told so', () => {
    expect(vm('hostpci0: 0000:01:00.0').hostdevs).toMatchObject([{ type: 'pci' }]);
    expect(vm('allow-ksm: 0').memory.backing.noSharePages).toBe(true);
    expect(vm('virtiofs0: share').memory.backing).toMatchObject({ source: 'memfd' });
    expect(vm('hugepages: 1024').memory.backing.hugepages).toEqual([
      { pageBytes: GIB, guestNodes: undefined },
    ]);
  });

  it('of another kind of file is malformed', () => {
    expect(failureOf(parseGuestConf('', 'x'))).toBe('malformed');
    expect(failureOf(parseGuestConf('\0\0\0', 'x'))).toBe('malformed');
    expect(failureOf(parseGuestConf('[PENDING]\nmemory: 1\n', 'x'))).toBe('malformed');
  });
});

describe('the config of a container', () => {
  const container = (text: string, cpus?: number) =>
    toContainerConfig(101, '101/ct', conf(text), storages, cpus);

  it('promises memory, and cores or the limit or all CPUs', () => {
    expect(container('memory: 2048\ncores: 2').vcpu.current).toBe(2);
    expect(container('cpulimit: 1.5').vcpu.current).toBe(2);
    expect(container('memory: 2048', 16).vcpu.current).toBe(16);
    expect(container('memory: 2048').memory).toMatchObject({
      maximumBytes: 2 * GIB,
      swapHardLimitBytes: 2 * GIB + 512 * MIB,
    });
  });

  it('has no more memory than there can be', () => {
    expect(container('swap: 777777777777777').memory).toMatchObject({
      maximumBytes: 512 * MIB,
      swapHardLimitBytes: undefined,
    });
    expect(container('memory: x').memory.maximumBytes).toBeUndefined();
  });

  it('has the volumes that are images, not directories of the host or datasets', () => {
    const { disks } = container(
      'rootfs: local-lvm:vm-101-disk-0,size=8G\nmp0: /srv,mp=/srv\nmp1: tank:subvol-101-disk-1,mp=/x',
    );
    expect(disks.map(({ source }) => source)).toEqual([
      { kind: 'block', path: '/dev/pve/vm-101-disk-0' },
    ]);
  });
});

describe('a volume', () => {
  it.each([
    ['local-lvm:vm-100-disk-0', 'thin', '/dev/pve/vm-100-disk-0', 'pve/data'],
    ['thick:vm-100-disk-0', 'thick', '/dev/vg1/vm-100-disk-0'],
    ['tank:base-9-disk-0/vm-100-disk-0', 'thick', '/dev/zvol/tank/data/vm-100-disk-0'],
    ['sparse:vm-100-disk-0', 'thin', '/dev/zvol/rpool/data/vm-100-disk-0'],
    [
      'local:9/base-9-disk-0.qcow2/100/vm-100-disk-0.qcow2',
      'file',
      '/var/lib/vz/images/100/vm-100-disk-0.qcow2',
    ],
    ['share:100/vm-100-disk-0.raw', 'file', '/mnt/pve/share/images/100/vm-100-disk-0.raw'],
    ['/dev/sdb', 'unknown', '/dev/sdb'],
  ])('%s is %s, at %s', (volumeId, kind, path, thinPool?: string) => {
    expect(locateVolume(volumeId, storages)).toMatchObject({
      space: { kind, thinPool },
      source: { path },
    });
  });

  it('of Ceph is remote', () => {
    expect(locateVolume('ceph:vm-100-disk-0', storages)).toMatchObject({
      space: { kind: 'remote' },
    });
  });

  it('never leads out of its storage', () => {
    expect(locateVolume('local:100/../../../etc/shadow', storages)).toBeUndefined();
    expect(locateVolume('local-lvm:../sda', storages)).toBeUndefined();
  });
});

describe('files of the cluster', () => {
  it('tell the pool of a guest, and nothing of people', () => {
    const text = 'user:root@pam:1:0:::a@example.com:::\npool:shop:the shop:100,101:local:\n';
    expect([...parsePools(text)]).toEqual([
      [100, 'shop'],
      [101, 'shop'],
    ]);
  });

  it('tell which guests high availability starts', () => {
    const text = 'vm: 100\n\tgroup a\n\nct: 101\n\tstate stopped\n\nvm: 102\n\tstate started\n';
    expect([...parseStartedByHa(text)]).toEqual([100, 102]);
  });
});

describe('what pvestatd wrote', () => {
  it('may lack any field, and none of them becomes 0', () => {
    const line = '{"qemu":{"timestamp":5,"data":{"100":{"status":"running"},"x":{}}}}';
    const { vms } = valueIn(parseStatistics(line, 'metrics'));
    expect([...vms]).toEqual([
      [
        100,
        {
          status: 'running',
          pid: undefined,
          qmpStatus: undefined,
          balloon: undefined,
          disks: undefined,
        },
      ],
    ]);
  });

  it.each(['', '{', '[]', '{"qemu":{}}', '{"qemu":{"timestamp":-1}}', 'null'])(
    'is refused where it is cut off or says of no time: %j',
    (line) => {
      expect(failureOf(parseStatistics(line, 'metrics'))).toBe('malformed');
    },
  );

  it('has no counter of more than 64 bits', () => {
    const counters =
      '{"rd_bytes":"18446744073709551615","wr_bytes":"18446744073709551616","unmap_bytes":1e36}';
    const line = `{"qemu":{"timestamp":5,"data":{"100":{"blockstat":{"scsi0":${counters}}}}}}`;
    const { vms } = valueIn(parseStatistics(line, 'metrics'));
    expect(vms.get(100)?.disks).toMatchObject([
      {
        readBytes: 2n ** 64n - 1n,
        writtenBytes: undefined,
        beyondLibvirt: { discardedBytes: undefined },
      },
    ]);
  });

  it('tells that a VM stopped on a failed write', () => {
    const stopped = {
      ...{ status: 'running', pid: 4300, qmpStatus: 'io-error' },
      ...{ balloon: undefined, disks: [] },
    };
    expect(toVmState(true, stopped, undefined)).toEqual({ state: 'paused', reason: 'ioerror' });
    expect(toVmState(true, undefined, 'backup')).toEqual({ state: 'running', reason: 'backup' });
    expect(toVmState(false, undefined, 'made up')).toEqual({ state: 'shutoff', reason: 'unknown' });
  });
});
