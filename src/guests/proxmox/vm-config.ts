import { parseCpuList } from '../../model/facts/cpu-list.ts';
import type {
  Bandwidth,
  Disk,
  DomainConfig,
  Interface,
  IoTune,
  MemoryBacking,
} from '../../model/domain-config.ts';
import { toValue } from '../../runtime/result.ts';
import { bareConfig, bareDisk, bareInterface } from '../bare-guest.ts';
import {
  parseProperties,
  toBoolean,
  toCpus,
  toInteger,
  toMebibytes,
  toNumber,
  type GuestConf,
} from './guest-conf.ts';
import { DRIVE } from './statistics.ts';
import { locateVolume, type PveStorage } from './storage-conf.ts';

const MIB = 1024 ** 2;
/** qemu-server, PVE/QemuServer/Memory.pm. */
const DEFAULT_MEMORY_MIB = 512;
const PERIOD_MICROSECONDS = 100_000;
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/**
 * A VM as its config file describes it (qemu-server, PVE/QemuServer.pm `$confdesc`), in the words of
 * libvirt's XML. Limits of MB are of MiB, whatever they are called there.
 */
export function toVmConfig(
  vmid: number,
  name: string,
  { values }: GuestConf,
  storages: ReadonlyMap<string, PveStorage>,
): DomainConfig {
  const faults: string[] = [];
  const read = <T>(key: string, parse: (text: string) => T | undefined): T | undefined => {
    const text = values.get(key);
    const value = text === undefined ? undefined : parse(text);
    if (text !== undefined && value === undefined) faults.push(`${key}: ${text.slice(0, 60)}`);
    return value;
  };
  const uuid =
    parseProperties(values.get('smbios1') ?? '')
      .get('uuid')
      ?.toLowerCase() ?? '';
  const bare = bareConfig(
    name,
    UUID.test(uuid) ? uuid : '',
    toBoolean(values.get('kvm')) === false ? 'qemu' : 'kvm',
  );
  const memoryMib = values.has('memory') ? read('memory', toMemory) : DEFAULT_MEMORY_MIB;
  const memoryBytes = memoryMib === undefined ? undefined : memoryMib * MIB;
  const balloonMib = read('balloon', toMebibytes);
  const sockets = values.has('sockets') ? read('sockets', toCpus) : read('smp', toCpus);
  const most = computeVcpus(values, sockets, read('cores', toCpus));
  const plugged = read('vcpus', toCpus);
  const limit = read('cpulimit', toNumber);
  return {
    ...bare,
    os: { type: 'hvm', arch: undefined, machine: values.get('machine')?.split(',')[0] },
    memory: {
      ...bare.memory,
      maximumBytes: memoryBytes,
      // Where the balloon is to stand only QEMU knows; until it says so, the guest has all of it.
      ...(balloonMib === undefined || balloonMib === 0
        ? {}
        : { minimumBytes: Math.min(balloonMib * MIB, memoryBytes ?? Infinity) }),
      backing: toBacking(values),
    },
    vcpu: {
      ...bare.vcpu,
      current: most === undefined ? undefined : Math.min(plugged ?? most, most),
      maximum: most,
      cpus: read('affinity', (text) => toValue(parseCpuList(text, 'affinity'))),
    },
    cputune: {
      ...bare.cputune,
      global:
        limit === undefined || limit === 0
          ? bare.cputune.global
          : {
              periodMicroseconds: PERIOD_MICROSECONDS,
              quotaMicroseconds: Math.floor(limit * PERIOD_MICROSECONDS),
            },
    },
    balloon:
      balloonMib === 0
        ? undefined
        : // Asked for every 2 s by Proxmox VE itself (PVE/QemuServer.pm vm_start_nolock).
          { model: 'virtio', statsPeriodSeconds: 2, freePageReporting: false, autodeflate: false },
    disks: [...values].flatMap(([key, text]) => toDisk(key, text, storages) ?? []),
    interfaces: [...values].flatMap(([key, text]) => toInterface(vmid, key, text) ?? []),
    hostdevs: [...values].flatMap(([key, text]) =>
      /^hostpci\d+$/.test(key)
        ? [
            {
              type: parseProperties(text).has('mdev') ? 'mdev' : 'pci',
              mode: 'subsystem',
              model: parseProperties(text).has('mdev') ? 'vfio-pci' : undefined,
              alias: key,
            },
          ]
        : [],
    ),
    launchSecurity: values.has('amd-sev') ? 'sev' : values.has('intel-tdx') ? 'tdx' : undefined,
    faults,
  };
}

/** Undefined where one of the two is there and cannot be read, or more come of them than there can be. */
function computeVcpus(
  values: ReadonlyMap<string, string>,
  sockets: number | undefined,
  cores: number | undefined,
): number | undefined {
  const areSaid = values.has('sockets') || values.has('smp');
  if ((areSaid && sockets === undefined) || (values.has('cores') && cores === undefined)) {
    return undefined;
  }
  return toCpus(String((sockets ?? 1) * (cores ?? 1)));
}

/** `4096`, or `current=4096` (from qemu-server 8.0.8). */
function toMemory(text: string): number | undefined {
  const properties = parseProperties(text);
  const mib = toMebibytes(properties.get('current') ?? properties.get(''));
  return mib === 0 ? undefined : mib;
}

