import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';

import { eventually, ksmCounter, openLab, type Lab, type LabExporter } from '../../lab/index.ts';
import { get } from '../support/http.ts';
import { cpuSeconds, statusBytes, threadSchedule } from '../support/process-readings.ts';
import { Exposition } from '../support/prometheus-text.ts';
import { bracket, scrape, scrapeWhileSteady } from '../support/scrape.ts';
import {
  blockStats,
  domainInfo,
  domainStats,
  interfaceStats,
  memoryStats,
  numberOf,
} from '../support/virsh-readings.ts';

const KIB = 1024;
const MIB = 1024 * KIB;
const PAGE = 4096;
/** Six guests start at once under emulation, perhaps beside other work. */
const BOOT_MS = 240_000;
/** virsh pool-define-as writes names into XML as they are, so no less-than here. */
const BUSY_POOL = 'busy "pool" ünï';
/** All a name may hold that a label, a command line or an XML file could stumble over. */
const HOSTILE = `he said "hi" \\n\\ {a="b"}, 100% ünï ☃ <&'>`;

describe('metrics of real guests', () => {
  let lab: Lab;
  let exporter: LabExporter;

  beforeAll(async () => {
    lab = await openLab();
    const small = await lab.filesystem({ type: 'tmpfs', sizeMib: 8 });
    await lab.startGuests([
      {
        name: 'capped',
        vcpus: { current: 2, maximum: 4 },
        cpuTune: { shares: 512 },
      },
      {
        name: 'shrunk',
        memoryMib: 192,
        balloon: { kind: 'period', seconds: 3 },
        persistent: true,
        autostart: true,
        jobs: [{ kind: 'touch', mib: 24, pattern: 'unique' }],
      },
      { name: 'twin-1', jobs: [{ kind: 'touch', mib: 16, pattern: 'same' }] },
      { name: 'twin-2', jobs: [{ kind: 'touch', mib: 16, pattern: 'same' }] },
      {
        name: HOSTILE,
        disks: [{ source: { kind: 'new', format: 'qcow2', sizeMib: 64 }, cache: 'none' }],
        nics: [{ target: 'labtap0', inboundKibPerSecond: 4096 }, {}],
      },
      {
        name: 'filler',
        persistent: true,
        disks: [{ source: { kind: 'new', format: 'raw', sizeMib: 64, directory: small } }],
        jobs: [{ kind: 'fill', disk: 'vda', mib: 64 }],
      },
      { name: 'killed', os: 'none', persistent: true },
      { name: 'off', os: 'none', persistent: true },
      {
        name: 'silent',
        os: 'none',
        balloon: { kind: 'silent' },
        memoryBacking: { memfdShared: true },
      },
      { name: 'rigid', os: 'none', balloon: { kind: 'none' }, vcpus: { current: 3 } },
    ]);
    exporter = await lab.exporter();
    const booting = lab.guests.filter(({ spec }) => spec.os !== 'none');
    await Promise.all(booting.map((guest) => guest.waitFor('lab: started', BOOT_MS)));
    // Only now: it would slow the others' start.
    await lab.guest('capped').command({ kind: 'spin', threads: 1 });
  });

  afterAll(async () => {
    await lab.close();
  });

  it('come from collectors that all succeed, without a series twice', async () => {
    await eventually('the exporter is connected', 60_000, async () => {
      return (await scrape(exporter)).value('kvm_libvirt_up') === 1;
    });
    const scraped = await scrape(exporter);
    const failed = scraped
      .all('kvm_scrape_collector_success')
      .filter(({ value }) => value !== 1)
      .map(({ labels }) => labels['collector']);
    // Not all kernels and machines have something to show for every collector of the host.
    const ofGuests = ['domain', 'balloon', 'block', 'nic', 'process', 'cgroup', 'image', 'pool'];
    expect(failed.filter((name) => ofGuests.includes(name ?? ''))).toEqual([]);
    expect(scraped.value('kvm_exporter_dropped_samples_total')).toBe(0);
    expect(exporter.process.output()).not.toContain('scrape failed');
  });

  it('name exactly the guests virsh lists, whatever is in a name, in both formats', async () => {
    const listed = (await lab.virsh('list', '--all', '--name')).split('\n').filter(Boolean);
    expect(listed).toContain(HOSTILE);
    for (const accept of ['text/plain;version=0.0.4', 'application/openmetrics-text']) {
      const answer = await get(`${exporter.url}/metrics`, { accept });
      const names = Exposition.parse(answer.body.toString())
        .all('kvm_domain_info')
        .map(({ labels }) => labels['domain']);
      expect(names.toSorted()).toEqual(listed.toSorted());
    }
  });

  it('identify a guest by uuid, persistence and autostart as virsh dominfo has them', async () => {
    const scraped = await scrape(exporter);
    for (const { name } of lab.guests) {
      const info = await domainInfo(lab, name);
      const { labels } = scraped.only('kvm_domain_info', { domain: name });
      expect(labels['uuid']).toBe(info.get('UUID'));
      expect(labels['persistent']).toBe(info.get('Persistent'));
      expect(labels['autostart']).toBe(info.get('Autostart') === 'enable' ? 'yes' : 'no');
      expect(labels['type']).toBe('qemu');
      expect(labels['machine']).toMatch(/^pc/);
      const vcpus = scraped.value('kvm_domain_vcpus', { domain: name });
      expect(String(vcpus)).toBe(info.get('CPU(s)'));
      const maximum = Number((await lab.virsh('vcpucount', name, '--maximum')).trim());
      expect(scraped.value('kvm_domain_vcpus_maximum', { domain: name })).toBe(maximum);
      const maximumKib = Number(info.get('Max memory')?.replace(' KiB', ''));
      expect(scraped.value('kvm_domain_memory_maximum_bytes', { domain: name })).toBe(
        maximumKib * KIB,
      );
    }
  });

  it('give each vCPU the run time and delay its thread has in schedstat', async () => {
    const vcpus = [
      ['capped', 0],
      ['capped', 1],
      ['twin-1', 0],
      ['rigid', 2],
    ] as const;
    const { before, scraped, after } = await bracket(exporter, () =>
      vcpus.map(([guest, vcpu]) => threadSchedule(lab.qemuPid(guest), `CPU ${vcpu}/TCG`)),
    );
    for (const [index, [domain, vcpu]] of vcpus.entries()) {
      const labels = { domain, vcpu: String(vcpu) };
      expectBetween(
        scraped.value('kvm_domain_vcpu_seconds_total', labels),
        before[index]?.runSeconds,
        after[index]?.runSeconds,
      );
      expectBetween(
        scraped.value('kvm_domain_vcpu_delay_seconds_total', labels),
        before[index]?.delaySeconds,
        after[index]?.delaySeconds,
      );
    }
    // A guest whose thread count differs from its promise would be miscounted: 2 of 4 are online.
    expect(scraped.all('kvm_domain_vcpu_seconds_total', { domain: 'capped' })).toHaveLength(2);
  });

  it('agree with libvirt about the delay of a busy vCPU', async () => {
    const { before, scraped, after } = await bracket(exporter, async () => {
      const stats = await domainStats(lab, 'capped', '--vcpu');
      return numberOf(stats, 'vcpu.0.delay') / 1e9;
    });
    const labels = { domain: 'capped', vcpu: '0' };
    const delay = scraped.value('kvm_domain_vcpu_delay_seconds_total', labels);
    expectBetween(delay, before, after);
    expect(delay).toBeGreaterThan(0);
  });

  it('give a guest the CPU time of its process', async () => {
    const pid = lab.qemuPid('capped');
    const { before, scraped, after } = await bracket(exporter, () => cpuSeconds(pid));
    for (const mode of ['user', 'system'] as const) {
      const seconds = scraped.value('kvm_domain_cpu_seconds_total', { domain: 'capped', mode });
      expectBetween(seconds, before[mode], after[mode]);
    }
    const cgroup = lab.guest('capped').cgroups();
    const usage = cgroup.get('cpuacct');
    if (usage === undefined) return;
    const used = await bracket(exporter, () => readNumber(join(usage, 'cpuacct.usage')) / 1e9);
    expectBetween(
      used.scraped.value('kvm_domain_cgroup_cpu_seconds_total', { domain: 'capped' }),
      used.before,
      used.after,
    );
  });

  it('tell the weight of a guest, its quota, and that it is throttled', async () => {
    const set = ['--live', '--set', 'vcpu_period=50000', '--set', 'vcpu_quota=5000'];
    await lab.virsh('schedinfo', 'capped', ...set);
    const directory = cpuCgroup(lab, 'capped');
    await eventually('vCPUs run into their quota', 60_000, () => {
      return throttling(directory).periods > 10;
    });
    const { before, scraped, after } = await bracket(exporter, () => throttling(directory));
    const labels = { domain: 'capped' };
    expectBetween(
      scraped.value('kvm_domain_cpu_throttled_periods_total', labels),
      before.periods,
      after.periods,
    );
    expectBetween(
      scraped.value('kvm_domain_cpu_throttled_seconds_total', labels),
      before.seconds,
      after.seconds,
    );
    // Two vCPUs of a tenth of a CPU each.
    expect(scraped.value('kvm_domain_cpu_quota_cpus', labels)).toBeCloseTo(0.2, 6);
    expect(scraped.has('kvm_domain_cpu_quota_cpus', { domain: 'twin-1' })).toBe(false);
    const schedule = await lab.virsh('schedinfo', 'capped');
    const shares = Number(/cpu_shares\s*:\s*(\d+)/.exec(schedule)?.[1]);
    const metric = scraped.has('kvm_domain_cpu_shares', labels)
      ? 'kvm_domain_cpu_shares'
      : 'kvm_domain_cpu_weight';
    expect(scraped.value(metric, labels)).toBe(shares);
    expect(shares).toBe(512);
    // Let it run freely again: it would take long to do what is asked of it later. It has spun enough.
    await lab.virsh('schedinfo', 'capped', '--live', '--set', 'vcpu_quota=-1');
    await lab.guest('capped').command({ kind: 'stop', what: 'spin' });
  });

  it('follow a balloon that shrinks a guest, and what the guest then says of its memory', async () => {
    await lab.virsh('setmem', 'shrunk', '128M', '--live');
    await eventually('the guest has given memory up', 180_000, async () => {
      return numberOf(await memoryStats(lab, 'shrunk'), 'actual') === 128 * KIB;
    });
    const fields = {
      actual: 'kvm_domain_balloon_current_bytes',
      available: 'kvm_domain_guest_memory_size_bytes',
      unused: 'kvm_domain_guest_memory_free_bytes',
      usable: 'kvm_domain_guest_memory_available_bytes',
      disk_caches: 'kvm_domain_guest_disk_caches_bytes',
      swap_in: 'kvm_domain_guest_swap_in_bytes_total',
      swap_out: 'kvm_domain_guest_swap_out_bytes_total',
    };
    const labels = { domain: 'shrunk' };
    // The exporter does not ask again within a period, so it may be one report behind virsh: none,
    // when virsh has the first.
    const lastUpdate = 'kvm_domain_balloon_last_update_timestamp_seconds';
    const { stats, scraped } = await eventually('both saw the same report', 180_000, async () => {
      const { before, scraped, after } = await bracket(exporter, () => memoryStats(lab, 'shrunk'));
      const updated = numberOf(before, 'last_update');
      return (
        updated === numberOf(after, 'last_update') &&
        // Its kernel takes the balloon off its total page by page.
        numberOf(before, 'available') < 128 * KIB &&
        scraped.has(lastUpdate, labels) &&
        updated === scraped.value(lastUpdate, labels) &&
        scraped.value('kvm_domain_balloon_current_bytes', labels) === 128 * MIB && {
          stats: before,
          scraped,
        }
      );
    });
    for (const [field, metric] of Object.entries(fields)) {
      expect([field, scraped.value(metric, labels)]).toEqual([field, numberOf(stats, field) * KIB]);
    }
    const faults = 'kvm_domain_guest_minor_faults_total';
    expect(scraped.value(faults, labels)).toBe(numberOf(stats, 'minor_fault'));
    expect(scraped.value('kvm_domain_balloon_target_bytes', labels)).toBe(128 * MIB);
    expect(scraped.value('kvm_domain_memory_maximum_bytes', labels)).toBe(192 * MIB);
    // 192 MiB less what the kernel keeps for itself and the 64 MiB in the balloon.
    const size = scraped.value('kvm_domain_guest_memory_size_bytes', labels);
    expect(size).toBeLessThan(128 * MIB);
    expect(size).toBeGreaterThan(48 * MIB);
  });

  it('show which guests are never asked for statistics, and which have no balloon', async () => {
    const scraped = await scrape(exporter);
    const period = 'kvm_domain_balloon_stats_period_seconds';
    const xml = await lab.virsh('dumpxml', 'shrunk');
    expect(xml).toContain("<stats period='3'/>");
    expect(scraped.value(period, { domain: 'shrunk' })).toBe(3);
    expect(scraped.has(period, { domain: 'silent' })).toBe(false);
    expect(scraped.has('kvm_domain_guest_memory_free_bytes', { domain: 'silent' })).toBe(false);
    expect(
      scraped.has('kvm_domain_balloon_last_update_timestamp_seconds', { domain: 'silent' }),
    ).toBe(false);
    const model = (domain: string) =>
      scraped.only('kvm_domain_balloon_info', { domain }).labels['model'];
    expect([model('silent'), model('rigid')]).toEqual(['virtio', 'none']);
    expect(scraped.has('kvm_domain_balloon_target_bytes', { domain: 'rigid' })).toBe(false);
  });

  it('tell shared from anonymous resident memory as /proc/<pid>/status does', async () => {
    const kinds = { anonymous: 'RssAnon', file: 'RssFile', shared: 'RssShmem' } as const;
    for (const domain of ['silent', 'rigid']) {
      const pid = lab.qemuPid(domain);
      const { reading, scraped } = await scrapeWhileSteady(exporter, () =>
        Object.entries(kinds).map(([kind, field]) => [kind, statusBytes(pid, field)] as const),
      );
      for (const [kind, bytes] of reading) {
        expect([kind, scraped.value('kvm_domain_resident_bytes', { domain, kind })]).toEqual([
          kind,
          bytes,
        ]);
      }
    }
    const scraped = await scrape(exporter);
    const backing = (domain: string) =>
      scraped.only('kvm_domain_memory_backing_info', { domain }).labels;
    // A memfd is out of reach for KSM.
    expect(backing('silent')).toMatchObject({ backing: 'shared', mergeable: 'no' });
    expect(backing('rigid')).toMatchObject({ backing: 'anonymous', balloonable: 'no' });
  });

  it('show for each guest what KSM has merged of it', async () => {
    lab.ksm({ run: 1, pages_to_scan: 20_000, sleep_millisecs: 20, smart_scan: 0 });
    const merging = (domain: string) =>
      readNumber(`/proc/${lab.qemuPid(domain)}/ksm_merging_pages`);
    const twins = ['twin-1', 'twin-2'];
    const wanted = ksmCounter('full_scans') + 3;
    const isMerged = (domain: string) => merging(domain) > (16 * MIB) / PAGE;
    // Three scans merge what stands still, as a rule, but have been seen to merge nothing.
    await eventually(
      'three full scans, and the twins are merged',
      180_000,
      () => ksmCounter('full_scans') >= wanted && twins.every(isMerged),
      () => `${twins.map(merging).join(', ')} pages after ${ksmCounter('full_scans')} scans`,
    );
    // Nothing is merged from here on; guests may still part pages by writing to them.
    lab.ksm({ run: 0 });
    for (const domain of twins) {
      const { before, scraped, after } = await bracket(exporter, () => merging(domain));
      expect(after).toBeGreaterThan((16 * MIB) / PAGE);
      expectBetween(
        scraped.value('kvm_domain_ksm_merging_bytes', { domain }),
        after * PAGE,
        before * PAGE,
      );
    }
    const host = await bracket(exporter, () => ksmCounter('pages_sharing') * PAGE);
    expectBetween(host.scraped.value('kvm_ksm_sharing_bytes'), host.after, host.before);
    const profit = await scrapeWhileSteady(exporter, () => {
      const text = readFileSync(`/proc/${lab.qemuPid('twin-1')}/ksm_stat`, 'utf8');
      return Number(/ksm_process_profit (-?\d+)/.exec(text)?.[1]);
    });
    expect(profit.scraped.value('kvm_domain_ksm_profit_bytes', { domain: 'twin-1' })).toBe(
      profit.reading,
    );
  });

  it('count what went through a disk as virsh domblkstat does', async () => {
    const guest = lab.guest(HOSTILE);
    await guest.command({ kind: 'write', disk: 'vda', mib: 8 });
    const { reading, scraped } = await scrapeWhileSteady(exporter, () =>
      blockStats(lab, HOSTILE, 'vda'),
    );
    const fields = {
      rd_bytes: 'read_bytes',
      rd_req: 'read_requests',
      wr_bytes: 'written_bytes',
      wr_req: 'write_requests',
      flush_operations: 'flush_requests',
    };
    const labels = { domain: HOSTILE, device: 'vda' };
    for (const [field, name] of Object.entries(fields)) {
      const value = scraped.value(`kvm_domain_disk_${name}_total`, labels);
      expect([field, value]).toEqual([field, numberOf(reading, field)]);
    }
    expect(numberOf(reading, 'wr_bytes')).toBe(8 * MIB);
    expect(scraped.value('kvm_domain_disk_write_seconds_total', labels)).toBeCloseTo(
      numberOf(reading, 'wr_total_times') / 1e9,
      9,
    );
    const sizes = await lab.virsh('domblkinfo', HOSTILE, 'vda');
    expect(scraped.value('kvm_domain_disk_capacity_bytes', labels)).toBe(
      Number(/Capacity:\s+(\d+)/.exec(sizes)?.[1]),
    );
    expect(scraped.only('kvm_domain_disk_info', labels).labels).toMatchObject({
      bus: 'virtio',
      format: 'qcow2',
      cache: 'none',
      readonly: 'no',
      source: guest.diskPaths[0],
    });
  });

  it('count what went through a NIC as virsh domifstat and ip do, seen from the guest', async () => {
    const guest = lab.guest(HOSTILE);
    const { peerAddress: peer } = lab.network;
    await guest.command({ kind: 'traffic', direction: 'rx', peer, kibPerSecond: 512 });
    await guest.command({ kind: 'traffic', direction: 'tx', peer, kibPerSecond: 512 });
    const received = async () =>
      numberOf(await interfaceStats(lab, HOSTILE, 'labtap0'), 'rx_bytes');
    await eventually('some traffic', 60_000, async () => (await received()) > 256 * KIB);
    await guest.command({ kind: 'stop', what: 'traffic' });

    const [first = '', second = ''] = await guest.taps();
    expect(first).toBe('labtap0');
    const { reading, scraped } = await scrapeWhileSteady(exporter, async () => ({
      virsh: await interfaceStats(lab, HOSTILE, first),
      other: await interfaceStats(lab, HOSTILE, second),
      ip: linkStats.parse(JSON.parse(await lab.ip('-j', '-s', 'link', 'show', 'dev', first))),
    }));
    const counted = (device: string, name: string) =>
      scraped.value(`kvm_domain_nic_${name}_total`, { domain: HOSTILE, device });
    for (const [direction, short] of [
      ['receive', 'rx'],
      ['transmit', 'tx'],
    ] as const) {
      for (const [name, field] of [
        ['bytes', 'bytes'],
        ['packets', 'packets'],
        ['errors', 'errs'],
        ['drops', 'drop'],
      ] as const) {
        const key = `${short}_${field}`;
        const value = counted(first, `${direction}_${name}`);
        expect([key, value]).toEqual([key, numberOf(reading.virsh, key)]);
        expect(counted(second, `${direction}_${name}`)).toBe(numberOf(reading.other, key));
      }
    }
    // What the tap of the host receives is what the guest sent.
    const tap = reading.ip[0]?.stats64;
    expect(counted(first, 'transmit_bytes')).toBe(tap?.rx.bytes);
    expect(counted(first, 'receive_packets')).toBe(tap?.tx.packets);
    expect(counted(first, 'receive_bytes')).toBeGreaterThan(256 * KIB);
  });

  it('describe NICs as virsh domiflist and domiftune do', async () => {
    const scraped = await scrape(exporter);
    const rows = (await lab.virsh('domiflist', HOSTILE)).trim().split('\n');
    expect(rows).toHaveLength(2);
    for (const row of rows) {
      const [device = '', type, source, model, mac] = row.trim().split(/\s+/);
      const { labels } = scraped.only('kvm_domain_nic_info', { domain: HOSTILE, device });
      expect(labels).toMatchObject({ type, source, model, mac });
    }
    const tune = await lab.virsh('domiftune', HOSTILE, 'labtap0');
    // libvirt hands the number to tc as kbps, which is 1000 bytes a second.
    const average = Number(/inbound\.average:\s*(\d+)/.exec(tune)?.[1]) * 1000;
    const limits = scraped.all('kvm_domain_nic_limit_bytes_per_second', { domain: HOSTILE });
    expect(
      limits.map(({ labels, value }) => [labels['device'], labels['direction'], value]),
    ).toEqual([['labtap0', 'inbound', average]]);
    expect(average).toBe(4_096_000);
  });

  it('show what of a guest has been swapped out, and the limit that did it', async () => {
    const pid = lab.qemuPid('shrunk');
    const labels = { domain: 'shrunk' };
    const swapped = () => statusBytes(pid, 'VmSwap');
    expect((await scrape(exporter)).value('kvm_domain_swap_bytes', labels)).toBe(swapped());
    const swapFile = await lab.swapFile(256);
    const limit = 64 * MIB;
    const lift = await lab.squeezeMemory('shrunk', limit);
    await eventually('something is swapped out', 60_000, () => swapped() > 4 * MIB);
    const { reading, scraped } = await scrapeWhileSteady(exporter, swapped);
    expect(scraped.value('kvm_domain_swap_bytes', labels)).toBe(reading);
    const legacy = lab.guest('shrunk').cgroups().has('memory');
    const metric = legacy ? 'limit' : 'high';
    // The exporter looks at limits twice a minute.
    await eventually('the limit shows', 45_000, async () => {
      const now = await scrape(exporter);
      const name = `kvm_domain_cgroup_memory_${metric}_bytes`;
      return now.has(name, labels) && now.value(name, labels) === limit;
    });
    expect(scraped.value('kvm_host_swap_area_size_bytes', { path: swapFile })).toBe(
      swapAreaBytes(swapFile),
    );
    lift();
  });

  it('say why a guest does not run, in the words of virsh domstate --reason', async () => {
    const filler = lab.guest('filler');
    await filler.waitForState('paused (I/O error)');
    lab.kill(lab.qemuPid('killed'));
    await lab.guest('killed').waitForState('shut off (crashed)');
    await lab.destroy('off');
    await lab.guest('off').waitForState('shut off (destroyed)');
    const words: Readonly<Record<string, readonly [string, string]>> = {
      'paused (I/O error)': ['paused', 'ioerror'],
      'shut off (crashed)': ['shutoff', 'crashed'],
      'shut off (destroyed)': ['shutoff', 'destroyed'],
      'running (booted)': ['running', 'booted'],
    };
    const scraped = await scrape(exporter);
    for (const guest of lab.guests) {
      const { labels } = scraped.only('kvm_domain_state', { domain: guest.name });
      expect([guest.name, labels['state'], labels['reason']]).toEqual([
        guest.name,
        ...(words[await guest.state()] ?? []),
      ]);
    }
    for (const [state, flag] of [
      ['running', '--state-running'],
      ['paused', '--state-paused'],
      ['shutoff', '--state-shutoff'],
    ] as const) {
      const listed = (await lab.virsh('list', flag, '--name')).split('\n').filter(Boolean);
      expect([state, scraped.value('kvm_domains', { state })]).toEqual([state, listed.length]);
    }
    // No process, so none of its values; but what was promised is still known.
    expect(scraped.has('kvm_domain_vcpu_seconds_total', { domain: 'killed' })).toBe(false);
    expect(scraped.has('kvm_domain_monitor_responsive', { domain: 'killed' })).toBe(false);
    expect(scraped.value('kvm_domain_memory_maximum_bytes', { domain: 'off' })).toBe(32 * MIB);
    // QEMU wrote what fits and no more.
    const written = numberOf(await blockStats(lab, 'filler', 'vda'), 'wr_bytes');
    const labels = { domain: 'filler', device: 'vda' };
    expect(scraped.value('kvm_domain_disk_written_bytes_total', labels)).toBe(written);
  });

  it('show storage pools as virsh pool-info does', async () => {
    const target = join(lab.directory.images, 'pool');
    await lab.virsh('pool-define-as', BUSY_POOL, 'dir', '--target', target);
    await lab.virsh('pool-build', BUSY_POOL);
    await lab.virsh('pool-start', BUSY_POOL);
    await lab.virsh('pool-define-as', 'idle', 'dir', '--target', `${target}-idle`);
    const scraped = await scrape(exporter);
    const info = await lab.virsh('pool-info', BUSY_POOL, '--bytes');
    const bytes = (field: string) => Number(new RegExp(`${field}:\\s+(\\d+)`).exec(info)?.[1]);
    const pool = { pool: BUSY_POOL };
    expect(scraped.value('kvm_pool_capacity_bytes', pool)).toBe(bytes('Capacity'));
    expect(scraped.value('kvm_pool_allocated_bytes', pool)).toBe(bytes('Allocation'));
    expect(scraped.value('kvm_pool_available_bytes', pool)).toBe(bytes('Available'));
    expect(scraped.only('kvm_pool_info', pool).labels).toMatchObject({
      uuid: (await lab.virsh('pool-uuid', BUSY_POOL)).trim(),
      type: 'dir',
      path: target,
    });
    expect(scraped.only('kvm_pool_state', pool).labels['state']).toBe('running');
    expect(scraped.only('kvm_pool_state', { pool: 'idle' }).labels['state']).toBe('inactive');
    expect(scraped.has('kvm_pool_capacity_bytes', { pool: 'idle' })).toBe(false);
  });

  it('follow a guest that is renamed, under its new name only', async () => {
    await lab.virsh('domrename', 'off', 'renamed');
    const scraped = await scrape(exporter);
    expect(scraped.has('kvm_domain_info', { domain: 'off' })).toBe(false);
    const uuid = (await lab.virsh('domuuid', 'renamed')).trim();
    expect(scraped.only('kvm_domain_info', { domain: 'renamed' }).labels['uuid']).toBe(uuid);
  });
});

