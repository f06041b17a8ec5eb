import type { GuestOwner, MetadataLabel } from './guest-owner.ts';

/**
 * A domain as its libvirt XML describes it (libvirt docs/formatdomain.rst): what was promised to
 * the guest and how it is placed. undefined means that the XML does not say; libvirt writes its
 * own defaults into most places, so that is mostly a device or a limit that does not exist.
 */
export interface DomainConfig {
  readonly name: string;
  readonly uuid: string;
  /** `kvm`, `qemu`, `test`, … */
  readonly type: string;
  readonly os: {
    /** `hvm`, `linux`, `exe`. */
    readonly type: string | undefined;
    readonly arch: string | undefined;
    /** E.g. `pc-q35-7.2`. */
    readonly machine: string | undefined;
  };
  readonly memory: DomainMemory;
  readonly vcpu: DomainVcpus;
  readonly cpu: {
    /** `host-passthrough`, `host-model`, `custom`, `maximum`. */
    readonly mode: string | undefined;
    readonly model: string | undefined;
    readonly topology: GuestCpuTopology | undefined;
  };
  readonly cputune: CpuTune;
  /** Threads declared in `<iothreads>`; 0 without. */
  readonly iothreads: number | undefined;
  readonly numa: DomainNuma;
  readonly blkio: {
    /** `<blkiotune><weight>`; undefined: the host's default. */
    readonly weight: number | undefined;
    readonly devices: readonly { readonly path: string; readonly weight: number | undefined }[];
  };
  readonly balloon: MemoryBalloon | undefined;
  readonly disks: readonly Disk[];
  /** `<throttlegroups>`, which disks name in their `<throttlefilters>`. */
  readonly throttleGroups: readonly IoTune[];
  readonly interfaces: readonly Interface[];
  readonly hostdevs: readonly HostDevice[];
  /** `sev`, `sev-snp`, `tdx`, `s390-pv`; undefined: its memory is not encrypted. */
  readonly launchSecurity: string | undefined;
  /** The user libvirt runs the guest's QEMU as: the `dac` label of the live XML, where it is a number. */
  readonly ownerUid: number | undefined;
  /** `<resource><partition>`, e.g. `/machine`. */
  readonly partition: string | undefined;
  /** Present on guests of OpenStack. */
  readonly nova: NovaMetadata | undefined;
  /** Undefined: nobody who is known manages it. */
  readonly owner?: GuestOwner | undefined;
  /** What its metadata have of what the administrator asked for. */
  readonly metadataLabels?: readonly MetadataLabel[];
  /** Values that are there and make no sense, one line each; they are undefined or left out here. */
  readonly faults: readonly string[];
}

export interface DomainMemory {
  /** `<memory>`: most the balloon may give, memory devices included. */
  readonly maximumBytes: number | undefined;
  /** `<currentMemory>`: what the guest is asked to make do with. */
  readonly currentBytes: number | undefined;
  /**
   * What its manager will not shrink it below: `<memtune><min_guarantee>`, oVirt's guaranteed memory,
   * CloudStack's `<currentMemory>`; undefined: nobody says.
   */
  readonly minimumBytes?: number | undefined;
  /** `<maxMemory>`: how far memory may be plugged in. */
  readonly hotplug:
    { readonly maximumBytes: number; readonly slots: number | undefined } | undefined;
  readonly backing: MemoryBacking;
  /** `<memtune>`; undefined: no limit. */
  readonly hardLimitBytes: number | undefined;
  readonly softLimitBytes: number | undefined;
  readonly swapHardLimitBytes: number | undefined;
  readonly devices: readonly MemoryDevice[];
}

export interface MemoryBacking {
  /** undefined: normal pages. Empty: huge pages of the host's default size. */
  readonly hugepages: readonly Hugepages[] | undefined;
  /** `<nosharepages/>`: kept away from KSM. */
  readonly noSharePages: boolean;
  /** `<locked/>`: never swapped. */
  readonly locked: boolean;
  /** `anonymous`, `file`, `memfd`. */
  readonly source: string | undefined;
  /** `shared` (virtiofs, vhost-user), `private`. */
  readonly access: string | undefined;
  /** `immediate`, `ondemand`. */
  readonly allocation: string | undefined;
  readonly discard: boolean;
}

