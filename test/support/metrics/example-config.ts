import type {
  Bandwidth,
  Disk,
  DomainConfig,
  Interface,
  IoTune,
  MemoryDevice,
} from '../../../src/model/domain-config.ts';

const GIB = 2 ** 30;

/** An ordinary guest: 2 of 4 vCPUs, 2 of 4 GiB, anonymous memory, a balloon, no devices. */
export function exampleConfig(overrides: Partial<DomainConfig> = {}): DomainConfig {
  const unlimited = { periodMicroseconds: undefined, quotaMicroseconds: undefined };
  return {
    name: 'web',
    uuid: '11111111-1111-4111-8111-111111111111',
    type: 'kvm',
    os: { type: 'hvm', arch: 'x86_64', machine: 'pc-q35-7.2' },
    memory: {
      maximumBytes: 4 * GIB,
      currentBytes: 2 * GIB,
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
    vcpu: { current: 2, maximum: 4, placement: 'static', cpus: undefined, list: [] },
    cpu: { mode: 'host-passthrough', model: undefined, topology: undefined },
    cputune: {
      shares: undefined,
      vcpu: unlimited,
      global: unlimited,
      emulator: unlimited,
      iothread: unlimited,
      vcpuPins: [],
      emulatorPin: undefined,
      iothreadPins: [],
    },
    iothreads: 0,
    numa: { memory: undefined, cells: [], guestCells: [] },
    blkio: { weight: undefined, devices: [] },
    balloon: {
      model: 'virtio',
      statsPeriodSeconds: 10,
      freePageReporting: true,
      autodeflate: false,
    },
    disks: [],
    throttleGroups: [],
    interfaces: [],
    hostdevs: [],
    launchSecurity: undefined,
    ownerUid: undefined,
    partition: undefined,
    nova: undefined,
    faults: [],
    ...overrides,
  };
}

/** A virtio qcow2 disk. */
/** An `<iotune>` that says nothing. */
export const NO_LIMITS: IoTune = {
  totalBytesPerSecond: undefined,
  readBytesPerSecond: undefined,
  writeBytesPerSecond: undefined,
  totalRequestsPerSecond: undefined,
  readRequestsPerSecond: undefined,
  writeRequestsPerSecond: undefined,
  totalBytesPerSecondMax: undefined,
  readBytesPerSecondMax: undefined,
  writeBytesPerSecondMax: undefined,
  totalRequestsPerSecondMax: undefined,
  readRequestsPerSecondMax: undefined,
  writeRequestsPerSecondMax: undefined,
  group: undefined,
};

/** virtio-mem of 1 GiB of which 512 MiB are asked for and 256 MiB plugged in. */
export function exampleVirtioMem(overrides: Partial<MemoryDevice> = {}): MemoryDevice {
  return {
    model: 'virtio-mem',
    sizeBytes: GIB,
    requestedBytes: GIB / 2,
    currentBytes: GIB / 4,
    blockBytes: 2 * 2 ** 20,
    node: 0,
    pageBytes: undefined,
    hostNodes: undefined,
    path: undefined,
    readOnly: false,
    access: undefined,
    alias: 'virtiomem0',
    ...overrides,
  };
}

export function exampleDisk(overrides: Partial<Disk> = {}): Disk {
  return {
    type: 'file',
    device: 'disk',
    target: 'vda',
    bus: 'virtio',
    source: { kind: 'file', path: '/var/lib/libvirt/images/web.qcow2' },
    driver: {
      name: 'qemu',
      type: 'qcow2',
      cache: 'none',
      discard: 'unmap',
      detectZeroes: undefined,
      io: 'native',
      iothread: undefined,
      errorPolicy: undefined,
      readErrorPolicy: undefined,
    },
    readOnly: false,
    shareable: false,
    transient: false,
    serial: undefined,
    alias: 'virtio-disk0',
    backing: [],
    backingComplete: false,
    mirror: undefined,
    iotune: undefined,
    throttleFilters: [],
    ...overrides,
  };
}

/** A virtio NIC on bridge br0. */
export function exampleInterface(overrides: Partial<Interface> = {}): Interface {
  return {
    type: 'bridge',
    mac: '52:54:00:00:00:01',
    target: 'vnet0',
    source: {
      bridge: 'br0',
      network: undefined,
      portgroup: undefined,
      device: undefined,
      mode: undefined,
      path: undefined,
    },
    virtualPort: undefined,
    model: 'virtio',
    driver: undefined,
    queues: 2,
    mtuBytes: 1500,
    linkUp: true,
    inbound: undefined,
    outbound: undefined,
    alias: 'net0',
    ...overrides,
  };
}

/** A NIC that is not attached to anything of the host: passed through, or user networking. */
export function detachedInterface(overrides: Partial<Interface> = {}): Interface {
  return exampleInterface({
    target: undefined,
    alias: undefined,
    source: {
      bridge: undefined,
      network: undefined,
      portgroup: undefined,
      device: undefined,
      mode: undefined,
      path: undefined,
    },
    queues: undefined,
    mtuBytes: undefined,
    ...overrides,
  });
}

export function exampleBandwidth(overrides: Partial<Bandwidth> = {}): Bandwidth {
  return {
    averageBytesPerSecond: undefined,
    peakBytesPerSecond: undefined,
    burstBytes: undefined,
    floorBytesPerSecond: undefined,
    ...overrides,
  };
}
