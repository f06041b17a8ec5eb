import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { run } from '../../lab/command.ts';
import { eventually, openLab, type Lab, type LabExporter } from '../../lab/index.ts';
import { sysfsWithHardware } from '../../lab/shadow-sysfs.ts';
import { cpuSeconds, statusBytes, threadSchedule } from '../support/process-readings.ts';
import type { Exposition } from '../support/prometheus-text.ts';
import { ProxmoxNode, tapOf, type PveVmReading } from '../support/proxmox-node.ts';
import { bracket, scrape, scrapeWhileSteady } from '../support/scrape.ts';
import { fileSize, fullyAllocatedBytes, qemuImgInfo } from '../support/storage-readings.ts';

const MIB = 1024 ** 2;
/** Two guests boot at once under emulation, perhaps beside other work. */
const BOOT_MS = 240_000;
/** Of web, db and full, and one CPU of the container. */
const VCPUS = 2 + 3 + 1 + 1;
/** What QEMU counts of a disk, by the name the metric has. */
const DISK_COUNTERS = {
  kvm_domain_disk_read_bytes_total: 'rd_bytes',
  kvm_domain_disk_read_requests_total: 'rd_operations',
  kvm_domain_disk_written_bytes_total: 'wr_bytes',
  kvm_domain_disk_write_requests_total: 'wr_operations',
  kvm_domain_disk_flush_requests_total: 'flush_operations',
  kvm_domain_disk_discarded_bytes_total: 'unmap_bytes',
} as const;