function toBacking(values: ReadonlyMap<string, string>): MemoryBacking {
  const hugepages = values.get('hugepages');
  const mib = toMebibytes(hugepages);
  const isShared = [...values.keys()].some((key) => /^virtiofs\d+$/.test(key));
  return {
    // `any` takes what fits: the largest size.
    hugepages:
      hugepages === undefined
        ? undefined
        : mib === undefined
          ? []
          : [{ pageBytes: mib * MIB, guestNodes: undefined }],
    noSharePages: toBoolean(values.get('allow-ksm')) === false,
    locked: false,
    source: isShared ? 'memfd' : undefined,
    access: isShared ? 'shared' : undefined,
    allocation: undefined,
    discard: false,
  };
}

const CLOUD_INIT = /[:/](?:vm-\d+-)?cloudinit(?:\.\w+)?$/;

/** Undefined for a key that is no drive, and for a drive that holds no data of the guest. */
function toDisk(
  key: string,
  text: string,
  storages: ReadonlyMap<string, PveStorage>,
): Disk | undefined {
  // What was detached still takes its space.
  const isUnused = /^unused\d+$/.test(key);
  if (!DRIVE.test(key) && !isUnused) return undefined;
  const options = parseProperties(text);
  const volumeId = options.get('file') ?? options.get('') ?? '';
  if (options.get('media') === 'cdrom' || CLOUD_INIT.test(volumeId)) return undefined;
  const place = locateVolume(volumeId, storages);
  if (place === undefined) return undefined;
  const bare = bareDisk(key, place.source.kind);
  return {
    ...bare,
    bus: isUnused ? undefined : key.replace(/\d+$/, ''),
    source: place.source,
    space: place.space,
    driver: {
      ...bare.driver,
      type: options.get('format') ?? place.format,
      cache: options.get('cache'),
      discard: options.get('discard') === 'on' ? 'unmap' : options.get('discard'),
      detectZeroes: options.get('detect_zeroes'),
      io: options.get('aio'),
      errorPolicy: options.get('werror'),
    },
    readOnly: toBoolean(options.get('ro')) === true,
    transient: toBoolean(options.get('snapshot')) === true,
    iotune: toLimits(options),
  };
}

function toLimits(options: ReadonlyMap<string, string>): IoTune {
  const limit = (key: string): number | undefined => {
    const value = toNumber(options.get(key));
    return value === undefined || value === 0 ? undefined : value;
  };
  /** `mbps` is MiB/s (PVE/QemuServer/Blockdev.pm), `bps` bytes. */
  const bytes = (suffix: string): number | undefined => {
    const mib = limit(`mbps${suffix}`);
    return mib === undefined ? limit(`bps${suffix}`) : Math.floor(mib * MIB);
  };
  return {
    totalBytesPerSecond: bytes(''),
    readBytesPerSecond: bytes('_rd'),
    writeBytesPerSecond: bytes('_wr'),
    totalRequestsPerSecond: limit('iops'),
    readRequestsPerSecond: limit('iops_rd'),
    writeRequestsPerSecond: limit('iops_wr'),
    totalBytesPerSecondMax: bytes('_max'),
    readBytesPerSecondMax: bytes('_rd_max'),
    writeBytesPerSecondMax: bytes('_wr_max'),
    totalRequestsPerSecondMax: limit('iops_max'),
    readRequestsPerSecondMax: limit('iops_rd_max'),
    writeRequestsPerSecondMax: limit('iops_wr_max'),
    group: undefined,
  };
}

const MODELS = /^(?:virtio|e1000(?:e|-.+)?|vmxnet3|rtl8139|i82\w+|ne2k_\w+|pcnet)$/;

/** `net0: virtio=<MAC>,bridge=vmbr0,rate=12.5,…` (PVE/QemuServer/Network.pm). */
function toInterface(vmid: number, key: string, text: string): Interface | undefined {
  const index = /^net(\d+)$/.exec(key)?.[1];
  if (index === undefined) return undefined;
  const options = parseProperties(text);
  const model = [...options.keys()].find((name) => MODELS.test(name)) ?? options.get('model');
  const bridge = options.get('bridge');
  const limit = toNumber(options.get('rate'));
  const bandwidth = limit === undefined || limit === 0 ? undefined : toBandwidth(limit);
  const isBridged = bridge !== undefined && bridge !== '';
  const bare = bareInterface(
    isBridged ? 'bridge' : 'user',
    isBridged ? `tap${vmid}i${index}` : undefined,
  );
  const mac = (model === undefined ? undefined : options.get(model)) ?? options.get('macaddr');
  return {
    ...bare,
    mac: mac?.toLowerCase(),
    source: { ...bare.source, bridge },
    model,
    queues: toInteger(options.get('queues')),
    mtuBytes: toInteger(options.get('mtu')),
    linkUp: toBoolean(options.get('link_down')) !== true,
    inbound: bandwidth,
    outbound: bandwidth,
    alias: key,
  };
}

/** `rate` is called megabytes and is MiB/s, both ways (PVE/Network.pm, tap_rate_limit). */
export function toBandwidth(mibPerSecond: number): Bandwidth {
  return {
    averageBytesPerSecond: Math.floor(mibPerSecond * MIB),
    peakBytesPerSecond: undefined,
    burstBytes: MIB,
    floorBytesPerSecond: undefined,
  };
}
