import type { GuestImage } from './guest-image.ts';
import { jobsOnCommandLine } from './guest-job.ts';
import type {
  BalloonSpec,
  CpuTuneSpec,
  DiskSpec,
  GuestSpec,
  MemoryBackingSpec,
  NicSpec,
  VcpuSpec,
} from './guest-spec.ts';

/** A disk whose image exists. */
interface PreparedDisk {
  readonly spec: DiskSpec;
  readonly path: string;
}

/** What the lab adds to a guest's description. */
export interface DomainSurroundings {
  readonly image: GuestImage;
  readonly disks: readonly PreparedDisk[];
  readonly bridge: string;
  /** `<resource><partition>`: the cgroup the domain's cgroup is put into. */
  readonly partition: string;
  readonly consoleLog: string;
  readonly commandSocket: string;
  readonly sideMonitorSocket: string;
  /** One per NIC: MAC address, and the guest's address with prefix length, or `none`. */
  readonly nicAddresses: readonly { readonly mac: string; readonly ip: string }[];
}

const DEFAULT_MEMORY_MIB = { linux: 128, none: 32 } as const;
const DEFAULT_BALLOON: BalloonSpec = { kind: 'period', seconds: 2 };

/**
 * The domain XML of a guest (libvirt docs/formatdomain). Always `type='qemu'`, that is TCG, so that
 * a lab behaves the same with and without /dev/kvm.
 */
export function domainXml(spec: GuestSpec, lab: DomainSurroundings): string {
  const os = spec.os ?? 'linux';
  const memoryMib = spec.memoryMib ?? DEFAULT_MEMORY_MIB[os];
  return lines(
    `<domain type='qemu' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>`,
    `<name>${escapeXml(spec.name)}</name>`,
    spec.metadata === undefined ? '' : `<metadata>${spec.metadata}</metadata>`,
    `<memory unit='MiB'>${memoryMib}</memory>`,
    `<currentMemory unit='MiB'>${spec.currentMemoryMib ?? memoryMib}</currentMemory>`,
    memoryBackingXml(spec.memoryBacking),
    vcpuXml(spec.vcpus ?? {}),
    element('iothreads', spec.ioThreads),
    cpuTuneXml(spec.cpuTune ?? {}, spec.vcpus?.pins ?? []),
    `<resource><partition>${escapeXml(lab.partition)}</partition></resource>`,
    `<os><type arch='x86_64' machine='pc'>hvm</type>`,
    os === 'linux' ? bootXml(spec, lab) : `<boot dev='hd'/>`,
    `</os>`,
    `<features><acpi/><apic/></features>`,
    `<on_poweroff>destroy</on_poweroff><on_reboot>destroy</on_reboot><on_crash>destroy</on_crash>`,
    `<devices>`,
    `<emulator>/usr/bin/qemu-system-x86_64</emulator>`,
    `<controller type='usb' model='none'/>`,
    ...lab.disks.map((disk, index) => diskXml(disk, targetName(disk.spec, index, lab.disks))),
    ...(spec.nics ?? []).map((nic, index) => nicXml(nic, lab, index)),
    os === 'linux' ? serialXml(lab) : '',
    balloonXml(spec.balloon ?? DEFAULT_BALLOON),
    `</devices>`,
    spec.sideMonitor === true ? sideMonitorXml(lab) : '',
    `</domain>`,
  );
}

/** Text made safe inside an XML element or a quoted attribute. */
function escapeXml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll("'", '&apos;')
    .replaceAll('"', '&quot;');
}

function bootXml(spec: GuestSpec, lab: DomainSurroundings): string {
  // The kernel tests its timer interrupt against a loop of instructions, which an emulated guest that
  // has to wait for a CPU fails: "IO-APIC + timer doesn't work" (linux kernel-parameters.txt).
  const words = ['console=ttyS0', 'quiet', 'panic=-1', 'no_timer_check'];
  const jobs = jobsOnCommandLine(spec.jobs ?? []);
  if (jobs !== '') words.push(`lab.job=${jobs}`);
  if (lab.nicAddresses.length > 0) {
    words.push(`lab.ip=${lab.nicAddresses.map((nic) => nic.ip).join(',')}`);
  }
  return lines(
    `<kernel>${escapeXml(lab.image.kernel)}</kernel>`,
    `<initrd>${escapeXml(lab.image.initrd)}</initrd>`,
    `<cmdline>${escapeXml(words.join(' '))}</cmdline>`,
  );
}

function memoryBackingXml(backing: MemoryBackingSpec | undefined): string {
  if (backing === undefined) return '';
  return lines(
    `<memoryBacking>`,
    backing.hugePages === true ? `<hugepages/>` : '',
    backing.noSharePages === true ? `<nosharepages/>` : '',
    backing.locked === true ? `<locked/>` : '',
    backing.memfdShared === true ? `<source type='memfd'/><access mode='shared'/>` : '',
    backing.fileShared === true ? `<source type='file'/><access mode='shared'/>` : '',
    `</memoryBacking>`,
  );
}

function vcpuXml(vcpus: VcpuSpec): string {
  const current = vcpus.current ?? 1;
  const maximum = vcpus.maximum ?? current;
  return `<vcpu${attributes({
    placement: 'static',
    cpuset: vcpus.cpuset,
    current: maximum === current ? undefined : current,
  })}>${maximum}</vcpu>`;
}