describe('a node of Proxmox VE', () => {
  let lab: Lab;
  let node: ProxmoxNode;
  let exporter: LabExporter;
  /** Mount point of a filesystem that is too small for the disk on it. */
  let small: string;
  let qcow2: string;
  let raw: string;
  /** No two labs have the same, since all have the groups of this machine. */
  let vmids: { readonly web: number; readonly db: number; readonly full: number };
  let ctid: number;

  const domain = (one: keyof typeof vmids): string =>
    `${vmids[one]}/${one === 'db' ? 'db' : 'web'}`;

  beforeAll(async () => {
    lab = await openLab();
    const first = 1000 + 10 * lab.directory.slot;
    vmids = { web: first, db: first + 1, full: first + 2 };
    ctid = first + 3;
    small = await lab.filesystem({ type: 'tmpfs', sizeMib: 8 });
    node = await ProxmoxNode.open(lab);
    await writeConfigs();
    await Promise.all([
      node.startVm({
        vmid: vmids.web,
        name: 'web',
        uuid: '6a1f8f0e-3c1b-4a43-9a55-0d1f7b7b0c11',
        memoryMib: 192,
        cores: 2,
        drives: [
          { key: 'scsi0', path: qcow2, format: 'qcow2' },
          { key: 'scsi1', path: raw, format: 'raw' },
        ],
        nics: 1,
        jobs: [
          { kind: 'write', disk: 'vda', mib: 4 },
          { kind: 'write', disk: 'vdb', mib: 2 },
        ],
      }),
      node.startVm({
        vmid: vmids.db,
        name: 'db',
        uuid: '6a1f8f0e-3c1b-4a43-9a55-0d1f7b7b0c12',
        memoryMib: 64,
        cores: 3,
        drives: [],
        nics: 0,
      }),
      node.startVm({
        vmid: vmids.full,
        name: 'web',
        uuid: '6a1f8f0e-3c1b-4a43-9a55-0d1f7b7b0c13',
        memoryMib: 128,
        cores: 1,
        drives: [
          {
            key: 'scsi0',
            path: join(small, 'images', String(vmids.full), `vm-${vmids.full}-disk-0.raw`),
            format: 'raw',
          },
        ],
        nics: 0,
        jobs: [{ kind: 'fill', disk: 'vda', mib: 64 }],
      }),
    ]);
    // Only hardware is an uplink.
    const sysfs = sysfsWithHardware(
      lab.sysfs,
      join(lab.directory.root, 'shadow-sysfs'),
      lab.network.uplink,
      1000,
    );
    exporter = await lab.exporter({ host: node.host, flags: [`--path.sysfs=${sysfs}`] });
    await eventually('VM web has booted', BOOT_MS, () =>
      readFileSync(node.console(vmids.web), 'utf8').includes('lab: started'),
    );
    await settleBalloon();
  }, 600_000);

  afterAll(() => lab.close());

  async function writeConfigs(): Promise<void> {
    const vz = join(lab.directory.images, 'vz');
    const { web, db, full } = vmids;
    node.write(
      'storage.cfg',
      `dir: local\n\tpath ${vz}\n\tcontent images,rootdir\n\ndir: small\n\tpath ${small}\n\tcontent images\n`,
    );
    node.write('user.cfg', `user:root@pam:1:0:::a@example.com:::\npool:shop:shop:${web}:local:\n`);
    node.write('ha/resources.cfg', `vm: ${db}\n\tstate started\n`);
    node.write(
      `nodes/one/qemu-server/${web}.conf`,
      [
        '#front end',
        'balloon: 96',
        'cores: 2',
        'cpuunits: 200',
        'memory: 192',
        'name: web',
        `net0: virtio=BC:24:11:00:00:01,bridge=${lab.network.bridge},firewall=1,rate=12.5`,
        'onboot: 1',
        `scsi0: local:${web}/vm-${web}-disk-0.qcow2,discard=on,size=64M`,
        `scsi1: local:${web}/vm-${web}-disk-1.raw,mbps_rd=50,size=16M`,
        'smbios1: uuid=6a1f8f0e-3c1b-4a43-9a55-0d1f7b7b0c11',
        'sockets: 1',
        'tags: prod;web',
        '',
        '[PENDING]',
        'memory: 4096',
        '',
        '[before-upgrade]',
        'memory: 8192',
        'snaptime: 1760000000',
        '',
      ].join('\n'),
    );
    node.write(`nodes/one/qemu-server/${db}.conf`, 'cores: 3\nmemory: 64\nname: db\n');
    node.write(
      `nodes/one/qemu-server/${full}.conf`,
      `memory: 128\nname: web\nscsi0: small:${full}/vm-${full}-disk-0.raw,size=64M\n`,
    );
    node.write(
      `nodes/one/qemu-server/${ctid + 1}.conf`,
      'memory: 16384\nname: golden\ntemplate: 1\n',
    );
    node.write(`nodes/one/lxc/${ctid}.conf`, 'cores: 1\nhostname: ct\nmemory: 256\nswap: 0\n');
    lab.group(`/lxc/${ctid}`);

    const directory = join(vz, 'images', String(web));
    mkdirSync(directory, { recursive: true });
    qcow2 = join(directory, `vm-${web}-disk-0.qcow2`);
    raw = join(directory, `vm-${web}-disk-1.raw`);
    await lab.programs.run('qemu-img', ['create', '-q', '-f', 'qcow2', qcow2, '64M']);
    await run('truncate', ['-s', '16M', raw]);
    const ofFull = join(small, 'images', String(full));
    mkdirSync(ofFull, { recursive: true });
    await run('truncate', ['-s', '64M', join(ofFull, `vm-${full}-disk-0.raw`)]);
  }

  /** Down to 128 MiB, and one report of the guest that stays the last. */
  async function settleBalloon(): Promise<void> {
    const { monitor } = node.vm(vmids.web);
    const poll = (seconds: number) =>
      monitor.execute('qom-set', {
        path: '/machine/peripheral/balloon0',
        property: 'guest-stats-polling-interval',
        value: seconds,
      });
    await monitor.execute('balloon', { value: 128 * MIB });
    await eventually('the guest has given memory up', BOOT_MS, async () => {
      return (await node.read(vmids.web)).actualBytes === 128 * MIB;
    });
    await poll(1);
    await eventually('the guest reports its memory', BOOT_MS, async () => {
      return (await node.read(vmids.web)).guest !== undefined;
    });
    await poll(0);
  }

  /** What pvestatd has just written, and what the exporter then says. */
  async function fresh(): Promise<{
    readonly readings: ReadonlyMap<number, PveVmReading>;
    readonly scraped: Exposition;
  }> {
    const readings = await node.writeStatistics();
    return { readings, scraped: await scrape(exporter) };
  }

  it('has each guest once, named by number and name, and needs no libvirt', async () => {
    const { scraped } = await fresh();
    const guests = scraped.all('kvm_domain_info').map(({ labels }) => labels['domain']);
    expect(guests.toSorted()).toEqual(
      [domain('web'), domain('db'), domain('full'), `${ctid}/ct`].toSorted(),
    );
    for (const { labels } of scraped.all('kvm_domain_info')) {
      expect(labels['source']).toBe('proxmox');
    }
    expect(scraped.value('kvm_source_up', { source: 'proxmox' })).toBe(1);
    expect(scraped.value('kvm_source_domains', { source: 'proxmox' })).toBe(4);
    expect(scraped.value('kvm_source_up', { source: 'process' })).toBe(1);
    expect(scraped.value('kvm_source_domains', { source: 'process' })).toBe(0);
    expect(scraped.value('kvm_libvirt_expected')).toBe(0);
    expect(scraped.has('kvm_source_up', { source: 'libvirt' })).toBe(false);
    expect(failures(scraped)).toEqual([]);
  });

  it('starts what its config or high availability says', async () => {
    const { scraped } = await fresh();
    const starts = (name: string) =>
      scraped.only('kvm_domain_info', { domain: name }).labels['autostart'];
    expect(starts(domain('web'))).toBe('yes');
    expect(starts(domain('db'))).toBe('yes');
    expect(starts(domain('full'))).toBe('no');
  });

  it('promises what configs and balloons say, added up by hand', async () => {
    const { readings, scraped } = await fresh();
    const actual = [...readings.values()].reduce((sum, { actualBytes }) => sum + actualBytes, 0);
    expect(actual).toBe((128 + 64 + 128) * MIB);
    const promised = (name: string, kind: string) => scraped.value(name, { class: kind });
    expect(promised('kvm_memory_promised_bytes', 'anonymous')).toBe(actual);
    expect(promised('kvm_memory_promised_maximum_bytes', 'anonymous')).toBe((192 + 64 + 128) * MIB);
    expect(promised('kvm_memory_promised_bytes', 'container')).toBe(256 * MIB);
    expect(scraped.value('kvm_memory_domains_unknown')).toBe(0);
    expect(scraped.value('kvm_domain_memory_minimum_bytes', { domain: domain('web') })).toBe(
      96 * MIB,
    );
    expect(scraped.value('kvm_cpu_promised_vcpus')).toBe(VCPUS);
    expect(scraped.value('kvm_cpu_promised_container_cpus')).toBe(1);
  });

  it('shows the balloon and what the guest says of its memory', async () => {
    const { readings, scraped } = await fresh();
    const guest = readings.get(vmids.web)?.guest;
    const of = (name: string) => scraped.value(name, { domain: domain('web') });
    expect(of('kvm_domain_balloon_current_bytes')).toBe(128 * MIB);
    expect(of('kvm_domain_guest_memory_size_bytes')).toBe(guest?.totalBytes);
    expect(of('kvm_domain_guest_memory_free_bytes')).toBe(guest?.freeBytes);
    expect(of('kvm_domain_monitor_responsive')).toBe(1);
  });

  it('counts memory and CPU of each process, by its threads', async () => {
    for (const one of ['web', 'db', 'full'] as const) {
      const { pid } = node.vm(vmids[one]).qemu;
      const { reading, scraped } = await scrapeWhileSteady(exporter, () =>
        statusBytes(pid, 'RssAnon'),
      );
      const labels = { domain: domain(one), kind: 'anonymous' };
      expect(scraped.value('kvm_domain_resident_bytes', labels)).toBe(reading);
    }
    const { pid } = node.vm(vmids.db).qemu;
    const { before, scraped, after } = await bracket(exporter, () => ({
      cpu: cpuSeconds(pid).user,
      vcpu: threadSchedule(pid, 'CPU 0/TCG'),
    }));
    const ofGuest = { domain: domain('db') };
    const vcpu = { ...ofGuest, vcpu: '0' };
    between(scraped.value('kvm_domain_cpu_seconds_total', { ...ofGuest, mode: 'user' }), [
      before.cpu,
      after.cpu,
    ]);
    between(scraped.value('kvm_domain_vcpu_seconds_total', vcpu), [
      before.vcpu.runSeconds,
      after.vcpu.runSeconds,
    ]);
    between(scraped.value('kvm_domain_vcpu_delay_seconds_total', vcpu), [
      before.vcpu.delaySeconds,
      after.vcpu.delaySeconds,
    ]);
    expect(scraped.all('kvm_domain_vcpu_seconds_total', ofGuest)).toHaveLength(3);
  });

  it("reads a VM's own scope", async () => {
    const usage = node.vm(vmids.db).group.directories.get('cpuacct');
    if (usage === undefined) return;
    const used = () => Number(readFileSync(join(usage, 'cpuacct.usage'), 'utf8')) / 1e9;
    const { before, scraped, after } = await bracket(exporter, used);
    between(scraped.value('kvm_domain_cgroup_cpu_seconds_total', { domain: domain('db') }), [
      before,
      after,
    ]);
  });

  it('counts requests of disks as their QEMU does, failed ones and discards too', async () => {
    const labels = { domain: domain('web') };
    const counters = async () => {
      const { disks } = await node.read(vmids.web);
      await node.writeStatistics();
      return ['scsi0', 'scsi1'].map((device) =>
        Object.values(DISK_COUNTERS).map((field) => disks[device]?.[field]),
      );
    };
    const { reading, scraped } = await scrapeWhileSteady(exporter, counters);
    for (const [index, device] of ['scsi0', 'scsi1'].entries()) {
      const values = Object.keys(DISK_COUNTERS).map((name) =>
        scraped.value(name, { ...labels, device }),
      );
      expect([device, ...values]).toEqual([device, ...(reading[index] ?? [])]);
      for (const operation of ['read', 'write', 'flush', 'discard']) {
        const failed = scraped.value('kvm_domain_disk_failed_requests_total', {
          ...labels,
          device,
          operation,
        });
        expect(failed).toBe(0);
      }
    }
    // It wrote 4 MiB and 2 MiB.
    const written = 'kvm_domain_disk_written_bytes_total';
    expect(scraped.value(written, { ...labels, device: 'scsi0' })).toBeGreaterThanOrEqual(4 * MIB);
    expect(scraped.value(written, { ...labels, device: 'scsi1' })).toBeGreaterThanOrEqual(2 * MIB);
    expect(
      scraped.value('kvm_domain_disk_limit_bytes_per_second', {
        ...labels,
        device: 'scsi1',
        direction: 'read',
      }),
    ).toBe(50 * MIB);
  });

  it('finds images where storage.cfg says, with the sizes stat and qemu-img tell', async () => {
    const { reading, scraped } = await scrapeWhileSteady(exporter, async () => ({
      qcow2: await fileSize(qcow2),
      raw: await fileSize(raw),
    }));
    const of = (name: string, path: string) => scraped.value(`kvm_image_${name}_bytes`, { path });
    expect(of('allocated', qcow2)).toBe(reading.qcow2.allocatedBytes);
    expect(of('allocated', raw)).toBe(reading.raw.allocatedBytes);
    const info = await qemuImgInfo(lab, qcow2);
    expect(of('capacity', qcow2)).toBe(info['virtual-size']);
    expect(of('worst_case', qcow2)).toBe(await fullyAllocatedBytes(lab, 64 * MIB));
    expect(of('worst_case', raw)).toBe(16 * MIB);
    const disk = { domain: domain('web'), device: 'scsi0' };
    expect(scraped.only('kvm_domain_disk_image_info', disk).labels).toMatchObject({
      path: qcow2,
      role: 'leaf',
    });
    expect(scraped.only('kvm_domain_disk_info', disk).labels).toMatchObject({
      bus: 'scsi',
      format: 'qcow2',
      discard: 'unmap',
    });
  });

  it("follows a NIC's tap through the bridges of its firewall to the uplink", async () => {
    const { scraped } = await fresh();
    const labels = { domain: domain('web'), device: tapOf(vmids.web, 0) };
    expect(scraped.only('kvm_domain_nic_uplink_info', labels).labels['uplink']).toBe(
      lab.network.uplink,
    );
    for (const direction of ['inbound', 'outbound']) {
      const limit = { ...labels, direction };
      expect(scraped.value('kvm_domain_nic_limit_bytes_per_second', limit)).toBe(13_107_200);
    }
    expect(scraped.has('kvm_domain_nic_receive_bytes_total', labels)).toBe(true);
  });

  it('says that a VM stopped because its filesystem is full', async () => {
    await eventually('QEMU stops on ENOSPC', BOOT_MS, async () => {
      return (await node.read(vmids.full)).status === 'io-error';
    });
    const { readings, scraped } = await fresh();
    const labels = { domain: domain('full') };
    expect(scraped.only('kvm_domain_state', labels).labels).toMatchObject({
      state: 'paused',
      reason: 'ioerror',
    });
    const written = readings.get(vmids.full)?.disks['scsi0']?.['wr_bytes'];
    const disk = { ...labels, device: 'scsi0' };
    expect(scraped.value('kvm_domain_disk_written_bytes_total', disk)).toBe(written);
    expect(scraped.value('kvm_filesystem_promised_bytes', { mountpoint: small })).toBe(64 * MIB);
  });

  it('names pvestatd, and calls no guest stuck, when it stopped writing', async () => {
    await node.writeStatistics({ ageSeconds: 61 });
    const scraped = await scrape(exporter);
    expect(failures(scraped)).toEqual(['balloon', 'block']);
    expect(scraped.has('kvm_domain_monitor_responsive')).toBe(false);
    expect(scraped.has('kvm_domain_balloon_current_bytes')).toBe(false);
    expect(scraped.has('kvm_domain_disk_read_bytes_total')).toBe(false);
    const age = Date.now() / 1000 - scraped.value('kvm_proxmox_statistics_timestamp_seconds');
    expect(age).toBeGreaterThanOrEqual(61);
    expect(age).toBeLessThan(90);
    // The promise does not end with it: balloons count as empty.
    expect(scraped.value('kvm_source_up', { source: 'proxmox' })).toBe(1);
    expect(scraped.value('kvm_memory_promised_bytes', { class: 'anonymous' })).toBe(
      (192 + 64 + 128) * MIB,
    );
    await eventually('the log names pvestatd', 10_000, () =>
      exporter.process.output().includes('systemctl status pvestatd'),
    );
  });

  it.each([
    ['was cut off', () => Buffer.from('{"qemu":{"timestamp":17')],
    ['is empty', () => Buffer.alloc(0)],
    ['is one line of 100 MB', () => Buffer.alloc(100_000_000, 'x')],
  ])('does without statistics whose file %s', async (_, content) => {
    await node.writeStatistics();
    node.writeMetrics(content());
    const scraped = await scrape(exporter, { timeoutSeconds: 5 });
    expect(failures(scraped)).toEqual(['balloon', 'block']);
    expect(scraped.has('kvm_domain_balloon_current_bytes')).toBe(false);
    expect(scraped.value('kvm_source_domains', { source: 'proxmox' })).toBe(4);
    expect(scraped.value('kvm_cpu_promised_vcpus')).toBe(VCPUS);
  });

  it('reads no more than the newest line of 100 MB', async () => {
    const reading = await node.writeStatistics();
    const newest = readFileSync(node.host.path('/run/pve/metrics'), 'utf8').split('\n')[0] ?? '';
    node.writeMetrics(Buffer.concat([Buffer.from(`${newest}\n`), Buffer.alloc(100_000_000, 'x')]));
    const scraped = await scrape(exporter, { timeoutSeconds: 5 });
    expect(failures(scraped)).toEqual([]);
    expect(scraped.value('kvm_domain_balloon_current_bytes', { domain: domain('web') })).toBe(
      reading.get(vmids.web)?.actualBytes,
    );
  });

  it('misses no statistics on a node too old to write them', async () => {
    rmSync(node.host.path('/run/pve/metrics'));
    const scraped = await scrape(exporter);
    expect(failures(scraped)).toEqual([]);
    expect(scraped.has('kvm_proxmox_statistics_timestamp_seconds')).toBe(false);
    expect(scraped.value('kvm_source_domains', { source: 'proxmox' })).toBe(4);
  });

  it('follows a changed config at the next look', async () => {
    const starts = (scraped: Exposition) =>
      scraped.only('kvm_domain_info', { domain: domain('full') }).labels['autostart'];
    expect(starts((await fresh()).scraped)).toBe('no');
    const path = `nodes/one/qemu-server/${vmids.full}.conf`;
    const text = readFileSync(join(node.pmxcfs.source, path), 'utf8');
    node.write(path, `${text}onboot: 1\n`);
    expect(starts((await fresh()).scraped)).toBe('yes');
    node.write(path, text);
  });

  describe('whose pmxcfs hangs', () => {
    it('keeps its guests with what their processes say, makes no sums, and answers in time', async () => {
      await fresh();
      node.pmxcfs.die();
      for (const look of ['first', 'second']) {
        const scraped = await scrape(exporter, { timeoutSeconds: 5 });
        expect([look, ...failures(scraped)]).toEqual([look, 'domain']);
        expect(scraped.value('kvm_source_up', { source: 'proxmox' })).toBe(0);
        for (const one of ['web', 'db', 'full'] as const) {
          const labels = { domain: domain(one), kind: 'anonymous' };
          expect(scraped.has('kvm_domain_resident_bytes', labels)).toBe(true);
        }
        expect(scraped.has('kvm_memory_promised_bytes')).toBe(false);
        expect(scraped.has('kvm_cpu_promised_vcpus')).toBe(false);
      }
    });

    it('is whole again when it answers', async () => {
      node.pmxcfs.revive();
      await eventually('all guests are told of', 60_000, async () => {
        const { scraped } = await fresh();
        return (
          scraped.value('kvm_source_up', { source: 'proxmox' }) === 1 &&
          scraped.value('kvm_cpu_promised_vcpus') === VCPUS
        );
      });
    });
  });

  it('shows a VM as off as soon as its process is gone, whatever pvestatd wrote last', async () => {
    await node.writeStatistics();
    await node.vm(vmids.db).qemu.kill();
    const scraped = await scrape(exporter);
    const labels = { domain: domain('db') };
    expect(scraped.only('kvm_domain_state', labels).labels['state']).toBe('shutoff');
    expect(scraped.has('kvm_domain_balloon_current_bytes', labels)).toBe(false);
    expect(scraped.value('kvm_cpu_promised_vcpus')).toBe(VCPUS - 3);
    expect(scraped.value('kvm_memory_domains_unknown')).toBe(0);
  });
});

/** Collectors of guests that failed; what a kernel has to show of its host is another matter. */
function failures(scraped: Exposition): readonly string[] {
  const ofGuests = ['domain', 'balloon', 'block', 'nic', 'process', 'cgroup', 'image'];
  return scraped
    .all('kvm_scrape_collector_success')
    .filter(({ labels, value }) => value !== 1 && ofGuests.includes(labels['collector'] ?? ''))
    .map(({ labels }) => labels['collector'] ?? '')
    .toSorted();
}

function between(value: number, [low, high]: readonly [number, number]): void {
  // A reading in nanoseconds divided by a billion may differ in the last digit.
  expect(value).toBeGreaterThanOrEqual(low - 1e-6);
  expect(value).toBeLessThanOrEqual(high + 1e-6);
}
