import { LIMITS } from '../../src/config/policy-defaults.ts';

/**
 * A made-up fleet as OpenMetrics text: every series the rules read, of hosts that are over-committed
 * and mostly well, so that as few alerts are active as on a fleet that is looked after.
 */
export interface FleetSize {
  readonly hosts: number;
  readonly guestsPerHost: number;
}

export interface Series {
  readonly name: string;
  /** `{job="kvm",…}` */
  readonly labels: string;
  /** Value at a time in seconds. */
  readonly valueAt: (seconds: number) => number;
}

const GIB = 2 ** 30;
const VCPUS_PER_GUEST = 4;
const CPUS_PER_HOST = 96;

type Labels = Readonly<Record<string, string>>;

/** All series of a fleet, host by host. */
export function* fleetSeries({ hosts, guestsPerHost }: FleetSize): Generator<Series> {
  for (let host = 0; host < hosts; host += 1) {
    const instance = `hypervisor${host}:9100`;
    yield* new HostSeries(instance, host).all(guestsPerHost);
  }
}

class HostSeries {
  readonly #instance: string;
  readonly #host: number;

  constructor(instance: string, host: number) {
    this.#instance = instance;
    this.#host = host;
  }

  *all(guests: number): Generator<Series> {
    yield* this.#policy();
    yield* this.#target();
    yield* this.#cpu(guests);
    yield* this.#memory(guests);
    yield* this.#storage(guests);
    yield* this.#network(guests);
    for (let guest = 0; guest < guests; guest += 1) yield* this.#guest(guest);
  }

