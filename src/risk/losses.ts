import { findLimit } from '../config/policy.ts';
import type { LimitKey } from '../config/policy-defaults.ts';
import { isPausedOnIoError } from '../model/facts/domain-state.ts';
import { isUp } from '../model/facts/link-state.ts';
import type { Filesystem } from '../model/filesystem.ts';
import type { ThinPool } from '../model/storage.ts';
import { thinPoolName } from '../model/facts/thin-pool-name.ts';
import type { DomainView, View } from '../view/view.ts';
import {
  findExhaustion,
  findStarvation,
  guestSurroundings,
  type GuestSurroundings,
} from './guest-risk.ts';
import { meanDelay, type LinkRates } from './rates.ts';
import type { Recently } from './recent-counters.ts';
import type { LossId } from './risk-model.ts';

/** The smallest thing an image grows by, a cluster of 64 KiB. */
const SMALLEST_GROWTH_BYTES = 65_536;
/** Eight of the largest clusters: less may stop a guest that wants several of them at once. */
const LARGE_GROWTH_BYTES = 16_777_216;

type Losses = readonly (readonly [LossId, number | undefined])[];

/** Values of this host that losses share with signals. */
export interface SharedValues {
  /** Share of the time in which vCPUs of the host waited. */
  readonly delayRatio: number | undefined;
  /** Available per memory of the host without pools of huge pages. */
  readonly availableRatio: number | undefined;
  /** Bytes per second in the weaker direction. */
  readonly swapStorm: number | undefined;
}

/**
 * How much of what the critical alerts look for is there, by the same facts and limits as their
 * expressions, over the last minute instead of five. Undefined where a fact was not read; what is
 * missing here takes Prometheus to know, and the risk model says why.
 */
export function computeLosses(view: View, recently: Recently, shared: SharedValues): Losses {
  return [
    ...cpuLosses(view, recently, shared),
    ...memoryLosses(view, recently, shared),
    ...storageLosses(view),
    ...networkLosses(view, recently),
  ];
}

function cpuLosses(view: View, { rates }: Recently, { delayRatio }: SharedValues): Losses {
  const limits = new Limits(view);
  const waiting = rates?.host.cpuWaitingRatio;
  const calm = limits.isWithin('cpu.pressure_ratio', 'critical', waiting);
  return [
    [
      'cpu_loss_host',
      ifKnown(delayRatio, (ratio) =>
        one(limits.isBeyond('cpu.delay_ratio', 'critical', ratio) && !calm),
      ),
    ],
    ['cpu_loss_guests', countStarved(view, rates)],
  ];
}

/** Undefined where no guest's waiting was measured. */
function countStarved(view: View, rates: Recently['rates']): number | undefined {
  const surroundings = surroundingsIn(view, rates);
  const known = [...(rates?.guests.values() ?? [])].filter((own) => meanDelay(own) !== undefined);
  return known.length === 0
    ? undefined
    : known.filter((own) => findStarvation(own, surroundings) !== undefined).length;
}

function surroundingsIn({ policy }: View, rates: Recently['rates']): GuestSurroundings {
  return guestSurroundings(policy.policy, rates?.host.cpuWaitingRatio);
}

function memoryLosses(
  view: View,
  { rates }: Recently,
  { availableRatio, swapStorm }: SharedValues,
): Losses {
  const limits = new Limits(view);
  const host = rates?.host;
  const stalled = host?.memoryStalledRatio;
  const isFelt =
    limits.isBeyond('memory.pressure_ratio', 'warning', stalled) ||
    limits.isBeyond('memory.pressure_ratio', 'critical', host?.memoryWaitingRatio) ||
    // A kernel without PSI: pages that had to be waited for tell the same.
    (stalled === undefined &&
      limits.isBeyond('memory.major_faults_per_second', 'warning', host?.majorFaultsPerSecond));
  const waitsForMemory = limits.isBeyond(
    'memory.allocation_stalls_per_second',
    'warning',
    host?.allocationStallsPerSecond,
  );
  return [
    [
      'memory_loss_swap_storm',
      ifKnown(swapStorm, (bytes) =>
        one(limits.isBeyond('memory.swap_bytes_per_second', 'critical', bytes) && isFelt),
      ),
    ],
    [
      'memory_loss_host_low',
      ifKnown(availableRatio, (ratio) =>
        one(limits.isBeyond('memory.available_ratio', 'critical', ratio) && waitsForMemory),
      ),
    ],
    [
      'memory_loss_host_stalled',
      ifKnown(stalled, (ratio) => one(limits.isBeyond('memory.pressure_ratio', 'critical', ratio))),
    ],
    ['memory_loss_guests_exhausted', countExhausted(view, rates)],
  ];
}

