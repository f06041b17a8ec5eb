import type { DomainConfig, MemoryBacking } from '../../model/domain-config.ts';
import { emptyOwner, type GuestOwner } from '../../model/guest-owner.ts';
import type { CountedQemu } from '../../sources/process/qemu-census.ts';
import type { QemuCommandLine } from '../../sources/process/qemu-command-line.ts';
import { bareConfig, bareInterface } from '../bare-guest.ts';

/** What QEMU gives a guest that is given nothing (hw/core/machine.c, `default_ram_size`). */
const DEFAULT_MEMORY_BYTES = 128 * 1024 ** 2;

/** What a QEMU was told about its guest, as far as its command line, or a file it names, says. */
export function toProcessConfig(
  { commandLine, isContained }: CountedQemu,
  name: string,
): DomainConfig {
  const bare = bareConfig(
    name,
    commandLine.uuid ?? '',
    commandLine.accelerator === 'kvm' ? 'kvm' : 'qemu',
  );
  const { vcpus } = commandLine;
  // What a file with options says could not be read.
  const isSaid = commandLine.readconfig === undefined;
  const memoryBytes =
    isSaid && !commandLine.saysMemory ? DEFAULT_MEMORY_BYTES : commandLine.memoryBytes;
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
    owner: isContained ? undefined : toOwner(commandLine.workPath),
  };
}

/** `/run/incus/<project>_<instance>/qemu.pid`; the default project is not named. */
const OF_INCUS = /\/(?:incus|lxd)\/(?:(?:common\/lxd\/)?logs\/)?([^/]+)\/qemu\.(?:conf|pid)$/;

/** Incus and LXD keep the files of an instance in a directory of its name (driver_qemu.go, RunPath). */
function toOwner(workPath: string | undefined): GuestOwner | undefined {
  const directory = OF_INCUS.exec(workPath ?? '')?.[1];
  if (directory === undefined) return undefined;
  // No instance has an underscore in its name, while a project may.
  const at = directory.lastIndexOf('_');
  const project = at > 0 ? directory.slice(0, at) : 'default';
  return { ...emptyOwner('incus'), tenant: project, project };
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
