import type { GuestJob } from './guest-job.ts';

/** A guest as a test describes it. What is left out gets the default named here. */
export interface GuestSpec {
  readonly name: string;
  /** `linux` boots our image and runs `jobs` (needs about 96 MiB); `none` has nothing to boot. */
  readonly os?: 'linux' | 'none';
  /** Default 128 for `linux`, 32 for `none`. */
  readonly memoryMib?: number;
  /** Balloon target at start; default all of `memoryMib`. */
  readonly currentMemoryMib?: number;
  readonly vcpus?: VcpuSpec;
  readonly cpuTune?: CpuTuneSpec;
  /** vda, vdb … (sda … on scsi/sata, hda … on ide), in this order. */
  readonly disks?: readonly DiskSpec[];
  /** Threads of its QEMU for disks to be put on (`DiskSpec.ioThread`); default none. */
  readonly ioThreads?: number;
  /** eth0 … in the guest, in this order. */
  readonly nics?: readonly NicSpec[];
  /** Default: a virtio balloon that reports every 2 s. */
  readonly balloon?: BalloonSpec;
  readonly memoryBacking?: MemoryBackingSpec;
  readonly jobs?: readonly GuestJob[];
  /** Default false: a transient domain, gone when it stops. */
  readonly persistent?: boolean;
  readonly autostart?: boolean;
  /** Start with the CPUs stopped. */
  readonly paused?: boolean;
  /** Elements to put into `<metadata>`, as XML. */
  readonly metadata?: string;
  /** A second QMP monitor beside libvirt's, at `guest.sideMonitorSocket`. */
  readonly sideMonitor?: boolean;
}

export interface VcpuSpec {
  /** vCPUs online; default 1. */
  readonly current?: number;
  /** Default `current`. */
  readonly maximum?: number;
  /** CPUs of the host all threads may use, e.g. `0-1`. */
  readonly cpuset?: string;
  /** CPUs of the host per vCPU: `pins[0]` for vCPU 0. */
  readonly pins?: readonly string[];
}

export interface CpuTuneSpec {
  readonly shares?: number;
  /** Microseconds. */
  readonly periodUs?: number;
  /** Microseconds per period and vCPU. */
  readonly quotaUs?: number;
  /** Microseconds per period for the whole domain. */
  readonly globalQuotaUs?: number;
}

export interface DiskSpec {
  /** A file made for this guest, a file that exists, or a block device. */
  readonly source: DiskSource;
  /** Default `virtio`. */
  readonly bus?: 'virtio' | 'scsi' | 'sata' | 'ide';
  /** Default `disk`; a `cdrom` needs `ide` or `sata`. */
  readonly device?: 'disk' | 'cdrom';
  readonly cache?: 'none' | 'writeback' | 'writethrough' | 'directsync' | 'unsafe';
  readonly discard?: 'unmap' | 'ignore';
  /** Default as QEMU's: pause when out of space, report other errors to the guest. */
  readonly errorPolicy?: 'stop' | 'report' | 'ignore' | 'enospace';
  readonly readOnly?: boolean;
  readonly shareable?: boolean;
  /** Number (from 1) of the I/O thread that serves it; default the main loop. Virtio only. */
  readonly ioThread?: number;
  /** `<iotune>` limits by their libvirt element names. */
  readonly ioTune?: Readonly<Record<string, number>>;
}

export type DiskSource =
  | {
      readonly kind: 'new';
      readonly format: 'qcow2' | 'raw';
      readonly sizeMib: number;
      /** Where; default the lab's image directory. */
      readonly directory?: string;
      /** Number of backing files made below it (qcow2). */
      readonly backingDepth?: number;
      /** An existing qcow2 base to lie on top of (or under the chain of `backingDepth`). */
      readonly base?: string;
      readonly preallocation?: 'off' | 'metadata' | 'falloc' | 'full';
    }
  | { readonly kind: 'file'; readonly format: 'qcow2' | 'raw'; readonly path: string }
  | { readonly kind: 'block'; readonly format: 'qcow2' | 'raw'; readonly path: string };

export interface NicSpec {
  /** Default the lab's bridge. */
  readonly bridge?: string;
  /** Default `virtio`; the guest image has drivers for no other. */
  readonly model?: 'virtio' | 'e1000' | 'rtl8139';
  /** Name of the tap device; default libvirt's `vnetN`. */
  readonly target?: string;
  /** `<bandwidth>` in KiB/s. */
  readonly inboundKibPerSecond?: number;
  readonly outboundKibPerSecond?: number;
  /**
   * Instead of a bridge: a socket on which a vhost-user backend listens, e.g. one of
   * `support/vhost-user-backend.ts`. libvirt asks `ovs-vsctl` for the NIC's name, which is that of
   * the socket; `target` is ignored. Needs a guest with `memfdShared`.
   */
  readonly vhostUserSocket?: string;
}

/** `period` is how often the guest reports, in seconds; `silent` never asks it to. */
export type BalloonSpec =
  | {
      readonly kind: 'period';
      readonly seconds: number;
      readonly freePageReporting?: boolean;
      readonly autoDeflate?: boolean;
    }
  | { readonly kind: 'silent' }
  | { readonly kind: 'none' };

export interface MemoryBackingSpec {
  /** Shared memory from a memfd, as virtiofs and vhost-user need. */
  readonly memfdShared?: boolean;
  /** Shared memory from a file in libvirt's memory_backing_dir, in the lab's own /var/lib/libvirt. */
  readonly fileShared?: boolean;
  readonly hugePages?: boolean;
  /** Hide the guest's memory from KSM. */
  readonly noSharePages?: boolean;
  readonly locked?: boolean;
}
