import type {
  BlockStats,
  DomainJobInfo,
  DomainStats,
  InterfaceStats,
  TypedParams,
  TypedValue,
} from '../../libvirt/index.ts';
import type {
  Balloon,
  DiskCounters,
  DomainJob,
  KvmCounters,
  KvmVcpu,
  LibvirtCpu,
  MemoryBandwidth,
  NicCounters,
  PerfCounters,
} from '../../model/domain.ts';

/** libvirt's statistics in the terms of the snapshot: bytes, and nothing that was not reported. */

export function toBalloon({ balloon }: DomainStats): Balloon {
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
export function toDisks({ block }: DomainStats): readonly DiskCounters[] {
  return block.blocks.flatMap((disk) =>
    disk.name === undefined || isBackingImage(disk, block.blocks) ? [] : toDisk(disk.name, disk),
  );
}

function isBackingImage(disk: BlockStats, all: readonly BlockStats[]): boolean {
  return all.some((other) => other.name === disk.name && other.index < disk.index);
}

function toDisk(device: string, disk: BlockStats): DiskCounters {
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
export function toNics({ net }: DomainStats): readonly NicCounters[] {
  return net.nets.flatMap((nic) => (nic.name === undefined ? [] : toNic(nic.name, nic)));
}

/** One NIC, by the name of its device on the host. */
export function toNic(device: string, nic: InterfaceStats): NicCounters {
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

export function toLibvirtCpu({ cpu, vcpu }: DomainStats): LibvirtCpu {
  return {
    totalNanoseconds: cpu.timeNanoseconds,
    userNanoseconds: cpu.userNanoseconds,
    systemNanoseconds: cpu.systemNanoseconds,
    vcpus: vcpu.vcpus.map((one) => ({
      index: one.index,
      timeNanoseconds: one.timeNanoseconds,
      delayNanoseconds: one.delayNanoseconds,
      waitNanoseconds: one.waitNanoseconds,
    })),
  };
}

/** Undefined where QEMU said nothing of KVM: emulation (TCG), or a libvirt or kernel that is too old. */
export function toKvmCounters({ cpu, vcpu }: DomainStats): KvmCounters | undefined {
  const { haltPollSuccessNanoseconds, haltPollFailNanoseconds } = cpu;
  const vcpus = vcpu.vcpus.flatMap((one): readonly KvmVcpu[] => {
    const { index, exits, directedYieldsAttempted, directedYieldsSuccessful } = one;
    const preemptions = sumOfKnown(one.preemptionsReported, one.preemptionsOther);
    return exits === undefined && directedYieldsAttempted === undefined && preemptions === undefined
      ? []
      : [{ index, exits, directedYieldsAttempted, directedYieldsSuccessful, preemptions }];
  });
  return haltPollSuccessNanoseconds === undefined &&
    haltPollFailNanoseconds === undefined &&
    vcpus.length === 0
    ? undefined
    : { haltPollSuccessNanoseconds, haltPollFailNanoseconds, vcpus };
}

/** A kernel has both or neither; undefined where it has neither. */
function sumOfKnown(one: bigint | undefined, other: bigint | undefined): bigint | undefined {
  return one === undefined && other === undefined ? undefined : (one ?? 0n) + (other ?? 0n);
}

/** `perf.<event>` and `memory.bandwidth.monitor.<i>.node.<j>.*`; undefined when there is neither. */
export function toPerf(params: TypedParams): PerfCounters | undefined {
  const events = new Map<string, bigint>();
  for (const [field, value] of params) {
    const count = field.startsWith('perf.') ? wholeNumber(value) : undefined;
    if (count !== undefined) events.set(field.slice('perf.'.length), count);
  }
  const bandwidth = toBandwidth(params);
  return events.size === 0 && bandwidth.length === 0 ? undefined : { events, bandwidth };
}

function toBandwidth(params: TypedParams): readonly MemoryBandwidth[] {
  const prefix = 'memory.bandwidth.monitor';
  const found: MemoryBandwidth[] = [];
  // A count that is larger than the whole reply is none.
  const countAt = (field: string): number => {
    const count = wholeNumber(params.get(field)) ?? 0n;
    return count > BigInt(params.size) ? 0 : Number(count);
  };
  const monitors = countAt(`${prefix}.count`);
  for (let i = 0; i < monitors; i += 1) {
    const monitor = params.get(`${prefix}.${i}.name`);
    const nodes = countAt(`${prefix}.${i}.node.count`);
    for (let j = 0; j < nodes; j += 1) {
      const at = `${prefix}.${i}.node.${j}`;
      found.push({
        monitor: typeof monitor === 'string' ? monitor : String(i),
        node: Number(wholeNumber(params.get(`${at}.id`)) ?? j),
        localBytes: integer(params, `${at}.bytes.local`),
        totalBytes: integer(params, `${at}.bytes.total`),
      });
    }
  }
  return found;
}

function integer(params: TypedParams, field: string): bigint | undefined {
  return wholeNumber(params.get(field));
}

/** Undefined for what is none: text, NaN, a fraction, less than nothing. */
function wholeNumber(value: TypedValue | undefined): bigint | undefined {
  if (typeof value === 'bigint') return value < 0n ? undefined : value;
  return typeof value === 'number' && Number.isInteger(value) && value >= 0
    ? BigInt(value)
    : undefined;
}

function bytes(kib: bigint | undefined): number | undefined {
  return kib === undefined ? undefined : Number(kib) * 1024;
}

/** virDomainJobType: bounded and unbounded jobs are running; the rest is over or none. */
const JOB_OPERATIONS: ReadonlyMap<number, string> = new Map([
  [1, 'bounded'],
  [2, 'unbounded'],
]);

/** Undefined where the guest is busy with none. */
export function toJob(info: DomainJobInfo): DomainJob | undefined {
  const operation = JOB_OPERATIONS.get(info.type);
  if (operation === undefined) return undefined;
  return {
    operation,
    elapsedSeconds: Number(info.timeElapsedMs) / 1000,
    remainingSeconds: info.timeRemainingMs === 0n ? undefined : Number(info.timeRemainingMs) / 1000,
    dataTotalBytes: info.dataTotalBytes,
    dataProcessedBytes: info.dataProcessedBytes,
    dataRemainingBytes: info.dataRemainingBytes,
  };
}
