import type { Domain, NicCounters } from '../model/domain.ts';
import type { NetworkLinks } from '../model/network.ts';
import type { Interface } from '../model/domain-config.ts';
import { findVlanBottom, Routes } from '../model/facts/uplinks.ts';
import { nicNames } from './nic-name.ts';

/** A NIC of a guest: what its XML says, what was counted, and the way out of the host. */
export interface GuestNic {
  /** Unique within the guest. */
  readonly device: string;
  /** Undefined for a NIC that only has counters: just plugged in, or no XML. */
  readonly config: Interface | undefined;
  readonly counters: NicCounters | undefined;
  /** Bridge its host device is a port of, else the one its XML names. */
  readonly bridge: string | undefined;
  /** Hardware, bonds and teams its traffic can leave by; VLANs count as what they lie on. */
  readonly uplinks: readonly string[];
}

/** The NICs of the XML in its order, then those that only have counters. */
export function guestNics({ config, nics }: Domain, waysOut: WaysOut): readonly GuestNic[] {
  const interfaces = config?.interfaces ?? [];
  const counted = nics ?? [];
  if (interfaces.length === 0 && counted.length === 0) return [];
  const targets = new Set(interfaces.map(({ target }) => target));
  const unplanned = counted.filter(({ device }) => !targets.has(device));
  const names = nicNames([
    ...interfaces,
    ...unplanned.map(({ device }) => ({ target: device, alias: undefined })),
  ]);
  return [
    ...interfaces.map((one, index) => {
      const { target, source } = one;
      return {
        device: names[index] ?? '',
        config: one,
        counters: target === undefined ? undefined : counted.find((c) => c.device === target),
        bridge: waysOut.findBridge(target) ?? source.bridge,
        // A tap in another namespace still hangs on the bridge or device of the XML.
        uplinks: waysOut.findUplinks([target, source.bridge, source.device]),
      };
    }),
    ...unplanned.map((counters, index) => ({
      device: names[interfaces.length + index] ?? '',
      config: undefined,
      counters,
      bridge: waysOut.findBridge(counters.device),
      uplinks: waysOut.findUplinks([counters.device]),
    })),
  ];
}

/** How host devices reach the outside, for one snapshot. */
export class WaysOut {
  readonly #network: NetworkLinks | undefined;
  readonly #routes: Routes | undefined;

  constructor(network: NetworkLinks | undefined) {
    this.#network = network;
    this.#routes = network === undefined ? undefined : new Routes(network);
  }

  /** Of Open vSwitch sysfs knows the datapath but not the bridge, which the XML names. */
  findBridge(device: string | undefined): string | undefined {
    const links = this.#network?.links;
    const master = device === undefined ? undefined : links?.get(device)?.master;
    if (master === undefined) return undefined;
    return links?.get(master)?.kind === 'openvswitch' ? undefined : master;
  }

  /** Of the first of these devices that exists. */
  findUplinks(devices: readonly (string | undefined)[]): readonly string[] {
    const route = this.#routes?.fromFirst(devices);
    const links = this.#network?.links;
    if (links === undefined || route === undefined) return [];
    return [...new Set(route.uplinks.map((name) => findVlanBottom(name, links)))];
  }
}
