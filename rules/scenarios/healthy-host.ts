import { MadeUpHost, type At, type Labels } from './host.ts';

export const GIB = 2 ** 30;
export const TIB = 2 ** 40;
export const IMAGES: Labels = { mountpoint: '/var/lib/libvirt/images' };
export const UPLINK: Labels = { device: 'bond0' };
/** 10 Gbit/s in bytes per second. */
export const UPLINK_SPEED = 1.25e9;

export interface Shape {
  /** Guests; the first ones are what a scenario is about. */
  readonly guests?: readonly string[];
  readonly vcpus?: number;
  /** Memory of each guest, and the part of it that is resident, in GiB. */
  readonly guestMemory?: number;
  readonly guestResident?: number;
  readonly cpus?: number;
  /** Memory of the host and what is available of it, in GiB. */
  readonly memory?: number;
  readonly available?: number;
  readonly target?: Labels;
}

/**
 * A host on which all is well: 64 CPUs, 256 GiB, two guests with 8 vCPUs and 32 GiB, a filesystem
 * of 1 TiB with 60 % free, one uplink of 10 Gbit/s.
 *
 * @param size so many times the guests of the shape; those added are as calm as a guest can be.
 */
export function healthyHost(instance: string, size: number, shape: Shape = {}): MadeUpHost {
  const {
    guests: first = ['g1', 'g2'],
    vcpus = 8,
    guestMemory = 32,
    guestResident = guestMemory * 0.9,
    cpus = 64,
    memory = 256,
    available = 150,
    target = {},
  } = shape;
  const host = new MadeUpHost(instance, target);
  const promised = guestMemory * first.length * GIB;
  const claimable = (guestMemory - guestResident) * first.length * GIB;
  exporter(host);
  cpu(host, cpus, vcpus * first.length);
  hostMemory(host, memory, available);
  memoryPromise(host, promised, claimable, (memory - 0.5) * GIB, (available + 8) * GIB);
  storage(host);
  network(host, first.length);
  // Guests that were added hold next to nothing: the sums above are still right.
  const calm = Array.from({ length: first.length * (size - 1) }, (_one, index) => `calm${index}`);
  for (const [index, domain] of first.entries()) {
    guest(host, domain, index, { vcpus, guestMemory, guestResident, cpus });
  }
  for (const [index, domain] of calm.entries()) {
    const tiny = { vcpus: 1, guestMemory: 0.001, guestResident: 0.001, cpus };
    guest(host, domain, first.length + index, tiny);
  }
  host.gauge('kvm_domains', first.length + calm.length, { state: 'running' });
  return host;
}

function exporter(host: MadeUpHost): void {
  host
    .gauge('up', 1)
    .gauge('scrape_duration_seconds', 0.2)
    .gauge('kvm_exporter_build_info', 1, { version: '1', nodeversion: 'v26' })
    .gauge('kvm_libvirt_up', 1)
    .gauge('kvm_thin_pools_unwatched', 0);
}

function cpu(host: MadeUpHost, cpus: number, promised: number): void {
  host
    .gauge('kvm_host_online_cpus', cpus)
    .gauge('kvm_cpu_capacity_cpus', cpus)
    .gauge('kvm_cpu_capacity_cores', cpus / 2)
    .gauge('kvm_cpu_promised_vcpus', promised)
    .gauge('kvm_cpu_promised_maximum_vcpus', promised)
    .gauge('kvm_boot_storm_vcpus', 0, { set: 'autostart', phase: 'added' })
    .gauge('kvm_boot_storm_memory_bytes', 0, { set: 'autostart', phase: 'added' })
    .gauge('kvm_host_load1', cpus * 0.2)
    .counter('kvm_host_cpu_seconds_total', cpus * 0.8, { mode: 'idle' })
    .counter('kvm_host_cpu_seconds_total', cpus * 0.2, { mode: 'user' })
    .counter('kvm_host_cpu_seconds_total', 0, { mode: 'steal' });
  waiting(host, 'cpu', 0.1);
}

function hostMemory(host: MadeUpHost, size: number, available: number): void {
  host
    .gauge('kvm_host_memory_size_bytes', size * GIB)
    .gauge('kvm_host_memory_available_bytes', available * GIB)
    .gauge('kvm_host_swap_size_bytes', 8 * GIB)
    .gauge('kvm_host_swap_free_bytes', 8 * GIB)
    .counter('kvm_host_swap_in_bytes_total', 0)
    .counter('kvm_host_swap_out_bytes_total', 0)
    .counter('kvm_host_major_page_faults_total', 1)
    .counter('kvm_host_oom_kills_total', 0)
    .gauge('kvm_host_memory_corrupted_bytes', 0);
  for (const zone of ['normal', 'dma32'])
    host.counter('kvm_host_allocation_stalls_total', 0, { zone });
  waiting(host, 'memory', 0);
  waiting(host, 'io', 0.05);
  stalled(host, 'memory', 0);
  stalled(host, 'io', 0);
}

/** Share of time some task waits for a resource (PSI some), and all of them do (PSI full). */
export function waiting(host: MadeUpHost, resource: string, share: number | Rate): MadeUpHost {
  return host.counter('kvm_host_pressure_waiting_seconds_total', share, { resource });
}

