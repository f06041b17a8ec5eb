import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import {
  eventually,
  openLab,
  type Lab,
  type LabExporter,
  type LabGroup,
  type LabProcess,
} from '../../lab/index.ts';
import { get } from '../support/http.ts';
import { cpuSeconds, statusBytes } from '../support/process-readings.ts';
import { seriesOf, type Exposition } from '../support/prometheus-text.ts';
import { bracket, scrape, scrapeWhileSteady } from '../support/scrape.ts';

const MIB = 1024 ** 2;
const NOBODY = '65534';
const PERSON = '1000';
const BARE = ['-nodefaults', '-display', 'none', '-accel', 'tcg'] as const;

/** As Incus writes it (driver_qemu_templates.go), but for KVM and what needs its daemon. */
const INCUS_CONF = `# Machine
[machine]
graphics = "off"
type = "q35"
accel = "tcg"
usb = "off"

[global]
driver = "ICH9-LPC"
property = "disable_s3"
value = "1"

[boot-opts]
strict = "on"

# Memory
[memory]
size = "160M"

# CPU
[smp-opts]
cpus = "3"
maxcpus = "4"

[object "mem0"]
qom-type = "memory-backend-memfd"
size = "160M"
share = "on"

[numa]
type = "node"
nodeid = "0"
memdev = "mem0"

# Balloon driver
[device "qemu_balloon"]
driver = "virtio-balloon-pci"
`;

