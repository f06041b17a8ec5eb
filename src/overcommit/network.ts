/**
 * Network over-commitment: bandwidth promised to guests against the uplink their traffic leaves by.
 *
 * Directions are libvirt's, seen from the guest: inbound arrives at the guest (the uplink
 * receives), outbound leaves it (the uplink transmits). All rates in bytes per second.
 */

/** `<bandwidth>` of one direction. libvirt's KB/s times 1000. */
export interface NicLimit {
  /** Undefined or 0: not limited (libvirt then sets up no shaping). */
  readonly averageBytesPerSecond: number | undefined;
  /** Inbound only; libvirt ignores an outbound peak. */
  readonly peakBytesPerSecond: number | undefined;
}

export interface NetworkNic {
  readonly guest: string;
  /** Host-side name of the NIC, e.g. vnet0. */
  readonly device: string;
  /** Ids of the uplinks its traffic can leave the host by. Empty: host-only or routed. */
  readonly uplinks: readonly string[];
  readonly inbound: NicLimit | undefined;
  readonly outbound: NicLimit | undefined;
  /** `<inbound floor>`: guaranteed rate on a libvirt network. */
  readonly floorBytesPerSecond: number | undefined;
}

export interface NetworkUplink {
  /** Interface name. */
  readonly id: string;
  readonly kind: 'physical' | 'bond' | 'vlan' | 'other';
  /** /sys/class/net/<if>/speed. Undefined: −1, EINVAL or a made-up constant (tap, veth). */
  readonly speedBytesPerSecond: number | undefined;
  readonly up: boolean;
  /** /sys/class/net/<if>/lower_*: parent of a VLAN, members of a bond. */
  readonly lowerDevices: readonly string[];
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
  readonly up: boolean;
  readonly speedBytesPerSecond: number | undefined;
  readonly nics: number;
  readonly guests: number;
  readonly inbound: PromisedBandwidth;
  readonly outbound: PromisedBandwidth;
  /** Σ of guaranteed inbound rates. */
  readonly floorBytesPerSecond: number;
  /** NICs that can also leave by another uplink and are counted there as well. */
  readonly nicsAlsoElsewhere: number;
}

export interface NetworkOvercommit {
  /** Physical uplinks and bonds. VLANs and members of bonds are part of what they lie on. */
  readonly uplinks: readonly NetworkOfUplink[];
  readonly nics: number;
  /** NICs with no uplink at all. */
  readonly nicsWithoutUplink: number;
}
