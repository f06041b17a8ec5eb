/**
 * What memory a guest has, from its XML: how much of it is RAM, what the RAM is made of, and what
 * the host can do with it when it runs short. Nothing else decides this.
 */

import type { DomainConfig, DomainMemory, MemoryDevice } from '../domain-config.ts';

/**
 * What a guest's RAM is made of, from `<memoryBacking>`: private anonymous memory; shared memory
 * (memfd, or a file on a tmpfs: virtiofs, vhost-user), which KSM cannot merge and whose swap VmSwap
 * does not show; a file on a disk, which the host writes back to its file instead of swapping it; or
 * pages of a hugepage pool.
 */
export type MemoryKind =
  | { readonly kind: 'anonymous' }
  | { readonly kind: 'shared' }
  | { readonly kind: 'file' }
  | { readonly kind: 'hugepages'; readonly pageBytes: number };

/** NUMA cells and memory devices of a guest in pages of one size. */
export interface HugepageCell {
  readonly pageBytes: number;
  readonly bytes: number;
}

/** Sizes of pages on this host, in bytes. */
export interface HostPages {
  readonly baseBytes: number;
  /** Of `<hugepages/>` without a size; undefined: the kernel has no hugetlbfs. */
  readonly defaultHugeBytes: number | undefined;
}

export interface GuestRam {
  /** Of what is not in `hugepageCells`. */
  readonly backing: MemoryKind;
  readonly hugepageCells: readonly HugepageCell[];
  /** All of it stays in RAM from the start: see {@link isPinned}. */
  readonly pinned: boolean;
  /** KSM may merge it: private, anonymous, normal pages, not encrypted, not kept from it. */
  readonly mergeable: boolean;
}

/**
 * What the guest's RAM is made of, as libvirt starts it (qemuBuildMemoryBackendProps). Asked several times per scrape
 * of a configuration that stays for days, so the answer is kept as long as that.
 */
export function guestRam(config: DomainConfig, pages: HostPages): GuestRam {
  const { baseBytes, defaultHugeBytes } = pages;
  const kept = keptRam.get(config);
  if (kept?.baseBytes === baseBytes && kept.defaultHugeBytes === defaultHugeBytes) return kept.ram;
  const ram = computeRam(config, pages);
  keptRam.set(config, { baseBytes, defaultHugeBytes, ram });
  return ram;
}

const keptRam = new WeakMap<DomainConfig, HostPages & { readonly ram: GuestRam }>();

function computeRam(config: DomainConfig, pages: HostPages): GuestRam {
  const parts = toParts(config, pages);
  const bySize = new Map<number, number>();
  for (const { pageBytes, bytes } of parts) {
    if (pageBytes === undefined) continue;
    bySize.set(pageBytes, (bySize.get(pageBytes) ?? 0) + (bytes ?? 0));
  }
  const cells = [...bySize]
    .map(([pageBytes, bytes]): HugepageCell => ({ pageBytes, bytes }))
    .sort((one, other) => other.bytes - one.bytes);
  const kinds = new Set(parts.map(({ kind }) => kind));
  const pinned = isPinned(config);
  const [largest, ...others] = cells;
  if (largest !== undefined && !ORDINARY.some((kind) => kinds.has(kind))) {
    const backing = { kind: 'hugepages', pageBytes: largest.pageBytes } as const;
    return { backing, hugepageCells: others, pinned, mergeable: false };
  }
  const kind = ORDINARY.find((one) => kinds.has(one)) ?? 'anonymous';
  return {
    backing: { kind },
    hugepageCells: cells,
    pinned,
    mergeable:
      kind === 'anonymous' &&
      !pinned &&
      !config.memory.backing.noSharePages &&
      config.launchSecurity === undefined,
  };
}

type OrdinaryKind = Exclude<MemoryKind['kind'], 'hugepages'>;

/** Where a guest has several: the one the host can do least with stands for all. */
const ORDINARY: readonly OrdinaryKind[] = ['file', 'shared', 'anonymous'];

/** A NUMA cell, a memory device, or all the memory of a guest without either. */
interface Part {
  readonly kind: OrdinaryKind | 'hugepages';
  readonly pageBytes: number | undefined;
  /** Undefined: the XML cannot be read. */
  readonly bytes: number | undefined;
}

function toParts({ memory, numa }: DomainConfig, pages: HostPages): readonly Part[] {
  const ofCell = (id: number, bytes: number | undefined, own: string | undefined): Part =>
    toPart(toHugepages(memory, id, pages), bytes, toKind(memory, own));
  const cells = numa.guestCells.map(({ id, memoryBytes, access }) =>
    ofCell(id, memoryBytes, access),
  );
  const devices = memory.devices.filter(isRam);
  const plugged = devices.map(({ node, sizeBytes, pageBytes, access }) => {
    const cellAccess = numa.guestCells.find(({ id }) => id === node)?.access;
    const kind = toKind(memory, access ?? cellAccess);
    const huge =
      pageBytes === undefined
        ? toHugepages(memory, node ?? 0, pages)
        : unlessBase(pageBytes, pages);
    return toPart(huge, sizeBytes, kind);
  });
  if (cells.length > 0) return [...cells, ...plugged];
  const allDevices = memory.devices.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  const bytes = memory.maximumBytes && Math.max(0, memory.maximumBytes - allDevices);
  return [ofCell(0, bytes, undefined), ...plugged];
}

function toPart(
  pageBytes: number | undefined,
  bytes: number | undefined,
  ordinary: OrdinaryKind,
): Part {
  return { kind: pageBytes === undefined ? ordinary : 'hugepages', pageBytes, bytes };
}

