import type { NetworkLink } from '../../src/model/network.ts';

/** A tap of which nothing is known but what is given. */
export function networkLink(name: string, more: Partial<NetworkLink>): NetworkLink {
  return {
    name,
    kind: 'tap',
    index: 1,
    master: undefined,
    lower: [],
    peer: undefined,
    vlanId: undefined,
    bond: undefined,
    transmitQueuePackets: undefined,
    mtuBytes: undefined,
    state: undefined,
    counters: undefined,
    ...more,
  };
}