const linkStats = z.array(
  z.object({
    stats64: z.object({
      rx: z.object({ bytes: z.number(), packets: z.number() }),
      tx: z.object({ bytes: z.number(), packets: z.number() }),
    }),
  }),
);

function expectBetween(value: number, low: number | undefined, high: number | undefined): void {
  // A reading in nanoseconds divided by a billion may differ in the last digit.
  expect(value).toBeGreaterThanOrEqual((low ?? NaN) - 1e-6);
  expect(value).toBeLessThanOrEqual((high ?? NaN) + 1e-6);
}

function cpuCgroup(lab: Lab, guest: string): string {
  const cgroups = lab.guest(guest).cgroups();
  const directory = cgroups.get('cpu') ?? cgroups.get('unified');
  if (directory === undefined) throw new Error(`${guest} has no cgroup`);
  return directory;
}

/** Sum of cpu.stat over a guest's group and all groups inside: each counts its own quota only. */
function throttling(directory: string): { readonly periods: number; readonly seconds: number } {
  const text = readFileSync(join(directory, 'cpu.stat'), 'utf8');
  const field = (name: string) => Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(text)?.[1] ?? 0);
  const inside = readdirSync(directory, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => throttling(join(directory, entry.name)));
  return {
    periods: inside.reduce((sum, one) => sum + one.periods, field('nr_throttled')),
    seconds: inside.reduce(
      (sum, one) => sum + one.seconds,
      field('throttled_time') / 1e9 + field('throttled_usec') / 1e6,
    ),
  };
}

function swapAreaBytes(path: string): number {
  const line = readFileSync('/proc/swaps', 'utf8')
    .split('\n')
    .find((one) => one.startsWith(`${path} `) || one.startsWith(`${path}\t`));
  return Number(line?.split(/\s+/)[2]) * KIB;
}

function readNumber(path: string): number {
  return Number(readFileSync(path, 'utf8').trim());
}
