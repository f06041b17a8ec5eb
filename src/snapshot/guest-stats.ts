import type { BlockStats, DomainStats, InterfaceStats, TypedParams } from '../libvirt/index.ts';
import type {
  Balloon,
  DiskCounters,
  LibvirtCpu,
  MemoryBandwidth,
  NicCounters,
  PerfCounters,
} from './domain.ts';

/** libvirt's statistics in the terms of the snapshot: bytes, and nothing that was not reported. */

export function balloonOf({ balloon }: DomainStats): Balloon {
  // 0 is how QEMU says that the guest's driver never reported.
  const lastUpdate = balloon.lastUpdateSeconds ?? 0n;
  return {
    currentBytes: bytes(balloon.currentKib),
    maximumBytes: bytes(balloon.maximumKib),
    guestTotalBytes: bytes(balloon.availableKib),
    guestFreeBytes: bytes(balloon.unusedKib),
    guestAvailableBytes: bytes(balloon.usableKib),
    guestDiskCachesBytes: bytes(balloon.diskCachesKib),
    guestSwapInBytes: bytes(balloon.swapInKib),
    guestSwapOutBytes: bytes(balloon.swapOutKib),
    guestMajorFaults: balloon.majorFaults,
    guestMinorFaults: balloon.minorFaults,
    guestHugetlbAllocations: balloon.hugetlbAllocations,
    guestHugetlbFailures: balloon.hugetlbFailures,
    residentBytes: bytes(balloon.rssKib),
    lastUpdateSeconds: lastUpdate === 0n ? undefined : Number(lastUpdate),
  };
}

/** Top images only: backing images repeat the name of their disk. Nameless entries are dropped. */
export function disksOf({ block }: DomainStats): readonly DiskCounters[] {
  return block.blocks.flatMap((disk) =>
    disk.name === undefined || isBackingImage(disk, block.blocks) ? [] : diskOf(disk.name, disk),
  );
}

function isBackingImage(disk: BlockStats, all: readonly BlockStats[]): boolean {
  return all.some((other) => other.name === disk.name && other.index < disk.index);
}

function diskOf(device: string, disk: BlockStats): DiskCounters {
  return {
    device,
    readBytes: disk.readBytes,
    readRequests: disk.readRequests,
    readNanoseconds: disk.readNanoseconds,
    writtenBytes: disk.writeBytes,
    writeRequests: disk.writeRequests,
    writeNanoseconds: disk.writeNanoseconds,
    flushRequests: disk.flushRequests,
    flushNanoseconds: disk.flushNanoseconds,
    capacityBytes: disk.capacityBytes,
    highestOffsetBytes: disk.allocationBytes,
    physicalBytes: disk.physicalBytes,
    thresholdBytes: disk.thresholdBytes,
  };
}

/** NICs without a device on the host (user networking) have no counters and are dropped. */
export function nicsOf({ net }: DomainStats): readonly NicCounters[] {
  return net.nets.flatMap((nic) => (nic.name === undefined ? [] : nicOf(nic.name, nic)));
}

/** One NIC, by the name of its device on the host. */
export function nicOf(device: string, nic: InterfaceStats): NicCounters {
  return {
    device,
    receiveBytes: nic.receivedBytes,
    receivePackets: nic.receivedPackets,
    receiveErrors: nic.receivedErrors,
    receiveDrops: nic.receivedDrops,
    transmitBytes: nic.transmittedBytes,
    transmitPackets: nic.transmittedPackets,
    transmitErrors: nic.transmittedErrors,
    transmitDrops: nic.transmittedDrops,
  };
}

export function libvirtCpuOf({ cpu, vcpu }: DomainStats): LibvirtCpu {
  return {
    totalNanoseconds: cpu.timeNanoseconds,
    userNanoseconds: cpu.userNanoseconds,
    systemNanoseconds: cpu.systemNanoseconds,
    haltPollSuccessNanoseconds: cpu.haltPollSuccessNanoseconds,
    haltPollFailNanoseconds: cpu.haltPollFailNanoseconds,
    vcpus: vcpu.vcpus.map((one) => ({
      index: one.index,
      timeNanoseconds: one.timeNanoseconds,
      delayNanoseconds: one.delayNanoseconds,
      waitNanoseconds: one.waitNanoseconds,
    })),
  };
}

/** `perf.<event>` and `memory.bandwidth.monitor.<i>.node.<j>.*`; undefined when there is neither. */
export function perfOf(params: TypedParams): PerfCounters | undefined {
  const events = new Map<string, bigint>();
  for (const [field, value] of params) {
    if (field.startsWith('perf.') && typeof value !== 'string') {
      events.set(field.slice('perf.'.length), BigInt(value));
    }
  }
  const bandwidth = bandwidthOf(params);
  return events.size === 0 && bandwidth.length === 0 ? undefined : { events, bandwidth };
}

function bandwidthOf(params: TypedParams): readonly MemoryBandwidth[] {
  const prefix = 'memory.bandwidth.monitor';
  const found: MemoryBandwidth[] = [];
  const monitors = Number(params.get(`${prefix}.count`) ?? 0);
  for (let i = 0; i < monitors; i += 1) {
    const monitor = params.get(`${prefix}.${i}.name`);
    const nodes = Number(params.get(`${prefix}.${i}.node.count`) ?? 0);
    for (let j = 0; j < nodes; j += 1) {
      const at = `${prefix}.${i}.node.${j}`;
      found.push({
        monitor: typeof monitor === 'string' ? monitor : String(i),
        node: Number(params.get(`${at}.id`) ?? j),
        localBytes: integer(params, `${at}.bytes.local`),
        totalBytes: integer(params, `${at}.bytes.total`),
      });
    }
  }
  return found;
}

function integer(params: TypedParams, field: string): bigint | undefined {
  const value = params.get(field);
  return value === undefined || typeof value === 'string' ? undefined : BigInt(value);
}

function bytes(kib: bigint | undefined): number | undefined {
  return kib === undefined ? undefined : Number(kib) * 1024;
}
