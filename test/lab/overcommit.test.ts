import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';

import { FuseMount, installBindfs } from '../support/storage/fuse-mount.ts';
import { run } from '../../lab/command.ts';
import {
  eventually,
  ksmCounter,
  openLab,
  type GuestSpec,
  type Lab,
  type LabExporter,
} from '../../lab/index.ts';
import { meminfoBytes, statusBytes } from '../support/process-readings.ts';
import { bracket, scrape, scrapeWhileSteady } from '../support/scrape.ts';
import { sysfsWithHardware } from '../../lab/shadow-sysfs.ts';
import {
  fileSize,
  filesystemSpace,
  fullyAllocatedBytes,
  qemuImgInfo,
} from '../support/storage-readings.ts';
import { domainInfo, memoryStats } from '../support/virsh-readings.ts';

const KIB = 1024;
const MIB = 1024 * KIB;
const GIB = 1024 * MIB;
const PAGE = 4096;

/** What the policy of this test keeps back. */
const RESERVE_MEMORY = 256 * MIB;
const RESERVE_STORAGE = MIB;
/** A gigabit, in bytes and as sysfs has it. */
const UPLINK_MEGABITS = 1000;
const UPLINK_BYTES_PER_SECOND = 125_000_000;

describe('over-commitment of a host with real guests', () => {
  const cpus = onlineCpus();
  const pinnedCpu = cpus.at(-1) ?? 0;
  const sharedCpus = cpus.slice(0, -1);
  let lab: Lab;
  let exporter: LabExporter;
  let policyFile: string;
  /** Mount points. */
  let small: string;
  let chain: string;
  let talk: string;
  let images: Readonly<Record<'thin' | 'base' | 'upper1' | 'upper2' | 'raw' | 'qcow2', string>>;

  const writePolicy = (reserve: string) => {
    writeFileSync(
      policyFile,
      `reserves: { memory: ${reserve}, storage: 1MiB }\ndomains: { exclude: ['ignored.*'] }\n`,
    );
  };

  beforeAll(async () => {
    // One CPU is given away whole, the others are shared.
    expect(cpus.length).toBeGreaterThan(1);
    lab = await openLab();
    lab.hugePages(24);
    small = await lab.filesystem({ type: 'ext4', sizeMib: 96, name: 'small' });
    chain = await lab.filesystem({ type: 'ext4', sizeMib: 64, name: 'chain' });
    talk = await lab.filesystem({ type: 'tmpfs', sizeMib: 16, name: 'talk' });
    await lab.ip('link', 'add', 'island', 'type', 'bridge');
    await lab.ip('link', 'set', 'island', 'up');

    const base = join(chain, 'base.qcow2');
    await lab.programs.run('qemu-img', ['create', '-q', '-f', 'qcow2', base, '64M']);
    await lab.programs.run('qemu-io', ['-f', 'qcow2', '-c', 'write -P 7 0 16M', base]);
    // Not qemu-img create, which writes the first block of a raw image.
    const sparse = join(talk, 'sparse.raw');
    await run('truncate', ['-s', '100G', sparse]);
    const block = await lab.blockDevice(16);
    const cpuset = sharedCpus.join(',');
    const upper = { kind: 'new', format: 'qcow2', sizeMib: 64, base, directory: chain } as const;
    const bare = { os: 'none', vcpus: { cpuset } } as const;
    const running: readonly GuestSpec[] = [
      {
        ...bare,
        name: 'pinned',
        memoryMib: 64,
        currentMemoryMib: 48,
        vcpus: { pins: [String(pinnedCpu)] },
      },
      {
        ...bare,
        name: 'capped',
        vcpus: { current: 2, cpuset },
        cpuTune: { periodUs: 100_000, quotaUs: 30_000 },
        persistent: true,
        autostart: true,
      },
      {
        ...bare,
        name: 'wide',
        vcpus: { current: 2, maximum: 4, cpuset },
        memoryBacking: { memfdShared: true },
        nics: [{ inboundKibPerSecond: 4096, outboundKibPerSecond: 2048 }, {}, { bridge: 'island' }],
      },
      { ...bare, name: 'huge', memoryBacking: { hugePages: true } },
      { ...bare, name: 'rigid', balloon: { kind: 'none' }, persistent: true },
      {
        ...bare,
        name: 'thin',
        disks: [{ source: { kind: 'new', format: 'qcow2', sizeMib: 1024, directory: small } }],
        persistent: true,
      },
      { ...bare, name: 'sibling-1', disks: [{ source: upper }], persistent: true },
      {
        ...bare,
        name: 'thick',
        disks: [{ source: { kind: 'block', format: 'raw', path: block } }],
      },
      { ...bare, name: 'ignored-1' },
    ];
    await lab.startGuests(running);
    const off: readonly GuestSpec[] = [
      { ...bare, name: 'sibling-2', disks: [{ source: upper }], autostart: true },
      {
        ...bare,
        name: 'talk-raw',
        disks: [{ source: { kind: 'file', format: 'raw', path: sparse } }],
      },
      {
        ...bare,
        name: 'talk-qcow2',
        disks: [{ source: { kind: 'new', format: 'qcow2', sizeMib: 100 * 1024, directory: talk } }],
      },
    ];
    for (const spec of off) await lab.defineGuest(spec);
    const image = (guest: string): string => lab.guest(guest).diskPaths[0] ?? '';
    images = {
      thin: image('thin'),
      base,
      upper1: image('sibling-1'),
      upper2: image('sibling-2'),
      raw: image('talk-raw'),
      qcow2: image('talk-qcow2'),
    };

    policyFile = join(lab.directory.root, 'policy.yaml');
    writePolicy('256MiB');
    const sysfs = sysfsWithHardware(
      lab.sysfs,
      join(lab.directory.root, 'shadow-sysfs'),
      lab.network.uplink,
      UPLINK_MEGABITS,
    );
    exporter = await lab.exporter({
      flags: [`--path.sysfs=${sysfs}`, `--policy.file=${policyFile}`],
    });
    await eventually('guests and storage are known', 60_000, async () => {
      const scraped = await scrape(exporter);
      return scraped.has('kvm_storage_promised_bytes') && scraped.has('kvm_memory_promised_bytes');
    });
  });

  afterAll(async () => {
    await lab.close();
  });

  /** Names virsh lists, without those the policy leaves out. */
  const listed = async (...flags: readonly string[]): Promise<readonly string[]> => {
    const names = (await lab.virsh('list', '--name', ...flags)).split('\n').filter(Boolean);
    return names.filter((name) => !name.startsWith('ignored'));
  };
  const currentVcpus = async (name: string): Promise<number> =>
    Number((await lab.virsh('vcpucount', name, '--current')).trim().split('\n').at(-1));

  it('counts no guest the policy leaves out', async () => {
    const names = (await scrape(exporter))
      .all('kvm_domain_info')
      .map(({ labels }) => labels['domain']);
    expect(names.toSorted()).toEqual([...(await listed('--all'))].toSorted());
  });

  describe('of CPUs', () => {
    it('promises the shared CPUs to all but the guest that has one to itself', async () => {
      const scraped = await scrape(exporter);
      const counts = await Promise.all(
        (await listed()).filter((name) => name !== 'pinned').map(currentVcpus),
      );
      const promised = counts.reduce((sum, count) => sum + count, 0);
      expect(promised).toBe(9);
      expect(scraped.value('kvm_cpu_promised_vcpus')).toBe(promised);
      // 'wide' may be given two more.
      expect(scraped.value('kvm_cpu_promised_maximum_vcpus')).toBe(promised + 2);
      expect(scraped.value('kvm_cpu_capacity_cpus')).toBe(cpus.length - 1);
      expect(scraped.value('kvm_cpu_dedicated_cpus')).toBe(1);
      expect(scraped.value('kvm_cpu_dedicated_vcpus')).toBe(1);
      expect(scraped.value('kvm_host_online_cpus')).toBe(cpus.length);
      const pin = await lab.virsh('vcpupin', 'pinned', '--vcpu', '0');
      expect(pin.trim().split(/\s+/)).toEqual(['0', String(pinnedCpu)]);
    });

    it('counts who can run nowhere but in a set of CPUs', async () => {
      const scraped = await scrape(exporter);
      const cpuset = rangeText(sharedCpus);
      expect(scraped.value('kvm_cpu_set_capacity_cpus', { cpuset })).toBe(sharedCpus.length);
      expect(scraped.value('kvm_cpu_set_promised_vcpus', { cpuset })).toBe(9);
      expect(scraped.value('kvm_domain_cpu_allowed_cpus', { domain: 'wide' })).toBe(
        sharedCpus.length,
      );
      expect(scraped.value('kvm_domain_cpu_allowed_cpus', { domain: 'pinned' })).toBe(1);
    });

    it('caps a guest by its quota, its vCPUs and the CPUs it may use', async () => {
      const scraped = await scrape(exporter);
      const schedule = await lab.virsh('schedinfo', 'capped');
      const field = (name: string) =>
        Number(new RegExp(`${name}\\s*:\\s*(-?\\d+)`).exec(schedule)?.[1]);
      const perVcpu = field('vcpu_quota') / field('vcpu_period');
      const cap = (domain: string) => scraped.value('kvm_domain_cpu_cap_cpus', { domain });
      expect(perVcpu).toBeCloseTo(0.3, 9);
      expect(cap('capped')).toBeCloseTo(2 * perVcpu, 9);
      expect(cap('wide')).toBe(Math.min(2, sharedCpus.length));
      expect(cap('pinned')).toBe(1);
    });

    it('guarantees no more than there is, and all of it', async () => {
      const scraped = await scrape(exporter);
      const running = await listed();
      const of = (name: string, domains: readonly string[]) =>
        domains.reduce((sum, domain) => sum + scraped.value(name, { domain }), 0);
      const shared = running.filter((name) => name !== 'pinned');
      const caps = of('kvm_domain_cpu_cap_cpus', shared);
      expect(of('kvm_domain_cpu_guaranteed_cpus', shared)).toBeCloseTo(
        Math.min(caps, sharedCpus.length),
        6,
      );
      expect(of('kvm_domain_cpu_guaranteed_cpus', ['pinned'])).toBe(1);
    });
  });

  describe('of memory', () => {
    it('promises by kind of memory what virsh dommemstat says guests have', async () => {
      const scraped = await scrape(exporter);
      const classes: Readonly<Record<string, string>> = {
        wide: 'shared',
        huge: 'hugepages',
      };
      const current = new Map<string, number>();
      const maximum = new Map<string, number>();
      for (const name of await listed()) {
        const kind = classes[name] ?? 'anonymous';
        const actual = await promisedBytes(lab, name);
        const most = Number((await domainInfo(lab, name)).get('Max memory')?.split(' ')[0]) * KIB;
        current.set(kind, (current.get(kind) ?? 0) + actual);
        maximum.set(kind, (maximum.get(kind) ?? 0) + most);
      }
      for (const kind of ['anonymous', 'shared', 'hugepages', 'locked']) {
        const labels = { class: kind };
        expect([kind, scraped.value('kvm_memory_promised_bytes', labels)]).toEqual([
          kind,
          current.get(kind) ?? 0,
        ]);
        expect([kind, scraped.value('kvm_memory_promised_maximum_bytes', labels)]).toEqual([
          kind,
          maximum.get(kind) ?? 0,
        ]);
      }
      expect(scraped.value('kvm_memory_domains_without_balloon')).toBe(1);
      expect(scraped.value('kvm_memory_domains_balloon_ineffective')).toBe(1);
      expect(scraped.value('kvm_memory_domains_unknown')).toBe(0);
    });

    it('has for guests what is left of MemTotal by hugepages and the reserve', async () => {
      const scraped = await scrape(exporter);
      const pools = hugePagePools();
      const poolBytes = [...pools.values()].reduce((sum, bytes) => sum + bytes, 0);
      expect(scraped.value('kvm_memory_capacity_bytes')).toBe(
        meminfoBytes('MemTotal') - poolBytes - RESERVE_MEMORY,
      );
      for (const [pageBytes, bytes] of pools) {
        const labels = { page_size: String(pageBytes) };
        expect(scraped.value('kvm_hugepages_capacity_bytes', labels)).toBe(bytes);
      }
      const labels = { page_size: String(meminfoBytes('Hugepagesize')) };
      expect(scraped.value('kvm_hugepages_promised_bytes', labels)).toBe(32 * MIB);
    });

    it('is exposed to what guests were promised and do not hold yet', async () => {
      const pids = new Map((await listed()).map((name) => [name, lab.qemuPid(name)]));
      const { reading, scraped } = await scrapeWhileSteady(exporter, () => ({
        held: [...pids].map(([name, pid]) => {
          const fields = ['RssAnon', 'RssShmem', 'HugetlbPages', 'VmSwap'];
          return [name, fields.reduce((sum, field) => sum + statusBytes(pid, field), 0)] as const;
        }),
        merged: ksmCounter('pages_sharing') * PAGE,
      }));
      let claimable = 0;
      for (const [domain, held] of reading.held) {
        const actual = await promisedBytes(lab, domain);
        // Huge pages come from a pool of their own.
        const rest = domain === 'huge' ? 0 : Math.max(0, actual - held);
        const claim = scraped.value('kvm_domain_memory_claimable_bytes', { domain });
        expect([domain, claim]).toEqual([domain, rest]);
        claimable += rest;
      }
      // A bare guest touches little of what it was promised.
      expect(claimable).toBeGreaterThan(50 * MIB);
      expect(scraped.value('kvm_memory_claimable_bytes')).toBe(claimable);
      expect(scraped.value('kvm_memory_ksm_unmerge_bytes')).toBe(reading.merged);
      expect(scraped.value('kvm_memory_exposure_bytes')).toBe(claimable + reading.merged);
    });

    it('meets it with MemAvailable and the swap guests can be swapped to', async () => {
      const { before, scraped, after } = await bracket(exporter, () =>
        meminfoBytes('MemAvailable'),
      );
      const supply = scraped.value('kvm_memory_supply_bytes');
      // Other programs on the machine take and give while we look.
      const slack = 128 * MIB;
      expect(supply).toBeGreaterThan(Math.min(before, after) - slack);
      expect(supply).toBeLessThan(Math.max(before, after) + slack + meminfoBytes('SwapFree'));
      expect(supply).toBeGreaterThanOrEqual(scraped.value('kvm_host_memory_available_bytes'));
    });

    it('follows the policy: another reserve after SIGHUP, the old one while the file is broken', async () => {
      const reserve = async (bytes: number, ok: number) => {
        exporter.process.signal('SIGHUP');
        await eventually(`a reserve of ${bytes}, ${ok}`, 10_000, async () => {
          const scraped = await scrape(exporter);
          const capacity = scraped.value('kvm_memory_capacity_bytes');
          const pools = [...hugePagePools().values()].reduce((sum, one) => sum + one, 0);
          const whole = meminfoBytes('MemTotal') - pools;
          return (
            scraped.value('kvm_policy_reserve_memory_bytes') === bytes &&
            scraped.value('kvm_policy_last_reload_successful') === ok &&
            capacity === whole - bytes
          );
        });
      };
      writePolicy('1GiB');
      await reserve(GIB, 1);
      writePolicy('plenty');
      await reserve(GIB, 0);
      expect(exporter.process.output()).toContain('the policy before it stays in force');
      writePolicy('256MiB');
      await reserve(RESERVE_MEMORY, 1);
    });
  });

  describe('of storage', () => {
    it('promises a gigabyte on a filesystem of 96 MiB, and shows what is missing', async () => {
      const { reading, scraped } = await scrapeWhileSteady(exporter, async () => ({
        file: await fileSize(images.thin),
        space: await filesystemSpace(small),
      }));
      const { file, space } = reading;
      const mountpoint = small;
      const of = (name: string) => scraped.value(`kvm_filesystem_${name}`, { mountpoint });
      const promised = await fullyAllocatedBytes(lab, GIB);
      expect(promised).toBeGreaterThan(GIB);
      expect(of('size_bytes')).toBe(space.sizeBytes);
      expect(of('avail_bytes')).toBe(space.availBytes);
      expect(of('free_bytes')).toBe(space.freeBytes);
      expect(of('files')).toBe(space.files);
      expect(of('files_free')).toBe(space.filesFree);
      expect(of('images')).toBe(1);
      expect(of('images_unknown')).toBe(0);
      expect(of('promised_bytes')).toBe(promised);
      expect(of('allocated_bytes')).toBe(file.allocatedBytes);
      expect(of('claimable_bytes')).toBe(promised - file.allocatedBytes);
      expect(of('claimable_bytes')).toBeGreaterThan(9 * of('avail_bytes'));
      expect(of('responsive')).toBe(1);
      expect(scraped.only('kvm_filesystem_info', { mountpoint }).labels).toMatchObject({
        fstype: 'ext4',
        network: 'no',
      });
    });

    it('counts a base two guests share once, and charges each half of it', async () => {
      const { reading, scraped } = await scrapeWhileSteady(exporter, async () => ({
        base: (await fileSize(images.base)).allocatedBytes,
        upper1: (await fileSize(images.upper1)).allocatedBytes,
        upper2: (await fileSize(images.upper2)).allocatedBytes,
      }));
      const { base, upper1, upper2 } = reading;
      expect(base).toBeGreaterThan(16 * MIB);
      const growth = await fullyAllocatedBytes(lab, 64 * MIB);
      const mountpoint = chain;
      const of = (name: string) => scraped.value(`kvm_filesystem_${name}`, { mountpoint });
      expect(of('images')).toBe(3);
      expect(of('allocated_bytes')).toBe(base + upper1 + upper2);
      // A base is only read: it promises what it has allocated.
      expect(of('promised_bytes')).toBe(base + 2 * growth);
      expect(of('claimable_bytes')).toBe(2 * growth - upper1 - upper2);
      const part = (name: string, domain: string) =>
        scraped.value(`kvm_domain_storage_${name}_bytes`, { domain, mountpoint });
      expect(part('allocated', 'sibling-1')).toBe(upper1 + base / 2);
      expect(part('allocated', 'sibling-2')).toBe(upper2 + base / 2);
      expect(part('claimable', 'sibling-2')).toBe(growth - upper2);
      const labels = { domain: 'sibling-2', device: 'vda' };
      expect(scraped.value('kvm_domain_disk_chain_depth', labels)).toBe(2);
      expect(scraped.value('kvm_domain_disk_chain_complete', labels)).toBe(1);
      const info = await qemuImgInfo(lab, images.upper2);
      expect(info['full-backing-filename']).toBe(images.base);
      expect(
        scraped.only('kvm_domain_disk_image_info', { ...labels, role: 'backing' }).labels,
      ).toMatchObject({ path: images.base, depth: '1' });
    });

    it("agrees with the talk's example: what ls shows is not what is allocated", async () => {
      const scraped = await scrape(exporter);
      for (const path of [images.raw, images.qcow2]) {
        const info = await qemuImgInfo(lab, path);
        const file = await fileSize(path);
        const of = (name: string) => scraped.value(`kvm_image_${name}_bytes`, { path });
        expect(of('capacity')).toBe(info['virtual-size']);
        expect(of('capacity')).toBe(100 * GIB);
        expect(of('allocated')).toBe(info['actual-size']);
        expect(of('allocated')).toBe(file.allocatedBytes);
        expect(of('file')).toBe(file.sizeBytes);
        const { labels } = scraped.only('kvm_image_info', { path });
        expect(labels).toMatchObject({ format: info.format, mountpoint: talk });
        expect(labels['cluster_size']).toBe(
          info['cluster-size'] === undefined ? '' : String(info['cluster-size']),
        );
      }
      const of = (name: string, path: string) => scraped.value(`kvm_image_${name}_bytes`, { path });
      // The raw file looks 100 GiB long and holds nothing; the qcow2 looks small and has overhead.
      expect([of('file', images.raw), of('allocated', images.raw)]).toEqual([100 * GIB, 0]);
      expect(of('file', images.qcow2)).toBeLessThan(MIB);
      expect(of('allocated', images.qcow2)).toBeGreaterThan(0);
      expect(of('worst_case', images.raw)).toBe(100 * GIB);
      const worst = await fullyAllocatedBytes(lab, 100 * GIB);
      expect(of('worst_case', images.qcow2)).toBe(worst);
      expect(of('metadata', images.qcow2)).toBe(worst - 100 * GIB);
    });

    it('adds all filesystems up, and lets no room on one help another', async () => {
      const mountpoints = [small, chain, talk];
      const { reading, scraped } = await scrapeWhileSteady(exporter, async () => ({
        allocated: await Promise.all(
          Object.values(images).map(async (path) => (await fileSize(path)).allocatedBytes),
        ),
        avail: await Promise.all(
          mountpoints.map(async (path) => (await filesystemSpace(path)).availBytes),
        ),
      }));
      const device = 16 * MIB;
      const allocated = reading.allocated.reduce((sum, bytes) => sum + bytes, 0);
      const base = (await fileSize(images.base)).allocatedBytes;
      const worst =
        (await fullyAllocatedBytes(lab, GIB)) +
        2 * (await fullyAllocatedBytes(lab, 64 * MIB)) +
        100 * GIB +
        (await fullyAllocatedBytes(lab, 100 * GIB));
      expect(scraped.value('kvm_storage_allocated_bytes')).toBe(allocated + device);
      expect(scraped.value('kvm_storage_promised_bytes')).toBe(worst + base + device);
      expect(scraped.value('kvm_storage_claimable_bytes')).toBe(worst - (allocated - base));
      const shortfall = mountpoints.reduce((sum, mountpoint, index) => {
        const claimable = scraped.value('kvm_filesystem_claimable_bytes', { mountpoint });
        const room = Math.max(0, (reading.avail[index] ?? NaN) - RESERVE_STORAGE);
        return sum + Math.max(0, claimable - room);
      }, 0);
      expect(scraped.value('kvm_storage_shortfall_bytes')).toBe(shortfall);
      const placed = (placement: string) => scraped.value('kvm_storage_images', { placement });
      expect(['filesystem', 'thick', 'thin', 'remote', 'unknown'].map(placed)).toEqual([
        6, 1, 0, 0, 0,
      ]);
    });

    it('follows an image that grows', async () => {
      const path = images.qcow2;
      const allocated = async () =>
        (await scrape(exporter)).value('kvm_image_allocated_bytes', { path });
      const before = await allocated();
      await lab.programs.run('qemu-io', ['-f', 'qcow2', '-c', 'write -P 1 1G 4M', path]);
      const after = (await fileSize(path)).allocatedBytes;
      expect(after).toBeGreaterThan(before + 4 * MIB - 1);
      await eventually('the growth is seen', 10_000, async () => (await allocated()) === after);
    });
  });

  describe('of the network', () => {
    it('follows each tap over its bridge to the uplink, as ip shows it', async () => {
      const scraped = await scrape(exporter);
      const ports = async (bridge: string) =>
        links
          .parse(JSON.parse(await lab.ip('-j', 'link', 'show', 'master', bridge)))
          .map(({ ifname }) => ifname);
      const taps = await lab.guest('wide').taps();
      expect(taps).toHaveLength(3);
      const onBridge = await ports(lab.network.bridge);
      expect(onBridge).toContain(lab.network.uplink);
      const outside = taps.filter((tap) => onBridge.includes(tap));
      expect(outside).toHaveLength(2);
      const ways = scraped.all('kvm_domain_nic_uplink_info', { domain: 'wide' });
      expect(ways.map(({ labels }) => labels['device']).toSorted()).toEqual(outside.toSorted());
      for (const { labels } of ways) {
        expect(labels).toMatchObject({ bridge: lab.network.bridge, uplink: lab.network.uplink });
      }
      expect(await ports('island')).toEqual(taps.filter((tap) => !outside.includes(tap)));
      expect(scraped.value('kvm_network_nics_without_uplink')).toBe(1);
      const device = { device: lab.network.uplink };
      expect(scraped.value('kvm_uplink_nics', device)).toBe(2);
      expect(scraped.value('kvm_uplink_domains', device)).toBe(1);
    });

    it('promises what a NIC is limited to, and the whole uplink to one that is not', async () => {
      const scraped = await scrape(exporter);
      const { uplink: device } = lab.network;
      expect(scraped.value('kvm_uplink_speed_bytes_per_second', { device })).toBe(
        UPLINK_BYTES_PER_SECOND,
      );
      const [tap = ''] = await lab.guest('wide').taps();
      const tune = await lab.virsh('domiftune', 'wide', tap);
      for (const direction of ['inbound', 'outbound']) {
        // libvirt hands the number to tc as kbps, which is 1000 bytes a second.
        const average = Number(new RegExp(`${direction}\\.average:\\s*(\\d+)`).exec(tune)?.[1]);
        const labels = { device, direction };
        expect(average).toBe(direction === 'inbound' ? 4096 : 2048);
        expect(scraped.value('kvm_uplink_promised_bytes_per_second', labels)).toBe(
          average * 1000 + UPLINK_BYTES_PER_SECOND,
        );
        expect(scraped.value('kvm_uplink_capped_nics', labels)).toBe(1);
      }
    });

    it('counts what goes over the uplink as ip does', async () => {
      const { uplink: device } = lab.network;
      // To nobody: the question who has the address comes in over the uplink.
      const nobody = `${lab.network.guestPrefix}250`;
      await lab.run('bash', ['-c', `echo hello >/dev/udp/${nobody}/9`], { network: 'peer' });
      const { reading, scraped } = await scrapeWhileSteady(exporter, async () => {
        const shown = await lab.ip('-j', '-s', 'link', 'show', 'dev', device);
        return links.parse(JSON.parse(shown))[0]?.stats64;
      });
      const counted = (name: string) => scraped.value(`kvm_uplink_${name}_total`, { device });
      expect(counted('receive_bytes')).toBe(reading?.rx.bytes);
      expect(counted('receive_packets')).toBe(reading?.rx.packets);
      expect(counted('transmit_bytes')).toBe(reading?.tx.bytes);
      expect(counted('transmit_packets')).toBe(reading?.tx.packets);
      expect(counted('receive_packets')).toBeGreaterThan(0);
    });
  });

  it('knows what starting all guests, or those that start by themselves, would demand', async () => {
    const scraped = await scrape(exporter);
    const active = await listed();
    const sets = {
      autostart: await listed('--all', '--persistent', '--autostart'),
      all: await listed('--all', '--persistent'),
    };
    expect(sets.autostart.toSorted()).toEqual(['capped', 'sibling-2']);
    for (const [set, names] of Object.entries(sets)) {
      for (const phase of ['added', 'after_reboot']) {
        const members = names.filter((name) => phase === 'after_reboot' || !active.includes(name));
        let vcpus = 0;
        let memory = 0;
        let storage = 0;
        for (const name of members) {
          vcpus += await currentVcpus(name);
          const info = await domainInfo(lab, name);
          memory += Number(info.get('Max memory')?.split(' ')[0]) * KIB;
          storage += scraped.sum('kvm_domain_storage_claimable_bytes', { domain: name });
        }
        const demand = (what: string) => scraped.value(`kvm_boot_storm_${what}`, { set, phase });
        expect([set, phase, demand('domains')]).toEqual([set, phase, members.length]);
        expect([set, phase, demand('vcpus')]).toEqual([set, phase, vcpus]);
        expect([set, phase, demand('memory_bytes')]).toEqual([set, phase, memory]);
        expect([set, phase, demand('storage_bytes')]).toEqual([set, phase, storage]);
      }
    }
    expect(scraped.value('kvm_boot_storm_domains_not_restarted')).toBe(active.length - 1);
  });

  it('is still told, but for that filesystem, when the server of a mount dies', async () => {
    installBindfs();
    const exported = join(lab.directory.images, 'exported');
    mkdirSync(exported);
    await lab.programs.run('qemu-img', [
      'create',
      '-q',
      '-f',
      'qcow2',
      join(exported, 'disk.qcow2'),
      '32M',
    ]);
    const mount = await FuseMount.of(exported, join(lab.directory.filesystems, 'nfs'));
    const mountpoint = mount.mountpoint;
    const path = join(mountpoint, 'disk.qcow2');
    try {
      await lab.defineGuest({
        name: 'remote',
        os: 'none',
        disks: [{ source: { kind: 'file', format: 'qcow2', path } }],
      });
      const before = await scrape(exporter);
      expect(before.value('kvm_filesystem_responsive', { mountpoint })).toBe(1);
      expect(before.value('kvm_image_capacity_bytes', { path })).toBe(32 * MIB);

      mount.die();
      for (let round = 0; round < 6; round += 1) {
        const scraped = await scrape(exporter, { timeoutSeconds: 3 });
        expect(scraped.value('kvm_filesystem_responsive', { mountpoint })).toBe(0);
        expect(scraped.has('kvm_filesystem_avail_bytes', { mountpoint })).toBe(false);
        for (const alive of [small, chain, talk]) {
          for (const name of ['responsive', 'size_bytes', 'promised_bytes', 'images']) {
            const one = [`kvm_filesystem_${name}`, { mountpoint: alive }] as const;
            expect(scraped.value(...one)).toBe(before.value(...one));
          }
        }
        expect(scraped.all('kvm_domain_info')).toHaveLength(before.all('kvm_domain_info').length);
      }
      // A process that waits for a dead server cannot always be killed; ours goes all the same.
      const other = await lab.exporter();
      await scrape(other);
      other.process.signal('SIGTERM');
      await eventually('an exporter ends', 2_000, () => !other.process.isRunning());

      mount.revive();
      await eventually('it is known again', 10_000, async () => {
        const scraped = await scrape(exporter);
        return (
          scraped.value('kvm_filesystem_responsive', { mountpoint }) === 1 &&
          scraped.has('kvm_image_capacity_bytes', { path })
        );
      });
    } finally {
      await mount.unmount();
    }
  });
});

