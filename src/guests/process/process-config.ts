import type { DomainConfig, MemoryBacking } from '../../model/domain-config.ts';
import type { CountedQemu } from '../../sources/process/qemu-census.ts';
import type { QemuCommandLine } from '../../sources/process/qemu-command-line.ts';
import { bareConfig, bareInterface } from '../bare-guest.ts';

/** What QEMU gives a guest that is given nothing (hw/core/machine.c, `default_ram_size`). */
const DEFAULT_MEMORY_BYTES = 128 * 1024 ** 2;

/** What a QEMU was told about its guest, as far as its command line, or a file it names, says. */
export function toProcessConfig(
  { commandLine, isContained }: CountedQemu,
  name: string,
  more: Partial<Pick<DomainConfig, 'memory' | 'vcpu'>> = {},
): DomainConfig {
  const bare = bareConfig(
    name,
    commandLine.uuid ?? '',
    commandLine.accelerator === 'kvm' ? 'kvm' : 'qemu',
  );
  const { vcpus } = commandLine;
  // What a file with options says is not to be seen here.
  const isSaid = commandLine.readconfig === undefined;
  const memoryBytes = commandLine.memoryBytes ?? (isSaid ? DEFAULT_MEMORY_BYTES : undefined);
  return {
    ...bare,
    os: { ...bare.os, machine: commandLine.machine },
    memory: {
      ...bare.memory,
      maximumBytes: memoryBytes,
      backing: toBacking(commandLine),
    },
    vcpu: { ...bare.vcpu, ...(isSaid || commandLine.saysVcpus ? vcpus : undefined) },
    balloon: commandLine.hasBalloon
      ? {
          model: 'virtio',
          statsPeriodSeconds: undefined,
          freePageReporting: false,
          autodeflate: false,
        }
      : undefined,
    // In a container these are names of its own network.
    interfaces: isContained ? [] : commandLine.taps.map((tap) => bareInterface('ethernet', tap)),
    hostdevs: commandLine.hasHostDevice
      ? [{ type: 'pci', mode: 'subsystem', model: undefined, alias: undefined }]
      : [],
    ...more,
  };
}

const HUGEPAGES = /^\/(?:dev|run)\/hugepages(?:\/|$)/;

/** What the RAM is made of; of several backends the largest part decides. */
export function toBacking({
  backends,
  isLocked,
  isMergeOff,
}: Pick<QemuCommandLine, 'backends' | 'isLocked' | 'isMergeOff'>): MemoryBacking {
  const [first] = backends.toSorted((one, other) => (other.bytes ?? 0) - (one.bytes ?? 0));
  const isHuge = HUGEPAGES.test(first?.path ?? '');
  const kilobytes = /\/(\d{1,9})kB(?:\/|$)/.exec(first?.path ?? '')?.[1];
  return {
    hugepages: !isHuge
      ? undefined
      : kilobytes === undefined
        ? []
        : [{ pageBytes: Number(kilobytes) * 1024, guestNodes: undefined }],
    noSharePages: isMergeOff,
    locked: isLocked,
    source:
      first?.type === 'memory-backend-memfd'
        ? 'memfd'
        : first?.type === 'memory-backend-file'
          ? 'file'
          : undefined,
    access: first === undefined ? undefined : first.shared ? 'shared' : 'private',
    allocation: undefined,
    discard: false,
  };
}
