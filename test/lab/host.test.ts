import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import {
  eventually,
  openLab,
  type GuestSpec,
  type Lab,
  type LabExporter,
} from '../../lab/index.ts';
import { meminfoBytes, statusBytes } from '../support/process-readings.ts';
import type { Exposition, Labels } from '../support/prometheus-text.ts';
import { bracket, scrape, scrapeWhileSteady } from '../support/scrape.ts';
import {
  fileSize,
  filesystemSpace,
  fullyAllocatedBytes,
  qemuImgInfo,
} from '../support/storage-readings.ts';
import { domainInfo, memoryStats, numberOf, rawStats } from '../support/virsh-readings.ts';

const KIB = 1024;
const MIB = 1024 * KIB;
/** So many readings at least are to be had, or the test has lost some of what it compares. */
const LEAST_READINGS = 300;

/** What runs on a host, by its name: the first parts of its versions. */
const VERSIONS = { here: undefined, trixie: { debian: '13', libvirt: '11.3', qemu: '10.0' } };

/** What somebody else says of a thing, and what the exporter does. Undefined: nothing at all. */
interface Reading {
  readonly what: string;
  readonly theirs: string | number | undefined;
  readonly ours: string | number | undefined;
}

/**
 * All a host says, once through: what the exporter shows of guests of many kinds is what virsh,
 * qemu-img, stat and /proc have. Of any host the lab can be on, so that a new libvirt or QEMU is tried
 * by running this on it.
 */