export interface Hugepages {
  readonly pageBytes: number;
  /** Guest NUMA nodes; undefined: all others. */
  readonly guestNodes: readonly number[] | undefined;
}

/** A `<memory>` device: `dimm`, `nvdimm`, `virtio-pmem`, `virtio-mem`, `sgx-epc`. */
export interface MemoryDevice {
  readonly model: string;
  readonly sizeBytes: number;
  /** virtio-mem: what the guest is asked to use of it. */
  readonly requestedBytes: number | undefined;
  /** virtio-mem: what the guest uses of it. */
  readonly currentBytes: number | undefined;
  readonly blockBytes: number | undefined;
  /** Guest NUMA node. */
  readonly node: number | undefined;
  readonly pageBytes: number | undefined;
  readonly hostNodes: readonly number[] | undefined;
  /** File behind an nvdimm or virtio-pmem. */
  readonly path: string | undefined;
  /** nvdimm: the guest cannot write to it. */
  readonly readOnly: boolean;
  readonly access: string | undefined;
  readonly alias: string | undefined;
}

export interface DomainVcpus {
  /** vCPUs plugged in. */
  readonly current: number | undefined;
  /** vCPUs that can be plugged in. */
  readonly maximum: number | undefined;
  /** `static` or `auto` (chosen by numad). */
  readonly placement: string | undefined;
  /** Host CPUs all vCPUs may use; undefined: all. */
  readonly cpus: readonly number[] | undefined;
  /** `<vcpus>`; empty when the XML does not list them. */
  readonly list: readonly {
    readonly id: number;
    readonly enabled: boolean;
    readonly hotpluggable: boolean;
  }[];
}

export interface GuestCpuTopology {
  readonly sockets: number;
  readonly dies: number;
  readonly clusters: number;
  readonly cores: number;
  readonly threads: number;
}

/** A CFS bandwidth limit; a quota of 0 or below means none and is undefined here. */
export interface CpuBandwidth {
  readonly periodMicroseconds: number | undefined;
  readonly quotaMicroseconds: number | undefined;
}

export interface CpuTune {
  readonly shares: number | undefined;
  /** Of each vCPU. */
  readonly vcpu: CpuBandwidth;
  /** Of the whole guest. */
  readonly global: CpuBandwidth;
  /** Of all emulator threads together. */
  readonly emulator: CpuBandwidth;
  /** Of each iothread. */
  readonly iothread: CpuBandwidth;
  readonly vcpuPins: readonly { readonly vcpu: number; readonly cpus: readonly number[] }[];
  readonly emulatorPin: readonly number[] | undefined;
  readonly iothreadPins: readonly {
    readonly iothread: number;
    readonly cpus: readonly number[];
  }[];
}

export interface NumaPolicy {
  /** `strict`, `interleave`, `preferred`, `restrictive`. */
  readonly mode: string | undefined;
  /** Host nodes; undefined with placement `auto`. */
  readonly hostNodes: readonly number[] | undefined;
}

export interface DomainNuma {
  /** `<numatune><memory>`. */
  readonly memory: NumaPolicy | undefined;
  /** `<numatune><memnode>` by guest cell. */
  readonly cells: readonly (NumaPolicy & { readonly cell: number })[];
  /** `<cpu><numa><cell>`: the guest's own nodes. */
  readonly guestCells: readonly GuestNumaCell[];
}

export interface GuestNumaCell {
  readonly id: number;
  /** vCPUs; undefined: a node without CPUs. */
  readonly vcpus: readonly number[] | undefined;
  readonly memoryBytes: number;
  /** `shared`, `private`. */
  readonly access: string | undefined;
  readonly discard: boolean;
}