function cpuTuneXml(tune: CpuTuneSpec, pins: readonly string[]): string {
  const elements = [
    element('shares', tune.shares),
    element('period', tune.periodUs),
    element('quota', tune.quotaUs),
    element('global_quota', tune.globalQuotaUs),
    ...pins.map((cpuset, vcpu) => `<vcpupin${attributes({ vcpu, cpuset })}/>`),
  ].filter((text) => text !== '');
  return elements.length === 0 ? '' : lines(`<cputune>`, ...elements, `</cputune>`);
}

const DISK_PREFIX = { virtio: 'vd', scsi: 'sd', sata: 'sd', ide: 'hd' } as const;

/** vda, vdb … counted per prefix. */
function targetName(spec: DiskSpec, index: number, disks: readonly PreparedDisk[]): string {
  const prefix = DISK_PREFIX[spec.bus ?? 'virtio'];
  const before = disks
    .slice(0, index)
    .filter((disk) => DISK_PREFIX[disk.spec.bus ?? 'virtio'] === prefix).length;
  return `${prefix}${String.fromCharCode('a'.charCodeAt(0) + before)}`;
}

function diskXml(disk: PreparedDisk, target: string): string {
  const { spec, path } = disk;
  const isBlock = spec.source.kind === 'block';
  const driver = attributes({
    name: 'qemu',
    type: spec.source.format,
    cache: spec.cache,
    error_policy: spec.errorPolicy,
    discard: spec.discard,
    iothread: spec.ioThread,
  });
  const limits = Object.entries(spec.ioTune ?? {}).map(([name, value]) => element(name, value));
  return lines(
    `<disk type='${isBlock ? 'block' : 'file'}' device='${spec.device ?? 'disk'}'>`,
    `<driver${driver}/>`,
    `<source${attributes({ [isBlock ? 'dev' : 'file']: path })}/>`,
    `<target${attributes({ dev: target, bus: spec.bus ?? 'virtio' })}/>`,
    limits.length === 0 ? '' : `<iotune>${limits.join('')}</iotune>`,
    spec.readOnly === true ? `<readonly/>` : '',
    spec.shareable === true ? `<shareable/>` : '',
    `</disk>`,
  );
}

function nicXml(nic: NicSpec, lab: DomainSurroundings, index: number): string {
  if (nic.vhostUserSocket !== undefined) return vhostUserXml(nic, nic.vhostUserSocket, lab, index);
  const limits = [
    limitXml('inbound', nic.inboundKibPerSecond),
    limitXml('outbound', nic.outboundKibPerSecond),
  ].join('');
  return lines(
    `<interface type='bridge'>`,
    `<source${attributes({ bridge: nic.bridge ?? lab.bridge })}/>`,
    `<mac${attributes({ address: lab.nicAddresses[index]?.mac })}/>`,
    nic.target === undefined ? '' : `<target${attributes({ dev: nic.target })}/>`,
    `<model${attributes({ type: nic.model ?? 'virtio' })}/>`,
    limits === '' ? '' : `<bandwidth>${limits}</bandwidth>`,
    `</interface>`,
  );
}

function vhostUserXml(
  nic: NicSpec,
  socket: string,
  lab: DomainSurroundings,
  index: number,
): string {
  return lines(
    `<interface type='vhostuser'>`,
    `<source${attributes({ type: 'unix', path: socket, mode: 'client' })}/>`,
    `<mac${attributes({ address: lab.nicAddresses[index]?.mac })}/>`,
    `<model${attributes({ type: nic.model ?? 'virtio' })}/>`,
    // A boot ROM would make the backend work, which speaks no more than it takes to be connected.
    `<rom enabled='no'/>`,
    `</interface>`,
  );
}

function limitXml(direction: 'inbound' | 'outbound', average: number | undefined): string {
  return average === undefined ? '' : `<${direction} average='${average}'/>`;
}

function serialXml(lab: DomainSurroundings): string {
  return lines(
    `<serial type='file'><source${attributes({ path: lab.consoleLog })}/>`,
    `<target type='isa-serial' port='0'/></serial>`,
    `<serial type='unix'><source${attributes({ mode: 'bind', path: lab.commandSocket })}/>`,
    `<target type='isa-serial' port='1'/></serial>`,
  );
}

function sideMonitorXml(lab: DomainSurroundings): string {
  const args = [
    ...['-chardev', `socket,id=side,path=${lab.sideMonitorSocket},server=on,wait=off`],
    ...['-mon', 'chardev=side,mode=control'],
  ];
  return lines(
    `<qemu:commandline>`,
    ...args.map((value) => `<qemu:arg${attributes({ value })}/>`),
    `</qemu:commandline>`,
  );
}

function balloonXml(balloon: BalloonSpec): string {
  switch (balloon.kind) {
    case 'none':
      return `<memballoon model='none'/>`;
    case 'silent':
      return `<memballoon model='virtio'/>`;
    case 'period': {
      const features = attributes({
        autodeflate: balloon.autoDeflate === true ? 'on' : undefined,
        freePageReporting: balloon.freePageReporting === true ? 'on' : undefined,
      });
      const stats = `<stats period='${balloon.seconds}'/>`;
      return `<memballoon model='virtio'${features}>${stats}</memballoon>`;
    }
  }
}

function element(name: string, value: number | undefined): string {
  return value === undefined ? '' : `<${name}>${value}</${name}>`;
}

/** ` name='value'` for each that has a value. */
function attributes(values: Readonly<Record<string, string | number | undefined>>): string {
  return Object.entries(values)
    .map(([name, value]) => (value === undefined ? '' : ` ${name}='${escapeXml(String(value))}'`))
    .join('');
}

function lines(...parts: readonly string[]): string {
  return parts.filter((part) => part !== '').join('\n');
}