describe('what the exporter says of a host', () => {
  let lab: Lab;
  let exporter: LabExporter;
  /** A filesystem of its own. */
  let mountpoint: string;
  let versions = '';
  let compared = 0;

  const specs = (directory: string): readonly GuestSpec[] => [
    {
      name: 'plain',
      os: 'none',
      persistent: true,
      autostart: true,
      disks: [
        { source: { kind: 'new', format: 'qcow2', sizeMib: 16, directory }, cache: 'none' },
        { source: { kind: 'new', format: 'raw', sizeMib: 8 }, bus: 'scsi', discard: 'unmap' },
      ],
      nics: [{}],
    },
    {
      name: 'capped',
      os: 'none',
      vcpus: { current: 2, maximum: 4 },
      cpuTune: { shares: 512, periodUs: 100_000, quotaUs: 30_000 },
      disks: [
        {
          source: { kind: 'new', format: 'raw', sizeMib: 8, directory },
          ioTune: { total_bytes_sec: 10 * MIB, total_iops_sec: 500 },
        },
      ],
    },
    {
      name: 'chained',
      os: 'none',
      ioThreads: 1,
      disks: [
        { source: { kind: 'new', format: 'qcow2', sizeMib: 32, directory, backingDepth: 2 } },
        { source: { kind: 'new', format: 'qcow2', sizeMib: 8 }, ioThread: 1 },
      ],
      nics: [{}, { model: 'e1000' }],
    },
    {
      name: 'shared & <silent>',
      os: 'none',
      balloon: { kind: 'silent' },
      memoryBacking: { memfdShared: true },
      disks: [
        { source: { kind: 'new', format: 'raw', sizeMib: 8 }, readOnly: true },
        { source: { kind: 'new', format: 'raw', sizeMib: 8 }, bus: 'sata' },
      ],
    },
    {
      name: 'rigid',
      os: 'none',
      memoryMib: 48,
      balloon: { kind: 'none' },
      vcpus: { current: 3, pins: ['0', '0', '0'] },
      disks: [{ source: { kind: 'new', format: 'raw', sizeMib: 8 }, bus: 'ide' }],
    },
    { name: 'paused', os: 'none', paused: true, nics: [{}] },
    {
      name: 'worker',
      balloon: { kind: 'period', seconds: 3 },
      disks: [{ source: { kind: 'new', format: 'qcow2', sizeMib: 32 } }],
      nics: [{ target: 'host-tap0', inboundKibPerSecond: 4096 }, {}],
    },
  ];

  beforeAll(async () => {
    lab = await openLab();
    mountpoint = await lab.filesystem({ type: 'ext4', sizeMib: 64, name: 'images' });
    await lab.startGuests(specs(mountpoint));
    await lab.defineGuest({
      name: 'off',
      os: 'none',
      vcpus: { current: 1, maximum: 2 },
      disks: [{ source: { kind: 'new', format: 'qcow2', sizeMib: 64, directory: mountpoint } }],
    });
    await lab.virsh('pool-create-as', 'images', 'dir', '--target', mountpoint);
    await lab.virsh('pool-create-as', 'others', 'dir', '--target', lab.directory.images);
    await lab.virsh('pool-define-as', 'idle', 'dir', '--target', join(mountpoint, 'idle'));
    exporter = await lab.exporter();
    const worker = lab.guest('worker');
    await worker.command({ kind: 'write', disk: 'vda', mib: 4 });
    await worker.command({ kind: 'ping', peer: lab.network.peerAddress, count: 3 });
    await eventually('all guests and pools are known', 60_000, async () => {
      const scraped = await scrape(exporter);
      return (
        scraped.sum('kvm_domain_monitor_responsive') === running().length &&
        scraped.has('kvm_pool_capacity_bytes', { pool: 'others' }) &&
        running().every(({ name, spec }) => {
          const disks = scraped.all('kvm_domain_disk_read_bytes_total', { domain: name });
          return disks.length === (spec.disks ?? []).length;
        })
      );
    });
  });

  afterAll(async () => {
    await lab.close();
  });

  const running = () => lab.guests.filter(({ name }) => name !== 'off');
  const images = () => lab.guests.flatMap(({ diskPaths }) => diskPaths);

  /** None differs, and none is missing on both sides: that would compare nothing. */
  const expectAgreement = (readings: readonly Reading[]) => {
    expect(readings.filter(({ theirs, ours }) => theirs === undefined || theirs !== ours)).toEqual(
      [],
    );
    expect(readings.length).toBeGreaterThan(0);
    compared += readings.length;
  };

  it('is of the libvirt and the QEMU that belong to the host', async () => {
    const expected = VERSIONS[lab.host.name];
    const said = await lab.virsh('version', '--daemon');
    const daemon = /Running against daemon: (\S+)/.exec(said)?.[1];
    const qemu = /Running hypervisor: QEMU (\S+)/.exec(said)?.[1];
    const debian = readFileSync(`/proc/${lab.daemonPid()}/root/etc/debian_version`, 'utf8').trim();
    versions = `Debian ${debian}, libvirt ${daemon ?? '?'}, QEMU ${qemu ?? '?'}`;
    if (expected !== undefined) {
      expect([debian.split('.')[0], daemon, qemu]).toEqual([
        expected.debian,
        expect.stringMatching(new RegExp(`^${RegExp.escape(expected.libvirt)}\\.`)),
        expect.stringMatching(new RegExp(`^${RegExp.escape(expected.qemu)}\\.`)),
      ]);
    }
    const { labels } = (await scrape(exporter)).only('kvm_libvirt_info');
    expectAgreement([
      { what: 'libvirt', theirs: daemon, ours: labels['libvirt_version'] },
      { what: 'QEMU', theirs: qemu, ours: labels['hypervisor_version'] },
    ]);
  });

  it('comes from collectors that all succeed, and no sample is dropped', async () => {
    const scraped = await scrape(exporter);
    const collectors = scraped.all('kvm_scrape_collector_success');
    expect(collectors.filter(({ value }) => value !== 1)).toEqual([]);
    expect(collectors.length).toBeGreaterThanOrEqual(20);
    expect(scraped.value('kvm_exporter_dropped_samples_total')).toBe(0);
  });

  it('of a guest’s identity and state is what virsh dominfo, domstate and vcpucount say', async () => {
    const scraped = await scrape(exporter);
    const readings: Reading[] = [];
    for (const guest of lab.guests) {
      const domain = guest.name;
      const info = await domainInfo(lab, domain);
      const maximum = (await lab.virsh('vcpucount', domain, '--maximum')).trim();
      const [, state = '', reason = ''] = /^(.*) \((.*)\)$/.exec(await guest.state()) ?? [];
      const inXml = await lab.virsh('dumpxml', domain);
      const label = labelsOf(scraped, 'kvm_domain_info', { domain });
      const shown = labelsOf(scraped, 'kvm_domain_state', { domain });
      const autostart = info.get('Autostart') === 'enable' ? 'yes' : 'no';
      readings.push(
        { what: `${domain} uuid`, theirs: info.get('UUID'), ours: label['uuid'] },
        { what: `${domain} persistent`, theirs: info.get('Persistent'), ours: label['persistent'] },
        { what: `${domain} autostart`, theirs: autostart, ours: label['autostart'] },
        { what: `${domain} OS type`, theirs: info.get('OS Type'), ours: label['os_type'] },
        {
          what: `${domain} machine`,
          theirs: /<type[^>]* machine='([^']+)'/.exec(inXml)?.[1],
          ours: label['machine'],
        },
        { what: `${domain} state`, theirs: letters(state), ours: letters(shown['state']) },
        { what: `${domain} reason`, theirs: letters(reason), ours: letters(shown['reason']) },
        {
          what: `${domain} vCPUs`,
          theirs: Number(info.get('CPU(s)')),
          ours: valueOf(scraped, 'kvm_domain_vcpus', { domain }),
        },
        {
          what: `${domain} vCPUs at most`,
          theirs: Number(maximum),
          ours: valueOf(scraped, 'kvm_domain_vcpus_maximum', { domain }),
        },
        {
          what: `${domain} memory at most`,
          theirs: Number(info.get('Max memory')?.split(' ')[0]) * KIB,
          ours: valueOf(scraped, 'kvm_domain_memory_maximum_bytes', { domain }),
        },
      );
    }
    expectAgreement(readings);
  });

  it('of a guest’s disks and NICs is what virsh domstats says', async () => {
    for (const { name: domain } of running()) {
      const groups = ['--block', '--interface'];
      const { reading, scraped } = await scrapeWhileSteady(exporter, () =>
        rawStats(lab, domain, ...groups),
      );
      const readings: Reading[] = [];
      const compare = (key: string, metric: string, device: string | undefined, unit = 1) => {
        const theirs = reading.get(key);
        const labels = { domain, ...(device === undefined ? {} : { device }) };
        readings.push({
          what: `${domain} ${key}`,
          theirs: theirs === undefined ? undefined : round(Number(theirs) * unit),
          ours: round(valueOf(scraped, metric, labels)),
        });
      };
      for (let disk = 0; disk < Number(reading.get('block.count')); disk += 1) {
        const device = reading.get(`block.${disk}.name`);
        const of = (field: string) => `block.${disk}.${field}`;
        for (const [field, metric, unit] of DISK_FIELDS) {
          compare(of(field), `kvm_domain_disk_${metric}`, device, unit);
        }
      }
      for (let nic = 0; nic < Number(reading.get('net.count')); nic += 1) {
        const device = reading.get(`net.${nic}.name`);
        for (const [field, metric] of NIC_FIELDS) {
          compare(`net.${nic}.${field}`, `kvm_domain_nic_${metric}_total`, device);
        }
      }
      const { disks = [], nics = [] } = lab.guest(domain).spec;
      expect([reading.get('block.count'), reading.get('net.count')]).toEqual([
        String(disks.length),
        String(nics.length),
      ]);
      if (readings.length > 0) expectAgreement(readings);
    }
  });

  it('of a guest’s balloon is what virsh domstats says, and what the guest reports', async () => {
    const readings: Reading[] = [];
    for (const { name: domain, spec } of running()) {
      if (spec.balloon?.kind === 'none') continue;
      const stats = await rawStats(lab, domain, '--balloon');
      const scraped = await scrape(exporter);
      for (const [field, metric] of [
        ['current', 'kvm_domain_balloon_current_bytes'],
        ['current', 'kvm_domain_balloon_target_bytes'],
        ['maximum', 'kvm_domain_memory_maximum_bytes'],
      ] as const) {
        const ours = valueOf(scraped, metric, { domain });
        const theirs = Number(stats.get(`balloon.${field}`)) * KIB;
        readings.push({ what: `${domain} ${metric}`, theirs, ours });
      }
    }
    const domain = 'worker';
    // The exporter does not ask again within a period, so it may be one report behind virsh.
    const updated = 'kvm_domain_balloon_last_update_timestamp_seconds';
    const { stats, scraped } = await eventually('both saw one report', 120_000, async () => {
      const { before, scraped, after } = await bracket(exporter, () => memoryStats(lab, domain));
      const time = numberOf(before, 'last_update');
      return (
        time === numberOf(after, 'last_update') &&
        time === valueOf(scraped, updated, { domain }) && { stats: before, scraped }
      );
    });
    for (const [field, metric, unit] of GUEST_FIELDS) {
      readings.push({
        what: `${domain} ${field}`,
        theirs: numberOf(stats, field) * unit,
        ours: valueOf(scraped, `kvm_domain_guest_${metric}`, { domain }),
      });
    }
    expectAgreement(readings);
  });

  it('of a guest’s process is what /proc/<pid>/status says', async () => {
    for (const guest of running()) {
      const domain = guest.name;
      const pid = guest.qemuPid();
      const { reading, scraped } = await scrapeWhileSteady(exporter, () => [
        ...STATUS_FIELDS.map(([field]) => statusBytes(pid, field)),
        Number(/^Threads:\s+(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]),
      ]);
      const fields = [...STATUS_FIELDS, ['Threads', 'threads', {}] as const];
      expectAgreement(
        fields.map(([field, metric, labels], index) => ({
          what: `${domain} ${field}`,
          theirs: reading[index],
          ours: valueOf(scraped, `kvm_domain_${metric}`, { domain, ...labels }),
        })),
      );
    }
  });

  it('of the devices in a guest’s XML is what virsh domblklist, domiflist and their like say', async () => {
    const scraped = await scrape(exporter);
    const readings: Reading[] = [];
    for (const { name: domain } of lab.guests) {
      for (const row of rows(await lab.virsh('domblklist', domain, '--details'))) {
        const [type, kind, device = '', source] = row;
        const label = labelsOf(scraped, 'kvm_domain_disk_info', { domain, device });
        readings.push(
          { what: `${domain} ${device} type`, theirs: type, ours: label['source_type'] },
          { what: `${domain} ${device} kind`, theirs: kind, ours: label['kind'] },
          { what: `${domain} ${device} source`, theirs: source, ours: label['source'] },
        );
      }
      for (const row of rows(await lab.virsh('domiflist', domain))) {
        const [device = '', type, source, model, mac] = row;
        const label = labelsOf(scraped, 'kvm_domain_nic_info', { domain, device });
        readings.push(
          { what: `${domain} ${device} type`, theirs: type, ours: label['type'] },
          { what: `${domain} ${device} source`, theirs: source, ours: label['source'] },
          { what: `${domain} ${device} model`, theirs: model, ours: label['model'] },
          { what: `${domain} ${device} MAC`, theirs: mac, ours: label['mac'] },
        );
      }
    }
    const tune = await lab.virsh('blkdeviotune', 'capped', 'vda');
    const perSecond = 'kvm_domain_disk_limit_bytes_per_second';
    const requests = 'kvm_domain_disk_limit_requests_per_second';
    for (const [field, metric] of [
      ['total_bytes_sec', perSecond],
      ['total_iops_sec', requests],
    ] as const) {
      readings.push({
        what: `capped vda ${field}`,
        theirs: Number(new RegExp(`${field}\\s*:\\s*(\\d+)`).exec(tune)?.[1]),
        ours: valueOf(scraped, metric, { domain: 'capped', direction: 'total' }),
      });
    }
    const shaping = await lab.virsh('domiftune', 'worker', 'host-tap0');
    readings.push({
      what: 'worker inbound.average',
      // libvirt hands the number to tc as kbps, which is 1000 bytes a second.
      theirs: Number(/inbound\.average:\s*(\d+)/.exec(shaping)?.[1]) * 1000,
      ours: valueOf(scraped, 'kvm_domain_nic_limit_bytes_per_second', { domain: 'worker' }),
    });
    expectAgreement(readings);
  });

  it('of a guest’s CPU weight and quota is what virsh schedinfo says', async () => {
    const scraped = await scrape(exporter);
    const readings: Reading[] = [];
    for (const { name: domain } of running()) {
      const schedule = await lab.virsh('schedinfo', domain);
      const field = (name: string) =>
        Number(new RegExp(`^${name}\\s*:\\s*(-?\\d+)`, 'm').exec(schedule)?.[1]);
      const unified = scraped.has('kvm_domain_cpu_weight', { domain });
      const weight = unified ? 'kvm_domain_cpu_weight' : 'kvm_domain_cpu_shares';
      readings.push({
        what: `${domain} cpu_shares`,
        theirs: field('cpu_shares'),
        ours: valueOf(scraped, weight, { domain }),
      });
      // -1 and, of some versions, what the kernel counts up to: no limit.
      if (domain !== 'capped') {
        expect(scraped.has('kvm_domain_cpu_quota_cpus', { domain }), domain).toBe(false);
        continue;
      }
      readings.push({
        what: `${domain} quota in CPUs`,
        theirs: (2 * field('vcpu_quota')) / field('vcpu_period'),
        ours: valueOf(scraped, 'kvm_domain_cpu_quota_cpus', { domain }),
      });
    }
    expectAgreement(readings);
  });

  it('of an image is what qemu-img and stat say, through all its backing files', async () => {
    for (const path of images()) {
      let next: string | undefined = path;
      while (next !== undefined) next = await compareImage(next);
    }
    const chain = { domain: 'chained', device: 'vda' };
    expect((await scrape(exporter)).value('kvm_domain_disk_chain_depth', chain)).toBe(3);
  });

  /** Returns the path of the backing file. */
  async function compareImage(path: string): Promise<string | undefined> {
    const { reading, scraped } = await scrapeWhileSteady(exporter, async () => ({
      info: await qemuImgInfo(lab, path),
      file: await fileSize(path),
    }));
    const { info, file } = reading;
    const ofImage = (name: string) => valueOf(scraped, `kvm_image_${name}_bytes`, { path });
    const label = labelsOf(scraped, 'kvm_image_info', { path });
    const readings: Reading[] = [
      { what: `${path} format`, theirs: info.format, ours: label['format'] },
      { what: `${path} capacity`, theirs: info['virtual-size'], ours: ofImage('capacity') },
      { what: `${path} actual size`, theirs: info['actual-size'], ours: ofImage('allocated') },
      { what: `${path} blocks`, theirs: file.allocatedBytes, ours: ofImage('allocated') },
      { what: `${path} length`, theirs: file.sizeBytes, ours: ofImage('file') },
    ];
    if (info.format === 'qcow2') {
      readings.push(
        {
          what: `${path} cluster size`,
          theirs: String(info['cluster-size']),
          ours: label['cluster_size'],
        },
        {
          what: `${path} fully allocated`,
          theirs: await fullyAllocatedBytes(lab, info['virtual-size']),
          ours: ofImage('worst_case'),
        },
        {
          what: `${path} backing file`,
          theirs: info['full-backing-filename'] ?? '',
          ours: label['backing_file'],
        },
      );
    }
    expectAgreement(readings);
    return info['full-backing-filename'];
  }

  it('of pools is what virsh pool-info says, of a filesystem what stat says', async () => {
    const { reading, scraped } = await scrapeWhileSteady(exporter, () =>
      filesystemSpace(mountpoint),
    );
    const ofFilesystem = (name: string) =>
      valueOf(scraped, `kvm_filesystem_${name}`, { mountpoint });
    const readings: Reading[] = [
      { what: 'size', theirs: reading.sizeBytes, ours: ofFilesystem('size_bytes') },
      { what: 'free', theirs: reading.freeBytes, ours: ofFilesystem('free_bytes') },
      { what: 'available', theirs: reading.availBytes, ours: ofFilesystem('avail_bytes') },
      { what: 'inodes', theirs: reading.files, ours: ofFilesystem('files') },
      { what: 'free inodes', theirs: reading.filesFree, ours: ofFilesystem('files_free') },
    ];
    for (const pool of ['images', 'others', 'idle']) {
      const info = await lab.virsh('pool-info', pool, '--bytes');
      const field = (name: string) => new RegExp(`^${name}:\\s+(.+)$`, 'm').exec(info)?.[1];
      const ofPool = (name: string) => valueOf(scraped, `kvm_pool_${name}_bytes`, { pool });
      const label = labelsOf(scraped, 'kvm_pool_info', { pool });
      const state = labelsOf(scraped, 'kvm_pool_state', { pool })['state'];
      readings.push(
        { what: `${pool} UUID`, theirs: field('UUID'), ours: label['uuid'] },
        { what: `${pool} state`, theirs: field('State'), ours: state },
      );
      if (pool === 'idle') {
        expect(ofPool('capacity')).toBeUndefined();
        continue;
      }
      for (const [name, metric] of [
        ['Capacity', 'capacity'],
        ['Allocation', 'allocated'],
        ['Available', 'available'],
      ] as const) {
        readings.push({
          what: `${pool} ${name}`,
          theirs: Number(field(name)),
          ours: ofPool(metric),
        });
      }
    }
    expectAgreement(readings);
  });

  it('of the machine is what virsh nodeinfo and /proc/meminfo say', async () => {
    const info = await lab.virsh('nodeinfo');
    const field = (name: string) =>
      Number(new RegExp(`^${RegExp.escape(name)}:\\s+(\\d+)`, 'm').exec(info)?.[1]);
    const scraped = await scrape(exporter);
    expectAgreement([
      {
        what: 'CPU(s)',
        theirs: field('CPU(s)'),
        ours: valueOf(scraped, 'kvm_host_online_cpus'),
      },
      {
        what: 'cores',
        theirs: field('NUMA cell(s)') * field('CPU socket(s)') * field('Core(s) per socket'),
        ours: valueOf(scraped, 'kvm_host_cores'),
      },
      {
        // That of all nodes, which is less than MemTotal where memory was added since the start.
        what: 'memory of nodeinfo',
        theirs: field('Memory size') * KIB,
        ours: scraped.sum('kvm_host_numa_memory_size_bytes'),
      },
      {
        what: 'MemTotal',
        theirs: meminfoBytes('MemTotal'),
        ours: valueOf(scraped, 'kvm_host_memory_size_bytes'),
      },
    ]);
  });

  it(`is compared in ${LEAST_READINGS} readings or more`, () => {
    process.stdout.write(`${compared} readings agree with those of ${versions}\n`);
    expect(compared).toBeGreaterThanOrEqual(LEAST_READINGS);
  });
});