/** A balloon device other than model `none`. */
export interface MemoryBalloon {
  readonly model: string;
  /** undefined: statistics are never refreshed. */
  readonly statsPeriodSeconds: number | undefined;
  readonly freePageReporting: boolean;
  readonly autodeflate: boolean;
}

export type DiskSource =
  | {
      readonly kind: 'file' | 'block' | 'dir';
      readonly path: string;
      /** The part of the file that is the image; all of it without. */
      readonly slice?: StorageSlice;
      /** Format of `<encryption>`: `luks`, or `qcow` of old. */
      readonly encryption?: string;
      /** `<dataStore>` (since libvirt 10.10): where the data of a qcow2 lie that holds none itself. */
      readonly dataStore?: BackingImage;
    }
  | {
      readonly kind: 'network';
      /** `rbd`, `nbd`, `iscsi`, `gluster`, `nfs`, `https`, … */
      readonly protocol: string;
      /** E.g. pool/image. */
      readonly name: string | undefined;
      readonly hosts: readonly {
        readonly name: string | undefined;
        readonly port: string | undefined;
      }[];
    }
  | { readonly kind: 'volume'; readonly pool: string; readonly volume: string }
  /** An NVMe namespace that QEMU drives itself. */
  | { readonly kind: 'nvme'; readonly address: string; readonly namespace: string | undefined }
  /** `vhostuser`, `vhostvdpa` and whatever comes. */
  | { readonly kind: 'other'; readonly path: string | undefined };

/** `<slice type='storage'>`, in bytes. */
export interface StorageSlice {
  readonly offsetBytes: number;
  readonly sizeBytes: number;
}

export interface Disk {
  /** `file`, `block`, `network`, `volume`, `nvme`, `vhostuser`, … */
  readonly type: string;
  /** `disk`, `cdrom`, `floppy`, `lun`. */
  readonly device: string;
  /** E.g. `vda`; unique in the domain. */
  readonly target: string;
  /** `virtio`, `scsi`, `sata`, `ide`, `usb`, … */
  readonly bus: string | undefined;
  /** undefined: an empty drive. */
  readonly source: DiskSource | undefined;
  /** Where its space comes from, as its manager says; libvirt does not. */
  readonly space?: VolumeSpace | undefined;
  readonly driver: DiskDriver;
  readonly readOnly: boolean;
  readonly shareable: boolean;
  /** Writes are dropped when the guest stops. */
  readonly transient: boolean;
  readonly serial: string | undefined;
  readonly alias: string | undefined;
  /** Images below the source, outermost first, as far as the XML lists them. */
  readonly backing: readonly BackingImage[];
  /** The XML ends the chain with an empty `<backingStore/>`: there is nothing below it. */
  readonly backingComplete: boolean;
  /** What a block job writes the disk to while it runs; only the XML of a running guest has it. */
  readonly mirror: Mirror | undefined;
  readonly iotune: IoTune | undefined;
  /** Names of the groups of limits it goes through, one after the other. */
  readonly throttleFilters: readonly string[];
}

/**
 * Where the space of a volume comes from: a file's filesystem, a pool it takes space from as it is written
 * to (`thin`), all of it set aside (`thick`), another host.
 */
export interface VolumeSpace {
  readonly kind: 'file' | 'thin' | 'thick' | 'remote' | 'unknown';
  /** Of LVM, `<group>/<pool>`; undefined for others, and where it is not known. */
  readonly thinPool: string | undefined;
}

/** undefined: left to the hypervisor. */
interface DiskDriver {
  readonly name: string | undefined;
  /** Image format: `qcow2`, `raw`, … */
  readonly type: string | undefined;
  readonly cache: string | undefined;
  readonly discard: string | undefined;
  readonly detectZeroes: string | undefined;
  readonly io: string | undefined;
  readonly iothread: number | undefined;
  /** `stop`, `report`, `ignore`, `enospace`. */
  readonly errorPolicy: string | undefined;
  readonly readErrorPolicy: string | undefined;
}

export interface BackingImage {
  readonly type: string;
  readonly format: string | undefined;
  readonly source: DiskSource | undefined;
}

