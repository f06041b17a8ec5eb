/**
 * Network over-commitment: bandwidth promised to guests against the uplink their traffic leaves by.
 *
 * Directions are libvirt's, seen from the guest: inbound arrives at the guest (the uplink
 * receives), outbound leaves it (the uplink transmits). All rates in bytes per second.
 */

import { findVlanBottom } from '../../model/facts/uplinks.ts';

export interface NetworkNic {
  readonly guest: string;
  /** Host-side name of the NIC, e.g. vnet0. */
  readonly device: string;
  /** Ids of the uplinks its traffic can leave the host by. Empty: host-only or routed. */
  readonly uplinks: readonly string[];
  /**
   * `<inbound average>` and `<outbound average>`: KB/s times 1000. Undefined or 0: not limited.
   * Not the peak: it is a burst rate, and libvirt ignores it outbound.
   */
  readonly inboundLimitBytesPerSecond: number | undefined;
  readonly outboundLimitBytesPerSecond: number | undefined;
  /** `<inbound floor>`: guaranteed rate on a libvirt network. */
  readonly floorBytesPerSecond: number | undefined;
}

export interface NetworkUplink {
  /** Interface name. */
  readonly id: string;
  readonly kind: 'physical' | 'bond' | 'vlan' | 'other';
  /** /sys/class/net/<if>/speed. Undefined: −1, EINVAL or a made-up constant (tap, veth). */
  readonly speedBytesPerSecond: number | undefined;
  /** Undefined: not read. */
  readonly up: boolean | undefined;
  /** /sys/class/net/<if>/lower_*: parent of a VLAN, members of a bond. */
  readonly lower: readonly string[];
}

export interface PromisedBandwidth {
  readonly cappedNics: number;
  readonly uncappedNics: number;
  /** Σ of the caps, none counted above the uplink's speed. */
  readonly cappedBytesPerSecond: number;
  /**
   * cappedBytesPerSecond plus the uplink's speed for every NIC without a cap. Undefined: there
   * are such NICs and the speed is not known.
   */
  readonly promisedBytesPerSecond: number | undefined;
}

export interface NetworkOfUplink {
  readonly id: string;
  /** Undefined: not read, or a NIC names an uplink that was not handed in. */
  readonly up: boolean | undefined;
  readonly speedBytesPerSecond: number | undefined;
  readonly nics: number;
  readonly guests: number;
  readonly inbound: PromisedBandwidth;
  readonly outbound: PromisedBandwidth;
  /** Σ of guaranteed inbound rates. */
  readonly floorBytesPerSecond: number;
}

export interface NetworkOvercommit {
  /** Physical uplinks and bonds. VLANs and members of bonds are part of what they lie on. */
  readonly uplinks: readonly NetworkOfUplink[];
  readonly nics: number;
  /** NICs with no uplink at all. */
  readonly nicsWithoutUplink: number;
}

/**
 * - A VLAN's traffic lies on its parent, so a NIC on a VLAN counts on the parent, once, however
 *   many VLANs of that parent it can use. A bond is one uplink with the bond's own speed.
 * - A NIC without a cap may use the whole uplink, and so has been promised all of it.
 * - A NIC that can leave by two uplinks (a bridge with two ports) counts in full on each: which
 *   one carries its traffic is for spanning tree and the switch to say. Never add uplinks up.
 */
export function networkOvercommit(
  nics: readonly NetworkNic[],
  uplinks: readonly NetworkUplink[],
): NetworkOvercommit {
  const byId = new Map(uplinks.map((uplink) => [uplink.id, uplink]));
  const nicsOf = new Map<string, NetworkNic[]>();
  for (const nic of nics) {
    const bottoms = new Set(nic.uplinks.map((id) => findVlanBottom(id, byId)));
    for (const id of bottoms) {
      const list = nicsOf.get(id);
      if (list === undefined) nicsOf.set(id, [nic]);
      else list.push(nic);
    }
  }

  const members = new Set(
    uplinks.filter((uplink) => uplink.kind === 'bond').flatMap((bond) => bond.lower),
  );
  const ids = new Set(
    uplinks
      .filter((uplink) => !members.has(uplink.id) && findVlanBottom(uplink.id, byId) === uplink.id)
      .map((uplink) => uplink.id),
  );
  for (const id of nicsOf.keys()) ids.add(id);

  return {
    uplinks: [...ids].map((id) => {
      const own = nicsOf.get(id) ?? [];
      const uplink = byId.get(id);
      const speed = uplink?.speedBytesPerSecond;
      return {
        id,
        up: uplink?.up,
        speedBytesPerSecond: speed,
        nics: own.length,
        guests: new Set(own.map((nic) => nic.guest)).size,
        inbound: promisedBandwidth(
          own.map((nic) => nic.inboundLimitBytesPerSecond),
          speed,
        ),
        outbound: promisedBandwidth(
          own.map((nic) => nic.outboundLimitBytesPerSecond),
          speed,
        ),
        floorBytesPerSecond: own.reduce((sum, nic) => sum + (nic.floorBytesPerSecond ?? 0), 0),
      };
    }),
    nics: nics.length,
    nicsWithoutUplink: nics.filter((nic) => nic.uplinks.length === 0).length,
  };
}

function promisedBandwidth(
  limits: readonly (number | undefined)[],
  speed: number | undefined,
): PromisedBandwidth {
  let cappedNics = 0;
  let cappedBytesPerSecond = 0;
  for (const limit of limits) {
    if (limit === undefined || limit <= 0) continue;
    cappedNics += 1;
    cappedBytesPerSecond += speed === undefined ? limit : Math.min(limit, speed);
  }
  const uncappedNics = limits.length - cappedNics;
  return {
    cappedNics,
    uncappedNics,
    cappedBytesPerSecond,
    promisedBytesPerSecond:
      uncappedNics === 0
        ? cappedBytesPerSecond
        : speed === undefined
          ? undefined
          : cappedBytesPerSecond + uncappedNics * speed,
  };
}