/** `block.<n>.<field>` of domstats, our name, and what one of it is in our unit. */
const DISK_FIELDS = [
  ['rd.reqs', 'read_requests_total', 1],
  ['rd.bytes', 'read_bytes_total', 1],
  ['rd.times', 'read_seconds_total', 1e-9],
  ['wr.reqs', 'write_requests_total', 1],
  ['wr.bytes', 'written_bytes_total', 1],
  ['wr.times', 'write_seconds_total', 1e-9],
  ['fl.reqs', 'flush_requests_total', 1],
  ['fl.times', 'flush_seconds_total', 1e-9],
  ['allocation', 'highest_offset_bytes', 1],
  ['capacity', 'capacity_bytes', 1],
  ['physical', 'physical_bytes', 1],
] as const;

/** `net.<n>.<field>` of domstats and our name. */
const NIC_FIELDS = [
  ['rx.bytes', 'receive_bytes'],
  ['rx.pkts', 'receive_packets'],
  ['rx.errs', 'receive_errors'],
  ['rx.drop', 'receive_drops'],
  ['tx.bytes', 'transmit_bytes'],
  ['tx.pkts', 'transmit_packets'],
  ['tx.errs', 'transmit_errors'],
  ['tx.drop', 'transmit_drops'],
] as const;