/** `<mirror>`: the target of a block copy, or the backing image an active commit merges into. */
export interface Mirror extends BackingImage {
  /** `copy`, `active-commit`. */
  readonly job: string;
  readonly backing: readonly BackingImage[];
  readonly backingComplete: boolean;
}

/** `<iotune>` or `<throttlegroup>`; 0 means no limit and is undefined here. */
export interface IoTune {
  readonly totalBytesPerSecond: number | undefined;
  readonly readBytesPerSecond: number | undefined;
  readonly writeBytesPerSecond: number | undefined;
  readonly totalRequestsPerSecond: number | undefined;
  readonly readRequestsPerSecond: number | undefined;
  readonly writeRequestsPerSecond: number | undefined;
  readonly totalBytesPerSecondMax: number | undefined;
  readonly readBytesPerSecondMax: number | undefined;
  readonly writeBytesPerSecondMax: number | undefined;
  readonly totalRequestsPerSecondMax: number | undefined;
  readonly readRequestsPerSecondMax: number | undefined;
  readonly writeRequestsPerSecondMax: number | undefined;
  /** Disks of one group share the limits. */
  readonly group: string | undefined;
}

export interface Interface {
  /** `bridge`, `network`, `direct`, `user`, `hostdev`, `vhostuser`, `ethernet`, `vdpa`, … */
  readonly type: string;
  readonly mac: string | undefined;
  /** Name on the host, e.g. `vnet0`; undefined while the guest is off and for user networking. */
  readonly target: string | undefined;
  readonly source: InterfaceSource;
  /** `openvswitch`, `802.1Qbh`, `midonet`, … */
  readonly virtualPort: string | undefined;
  /** `virtio`, `e1000e`, … */
  readonly model: string | undefined;
  readonly driver: string | undefined;
  readonly queues: number | undefined;
  readonly mtuBytes: number | undefined;
  /** False when the administrator pulled the cable. */
  readonly linkUp: boolean;
  /** Seen from the guest: inbound is what it receives. */
  readonly inbound: Bandwidth | undefined;
  readonly outbound: Bandwidth | undefined;
  readonly alias: string | undefined;
}

interface InterfaceSource {
  /** Also given for a running guest on a libvirt network. */
  readonly bridge: string | undefined;
  readonly network: string | undefined;
  readonly portgroup: string | undefined;
  /** Host device of `direct` (macvtap), `vdpa`. */
  readonly device: string | undefined;
  /** `vepa`, `bridge`, `private`, `passthrough` of macvtap. */
  readonly mode: string | undefined;
  /** Socket of `vhostuser`. */
  readonly path: string | undefined;
}

/**
 * libvirt's numbers are kilobytes per second of 1000 bytes (it hands them to tc as `kbps`), the
 * burst is in KiB (virnetdevbandwidth.c). Here all are bytes.
 */
export interface Bandwidth {
  readonly averageBytesPerSecond: number | undefined;
  /** libvirt ignores it outbound. */
  readonly peakBytesPerSecond: number | undefined;
  readonly burstBytes: number | undefined;
  /** Guaranteed; inbound on libvirt networks only. */
  readonly floorBytesPerSecond: number | undefined;
}

export interface HostDevice {
  /** `pci`, `mdev`, `usb`, `scsi`, `scsi_host`; for mode `capabilities`: `storage`, `misc`, `net`. */
  readonly type: string;
  /** `subsystem`, `capabilities`. */
  readonly mode: string;
  /** Of an mdev: `vfio-pci`, `vfio-ccw`, `vfio-ap`. */
  readonly model: string | undefined;
  readonly alias: string | undefined;
}

/** `nova:instance` (OpenStack Nova, virt/libvirt/config.py). */
export interface NovaMetadata {
  readonly instanceName: string | undefined;
  readonly flavor: string | undefined;
  readonly user: NovaOwner | undefined;
  readonly project: NovaOwner | undefined;
}

export interface NovaOwner {
  readonly name: string;
  readonly id: string | undefined;
}