describe('a host with guests of libvirt, of Incus, of a unit, and started by hand', () => {
  let lab: Lab;
  let exporter: LabExporter;
  let policyFile: string;
  let uuid: string;
  let plain: LabProcess;
  let unit: LabProcess;
  let incus: LabProcess;
  let group: LabGroup;
  /** Unlike those of any other lab, of which this machine may run some. */
  const own = (name: string) => `lab${lab.directory.slot}-${name}`;

  beforeAll(async () => {
    lab = await openLab();
    await lab.startGuests([
      { name: own('virt'), os: 'none', vcpus: { current: 2 } },
      { name: own('rigid'), os: 'none', memoryMib: 48, balloon: { kind: 'none' } },
    ]);
    uuid = (await lab.virsh('domuuid', own('virt'))).trim();

    plain = await lab.spawn('qemu-system-x86_64', [
      ...['-name', own('plain'), '-m', '96', '-smp', '2', ...BARE],
    ]);
    unit = await lab.spawn('qemu-system-x86_64', ['-m', 'size=64M', ...BARE]);
    group = lab.group(`/system.slice/${own('unit')}.service`);
    group.take(unit.pid);

    const run = join(lab.directory.state, 'incus', `shop_${own('c1')}`);
    mkdirSync(run, { recursive: true });
    writeFileSync(join(run, 'qemu.conf'), INCUS_CONF);
    const disk = join(lab.directory.images, 'incus.img');
    await lab.programs.run('qemu-img', ['create', '-q', '-f', 'raw', disk, '16M']);
    incus = await lab.spawn('sh', [
      '-c',
      'exec 8<"$0" 9<>"$0"; exec qemu-system-x86_64 "$@" -add-fd fd=8,set=1 -add-fd fd=9,set=1 -drive file=/dev/fdset/1,if=none,id=root,format=raw',
      disk,
      ...['-S', '-name', own('c1'), '-uuid', '0b1f8f0e-3c1b-4a43-9a55-0d1f7b7b0c99'],
      ...['-nodefaults', '-no-user-config', '-display', 'none'],
      ...['-readconfig', join(run, 'qemu.conf'), '-pidfile', join(run, 'qemu.pid')],
    ]);
    for (const process of [plain, unit, incus]) {
      await eventually(
        'QEMU has its memory',
        60_000,
        () => {
          if (!process.isRunning()) throw new Error(`QEMU ended:\n${process.output()}`);
          return (
            readFileSync(`/proc/${process.pid}/comm`, 'utf8').startsWith('qemu') &&
            statusBytes(process.pid, 'VmSize') > 160 * MIB
          );
        },
        () => process.output(),
      );
    }
    policyFile = join(lab.directory.root, 'policy.yaml');
    writeFileSync(policyFile, `domains: { include: ['${own('.*')}'] }\n`);
    exporter = await lab.exporter({ flags: [`--policy.file=${policyFile}`] });
    await known();
  });

  afterAll(() => lab.close());

  async function known(): Promise<void> {
    await eventually('all guests are known with their processes', 60_000, async () => {
      const scraped = await scrape(exporter);
      return ['virt', 'rigid', 'plain', 'unit', 'c1'].every((name) =>
        scraped.has('kvm_domain_resident_bytes', { domain: own(name), kind: 'anonymous' }),
      );
    });
  }

  it('has each guest once, with who told of it', async () => {
    const scraped = await scrape(exporter);
    const sources = scraped
      .all('kvm_domain_info')
      .map(({ labels }) => [labels['domain'], labels['source']]);
    expect(sources.toSorted()).toEqual(
      [
        [own('virt'), 'libvirt'],
        [own('rigid'), 'libvirt'],
        [own('plain'), 'process'],
        [own('unit'), 'process'],
        [own('c1'), 'process'],
      ].toSorted(),
    );
    expect(scraped.value('kvm_source_up', { source: 'libvirt' })).toBe(1);
    expect(scraped.value('kvm_source_domains', { source: 'libvirt' })).toBe(2);
    expect(scraped.value('kvm_source_up', { source: 'process' })).toBe(1);
    expect(scraped.value('kvm_source_domains', { source: 'process' })).toBe(3);
  });

  it('adds up what all of them were promised, by hand', async () => {
    const scraped = await scrape(exporter);
    const promised = (kind: string) => scraped.value('kvm_memory_promised_bytes', { class: kind });
    // 32 MiB, 48 MiB by libvirt; 96 MiB by hand; 64 MiB of the unit.
    expect(promised('anonymous')).toBe((32 + 48 + 96 + 64) * MIB);
    expect(promised('shared')).toBe(160 * MIB);
    expect(scraped.value('kvm_memory_domains_unknown')).toBe(0);
    expect(scraped.value('kvm_cpu_promised_vcpus')).toBe(2 + 1 + 2 + 1 + 3);
    expect(scraped.value('kvm_cpu_promised_maximum_vcpus')).toBe(2 + 1 + 2 + 1 + 4);
    // One of libvirt's, and two that were given no device.
    expect(scraped.value('kvm_memory_domains_without_balloon')).toBe(3);
  });

  it('takes memory and CPU from the processes', async () => {
    for (const [name, { pid }] of [
      ['plain', plain],
      ['unit', unit],
    ] as const) {
      const { reading, scraped } = await scrapeWhileSteady(exporter, () =>
        statusBytes(pid, 'RssAnon'),
      );
      const labels = { domain: own(name), kind: 'anonymous' };
      expect(scraped.value('kvm_domain_resident_bytes', labels)).toBe(reading);
      const { before, scraped: next, after } = await bracket(exporter, () => cpuSeconds(pid));
      const seconds = next.value('kvm_domain_cpu_seconds_total', {
        domain: own(name),
        mode: 'user',
      });
      expect(seconds).toBeGreaterThanOrEqual(before.user - 1e-6);
      expect(seconds).toBeLessThanOrEqual(after.user + 1e-6);
    }
  });

  it('takes the group of a unit that holds one QEMU and nothing else, and of no other', async () => {
    const has = async (name: string) =>
      (await scrape(exporter)).has('kvm_domain_cgroup_memory_bytes', { domain: own(name) });
    expect(await has('unit')).toBe(true);
    expect(await has('plain')).toBe(false);
    const beside = await lab.spawn('sleep', ['infinity']);
    group.take(beside.pid);
    expect(await has('unit')).toBe(false);
    await beside.stop('SIGKILL');
    await eventually('the unit is its own again', 30_000, () => has('unit'));
  });

  it('says which project of Incus a guest is of', async () => {
    const labels = { domain: own('c1') };
    expect((await scrape(exporter)).only('kvm_domain_owner_info', labels).labels).toMatchObject({
      manager: 'incus',
      tenant: 'shop',
      project: 'shop',
    });
  });

  it("is not changed by processes of others that call themselves a guest's QEMU", async () => {
    const before = await scrape(exporter);
    const user = (uid: string) => ['--reuid', uid, '--regid', uid, '--clear-groups'];
    const forged = [
      await lab.spawn('setpriv', [
        ...user(NOBODY),
        ...['qemu-system-x86_64', '-name', own('plain'), '-uuid', uuid, '-m', '256', '-smp', '8'],
        ...['-S', ...BARE],
      ]),
      await lab.spawn('setpriv', [
        ...user(PERSON),
        ...['bash', '-c', 'exec -a /usr/bin/kvm sleep infinity'],
      ]),
    ];
    await eventually('both are what they say they are', 30_000, () => {
      const [real, made] = forged.map(({ pid }) => readFileSync(`/proc/${pid}/cmdline`, 'utf8'));
      return real?.startsWith('qemu-system') === true && made?.startsWith('/usr/bin/kvm') === true;
    });
    const check = async () => {
      const after = await scrape(exporter);
      expect(seriesOfGuests(after)).toEqual(seriesOfGuests(before));
      for (const name of SUMS) expect(valuesOf(after, name)).toEqual(valuesOf(before, name));
      expect(after.value('kvm_user_qemu_processes')).toBeGreaterThanOrEqual(2);
    };
    await eventually('both are counted apart', 60_000, async () => {
      const scraped = await scrape(exporter);
      return (
        scraped.has('kvm_user_qemu_processes') && scraped.value('kvm_user_qemu_processes') >= 2
      );
    });
    await check();
    // One that has never seen the guests without them.
    await exporter.process.stop('SIGTERM');
    exporter = await lab.exporter({ flags: [`--policy.file=${policyFile}`] });
    await known();
    await check();
    for (const process of forged) expect(process.isRunning()).toBe(true);
  });

  it('drops a guest whose QEMU has ended', async () => {
    await plain.stop('SIGKILL');
    const scraped = await scrape(exporter);
    expect(scraped.has('kvm_domain_info', { domain: own('plain') })).toBe(false);
    expect(scraped.value('kvm_cpu_promised_vcpus')).toBe(2 + 1 + 1 + 3);
    expect(scraped.value('kvm_source_up', { source: 'process' })).toBe(1);
  });

  it('makes no sums while libvirt does not answer, and keeps the other guests', async () => {
    await lab.killDaemon('SIGKILL');
    const scraped = await eventually('libvirt is missed', 60_000, async () => {
      const one = await scrape(exporter);
      return one.value('kvm_source_up', { source: 'libvirt' }) === 0 && one;
    });
    expect(scraped.has('kvm_memory_promised_bytes')).toBe(false);
    expect(scraped.has('kvm_domain_info', { domain: own('c1') })).toBe(true);
    expect(scraped.value('kvm_source_domains', { source: 'process' })).toBe(2);
    await lab.startDaemon();
  });
});

