import { describe, expect, it } from 'vitest';

import { parseSystemEmulator } from '../../../../src/sources/process/qemu-command-line.ts';
import { parseQuantity } from '../../../../src/sources/process/qemu-quantity.ts';

const GIB = 1024 ** 3;

const line = (...words: readonly string[]): string => words.map((word) => `${word}\0`).join('');
const qemu = (...words: readonly string[]) =>
  parseSystemEmulator(line('/usr/bin/qemu-system-x86_64', ...words));

/** In the order and shape of qemu-server 9.0, config_to_command. */
const PROXMOX = line(
  '/usr/bin/kvm',
  ...['-id', '100', '-name', 'web,debug-threads=on', '-no-shutdown'],
  ...['-chardev', 'socket,id=qmp,path=/var/run/qemu-server/100.qmp,server=on,wait=off'],
  ...['-mon', 'chardev=qmp,mode=control', '-pidfile', '/var/run/qemu-server/100.pid', '-daemonize'],
  ...['-smbios', 'type=1,uuid=6a1f8f0e-3c1b-4a43-9a55-0d1f7b7b0c11'],
  ...['-smp', '2,sockets=1,cores=4,maxcpus=4', '-nodefaults', '-m', '4096'],
  ...['-device', 'virtio-balloon-pci,id=balloon0,bus=pci.0,addr=0x3,free-page-reporting=on'],
  ...['-netdev', 'type=tap,id=net0,ifname=tap100i0,script=/usr/libexec/qemu-server/pve-bridge'],
  ...['-machine', 'type=pc+pve0'],
);

describe('the command line of a system emulator', () => {
  it('of Proxmox VE names the VM, its uuid, its size and its tap', () => {
    expect(parseSystemEmulator(PROXMOX)).toMatchObject({
      name: 'web',
      vmid: 100,
      uuid: '6a1f8f0e-3c1b-4a43-9a55-0d1f7b7b0c11',
      memoryBytes: 4 * GIB,
      vcpus: { current: 2, maximum: 4 },
      accelerator: 'kvm',
      hasBalloon: true,
      taps: ['tap100i0'],
      machine: 'pc+pve0',
    });
  });

  it('names a VM of Proxmox VE by its pid file alone, which any QEMU takes', () => {
    expect(qemu('-pidfile', '/var/run/qemu-server/104.pid')?.vmid).toBe(104);
    expect(qemu('-pidfile', '/run/qemu-server/104.pid')?.vmid).toBe(104);
    expect(qemu('-pidfile', '/tmp/104.pid')?.vmid).toBeUndefined();
  });

  it.each([
    [['-m', '512'], GIB / 2, undefined],
    [['-m', '4G'], 4 * GIB, undefined],
    [['-m', 'size=1024,slots=255,maxmem=524288M'], GIB, 512 * GIB],
    [['--m', '1.5G'], 1.5 * GIB, undefined],
    [[], undefined, undefined],
    [['-m', 'much'], undefined, undefined],
  ])('%j promises %j bytes, and %j plugged in', (words, bytes, maximum) => {
    expect(qemu(...words)).toMatchObject({ memoryBytes: bytes, memoryMaximumBytes: maximum });
  });

  it.each([
    ['4', 4, 4],
    ['2,maxcpus=8', 2, 8],
    ['sockets=2,cores=3,threads=2', 12, 12],
    ['cpus=1,sockets=2,cores=2', 1, 4],
  ])('-smp %s is %i vCPUs of at most %i', (smp, current, maximum) => {
    expect(qemu('-smp', smp)?.vcpus).toEqual({ current, maximum });
  });

  it('does not take a promise of vCPUs nobody can have', () => {
    expect(qemu('-smp', '99999')?.vcpus).toBeUndefined();
    expect(qemu('-smp', '0')?.vcpus).toBeUndefined();
  });

  it('tells what the memory is made of', () => {
    const backend = 'memory-backend-memfd,id=mem0,size=4G';
    expect(qemu('-object', backend)?.backends).toEqual([
      { id: 'mem0', type: 'memory-backend-memfd', shared: true, path: undefined, bytes: 4 * GIB },
    ]);
    const json =
      '{"qom-type":"memory-backend-file","id":"m","mem-path":"/x","share":true,"size":4096}';
    expect(qemu('-object', json)?.backends).toEqual([
      { id: 'm', type: 'memory-backend-file', shared: true, path: '/x', bytes: 4096 },
    ]);
  });

  it('of a probe runs no guest', () => {
    expect(qemu('-machine', 'none,accel=kvm:tcg')?.isProbe).toBe(true);
    expect(qemu('-M', 'none')?.isProbe).toBe(true);
  });

  it('is not that of any other program', () => {
    for (const program of ['qemu-img', 'qemu-x86_64', 'bash', 'qemu-storage-daemon', '']) {
      expect(parseSystemEmulator(line(program, '-m', '512'))).toBeUndefined();
    }
    expect(parseSystemEmulator(line('timeout', '5', 'qemu-system-x86_64'))).toBeUndefined();
  });

  it('may have a comma in a name, written twice', () => {
    expect(qemu('-name', 'guest=a,,b,debug-threads=on')?.name).toBe('a,b');
  });
});

describe('a size', () => {
  it.each([
    ['1', 1024 ** 2],
    ['0x10', 16 * 1024 ** 2],
    ['2k', 2048],
    ['1T', 1024 ** 4],
  ])('%s is %i bytes', (text, bytes) => {
    expect(parseQuantity(text)).toBe(bytes);
  });

  it.each(['', '-1', '0', '1e9', '99999999999999P', '1.2.3G', 'NaN'])('%j is none', (text) => {
    expect(parseQuantity(text)).toBeUndefined();
  });
});
