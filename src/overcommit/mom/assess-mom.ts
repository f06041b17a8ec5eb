/** From the snapshot to the inputs of mom.ts. */

import type { Domain } from '../../model/domain.ts';
import type { Host } from '../../model/host.ts';
import { toHostPages } from '../memory/assess-memory.ts';
import { promisedMemory } from '../memory/assess-promise.ts';
import { guestRam } from '../../model/facts/memory-traits.ts';
import type { MomGuestHistory, MomHistory } from './mom-averages.ts';
import { momDecision, type MomDecision, type MomGuest, type MomHost } from './mom.ts';

/** MOM's own measurements, then the corrected ones; empty where the host's are missing. */
export function assessMom(
  host: Host,
  running: readonly Domain[],
  history: MomHistory,
): readonly MomDecision[] {
  const measured = toMomHost(host, running, history);
  if (measured === undefined) return [];
  const guests = running.flatMap((domain) => {
    const guest = toMomGuest(domain, history.guests.get(domain.uuid));
    return guest === undefined ? [] : [guest];
  });
  return (['mom', 'corrected'] as const).flatMap(
    (variant) => momDecision(variant, measured, guests) ?? [],
  );
}

function toMomHost(
  host: Host,
  running: readonly Domain[],
  { freeBytes, buffersBytes, cachedBytes, availableBytes }: MomHistory,
): MomHost | undefined {
  const { meminfo, ksm } = host;
  if (
    meminfo === undefined ||
    freeBytes === undefined ||
    buffersBytes === undefined ||
    cachedBytes === undefined ||
    availableBytes === undefined
  ) {
    return undefined;
  }
  const pages = toHostPages(host);
  const mergeable = running.filter(
    ({ config }) => config !== undefined && guestRam(config, pages).mergeable,
  );
  return {
    totalBytes: meminfo.totalBytes,
    averageFreeBytes: freeBytes,
    averageBuffersBytes: buffersBytes,
    averageCachedBytes: cachedBytes,
    averageAvailableBytes: availableBytes,
    ksmPagesToScan: ksm?.pagesToScan,
    guestsVirtualBytes: sumOfKnown(
      running.map(({ process }) => process?.status?.virtualBytes ?? process?.stat.virtualBytes),
    ),
    guestsMergeableBytes: sumOfKnown(
      mergeable.map(({ process }) => process?.status?.residentAnonymousBytes),
    ),
  };
}

/** A guest that ended meanwhile has no size; only when none has one is the sum unknown. */
function sumOfKnown(values: readonly (number | undefined)[]): number | undefined {
  const known = values.filter((value) => value !== undefined);
  if (known.length === 0 && values.length > 0) return undefined;
  return known.reduce((sum, value) => sum + value, 0);
}

/** MOM leaves out a guest whose balloon it cannot read. */
function toMomGuest(domain: Domain, averages: MomGuestHistory | undefined): MomGuest | undefined {
  const current = domain.balloon?.currentBytes;
  const promise = promisedMemory(domain);
  if (
    current === undefined ||
    promise === undefined ||
    averages?.balloonCurrentBytes === undefined
  ) {
    return undefined;
  }
  return {
    name: domain.name,
    balloonCurrentBytes: current,
    averageBalloonCurrentBytes: averages.balloonCurrentBytes,
    balloonMaximumBytes: promise.maximumBytes,
    // QEMU has no <min_guarantee> (libvirt docs/formatdomain.rst).
    balloonMinimumBytes: 0,
    averageUnusedBytes: averages.unusedBytes,
    averageUsableBytes: averages.usableBytes,
  };
}
