import type { LinkKind, NetworkLink, NetworkLinks } from '../network.ts';

/** How the traffic of a guest's interface leaves the host. */
export interface Route {
  /**
   * Interfaces it may leave by: hardware, bonds, teams, or VLANs on these. Several when a bridge
   * has several; which one carries it is for spanning tree and the switch to say.
   */
  readonly uplinks: readonly string[];
  /**
   * It also, or only, enters something whose inside sysfs does not show, so that `uplinks` may be
   * short: Open vSwitch, a tunnel, or a veth into another network namespace. Without it an empty
   * `uplinks` means that the traffic stays on the host or is routed (NAT).
   */
  readonly unseen: 'openvswitch' | 'tunnel' | 'namespace' | undefined;
}

/**
 * Follows a link, usually a guest's tap, to the uplinks of the host: tap → bridge → port; macvtap
 * → parent; veth → its peer's bridge. Pure; each link is visited once, so loops of bridges do no
 * harm.
 */
export function findUplinks(name: string, { links }: NetworkLinks): Route {
  const uplinks = new Set<string>();
  const visited = new Set<string>();
  let unseen: Route['unseen'];

  /** Where traffic goes that leaves the host's side of `link` downwards, to the outside. */
  const leaveBy = (link: NetworkLink): void => {
    if (visited.has(link.name)) return;
    visited.add(link.name);
    switch (link.kind) {
      case 'physical':
      case 'bond':
      case 'team':
        uplinks.add(link.name);
        return;
      case 'vlan':
        if (liesOnUplink(link.name, links)) uplinks.add(link.name);
        else leaveByAll(link.lower);
        return;
      case 'macvlan':
      case 'macvtap':
        leaveByAll(link.lower);
        return;
      case 'bridge':
        leaveByAll(link.lower);
        return;
      case 'openvswitch':
        unseen ??= 'openvswitch';
        leaveByOnly(link.lower);
        return;
      case 'tunnel':
        unseen ??= 'tunnel';
        leaveByAll(link.lower);
        return;
      case 'veth':
        if (link.peer === undefined) unseen ??= 'namespace';
        else enterFrom(links.get(link.peer));
        return;
      // Other guests' ports, and devices that lead nowhere.
      case 'tap':
      case 'tun':
      case 'loopback':
      case 'virtual':
        return;
    }
  };

  const leaveByAll = (names: readonly string[]): void => {
    for (const lower of names) {
      const link = links.get(lower);
      if (link !== undefined) leaveBy(link);
    }
  };

  /**
   * Out of Open vSwitch: to which of its bridges a port belongs is not in sysfs, so where it leads
   * is only known when all of them have one way out between them.
   */
  const leaveByOnly = (ports: readonly string[]): void => {
    const outward = ports.flatMap((port) => links.get(port) ?? []).filter(leadsOut);
    const [only, ...others] = outward;
    if (only !== undefined && only.kind !== 'tunnel' && others.length === 0) leaveBy(only);
  };

  /** Where traffic goes that comes up out of `link` into the host. */
  const enterFrom = (link: NetworkLink | undefined): void => {
    if (link === undefined) return;
    visited.add(link.name);
    const master = link.master === undefined ? undefined : links.get(link.master);
    if (master !== undefined) leaveBy(master);
  };

  const start = links.get(name);
  if (start !== undefined) {
    if (COMES_UP.has(start.kind)) enterFrom(start);
    else leaveBy(start);
  }
  return { uplinks: [...uplinks], unseen };
}

/** The host's end of a guest: what is sent in the guest comes up here. */
const COMES_UP: ReadonlySet<LinkKind> = new Set<LinkKind>(['tap', 'tun', 'veth', 'virtual']);

function leadsOut({ kind }: NetworkLink): boolean {
  return isUplink(kind) || kind === 'tunnel';
}

/** What traffic of guests can leave the host by: hardware, bonds, teams, and VLANs. */
export function isUplink(kind: LinkKind): kind is 'physical' | 'bond' | 'team' | 'vlan' {
  return kind === 'physical' || kind === 'bond' || kind === 'team' || kind === 'vlan';
}

/** Whether a VLAN, possibly on other VLANs, lies on hardware or a bond of it. */
function liesOnUplink(vlan: string, links: ReadonlyMap<string, NetworkLink>): boolean {
  const bottom = links.get(findVlanBottom(vlan, links))?.kind;
  return bottom !== undefined && bottom !== 'vlan' && isUplink(bottom);
}

/** Of an interface what it takes to go down from it. */
interface Stacked {
  readonly kind: string;
  /** Parent of a VLAN. */
  readonly lower: readonly string[];
}

/**
 * Down from a VLAN, through others it may lie on, to the interface that has the wire, or to where the
 * table ends (/sys/class/net/<device>/lower_*). Of what is no VLAN its own name.
 */
export function findVlanBottom(name: string, links: ReadonlyMap<string, Stacked>): string {
  const seen = new Set<string>();
  let at = name;
  for (;;) {
    seen.add(at);
    const link = links.get(at);
    const parent = link?.kind === 'vlan' ? link.lower[0] : undefined;
    if (parent === undefined || !links.has(parent) || seen.has(parent)) return at;
    at = parent;
  }
}

/**
 * The routes of one table, each walked once: all taps of a bridge share the bridge's, as to walk a
 * bridge of 1,000 ports for each of its 1,000 taps would take longer than a scrape.
 */
export class Routes {
  readonly #table: NetworkLinks;
  readonly #known = new Map<string, Route>();

  constructor(table: NetworkLinks) {
    this.#table = table;
  }

  /** As {@link findUplinks}. */
  from(name: string): Route {
    const link = this.#table.links.get(name);
    const start = link?.kind === 'tap' && link.master !== undefined ? link.master : name;
    let route = this.#known.get(start);
    if (route === undefined) {
      route = findUplinks(start, this.#table);
      this.#known.set(start, route);
    }
    return route;
  }

  /** The route of the first of these devices that exists here; undefined when none does. */
  fromFirst(names: readonly (string | undefined)[]): Route | undefined {
    const device = names.find((name) => name !== undefined && this.#table.links.has(name));
    return device === undefined ? undefined : this.from(device);
  }
}