/** Undefined where no guest tells how it pages. */
function countExhausted(view: View, rates: Recently['rates']): number | undefined {
  const surroundings = surroundingsIn(view, rates);
  const known = view.domains.flatMap(({ domain }) => {
    const own = rates?.guests.get(domain.uuid);
    return own?.guestSwapBytesPerSecond === undefined &&
      own?.guestMajorFaultsPerSecond === undefined
      ? []
      : findExhaustion(domain, own, surroundings) !== undefined;
  });
  return known.length === 0 ? undefined : known.filter((isExhausted) => isExhausted).length;
}

function storageLosses({ snapshot, domains, images, assessment }: View): Losses {
  const { storage } = snapshot;
  const claimable = new Map(
    (assessment.storage?.containers ?? [])
      .filter(({ kind }) => kind === 'filesystem')
      .map(({ name, claimableBytes }) => [name, claimableBytes]),
  );
  const canGrow = ({ mount }: Filesystem): boolean => (claimable.get(mount.mountpoint) ?? 0) > 0;
  const paused = domains.filter(({ domain }) => isPausedOnIoError(domain));
  const hasStopped = ({ mount }: Filesystem): boolean =>
    paused.some((guest) => wantsSpaceOn(guest, mount.mountpoint));
  const filesystems = (is: (one: Filesystem) => boolean): number | undefined =>
    storage?.filesystems.filter(is).length;
  return [
    [
      'storage_loss_full',
      filesystems(
        (one) =>
          one.space.ok &&
          isUsedUpBut(one, hasStopped(one) ? LARGE_GROWTH_BYTES : SMALLEST_GROWTH_BYTES) &&
          (canGrow(one) || one.traits.network),
      ),
    ],
    [
      'storage_loss_inodes',
      filesystems(
        ({ space }) => space.ok && (space.value.inodes ?? 0) > 0 && space.value.inodesFree === 0,
      ),
    ],
    ['storage_loss_unresponsive', filesystems(({ space }) => !space.ok)],
    ['storage_loss_read_only', filesystems((one) => one.mount.readOnly && canGrow(one))],
    [
      'storage_loss_paused_guests',
      snapshot.domains && paused.filter((guest) => !isStoppedByStorage(guest, snapshot)).length,
    ],
    [
      'storage_loss_corrupt_images',
      storage && images.filter(({ image }) => image?.qcow2?.corrupt === true).length,
    ],
    ['storage_loss_thin_pools', storage?.thin?.storage.pools.filter(isBroken).length],
  ];
}

function isUsedUpBut({ space }: Filesystem, bytes: number): boolean {
  return space.ok && space.value.availableBytes < bytes;
}

function wantsSpaceOn({ storage }: DomainView, mountpoint: string): boolean {
  return storage.some(
    ({ part, container }) =>
      container.kind === 'filesystem' && container.name === mountpoint && part.claimableBytes > 0,
  );
}

/** What stops it is a loss of its own, a full filesystem or a broken pool. */
function isStoppedByStorage(guest: DomainView, { storage }: View['snapshot']): boolean {
  const broken = new Set(
    (storage?.thin?.storage.pools ?? [])
      .filter(isBroken)
      .map(({ vgName, name }) => thinPoolName(vgName, name)),
  );
  return (
    (storage?.filesystems ?? []).some(
      (one) =>
        wantsSpaceOn(guest, one.mount.mountpoint) &&
        (one.mount.readOnly || isUsedUpBut(one, LARGE_GROWTH_BYTES)),
    ) ||
    guest.storage.some(
      ({ container }) => container.kind === 'thin pool' && broken.has(container.name),
    ) ||
    guest.disks.some(
      ({ source }) =>
        source.kind !== 'remote' &&
        source.chain.images.some(({ image }) => image.qcow2?.corrupt === true),
    )
  );
}