export function stalled(host: MadeUpHost, resource: string, share: number | Rate): MadeUpHost {
  return host.counter('kvm_host_pressure_stalled_seconds_total', share, { resource });
}

type Rate = (seconds: number) => number;

/** What all guests are promised and can still claim, and the supply, in bytes. */
export function memoryPromise(
  host: MadeUpHost,
  promised: number,
  exposure: number,
  capacity: number,
  supply: number,
): MadeUpHost {
  for (const kind of ['anonymous', 'locked', 'shared', 'hugepages']) {
    const bytes = kind === 'anonymous' ? promised : 0;
    host
      .gauge('kvm_memory_promised_bytes', bytes, { class: kind })
      .gauge('kvm_memory_promised_maximum_bytes', bytes, { class: kind });
  }
  return host
    .gauge('kvm_memory_exposure_bytes', exposure)
    .gauge('kvm_memory_exposure_maximum_bytes', exposure)
    .gauge('kvm_memory_capacity_bytes', capacity)
    .gauge('kvm_memory_supply_bytes', supply);
}

function storage(host: MadeUpHost): void {
  const info = { device: '8:1', fstype: 'xfs', source: '/dev/sda1', network: 'no' };
  host
    .gauge('kvm_filesystem_info', 1, {
      ...IMAGES,
      ...info,
      shared_extents: 'possible',
      compression: 'never',
    })
    .gauge('kvm_filesystem_size_bytes', TIB, IMAGES)
    .gauge('kvm_filesystem_avail_bytes', 0.6 * TIB, IMAGES)
    .gauge('kvm_filesystem_promised_bytes', 0.5 * TIB, IMAGES)
    .gauge('kvm_filesystem_claimable_bytes', 0.1 * TIB, IMAGES)
    .gauge('kvm_filesystem_files', 1e8, IMAGES)
    .gauge('kvm_filesystem_files_free', 9e7, IMAGES)
    .gauge('kvm_filesystem_responsive', 1, IMAGES)
    .gauge('kvm_filesystem_readonly', 0, IMAGES)
    .gauge('kvm_storage_promised_bytes', 0.5 * TIB)
    .gauge('kvm_storage_allocated_bytes', 0.4 * TIB)
    .gauge('kvm_storage_shortfall_bytes', 0);
}

type During = (seconds: number) => boolean;

const ALWAYS: During = () => true;

function whenever(during: During, value: number): At {
  return (seconds) => (during(seconds) ? value : undefined);
}

/**
 * An image of a guest on a filesystem, and by how many bytes it may still grow.
 *
 * @param known when the exporter can tell: not while the filesystem does not answer.
 */
export function imageOn(
  host: MadeUpHost,
  domain: string,
  { mountpoint = '' }: Labels,
  claimable: number,
  known = ALWAYS,
): MadeUpHost {
  const labels = { domain, mountpoint };
  return host
    .gauge('kvm_domain_storage_promised_bytes', whenever(known, 0.25 * TIB), labels)
    .gauge('kvm_domain_storage_claimable_bytes', whenever(known, claimable), labels);
}

/** A filesystem besides that of the images, half full, whose images want a little more. */
export function filesystem(host: MadeUpHost, labels: Labels, answers = ALWAYS): MadeUpHost {
  return host
    .gauge('kvm_filesystem_responsive', (seconds) => (answers(seconds) ? 1 : 0), labels)
    .gauge('kvm_filesystem_readonly', 0, labels)
    .gauge('kvm_filesystem_size_bytes', whenever(answers, TIB), labels)
    .gauge('kvm_filesystem_avail_bytes', whenever(answers, 0.5 * TIB), labels)
    .gauge('kvm_filesystem_promised_bytes', whenever(answers, 0.5 * TIB), labels)
    .gauge('kvm_filesystem_claimable_bytes', whenever(answers, 0.1 * TIB), labels);
}

/** A guest that QEMU pauses because a write failed. */
export function pausedOnIoError(host: MadeUpHost, domain: string, from: number): MadeUpHost {
  host.without('kvm_domain_state', { domain });
  running(host, domain, (seconds) => seconds < from);
  return inState(host, domain, 'paused', 'ioerror', (seconds) => seconds >= from);
}

function network(host: MadeUpHost, nics: number): void {
  host
    .gauge('kvm_uplink_up', 1, UPLINK)
    .gauge('kvm_uplink_speed_bytes_per_second', UPLINK_SPEED, UPLINK)
    .gauge('kvm_uplink_nics', nics, UPLINK)
    .gauge('kvm_network_nics_without_uplink', 0);
  for (const direction of ['receive', 'transmit']) {
    host
      .counter(`kvm_uplink_${direction}_bytes_total`, 1e8, UPLINK)
      .counter(`kvm_uplink_${direction}_packets_total`, 1e5, UPLINK)
      .counter(`kvm_uplink_${direction}_errors_total`, 0, UPLINK)
      .counter(`kvm_uplink_${direction}_drops_total`, 0, UPLINK);
  }
}