describe('a host that has never had a libvirt', () => {
  let lab: Lab;
  let exporter: LabExporter;

  beforeAll(async () => {
    lab = await openLab();
    const host = await lab.ownHost();
    await host.start('qemu-system-x86_64', ['-name', 'only', '-m', '64', ...BARE]);
    exporter = await lab.exporter({ host });
  });

  afterAll(() => lab.close());

  it('shows its guest, and misses no libvirt', async () => {
    const scraped = await scrape(exporter);
    expect(scraped.all('kvm_domain_info').map(({ labels }) => labels['domain'])).toEqual(['only']);
    expect(scraped.value('kvm_libvirt_expected')).toBe(0);
    expect(scraped.has('kvm_source_up', { source: 'libvirt' })).toBe(false);
    expect(scraped.has('kvm_source_up', { source: 'proxmox' })).toBe(false);
    expect(scraped.value('kvm_memory_promised_bytes', { class: 'anonymous' })).toBe(64 * MIB);
    const failed = scraped
      .all('kvm_scrape_collector_success')
      .filter(({ value }) => value !== 1)
      .map(({ labels }) => labels['collector']);
    const ofGuests = ['domain', 'balloon', 'block', 'nic', 'process', 'cgroup', 'image', 'pool'];
    expect(failed.filter((name) => ofGuests.includes(name ?? ''))).toEqual([]);
  });

  it('has a page that says where its guest is known from, and of no libvirt', async () => {
    const page = (await get(`${exporter.url}/`)).body.toString();
    expect(page).toContain('known from its process');
    expect(page).not.toContain('No connection to libvirt');
    const guest = (await get(`${exporter.url}/guest/only`)).body.toString();
    expect(guest).toContain('known from its process');
  });
});

const SUMS = [
  'kvm_memory_promised_bytes',
  'kvm_memory_promised_maximum_bytes',
  'kvm_memory_domains_unknown',
  'kvm_cpu_promised_vcpus',
  'kvm_cpu_promised_maximum_vcpus',
] as const;

function valuesOf(scraped: Exposition, name: string): readonly string[] {
  return scraped.all(name).map((sample) => `${seriesOf(sample)} ${sample.value}`);
}

/** Which figures the guests have: a figure lost is as bad as a wrong one. */
function seriesOfGuests(scraped: Exposition): readonly string[] {
  return scraped.samples
    .filter(({ labels }) => labels['domain'] !== undefined)
    .map(seriesOf)
    .toSorted();
}