const BROKEN_STATES: ReadonlySet<ThinPool['state']> = new Set([
  'ro',
  'out-of-data-space',
  'failed',
]);

/** The kernel says that a pool is full only with the next write. */
function isBroken(pool: ThinPool): boolean {
  return (
    BROKEN_STATES.has(pool.state) ||
    pool.needsCheck === true ||
    isUsedUp(pool.dataUsedBytes, pool.sizeBytes) ||
    isUsedUp(pool.metadataUsedBytes, pool.metadataSizeBytes)
  );
}

/** All of it is used, where both are known. */
export function isUsedUp(used: number | undefined, size: number | undefined): boolean {
  return used !== undefined && size !== undefined && size > 0 && used >= size;
}

function networkLosses(view: View, { rates }: Recently): Losses {
  const limits = new Limits(view);
  const links = view.snapshot.network?.links;
  const uplinks = view.assessment.network?.uplinks;
  const dropsTooMuch = (ratio: number | undefined): boolean =>
    limits.isBeyond('network.drop_ratio', 'warning', ratio);
  const counting = (is: (rates: LinkRates, uplink: Uplink) => boolean): number | undefined =>
    rates &&
    uplinks?.filter((uplink) => {
      const link = rates.links.get(uplink.id);
      return link !== undefined && is(link, uplink);
    }).length;
  const isDown = (id: string): boolean => isUp(links?.get(id)?.state) === false;
  const cutOff = new Set(
    view.domains
      .flatMap(({ nics }) => nics.map((nic) => nic.uplinks))
      .filter((ways) => ways.every((id) => isUp(links?.get(id)?.state) !== true))
      .flat(),
  );
  return [
    [
      'network_loss_saturated',
      counting(({ receivedBytesPerSecond, sentBytesPerSecond, dropRatio }, uplink) => {
        const speed = uplink.speedBytesPerSecond ?? 0;
        const busier = Math.max(receivedBytesPerSecond, sentBytesPerSecond);
        const used = speed > 0 ? busier / speed : undefined;
        return (
          limits.isBeyond('network.utilisation_ratio', 'critical', used) && dropsTooMuch(dropRatio)
        );
      }),
    ],
    [
      'network_loss_drops',
      counting(({ sentDropRatio }, { nics }) => nics > 0 && dropsTooMuch(sentDropRatio)),
    ],
    [
      'network_loss_down',
      links && uplinks?.filter(({ id, nics }) => nics > 0 && isDown(id) && cutOff.has(id)).length,
    ],
  ];
}

type Uplink = NonNullable<View['assessment']['network']>['uplinks'][number];

/** Comparisons as the rules make them: without a limit there is nothing to be past, or within. */
class Limits {
  readonly #policy: View['policy']['policy'];

  constructor({ policy }: View) {
    this.#policy = policy.policy;
  }

  isBeyond(key: LimitKey, severity: 'warning' | 'critical', value: number | undefined): boolean {
    const { bad, [severity]: limit } = findLimit(this.#policy, key);
    if (limit === undefined || value === undefined) return false;
    return bad === 'above' ? value > limit : value < limit;
  }

  /** False where there is no limit or no value: what is not measured must not hide anything. */
  isWithin(key: LimitKey, severity: 'warning' | 'critical', value: number | undefined): boolean {
    const { [severity]: limit } = findLimit(this.#policy, key);
    if (limit === undefined || value === undefined) return false;
    return !this.isBeyond(key, severity, value);
  }
}

function one(isLost: boolean): number {
  return isLost ? 1 : 0;
}

function ifKnown(value: number | undefined, of: (value: number) => number): number | undefined {
  return value === undefined ? undefined : of(value);
}
