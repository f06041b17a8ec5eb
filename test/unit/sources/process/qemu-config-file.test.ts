import { describe, expect, it } from 'vitest';

import { toProcessConfig } from '../../../../src/guests/process/process-config.ts';
import type { CountedQemu } from '../../../../src/sources/process/qemu-census.ts';
import {
  parseSystemEmulator,
  withConfigFile,
  type QemuCommandLine,
} from '../../../../src/sources/process/qemu-command-line.ts';
import { parseQemuConfig } from '../../../../src/sources/process/qemu-config-file.ts';
import { readProcessStat } from '../../../../src/sources/process/stat.ts';
import { failureOf, HOST, valueIn } from '../../../support/sources/kernel-fixtures.ts';

const MIB = 1024 ** 2;

/** In the form in which Incus writes it (driver_qemu_templates.go). */
const INCUS = `# Machine
[machine]
graphics = "off"
type = "q35"
accel = "kvm"
usb = "off"

[global]
driver = "ICH9-LPC"
property = "disable_s3"
value = "1"

# Memory
[memory]
size = "4096M"

# CPU
[smp-opts]
cpus = "2"
maxcpus = "64"

[object "mem0"]
qom-type = "memory-backend-memfd"
size = "4096M"
share = "on"

[numa]
type = "node"
nodeid = "0"
memdev = "mem0"

# Balloon driver
[device "qemu_balloon"]
driver = "virtio-balloon-pci"
bus = "qemu_pcie0"
addr = "00.0"

# Network card ("eth0" device)
[netdev "eth0"]
type = "tap"
vhost = "on"
ifname = "tap1a2b3c4d"
script = "no"

[drive]
file = "/opt/incus/share/qemu/OVMF_CODE.fd"
if = "pflash"
readonly = "on"
`;

const PATH = '/run/incus/shop_web/qemu.conf';
const WORDS = [
  ...['/usr/bin/qemu-system-x86_64', '-S', '-name', 'web', '-uuid'],
  ...['0b1f8f0e-3c1b-4a43-9a55-0d1f7b7b0c99', '-nodefaults', '-no-user-config'],
  ...['-readconfig', PATH, '-pidfile', '/run/incus/shop_web/qemu.pid'],
];

function commandLine(words: readonly string[]): QemuCommandLine {
  const parsed = parseSystemEmulator(words.map((word) => `${word}\0`).join(''));
  if (parsed === undefined) throw new Error('no QEMU');
  return parsed;
}

function qemu(line: QemuCommandLine): CountedQemu {
  return {
    pid: 700,
    startTimeTicks: 1,
    stat: valueIn(readProcessStat(HOST, 4242)),
    commandLine: line,
    memoryFiles: [],
    group: '/',
    owner: 'host',
    scope: undefined,
    isContained: false,
  };
}

describe('a file of options of QEMU', () => {
  const whole = withConfigFile(commandLine(WORDS), valueIn(parseQemuConfig(INCUS, PATH)));

  it('says what Incus gave a guest: memory, vCPUs, backend, balloon, tap', () => {
    expect(whole).toMatchObject({
      name: 'web',
      machine: 'q35',
      accelerator: 'kvm',
      memoryBytes: 4096 * MIB,
      vcpus: { current: 2, maximum: 64 },
      backends: [{ id: 'mem0', type: 'memory-backend-memfd', shared: true, bytes: 4096 * MIB }],
      hasBalloon: true,
      taps: ['tap1a2b3c4d'],
      hasHostDevice: false,
      readconfig: undefined,
    });
  });

  it('makes the guest known whose project its directory names', () => {
    expect(toProcessConfig(qemu(whole), 'web')).toMatchObject({
      type: 'kvm',
      memory: {
        maximumBytes: 4096 * MIB,
        backing: { source: 'memfd', access: 'shared' },
      },
      vcpu: { current: 2, maximum: 64 },
      owner: { manager: 'incus', tenant: 'shop', project: 'shop' },
    });
  });

  it.each([
    ['/run/incus/web/qemu.pid', 'default'],
    ['/run/incus/my_shop_web/qemu.pid', 'my_shop'],
    ['/var/snap/lxd/common/lxd/logs/shop_web/qemu.pid', 'shop'],
    ['/var/log/lxd/shop_web/qemu.pid', 'shop'],
    ['/run/qemu-server/100.pid', undefined],
    ['/run/ganeti/kvm-hypervisor/pid/web.example.com', undefined],
  ])('with its pid in %s is of project %s', (pidfile, project) => {
    const words = ['qemu-system-x86_64', '-m', '64', '-pidfile', pidfile];
    expect(toProcessConfig(qemu(commandLine(words)), 'web').owner?.project).toBe(project);
  });

  it('gives way to the command line where both say something', () => {
    const line = commandLine([...WORDS, '-m', '512', '-smp', '4']);
    expect(withConfigFile(line, valueIn(parseQemuConfig(INCUS, PATH)))).toMatchObject({
      memoryBytes: 512 * MIB,
      vcpus: { current: 4, maximum: 4 },
    });
  });

  it('that was not read leaves the size of the guest unknown, not at what QEMU gives by itself', () => {
    const { memory, vcpu } = toProcessConfig(qemu(commandLine(WORDS)), 'web');
    expect(memory.maximumBytes).toBeUndefined();
    expect(vcpu.current).toBeUndefined();
  });

  it('is not the only one where a command line names several', () => {
    expect(commandLine([...WORDS, '-readconfig', '/etc/more.conf']).readconfig).toBe('');
  });

  it('may hold commas, which an option writes twice', () => {
    const text = '[object "mem0"]\nqom-type = "memory-backend-file"\nmem-path = "/mnt/a,b"\n';
    const line = withConfigFile(commandLine(WORDS), valueIn(parseQemuConfig(text, PATH)));
    expect(line.backends[0]?.path).toBe('/mnt/a,b');
  });

  it.each([
    ['empty', ''],
    ['of comments', '# nothing\n'],
    ['of sections without values', '[memory]\n[machine]\n'],
    ['of values without a section', 'size = "4096M"\n'],
    ['not a text', '\0\u0001\u0002'],
    ['endless', `[memory]\n${'size = "1M"\n'.repeat(5000)}`],
  ])('that is %s is malformed', (_, text) => {
    expect(failureOf(parseQemuConfig(text, PATH))).toBe('malformed');
  });
});

describe('the memory of a guest', () => {
  const memoryOf = (...words: readonly string[]) =>
    toProcessConfig(qemu(commandLine(['qemu-system-x86_64', ...words])), 'x').memory.maximumBytes;

  it('is 128 MiB where nothing is said', () => {
    expect(memoryOf('-smp', '2')).toBe(128 * MIB);
  });

  it('is not known where what is said cannot be read', () => {
    expect(memoryOf('-m', 'much')).toBeUndefined();
    expect(memoryOf('-machine', 'q35,memory-backend=gone')).toBeUndefined();
  });

  it('is that of the backend the machine is to take', () => {
    const backends = ['-object', 'memory-backend-ram,id=a,size=1G', '-object'];
    expect(
      memoryOf(
        ...backends,
        'memory-backend-memfd,id=b,size=256M',
        '-machine',
        'q35,memory-backend=b',
      ),
    ).toBe(256 * MIB);
  });
});
