import type { Disk } from '../../model/domain-config.ts';
import type { ChainEnd, ChainImage } from '../../model/image.ts';
import type { ProcessThread, ThreadRole } from '../../model/process.ts';
import type { DomainDisk } from '../../model/storage.ts';
import type { Recently } from '../../risk/recent-counters.ts';
import { nanosecondsToSeconds } from '../../runtime/kernel-time.ts';
import type { DomainView, View } from '../../view/view.ts';
import type { GuestNic } from '../../view/guest-nic.ts';
import type { GuestRow } from '../words/guest-rows.ts';
import type { PageFacts } from './page-facts.ts';

/** What the page of one guest says, beside what the list says of it. Undefined is not known. */
export interface GuestFacts {
  readonly row: GuestRow;
  readonly disks: readonly DiskFacts[];
  readonly nics: readonly NicFacts[];
  /** Undefined where /proc of the guest is out of reach. */
  readonly threads: readonly ThreadFacts[] | undefined;
  /** Shares of time. */
  readonly memoryStalledRatio: number | undefined;
  readonly ioStalledRatio: number | undefined;
}

export interface DiskFacts {
  /** `vda`. */
  readonly device: string;
  readonly bus: string | undefined;
  readonly isReadOnly: boolean;
  /** A block job writes it there while it runs. */
  readonly isMirror: boolean;
  /** From the image the guest writes to down to the last one it is based on. */
  readonly chain: readonly ImageFacts[];
  /** Why the chain goes on where nobody can see; undefined: it ends there. */
  readonly end: string | undefined;
}

export interface ImageFacts {
  readonly path: string;
  readonly format: string | undefined;
  readonly role: ChainImage['role'] | 'remote';
  /** Worst case of an image that is written to; what is allocated of one that is not. */
  readonly promisedBytes: number | undefined;
  readonly allocatedBytes: number | undefined;
}

export interface NicFacts {
  readonly device: string;
  readonly model: string | undefined;
  readonly bridge: string | undefined;
  readonly uplinks: readonly string[];
  /** `average` of its limit; undefined: it has none. */
  readonly inboundLimitBytesPerSecond: number | undefined;
  readonly outboundLimitBytesPerSecond: number | undefined;
  readonly droppedPackets: bigint | undefined;
}

export interface ThreadFacts {
  readonly role: string;
  readonly tid: number;
  /** Since it began. */
  readonly runSeconds: number | undefined;
  readonly delaySeconds: number | undefined;
  /** Delay per run and delay: of the time it wanted a CPU. */
  readonly delayShare: number | undefined;
}

/** More threads than that are not listed one by one. */
export const MOST_THREADS = 256;

/**
 * @param segment the guest's name, or its uuid, as it stands in an address.
 * @returns undefined where there is no such guest.
 */
export function guestFacts(
  { domains }: View,
  { rates }: Recently,
  { guests }: PageFacts,
  segment: string,
): GuestFacts | undefined {
  const wanted = decoded(segment);
  if (wanted === undefined) return undefined;
  // Names are chosen by whoever makes a guest: none stands before another's identity.
  const view =
    domains.find(({ domain }) => domain.uuid === wanted) ??
    domains.find(({ domain }) => domain.name === wanted);
  const row = guests.find(({ uuid }) => uuid === view?.domain.uuid);
  if (view === undefined || row === undefined) return undefined;
  const own = rates?.guests.get(row.uuid);
  return {
    row,
    disks: view.disks.map((disk) => toDisk(disk, view)),
    nics: view.nics.map(toNic),
    threads: view.domain.process?.threads?.map(toThread).slice(0, MOST_THREADS),
    memoryStalledRatio: own?.memoryStalledRatio,
    ioStalledRatio: own?.ioStalledRatio,
  };
}

function decoded(segment: string): string | undefined {
  try {
    return decodeURIComponent(segment);
  } catch {
    // Bytes that are no UTF-8 are nobody's name.
    return undefined;
  }
}

function toDisk(disk: DomainDisk, { domain }: DomainView): DiskFacts {
  const { device, readOnly, part, source } = disk;
  const config: Disk | undefined = domain.config?.disks.find(({ target }) => target === device);
  const common = {
    device,
    bus: config?.bus,
    isReadOnly: readOnly,
    isMirror: part === 'mirror',
  };
  if (source.kind === 'remote') {
    const image: ImageFacts = {
      path: source.name,
      format: undefined,
      role: 'remote',
      promisedBytes: undefined,
      allocatedBytes: undefined,
    };
    return { ...common, chain: [image], end: undefined };
  }
  const { images, end } = source.chain;
  return {
    ...common,
    chain: images.map((one) => toImage(one, readOnly)),
    end: endWords(end),
  };
}

function toImage({ role, depth, image }: ChainImage, readOnly: boolean): ImageFacts {
  const isWritten = depth === 0 && !readOnly;
  return {
    path: image.resolvedPath,
    format: image.format,
    role,
    promisedBytes: isWritten ? image.worstCase?.withSnapshotsBytes : image.allocatedBytes,
    allocatedBytes: image.allocatedBytes,
  };
}

/** Names that lead elsewhere may hold passwords, and are not shown. */
function endWords(end: ChainEnd): string | undefined {
  switch (end.kind) {
    case 'complete':
      return undefined;
    case 'unknown':
      return `${end.path}: ${end.detail}`;
    case 'remote':
      return `goes on at another host, by ${end.protocol}`;
    case 'unspecified-format':
      return 'goes on in an image whose format nobody says';
    case 'loop':
      return `${end.path} is based on itself`;
    case 'too-deep':
      return `goes on for more than ${end.limit} images`;
    case 'refused':
    case 'unreadable':
    case 'bad-header':
      return `${end.path}: ${end.error.detail}`;
  }
}

function toNic({ device, config, counters, bridge, uplinks }: GuestNic): NicFacts {
  const received = counters?.receiveDrops;
  const sent = counters?.transmitDrops;
  return {
    device,
    model: config?.model,
    bridge,
    uplinks,
    inboundLimitBytesPerSecond: config?.inbound?.averageBytesPerSecond,
    outboundLimitBytesPerSecond: config?.outbound?.averageBytesPerSecond,
    droppedPackets: received === undefined || sent === undefined ? undefined : received + sent,
  };
}

function toThread({ tid, role, schedule }: ProcessThread): ThreadFacts {
  const run = schedule && nanosecondsToSeconds(schedule.runNanoseconds);
  const delay = schedule && nanosecondsToSeconds(schedule.delayNanoseconds);
  return {
    role: roleWords(role),
    tid,
    runSeconds: run,
    delaySeconds: delay,
    delayShare:
      run === undefined || delay === undefined || run + delay === 0
        ? undefined
        : delay / (run + delay),
  };
}

function roleWords(role: ThreadRole): string {
  if (role.kind === 'vcpu') return `vCPU ${role.index}`;
  if (role.kind === 'iothread') return `I/O thread ${role.id}`;
  return role.kind.replaceAll('-', ' ');
}
