/** The host's network interfaces and how they hang together; counters in seconds and bytes. */
export interface NetworkLinks {
  readonly links: ReadonlyMap<string, NetworkLink>;
}

export interface NetworkLink {
  readonly name: string;
  readonly kind: LinkKind;
  readonly index: number;
  /** Bridge, bond, team or datapath this link is a port of. */
  readonly master: string | undefined;
  /** Ports of a bridge, members of a bond, parent of a VLAN or macvtap. */
  readonly lower: readonly string[];
  /** The other end of a veth pair, where that is in the same network namespace. */
  readonly peer: string | undefined;
  readonly vlanId: number | undefined;
  readonly bond: BondState | undefined;
  /**
   * Queue in front of the link, packets (`ip link set … txqueuelen`); a tap's is where its guest's
   * packets pile up. Of uplinks as it is now, of all others as it was when they were first seen.
   */
  readonly transmitQueuePackets: number | undefined;
  readonly mtuBytes: number | undefined;
  /** Only read of links that carry others' traffic, not of taps, veths and the like. */
  readonly state: LinkState | undefined;
  readonly counters: LinkCounters | undefined;
}

/**
 * What an interface is. sysfs names many kinds in `uevent` (DEVTYPE); taps have `tun_flags`,
 * hardware has a `device` link. `virtual` is every other software device: dummy, ifb, ports
 * inside Open vSwitch …, which sysfs does not tell apart.
 */
export type LinkKind =
  | 'physical'
  | 'bond'
  /** Also a failover pair (net_failover): software that others are ports of. */
  | 'team'
  | 'vlan'
  | 'bridge'
  | 'tap'
  | 'tun'
  | 'macvtap'
  /** Also ipvlan and macsec: software on top of one other interface. */
  | 'macvlan'
  | 'veth'
  /** vxlan, geneve, …: leaves by routing. */
  | 'tunnel'
  /** The datapath device all ports of Open vSwitch are enslaved to; its bridges are not in sysfs. */
  | 'openvswitch'
  | 'loopback'
  | 'virtual';

export interface BondState {
  /** `active-backup`, `802.3ad`, `balance-rr`, … */
  readonly mode: string;
  /** The member in use; only with modes which use one at a time. */
  readonly activeMember: string | undefined;
}

export interface LinkState {
  /** `up`, `down`, `lowerlayerdown`, `dormant`, `unknown` (RFC 2863). */
  readonly operational: string | undefined;
  /** undefined: administratively down, so nobody knows. */
  readonly carrier: boolean | undefined;
  readonly speed: LinkSpeed;
}

/**
 * The nominal speed, per direction.
 * - `unknown`: the driver says -1, e.g. virtio or a link without carrier.
 * - `none`: the device has no such thing (EINVAL), or is down.
 * - `made-up`: software devices report a constant (10 Gbit/s of tap and veth, drivers/net/tun.c)
 *   or the best of such constants among their ports (bridge).
 */
export type LinkSpeed =
  | { readonly known: true; readonly bitsPerSecond: number }
  | { readonly known: false; readonly because: 'unknown' | 'none' | 'made-up' };

/**
 * Counters of one interface from the host's side (linux Documentation/networking/statistics.rst).
 * At a guest's tap "received" is what the guest sent.
 */
export interface LinkCounters {
  readonly receivedBytes: bigint;
  readonly receivedPackets: bigint;
  readonly receiveErrors: bigint;
  /** Includes packets missed for want of buffers, as the kernel adds them up here. */
  readonly receiveDrops: bigint;
  /** Overruns of the receive queue. */
  readonly receiveFifoErrors: bigint;
  readonly transmittedBytes: bigint;
  readonly transmittedPackets: bigint;
  readonly transmitErrors: bigint;
  /** At a tap: the guest did not fetch its packets in time. */
  readonly transmitDrops: bigint;
  readonly transmitFifoErrors: bigint;
}