/** Fields of dommemstat, our name, and what one of it is in our unit. */
const GUEST_FIELDS = [
  ['available', 'memory_size_bytes', KIB],
  ['unused', 'memory_free_bytes', KIB],
  ['usable', 'memory_available_bytes', KIB],
  ['disk_caches', 'disk_caches_bytes', KIB],
  ['swap_in', 'swap_in_bytes_total', KIB],
  ['swap_out', 'swap_out_bytes_total', KIB],
  ['major_fault', 'major_faults_total', 1],
  ['minor_fault', 'minor_faults_total', 1],
  ['hugetlb_pgalloc', 'hugetlb_allocations_total', 1],
  ['hugetlb_pgfail', 'hugetlb_failures_total', 1],
] as const;

/** Lines of /proc/<pid>/status, our name and labels. */
const STATUS_FIELDS: readonly (readonly [field: string, metric: string, labels: Labels])[] = [
  ['RssAnon', 'resident_bytes', { kind: 'anonymous' }],
  ['RssFile', 'resident_bytes', { kind: 'file' }],
  ['RssShmem', 'resident_bytes', { kind: 'shared' }],
  ['VmSwap', 'swap_bytes', {}],
  ['VmLck', 'locked_bytes', {}],
  ['VmPin', 'pinned_bytes', {}],
  ['VmSize', 'virtual_bytes', {}],
  ['HugetlbPages', 'hugetlb_bytes', {}],
];

/** The value of the one sample there is; undefined when it is absent, or not the only one. */
function valueOf(scraped: Exposition, name: string, labels: Labels = {}): number | undefined {
  const [one, ...more] = scraped.all(name, labels);
  return more.length === 0 ? one?.value : undefined;
}

function labelsOf(scraped: Exposition, name: string, labels: Labels): Labels {
  const [one, ...more] = scraped.all(name, labels);
  return one === undefined || more.length > 0 ? {} : one.labels;
}

/** Nanoseconds as seconds may differ in the last digit. */
function round(value: number | undefined): number | undefined {
  return value === undefined ? undefined : Number(value.toPrecision(12));
}

/** `I/O error` is `ioerror`, `starting up` is `starting_up`. */
function letters(text: string | undefined): string | undefined {
  return text?.replaceAll(/[^a-z]/gi, '').toLowerCase();
}

/** The columns of what virsh prints as a table without a heading. */
function rows(text: string): readonly (readonly string[])[] {
  return text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => line.trim().split(/\s+/));
}