/**
 * QEMU shares a memfd unless told otherwise (backends/hostmem-memfd.c). Shared memory that is no
 * memfd is a file in libvirt's memory_backing_dir, whether or not `<source type='file'>` says so; of
 * a private one each page that is written becomes anonymous.
 */
function toKind({ backing }: DomainMemory, ownAccess: string | undefined): OrdinaryKind {
  const access = ownAccess ?? backing.access;
  if (backing.source === 'memfd') return access === 'private' ? 'anonymous' : 'shared';
  return access === 'shared' ? 'file' : 'anonymous';
}

/** Size of the huge pages of a guest's cell; undefined: it has normal ones. */
function toHugepages(
  { backing: { hugepages } }: DomainMemory,
  cell: number,
  pages: HostPages,
): number | undefined {
  if (hugepages === undefined) return undefined;
  if (hugepages.length === 0) return pages.defaultHugeBytes;
  const page =
    hugepages.find(({ guestNodes }) => guestNodes?.includes(cell) === true) ??
    hugepages.find(({ guestNodes }) => guestNodes === undefined);
  return page && unlessBase(page.pageBytes, pages);
}

/** libvirt takes "huge" pages of the host's base size for normal ones, which are no pool. */
function unlessBase(pageBytes: number, { baseBytes }: HostPages): number | undefined {
  return pageBytes === baseBytes ? undefined : pageBytes;
}

/**
 * Whether all of the guest's RAM is pinned: by `<locked/>`; because a device may write to any of
 * it by DMA (VFIO, vDPA, QEMU's own NVMe driver, be it for an image another one is based on, or the
 * target of a block copy); or because it is encrypted: SEV pins it, SEV-SNP and TDX keep it in
 * guest_memfd (Linux Documentation/virt/kvm/x86/amd-memory-encryption.rst, api.rst). Such memory cannot be
 * swapped or merged, and taking it with the balloon gives the host nothing. vfio-ccw and vfio-ap
 * pin only pages in use (libvirt qemu_domain.c, memory lock limit); s390's protected guests can be
 * swapped, and their balloons work.
 */
export function isPinned(config: DomainConfig): boolean {
  return (
    config.memory.backing.locked ||
    (config.launchSecurity !== undefined && config.launchSecurity !== 's390-pv') ||
    config.hostdevs.some(
      ({ type, model }) => type === 'pci' || (type === 'mdev' && model === 'vfio-pci'),
    ) ||
    config.interfaces.some(({ type }) => type === 'hostdev' || type === 'vdpa') ||
    config.disks.some(({ type, source, backing, mirror }) => {
      const below = mirror === undefined ? backing : [...backing, mirror, ...mirror.backing];
      return (
        writesToGuestRam(type) ||
        source?.kind === 'nvme' ||
        below.some((image) => writesToGuestRam(image.type))
      );
    })
  );
}

/** A disk whose device writes to the guest's RAM by itself. */
function writesToGuestRam(type: string): boolean {
  return type === 'nvme' || type === 'vhostvdpa';
}

/** Whether a memory device is RAM; the others are a disk by another name, or SGX's own memory. */
function isRam({ model }: MemoryDevice): boolean {
  return !['nvdimm', 'virtio-pmem', 'sgx-epc'].includes(model);
}

/** Of a total as libvirt gives it, which has all memory devices in it, what is RAM. */
export function ramBytes(
  totalBytes: number | undefined,
  config: DomainConfig | undefined,
): number | undefined {
  if (totalBytes === undefined) return undefined;
  const others = config?.memory.devices.filter((device) => !isRam(device)) ?? [];
  return Math.max(0, totalBytes - others.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0));
}

/**
 * Of what a guest has or should have now, what is RAM. libvirt counts all memory devices in until
 * the balloon has spoken; QEMU, which it then asks, counts RAM alone.
 */
export function currentRamBytes(
  currentBytes: number | undefined,
  totalBytes: number | undefined,
  config: DomainConfig | undefined,
): number | undefined {
  const mostBytes = ramBytes(totalBytes, config);
  if (currentBytes === undefined || mostBytes === totalBytes) return currentBytes;
  return Math.min(currentBytes, mostBytes ?? currentBytes);
}

/** What can be done with a guest's memory when the host runs short. */
export interface MemoryTraits {
  readonly backing: MemoryKind['kind'];
  /** KSM may merge it. */
  readonly mergeable: boolean;
  readonly swappable: boolean;
  /** What the guest gives up with its balloon comes back to the host. */
  readonly balloonable: boolean;
}

/** What is known of a running guest beyond its XML. */
interface AssessedMemory {
  readonly backing: MemoryKind['kind'];
  readonly swappable: boolean;
  readonly balloon: 'absent' | 'effective' | 'ineffective';
}

/**
 * From the XML; for a running guest the assessment decides on swapping and ballooning, since it
 * also saw how much of the process is really locked.
 */
export function memoryTraits(
  config: DomainConfig,
  pages: HostPages,
  assessed: AssessedMemory | undefined,
): MemoryTraits {
  const { backing, pinned, mergeable } = guestRam(config, pages);
  if (assessed !== undefined) {
    return {
      backing: assessed.backing,
      mergeable,
      swappable: assessed.swappable,
      balloonable: assessed.balloon === 'effective',
    };
  }
  const stays = pinned || backing.kind === 'hugepages';
  return {
    backing: backing.kind,
    mergeable,
    swappable: !stays && backing.kind !== 'file',
    balloonable: !stays && config.balloon !== undefined,
  };
}
