import type { Domain } from '../model/domain.ts';
import type { Disk, DomainConfig, Interface } from '../model/domain-config.ts';

/** A guest of which nothing is known but who it is: where libvirt is not, most of a guest is unsaid. */
export function bareConfig(name: string, uuid: string, type: string): DomainConfig {
  const noLimit = { periodMicroseconds: undefined, quotaMicroseconds: undefined };
  return {
    name,
    uuid,
    type,
    os: { type: undefined, arch: undefined, machine: undefined },
    memory: {
      maximumBytes: undefined,
      currentBytes: undefined,
      hotplug: undefined,
      backing: {
        hugepages: undefined,
        noSharePages: false,
        locked: false,
        source: undefined,
        access: undefined,
        allocation: undefined,
        discard: false,
      },
      hardLimitBytes: undefined,
      softLimitBytes: undefined,
      swapHardLimitBytes: undefined,
      devices: [],
    },
    vcpu: {
      current: undefined,
      maximum: undefined,
      placement: undefined,
      cpus: undefined,
      list: [],
    },
    cpu: { mode: undefined, model: undefined, topology: undefined },
    cputune: {
      shares: undefined,
      vcpu: noLimit,
      global: noLimit,
      emulator: noLimit,
      iothread: noLimit,
      vcpuPins: [],
      emulatorPin: undefined,
      iothreadPins: [],
    },
    iothreads: undefined,
    numa: { memory: undefined, cells: [], guestCells: [] },
    blkio: { weight: undefined, devices: [] },
    balloon: undefined,
    disks: [],
    throttleGroups: [],
    interfaces: [],
    hostdevs: [],
    launchSecurity: undefined,
    ownerUid: undefined,
    partition: undefined,
    nova: undefined,
    faults: [],
  };
}

/** A disk of which nothing is known but where it is. */
export function bareDisk(target: string, type: string): Disk {
  return {
    type,
    device: 'disk',
    target,
    bus: undefined,
    source: undefined,
    driver: {
      name: 'qemu',
      type: undefined,
      cache: undefined,
      discard: undefined,
      detectZeroes: undefined,
      io: undefined,
      iothread: undefined,
      errorPolicy: undefined,
      readErrorPolicy: undefined,
    },
    readOnly: false,
    shareable: false,
    transient: false,
    serial: undefined,
    alias: undefined,
    backing: [],
    backingComplete: false,
    mirror: undefined,
    iotune: undefined,
    throttleFilters: [],
  };
}

/** A NIC of which nothing is known but its tap. */
export function bareInterface(type: string, target: string | undefined): Interface {
  return {
    type,
    mac: undefined,
    target,
    source: {
      bridge: undefined,
      network: undefined,
      portgroup: undefined,
      device: undefined,
      mode: undefined,
      path: undefined,
    },
    virtualPort: undefined,
    model: undefined,
    driver: undefined,
    queues: undefined,
    mtuBytes: undefined,
    linkUp: true,
    inbound: undefined,
    outbound: undefined,
    alias: undefined,
  };
}

/** A guest without a monitor to ask, with what else is known of it. */
export function bareDomain(
  known: Partial<Domain> & Pick<Domain, 'name' | 'uuid' | 'source' | 'active'>,
): Domain {
  return {
    state: known.active ? 'running' : 'shutoff',
    reason: 'unknown',
    persistent: undefined,
    autostart: undefined,
    config: undefined,
    monitor: 'unasked',
    unaskedReason: undefined,
    balloon: undefined,
    disks: undefined,
    nics: undefined,
    libvirtCpu: undefined,
    kvm: undefined,
    process: undefined,
    cgroup: undefined,
    job: undefined,
    perf: undefined,
    ...known,
  };
}
