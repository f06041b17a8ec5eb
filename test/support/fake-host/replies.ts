import {
  domainStats,
  encode,
  procedures,
  type DomainRef,
  type EncodableStatsRecord,
  type TypedParam,
} from '../../../src/libvirt/index.ts';
import { busyGuest } from '../libvirt/busy-guest.ts';
import { RawPayload } from '../libvirt/fake-daemon.ts';
import type { FakeGuest } from './fake-guest.ts';
import { guestXml } from './guest-xml.ts';

/** First word of a field's name by the group it is sent for. */
const GROUPS: readonly (readonly [bit: number, prefix: string])[] = [
  [domainStats.state, 'state.'],
  [domainStats.cpuTotal, 'cpu.'],
  [domainStats.balloon, 'balloon.'],
  [domainStats.vcpu, 'vcpu.'],
  [domainStats.interface, 'net.'],
  [domainStats.block, 'block.'],
];

const LAST_UPDATE = 'balloon.last-update';

/**
 * A reply is encoded once, and yet the guest has to be one that reports all the time: a guest that no
 * longer does is polled with back-off. So its last report is ahead of the clock.
 */
const REPORTED: TypedParam = {
  field: LAST_UPDATE,
  type: 'ullong',
  value: BigInt(Math.round(Date.now() / 1000) + 3_600),
};

/**
 * The larger replies of a libvirtd with these guests, each encoded when it is first asked for, so
 * that encoding is over after the first scrape.
 */
export class EncodedReplies {
  readonly #guests: readonly FakeGuest[];
  readonly #list: RawPayload;
  readonly #xml = new Map<string, RawPayload>();
  readonly #stats = new Map<string, RawPayload>();

  constructor(guests: readonly FakeGuest[]) {
    this.#guests = guests;
    this.#list = new RawPayload(encode(procedures.listAllDomains.result, guests));
  }

  /** All guests are persistent and start with the host, so every list is the same. */
  get list(): RawPayload {
    return this.#list;
  }

  xml({ uuid }: DomainRef): RawPayload {
    return cached(this.#xml, uuid, () => {
      const guest = this.#guests.find((candidate) => candidate.uuid === uuid);
      if (guest === undefined) throw new Error(`no guest ${uuid}`);
      return encode(procedures.domainGetXmlDesc.result, guestXml(guest));
    });
  }

  /** @param groups sum of `domainStats` bits. @param domains none for all, else one. */
  stats(groups: number, domains: readonly DomainRef[]): RawPayload {
    const [domain] = domains;
    return cached(this.#stats, `${groups} ${domain?.uuid ?? 'all'}`, () => {
      const guests =
        domain === undefined
          ? this.#guests
          : this.#guests.filter(({ uuid }) => uuid === domain.uuid);
      const records = guests.map((guest) => recordOf(guest, groups));
      return encode(procedures.getAllDomainStats.result, records);
    });
  }
}

/** @param groups sum of `domainStats` bits. */
export function recordOf(guest: FakeGuest, groups: number): EncodableStatsRecord {
  const prefixes = GROUPS.filter(([bit]) => (groups & bit) !== 0).map(([, prefix]) => prefix);
  const { params } = busyGuest(guest.index);
  const { name, uuid, id } = guest;
  const asked = params.filter(({ field }) => prefixes.some((prefix) => field.startsWith(prefix)));
  return {
    domain: { name, uuid, id },
    params: asked.map((param) => (param.field === LAST_UPDATE ? REPORTED : param)),
  };
}

function cached(replies: Map<string, RawPayload>, key: string, encoded: () => Buffer): RawPayload {
  let reply = replies.get(key);
  if (reply === undefined) {
    reply = new RawPayload(encoded());
    replies.set(key, reply);
  }
  return reply;
}