const links = z.array(
  z.object({
    ifname: z.string(),
    stats64: z
      .object({
        rx: z.object({ bytes: z.number(), packets: z.number() }),
        tx: z.object({ bytes: z.number(), packets: z.number() }),
      })
      .optional(),
  }),
);

/** What a guest has now: `actual` of its balloon, or all it was started with. */
async function promisedBytes(lab: Lab, name: string): Promise<number> {
  const actual = (await memoryStats(lab, name)).get('actual');
  if (actual !== undefined) return actual * KIB;
  return Number((await domainInfo(lab, name)).get('Used memory')?.split(' ')[0]) * KIB;
}

/** /sys/devices/system/cpu/online, e.g. `0-1,4`. */
function onlineCpus(): readonly number[] {
  return readFileSync('/sys/devices/system/cpu/online', 'utf8')
    .trim()
    .split(',')
    .flatMap((part) => {
      const [first = NaN, last = first] = part.split('-').map(Number);
      return Array.from({ length: last - first + 1 }, (_, index) => first + index);
    });
}

/** Size of each pool of the host by its page size, both in bytes. */
function hugePagePools(): ReadonlyMap<number, number> {
  const directory = '/sys/kernel/mm/hugepages';
  return new Map(
    readdirSync(directory).map((name) => {
      const pageBytes = Number(/^hugepages-(\d+)kB$/.exec(name)?.[1]) * KIB;
      const pages = Number(readFileSync(join(directory, name, 'nr_hugepages'), 'utf8'));
      return [pageBytes, pages * pageBytes];
    }),
  );
}

/** CPUs in the kernel's way of writing lists, where they follow each other without gaps. */
function rangeText(cpus: readonly number[]): string {
  const [first = NaN] = cpus;
  const last = cpus.at(-1) ?? NaN;
  return first === last ? String(first) : `${first}-${last}`;
}