interface GuestShape {
  readonly vcpus: number;
  readonly guestMemory: number;
  readonly guestResident: number;
  readonly cpus: number;
}

function guest(host: MadeUpHost, domain: string, index: number, shape: GuestShape): void {
  const memory = shape.guestMemory * GIB;
  const resident = shape.guestResident * GIB;
  running(host, domain);
  host
    .gauge('kvm_domain_info', 1, {
      domain,
      uuid: `00000000-0000-4000-8000-${String(index).padStart(12, '0')}`,
      type: 'kvm',
      os_type: 'hvm',
      arch: 'x86_64',
      machine: 'pc-q35-7.2',
      persistent: 'yes',
      autostart: 'no',
      source: 'libvirt',
    })
    .gauge('kvm_domain_monitor_responsive', 1, { domain })
    .gauge('kvm_domain_age_seconds', (seconds) => 1e6 + seconds, { domain })
    .gauge('kvm_domain_vcpus', shape.vcpus, { domain })
    .gauge('kvm_domain_cpu_allowed_cpus', shape.cpus, { domain })
    .gauge('kvm_domain_cpu_guaranteed_cpus', shape.vcpus, { domain })
    .counter('kvm_domain_cpu_seconds_total', shape.vcpus * 0.2, { domain, mode: 'user' })
    .gauge('kvm_domain_memory_maximum_bytes', memory, { domain })
    .gauge('kvm_domain_balloon_current_bytes', memory, { domain })
    .gauge('kvm_domain_balloon_target_bytes', memory, { domain })
    .gauge('kvm_domain_resident_bytes', resident, { domain, kind: 'anonymous' })
    .gauge('kvm_domain_swap_bytes', 0, { domain })
    .gauge('kvm_domain_memory_claimable_bytes', memory - resident, { domain })
    .gauge('kvm_domain_memory_backing_info', 1, {
      domain,
      backing: 'anonymous',
      mergeable: 'yes',
      swappable: 'yes',
      balloonable: 'yes',
    });
  for (let vcpu = 0; vcpu < shape.vcpus; vcpu += 1) vcpuDelay(host, domain, vcpu, 0.01);
  balloonStatistics(host, domain, memory, memory / 2);
  guestNic(host, domain, `vnet${index}`);
}

/** The driver of the guest says what it has, 5 s before each scrape. */
export function balloonStatistics(
  host: MadeUpHost,
  domain: string,
  size: number,
  available: number,
): MadeUpHost {
  host
    .gauge('kvm_domain_balloon_stats_period_seconds', 60, { domain })
    .gauge('kvm_domain_balloon_last_update_timestamp_seconds', (seconds) => seconds - 5, { domain })
    .gauge('kvm_domain_balloon_stats_age_seconds', 5, { domain })
    .gauge('kvm_domain_guest_memory_size_bytes', size, { domain })
    .gauge('kvm_domain_guest_memory_available_bytes', available, { domain });
  for (const what of ['swap_in_bytes', 'swap_out_bytes', 'major_faults']) {
    host.counter(`kvm_domain_guest_${what}_total`, 0, { domain });
  }
  return host;
}

export function withoutBalloonStatistics(host: MadeUpHost, domain: string): MadeUpHost {
  for (const name of [
    'kvm_domain_balloon_last_update_timestamp_seconds',
    'kvm_domain_balloon_stats_age_seconds',
    'kvm_domain_guest_memory_size_bytes',
    'kvm_domain_guest_memory_available_bytes',
    'kvm_domain_guest_swap_in_bytes_total',
    'kvm_domain_guest_swap_out_bytes_total',
    'kvm_domain_guest_major_faults_total',
  ]) {
    host.without(name, { domain });
  }
  return host;
}

/** Share of time a vCPU is ready to run and does not. */
export function vcpuDelay(
  host: MadeUpHost,
  domain: string,
  vcpu: number,
  share: number | Rate,
): MadeUpHost {
  return host.counter('kvm_domain_vcpu_delay_seconds_total', share, { domain, vcpu: String(vcpu) });
}

function guestNic(host: MadeUpHost, domain: string, device: string): void {
  host.gauge('kvm_domain_nic_uplink_info', 1, { domain, device, bridge: 'br0', uplink: 'bond0' });
  for (const direction of ['receive', 'transmit']) {
    host
      .counter(`kvm_domain_nic_${direction}_bytes_total`, 1e6, { domain, device })
      .counter(`kvm_domain_nic_${direction}_packets_total`, 1e3, { domain, device })
      .counter(`kvm_domain_nic_${direction}_drops_total`, 0, { domain, device });
  }
}

export function running(
  host: MadeUpHost,
  domain: string,
  during: (seconds: number) => boolean = () => true,
): MadeUpHost {
  return inState(host, domain, 'running', 'booted', during);
}

/** @param during when the guest is in that state; it is in none of which nothing is said. */
export function inState(
  host: MadeUpHost,
  domain: string,
  state: string,
  reason: string,
  during: (seconds: number) => boolean = () => true,
): MadeUpHost {
  return host.gauge('kvm_domain_state', (seconds) => (during(seconds) ? 1 : undefined), {
    domain,
    state,
    reason,
  });
}