  *#policy(): Generator<Series> {
    for (const { resource, name, warning, critical } of LIMITS) {
      for (const [severity, limit] of Object.entries({ warning, critical })) {
        if (limit !== undefined)
          yield this.#gauge(`kvm_policy_${resource}_${name}`, limit, { severity });
      }
    }
  }

  *#target(): Generator<Series> {
    yield this.#gauge('up', 1);
    yield this.#gauge('scrape_duration_seconds', 0.4);
    yield this.#gauge('kvm_exporter_build_info', 1, { version: '0.1.0', nodeversion: 'v26' });
    yield this.#gauge('kvm_libvirt_up', 1);
    yield this.#gauge('kvm_policy_last_reload_successful', 1);
    for (const collector of ['guests', 'host', 'storage', 'network', 'pools', 'thin']) {
      yield this.#gauge('kvm_scrape_collector_success', 1, { collector });
      yield this.#gauge('kvm_scrape_collector_duration_seconds', 0.1, { collector });
    }
    for (const state of ['running', 'paused', 'shutoff', 'crashed', 'blocked', 'nostate']) {
      yield this.#gauge('kvm_domains', state === 'running' ? 40 : 0, { state });
    }
  }

  *#cpu(guests: number): Generator<Series> {
    const vcpus = guests * VCPUS_PER_GUEST;
    yield this.#gauge('kvm_cpu_promised_vcpus', vcpus);
    yield this.#gauge('kvm_cpu_promised_maximum_vcpus', vcpus * 2);
    yield this.#gauge('kvm_cpu_capacity_cpus', CPUS_PER_HOST);
    yield this.#gauge('kvm_cpu_capacity_cores', CPUS_PER_HOST / 2);
    yield this.#gauge('kvm_cpu_vcpus_without_online_cpu', 0);
    yield this.#gauge('kvm_host_online_cpus', CPUS_PER_HOST);
    yield this.#gauge('kvm_host_load1', CPUS_PER_HOST / 2);
    for (const node of ['0', '1']) {
      yield this.#gauge('kvm_cpu_node_promised_vcpus', vcpus / 2, { node });
      yield this.#gauge('kvm_cpu_node_capacity_cpus', CPUS_PER_HOST / 2, { node });
    }
    for (const cpuset of ['0-47', '48-95']) {
      yield this.#gauge('kvm_cpu_set_promised_vcpus', vcpus / 2, { cpuset });
      yield this.#gauge('kvm_cpu_set_capacity_cpus', CPUS_PER_HOST / 2, { cpuset });
    }
    for (const mode of [
      'user',
      'nice',
      'system',
      'idle',
      'iowait',
      'irq',
      'softirq',
      'steal',
      'guest',
    ]) {
      yield this.#counter('kvm_host_cpu_seconds_total', mode === 'steal' ? 0 : 10, { mode });
    }
    for (const resource of ['cpu', 'memory', 'io']) {
      yield this.#counter('kvm_host_pressure_waiting_seconds_total', 0.05, { resource });
      if (resource !== 'cpu') {
        yield this.#counter('kvm_host_pressure_stalled_seconds_total', 0.01, { resource });
      }
    }
    for (const phase of ['added', 'after_reboot']) {
      for (const set of ['autostart', 'all']) {
        yield this.#gauge('kvm_boot_storm_vcpus', 8, { set, phase });
        yield this.#gauge('kvm_boot_storm_memory_bytes', 8 * GIB, { set, phase });
      }
    }
    for (const thread of ['ksmd', 'kswapd', 'kcompactd', 'khugepaged']) {
      yield this.#counter('kvm_host_kernel_thread_cpu_seconds_total', 0.1, { thread });
    }
  }

  *#memory(guests: number): Generator<Series> {
    const memoryClasses = ['anonymous', 'shared', 'hugepages', 'locked'];
    for (const memoryClass of memoryClasses) {
      yield this.#gauge('kvm_memory_promised_bytes', guests * GIB, { class: memoryClass });
      yield this.#gauge('kvm_memory_promised_maximum_bytes', guests * GIB, { class: memoryClass });
    }
    const gauges: Readonly<Record<string, number>> = {
      kvm_memory_capacity_bytes: guests * 4 * GIB,
      kvm_memory_exposure_bytes: guests * GIB,
      kvm_memory_exposure_maximum_bytes: guests * GIB,
      kvm_memory_supply_bytes: guests * 2 * GIB,
      kvm_memory_ksm_unmerge_bytes: 8 * GIB,
      kvm_host_memory_available_bytes: guests * 2 * GIB,
      kvm_host_memory_size_bytes: guests * 5 * GIB,
      kvm_host_memory_corrupted_bytes: 0,
      kvm_host_swap_size_bytes: 64 * GIB,
      kvm_host_swap_free_bytes: 48 * GIB,
      kvm_ksm_profit_bytes: 8 * GIB,
      kvm_ksm_saved_bytes: 8 * GIB,
      kvm_ksm_sharing_bytes: 8 * GIB,
      kvm_ksm_shared_bytes: GIB,
    };
    for (const [name, value] of Object.entries(gauges)) yield this.#gauge(name, value);
    const counters: Readonly<Record<string, number>> = {
      kvm_host_swap_in_bytes_total: 4096,
      kvm_host_swap_out_bytes_total: 8192,
      kvm_host_zswap_in_bytes_total: 0,
      kvm_host_zswap_out_bytes_total: 0,
      kvm_host_major_page_faults_total: 5,
      kvm_host_oom_kills_total: 0,
      kvm_host_thp_splits_total: 1,
      kvm_host_thp_deferred_splits_total: 1,
      kvm_ksm_scanned_bytes_total: 4096 * 1000,
      kvm_ksm_copied_on_write_bytes_total: 4096,
    };
    for (const [name, perSecond] of Object.entries(counters)) yield this.#counter(name, perSecond);
    for (const zone of ['dma', 'dma32', 'normal', 'movable', 'device']) {
      yield this.#counter('kvm_host_allocation_stalls_total', 0, { zone });
    }
    for (const by of ['kswapd', 'direct', 'khugepaged', 'proactive']) {
      yield this.#counter('kvm_host_reclaim_scanned_bytes_total', 8192, { by });
      yield this.#counter('kvm_host_reclaim_freed_bytes_total', 4096, { by });
    }
    for (const page_size of ['2097152', '1073741824']) {
      yield this.#gauge('kvm_hugepages_promised_bytes', 16 * GIB, { page_size });
      yield this.#gauge('kvm_hugepages_capacity_bytes', 32 * GIB, { page_size });
    }
  }

  *#storage(guests: number): Generator<Series> {
    yield this.#gauge('kvm_storage_promised_bytes', guests * 200 * GIB);
    yield this.#gauge('kvm_storage_allocated_bytes', guests * 40 * GIB);
    yield this.#gauge('kvm_storage_shortfall_bytes', 0);
    for (const mountpoint of ['/var/lib/libvirt/images', '/srv/images']) {
      const size = guests * 120 * GIB;
      const gauges: Readonly<Record<string, number>> = {
        size_bytes: size,
        promised_bytes: guests * 100 * GIB,
        claimable_bytes: guests * 50 * GIB,
        files: 1e8,
        files_free: 9e7,
        readonly: 0,
        responsive: 1,
      };
      for (const [name, value] of Object.entries(gauges)) {
        yield this.#gauge(`kvm_filesystem_${name}`, value, { mountpoint });
      }
      yield this.#falling('kvm_filesystem_avail_bytes', size * 0.6, 1e5, { mountpoint });
      yield this.#gauge('kvm_filesystem_info', 1, {
        mountpoint,
        device: '/dev/sda1',
        fstype: 'xfs',
        source: '/dev/sda1',
        network: 'no',
        shared_extents: 'possible',
        compression: 'never',
      });
    }
    const pool = { vg: 'vg0', pool: 'thin' };
    const thin: Readonly<Record<string, number>> = {
      size_bytes: 1000 * GIB,
      data_used_bytes: 400 * GIB,
      metadata_size_bytes: GIB,
      metadata_used_bytes: GIB / 4,
      needs_check: 0,
      claimable_bytes: 100 * GIB,
    };
    for (const [name, value] of Object.entries(thin)) {
      yield this.#gauge(`kvm_thin_pool_${name}`, value, pool);
    }
    yield this.#gauge('kvm_thin_pool_state', 1, { ...pool, state: 'rw' });
    for (const name of ['default', 'isos']) {
      yield this.#gauge('kvm_pool_allocated_bytes', 400 * GIB, { pool: name });
      yield this.#gauge('kvm_pool_capacity_bytes', 1000 * GIB, { pool: name });
      yield this.#gauge('kvm_pool_state', 1, { pool: name, state: 'running' });
    }
  }

  *#network(guests: number): Generator<Series> {
    yield this.#gauge('kvm_network_nics_without_uplink', 0);
    for (const device of ['bond0', 'eno3']) {
      yield this.#gauge('kvm_uplink_up', 1, { device });
      yield this.#gauge('kvm_uplink_nics', guests * 2, { device });
      yield this.#gauge('kvm_uplink_speed_bytes_per_second', 3.125e9, { device });
      yield this.#gauge('kvm_uplink_guaranteed_bytes_per_second', 1e9, { device });
      for (const direction of ['inbound', 'outbound']) {
        yield this.#gauge('kvm_uplink_promised_bytes_per_second', 1e10, { device, direction });
      }
      for (const direction of ['receive', 'transmit']) {
        yield this.#counter(`kvm_uplink_${direction}_bytes_total`, 1e8, { device });
        yield this.#counter(`kvm_uplink_${direction}_packets_total`, 1e5, { device });
        yield this.#counter(`kvm_uplink_${direction}_errors_total`, 0, { device });
      }
    }
  }

  *#guest(guest: number): Generator<Series> {
    const domain = { domain: `guest-${this.#host}-${guest}` };
    // One guest in a hundred waits for CPUs: alerts cost too, but they are not the rule.
    const starves = (this.#host * 40 + guest) % 100 === 0;
    yield this.#gauge('kvm_domain_state', 1, { ...domain, state: 'running', reason: 'booted' });
    yield this.#gauge('kvm_domain_info', 1, {
      ...domain,
      uuid: `00000000-0000-4000-8000-${String(this.#host * 1000 + guest).padStart(12, '0')}`,
      type: 'kvm',
      os_type: 'hvm',
      arch: 'x86_64',
      machine: 'pc-q35-7.2',
      persistent: 'yes',
      autostart: 'yes',
    });
    for (let vcpu = 0; vcpu < VCPUS_PER_GUEST; vcpu += 1) {
      const waits = starves ? 0.08 : 0.005;
      yield this.#counter('kvm_domain_vcpu_delay_seconds_total', waits, {
        ...domain,
        vcpu: String(vcpu),
      });
    }
    for (const mode of ['user', 'system']) {
      yield this.#counter('kvm_domain_cpu_seconds_total', 0.5, { ...domain, mode });
    }
    const gauges: Readonly<Record<string, number>> = {
      vcpus: VCPUS_PER_GUEST,
      cpu_allowed_cpus: CPUS_PER_HOST,
      cpu_guaranteed_cpus: 2,
      start_time_seconds: 1.7e9,
      monitor_responsive: 1,
      memory_maximum_bytes: 4 * GIB,
      balloon_current_bytes: 4 * GIB,
      balloon_target_bytes: 4 * GIB,
      balloon_stats_period_seconds: 60,
      guest_memory_available_bytes: 2 * GIB,
      guest_memory_size_bytes: 4 * GIB,
      memory_claimable_bytes: GIB + guest,
      swap_bytes: guest * 1024,
      ksm_merging_bytes: GIB / 4,
      ksm_rmap_items: 1e5,
    };
    for (const [name, value] of Object.entries(gauges)) {
      yield this.#gauge(`kvm_domain_${name}`, value, domain);
    }
    yield this.#now('kvm_domain_balloon_last_update_timestamp_seconds', domain);
    for (const kind of ['anonymous', 'file', 'shared']) {
      yield this.#gauge('kvm_domain_resident_bytes', GIB, { ...domain, kind });
    }
    const counters: Readonly<Record<string, number>> = {
      cpu_periods_total: 10,
      cpu_throttled_periods_total: 0,
      cpu_throttled_seconds_total: 0,
      guest_major_faults_total: 1,
      guest_swap_in_bytes_total: 0,
      guest_swap_out_bytes_total: 0,
    };
    for (const [name, perSecond] of Object.entries(counters)) {
      yield this.#counter(`kvm_domain_${name}`, perSecond, domain);
    }
    yield this.#gauge('kvm_domain_memory_backing_info', 1, {
      ...domain,
      backing: 'anonymous',
      mergeable: 'yes',
      swappable: 'yes',
      balloonable: 'yes',
    });
    yield* this.#guestDisks(guest, domain);
    yield* this.#guestNics(guest, domain);
  }

  *#guestDisks(guest: number, domain: Labels): Generator<Series> {
    const mountpoint = '/var/lib/libvirt/images';
    yield this.#gauge('kvm_domain_storage_promised_bytes', 100 * GIB, { ...domain, mountpoint });
    yield this.#gauge('kvm_domain_storage_claimable_bytes', 50 * GIB + guest, {
      ...domain,
      mountpoint,
    });
    for (const device of ['vda', 'vdb']) {
      const disk = { ...domain, device };
      yield this.#counter('kvm_domain_disk_written_bytes_total', 1e6 + guest, disk);
      yield this.#counter('kvm_domain_disk_read_bytes_total', 1e6, disk);
      yield this.#counter('kvm_domain_disk_write_requests_total', 100, disk);
      yield this.#counter('kvm_domain_disk_write_seconds_total', 0.1, disk);
      const path = `/var/lib/libvirt/images/${domain['domain'] ?? ''}-${device}.qcow2`;
      yield this.#gauge('kvm_domain_disk_image_info', 1, {
        ...disk,
        path,
        depth: '0',
        role: 'active',
      });
      yield this.#gauge('kvm_image_allocated_bytes', 20 * GIB, { path });
      yield this.#gauge('kvm_image_worst_case_bytes', 50 * GIB, { path });
      yield this.#gauge('kvm_image_corrupt', 0, { path });
      yield this.#gauge('kvm_image_readable', 1, { path });
      yield this.#gauge('kvm_image_snapshots', 0, { path });
    }
  }

  *#guestNics(guest: number, domain: Labels): Generator<Series> {
    for (const index of [0, 1]) {
      const device = `vnet${guest * 2 + index}`;
      yield this.#gauge('kvm_domain_nic_uplink_info', 1, {
        ...domain,
        device,
        bridge: 'br0',
        uplink: 'bond0',
      });
      for (const direction of ['receive', 'transmit']) {
        const nic = { ...domain, device };
        yield this.#counter(`kvm_domain_nic_${direction}_bytes_total`, 1e5 + guest, nic);
        yield this.#counter(`kvm_domain_nic_${direction}_packets_total`, 100, nic);
        yield this.#counter(`kvm_domain_nic_${direction}_drops_total`, 0, nic);
      }
    }
  }

  #gauge(name: string, value: number, labels: Labels = {}): Series {
    return { name, labels: this.#text(labels), valueAt: () => value };
  }

  #counter(name: string, perSecond: number, labels: Labels = {}): Series {
    return { name, labels: this.#text(labels), valueAt: (seconds) => perSecond * (seconds % 1e7) };
  }

  #falling(name: string, from: number, perSecond: number, labels: Labels): Series {
    return {
      name,
      labels: this.#text(labels),
      valueAt: (seconds) => from - perSecond * (seconds % 86_400),
    };
  }

  #now(name: string, labels: Labels): Series {
    return { name, labels: this.#text(labels), valueAt: (seconds) => seconds };
  }

  #text(labels: Labels): string {
    const pairs = Object.entries({ job: 'kvm', instance: this.#instance, ...labels });
    return `{${pairs.map(([name, value]) => `${name}="${value}"`).join(',')}}`;
  }
}
