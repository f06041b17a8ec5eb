import { lstatSync, readlinkSync } from 'node:fs';

import { listKernelDirectory, readKernelFile, readRawKernelFile } from '../kernel/kernel-file.ts';
import { parseDecimal, parseSignedDecimal, parseSwitch } from '../kernel/kernel-text.ts';
import { readNetworkCounters } from './counters.ts';
import { Faults, type Result } from '../../runtime/result.ts';
import { TimeSlice } from '../../runtime/time-slice.ts';
import type { Roots } from '../kernel/roots.ts';
import { isUplink } from '../../model/facts/uplinks.ts';
import type {
  BondState,
  LinkCounters,
  LinkKind,
  LinkSpeed,
  LinkState,
  NetworkLink,
  NetworkLinks,
} from '../../model/network.ts';

/** What stays the same as long as the interface exists. */
interface Nature {
  /** Of the interface's node in sysfs: a new interface of the same name has another. */
  readonly inode: number;
  readonly kind: LinkKind;
  /** Its driver gave it no DEVTYPE. */
  readonly unnamed: boolean;
  readonly index: number;
  /** iflink: index of the parent or peer, or its own index. */
  readonly linkedIndex: number | undefined;
  readonly parents: readonly string[];
  readonly vlanId: number | undefined;
  readonly mtuBytes: number | undefined;
  readonly transmitQueuePackets: number | undefined;
}

/** Known interfaces checked per reading for being still the same ones: about 0.5 ms. */
const CHECKS_PER_READING = 64;

/**
 * Reads the interfaces of the host. The first reading looks at every interface (about 200 µs each,
 * in slices); later ones only at new ones, at the links that carry others, and at one file for all
 * counters, so that 1,000 taps cost a few milliseconds.
 */
export class NetworkLinkReader {
  readonly #roots: Roots;
  readonly #natures = new Map<string, Nature>();
  #checkFrom = 0;
  /** Of the reading under way. */
  #faults = new Faults();

  constructor(roots: Roots) {
    this.#roots = roots;
  }

  /** All interfaces as they are now. Fails when /sys/class/net cannot be listed. */
  async read(): Promise<Result<NetworkLinks>> {
    const slice = new TimeSlice();
    const listed = listKernelDirectory(this.#directory());
    if (!listed.ok) return listed;
    const faults = new Faults();
    this.#faults = faults;
    if (slice.isOver) await slice.nextTurn();
    const counted = faults.optional(readNetworkCounters(this.#roots, listed.value));
    await this.#lookAtNew(listed.value, counted?.directory, slice);
    const names = listed.value.filter((name) => this.#natures.has(name));
    return faults.found({ links: await this.#assemble(names, counted?.counters, slice) });
  }

  #directory(name?: string, file?: string): string {
    const directory = `${this.#roots.sysfs}/class/net`;
    if (name === undefined) return directory;
    return file === undefined ? `${directory}/${name}` : `${directory}/${name}/${file}`;
  }

  async #lookAtNew(
    names: readonly string[],
    procNet: string | undefined,
    slice: TimeSlice,
  ): Promise<void> {
    const present = new Set(names);
    for (const name of this.#natures.keys()) if (!present.has(name)) this.#natures.delete(name);
    this.#forgetReplaced(names);
    for (const name of names) {
      if (this.#natures.has(name)) continue;
      if (slice.isOver) await slice.nextTurn();
      const before = this.#faults.errors.length;
      const nature = this.#readNature(name, procNet);
      // What was only read in part is read again next time, and until then left out.
      const whole = this.#faults.errors.length === before;
      if (nature !== undefined && whole) this.#natures.set(name, nature);
    }
  }

  /**
   * A guest restarted between two readings may have left its tap's name to another. All are
   * checked when they are few, else some at a time: a stat per interface would cost more than all
   * the rest, and a tap whose name was taken over by a tap differs in nothing that is kept.
   */
  #forgetReplaced(names: readonly string[]): void {
    const checks = Math.min(names.length, CHECKS_PER_READING);
    for (let i = 0; i < checks; i += 1) {
      const name = names[(this.#checkFrom + i) % names.length];
      const known = name === undefined ? undefined : this.#natures.get(name);
      if (name === undefined || known === undefined) continue;
      if (this.#inode(name) !== known.inode) this.#natures.delete(name);
    }
    this.#checkFrom = names.length === 0 ? 0 : (this.#checkFrom + checks) % names.length;
  }

  #inode(name: string): number | undefined {
    try {
      return lstatSync(this.#directory(name), { throwIfNoEntry: false })?.ino;
    } catch {
      return undefined;
    }
  }

  /** undefined for what is no interface (the file bonding_masters) or went away meanwhile. */
  #readNature(name: string, procNet: string | undefined): Nature | undefined {
    const inode = this.#inode(name);
    const entries = this.#faults.optional(listKernelDirectory(this.#directory(name)));
    const uevent = entries === undefined ? undefined : this.#text(name, 'uevent');
    if (inode === undefined || entries === undefined || uevent === undefined) return undefined;
    const index = parseDecimal(/^IFINDEX=(\d+)$/m.exec(uevent)?.[1]);
    if (index === undefined) {
      this.#faults.malformed(this.#directory(name, 'uevent'), 'no IFINDEX');
      return undefined;
    }
    const linkedIndex = this.#integer(name, 'iflink');
    const devtype = /^DEVTYPE=(.*)$/m.exec(uevent)?.[1];
    const linked = linkedIndex !== undefined && linkedIndex !== index;
    const kind = this.#readKind(name, devtype, entries, linked);
    return {
      inode,
      kind,
      unnamed: devtype === undefined,
      index,
      linkedIndex,
      parents: lowerIn(entries),
      vlanId: kind === 'vlan' && procNet !== undefined ? this.#vlanId(procNet, name) : undefined,
      mtuBytes: this.#integer(name, 'mtu'),
      transmitQueuePackets: this.#integer(name, 'tx_queue_len'),
    };
  }

  #readKind(
    name: string,
    devtype: string | undefined,
    entries: readonly string[],
    linked: boolean,
  ): LinkKind {
    const named = devtype === undefined ? undefined : KIND_OF_DEVTYPE[devtype];
    // With or without a DEVTYPE, its character device hangs below it.
    if (entries.includes('macvtap')) return 'macvtap';
    if (named !== undefined) return named;
    if (entries.includes('tun_flags')) {
      const flags = this.#field(name, 'tun_flags', parseHexadecimal) ?? 0;
      return (flags & IFF_TAP) === 0 ? 'tun' : 'tap';
    }
    if (entries.includes('device')) return 'physical';
    if (this.#integer(name, 'type') === ARPHRD_LOOPBACK) return 'loopback';
    if (name === 'ovs-system') return 'openvswitch';
    // What points to another interface lies on it, which then shows as lower_*, or is a veth.
    if (!linked) return 'virtual';
    return lowerIn(entries).length === 0 ? 'veth' : 'macvlan';
  }

  /** Of software devices without a DEVTYPE only teams and failover pairs have ports of their own. */
  #isTeam(name: string, { kind, unnamed }: Nature, lower: readonly string[]): boolean {
    return kind === 'virtual' && unnamed && lower.some((port) => this.#readMaster(port) === name);
  }

  #readMaster(port: string): string | undefined {
    try {
      return readlinkSync(this.#directory(port, 'master')).split('/').at(-1);
    } catch {
      return undefined;
    }
  }

  async #assemble(
    names: readonly string[],
    counters: ReadonlyMap<string, LinkCounters> | undefined,
    slice: TimeSlice,
  ): Promise<ReadonlyMap<string, NetworkLink>> {
    const lowerOf = new Map<string, readonly string[]>();
    const masterOf = new Map<string, string>();
    const teams = new Set<string>();
    const nameOf = new Map<number, string>();
    for (const name of names) {
      if (slice.isOver) await slice.nextTurn();
      const nature = this.#natures.get(name);
      if (nature === undefined) continue;
      nameOf.set(nature.index, name);
      if (!HAS_PORTS.has(nature.kind)) {
        lowerOf.set(name, nature.parents);
        continue;
      }
      const entries = this.#faults.optional(listKernelDirectory(this.#directory(name)));
      const lower = lowerIn(entries ?? []);
      lowerOf.set(name, lower);
      if (this.#isTeam(name, nature, lower)) teams.add(name);
      else if (nature.kind === 'virtual') continue;
      for (const port of lower) masterOf.set(port, name);
    }
    const links = new Map<string, NetworkLink>();
    for (const name of names) {
      if (slice.isOver) await slice.nextTurn();
      const nature = this.#natures.get(name);
      if (nature === undefined) continue;
      const { index, linkedIndex, vlanId, mtuBytes, transmitQueuePackets } = nature;
      const kind = teams.has(name) ? 'team' : nature.kind;
      links.set(name, {
        name,
        kind,
        index,
        master: masterOf.get(name),
        lower: lowerOf.get(name) ?? [],
        peer: kind === 'veth' ? this.#findPeer(index, linkedIndex, nameOf) : undefined,
        vlanId,
        bond: kind === 'bond' ? this.#bondState(name) : undefined,
        transmitQueuePackets: isUplink(kind)
          ? this.#integer(name, 'tx_queue_len')
          : transmitQueuePackets,
        mtuBytes,
        state: CARRIES_OTHERS.has(kind) ? this.#readState(name, kind) : undefined,
        counters: counters?.get(name),
      });
    }
    return links;
  }

  /** A peer in another namespace may bear the number of a local interface: it must point back. */
  #findPeer(
    index: number,
    linkedIndex: number | undefined,
    nameOf: ReadonlyMap<number, string>,
  ): string | undefined {
    const peer = linkedIndex === undefined ? undefined : nameOf.get(linkedIndex);
    const nature = peer === undefined ? undefined : this.#natures.get(peer);
    return nature?.kind === 'veth' && nature.linkedIndex === index ? peer : undefined;
  }

  #bondState(name: string): BondState | undefined {
    // "active-backup 1": the name and the number of the mode.
    const mode = this.#field(name, 'bonding/mode', (text) => BOND_MODE.exec(text)?.[1]);
    if (mode === undefined) return undefined;
    // Empty with modes that use all members.
    const path = this.#directory(name, 'bonding/active_slave');
    const active = this.#faults.optional(readRawKernelFile(path))?.trim();
    return { mode, activeMember: active === '' ? undefined : active };
  }

  #readState(name: string, kind: LinkKind): LinkState {
    return {
      operational: this.#field(name, 'operstate', (text) =>
        OPERATIONAL_STATES.has(text) ? text : undefined,
      ),
      carrier: this.#field(name, 'carrier', parseSwitch),
      speed: HAS_REAL_SPEED.has(kind)
        ? toSpeed(this.#field(name, 'speed', parseSignedDecimal))
        : { known: false, because: 'made-up' },
    };
  }

  /** "bond0.100  VID: 100  REORDER_HDR: 1 …" (net/8021q/vlanproc.c); root's alone. */
  #vlanId(procNet: string, name: string): number | undefined {
    const path = `${procNet}/vlan/${name}`;
    const text = this.#faults.permitted(readKernelFile(path));
    return this.#faults.field(
      text,
      (known) => parseDecimal(/\bVID: (\d{1,4})\b/.exec(known)?.[1]),
      path,
      'VID',
    );
  }

  #text(name: string, file: string): string | undefined {
    return this.#faults.optional(readKernelFile(this.#directory(name, file)))?.trim();
  }

  #field<T>(name: string, file: string, parse: (text: string) => T | undefined): T | undefined {
    return this.#faults.field(this.#text(name, file), parse, this.#directory(name, file), file);
  }

  #integer(name: string, file: string): number | undefined {
    return this.#field(name, file, parseDecimal);
  }
}

/** Not every kernel names them all: in Linux 6.1 team, macvlan and macvtap have no DEVTYPE. */
const KIND_OF_DEVTYPE: Readonly<Record<string, LinkKind>> = {
  bond: 'bond',
  team: 'team',
  vlan: 'vlan',
  bridge: 'bridge',
  macvlan: 'macvlan',
  macvtap: 'macvtap',
  vxlan: 'tunnel',
  geneve: 'tunnel',
};

/** Named in drivers/net/bonding/bond_options.c. */
const BOND_MODE = /^([a-z0-9.-]{1,32}) \d{1,3}$/;

/** net/core/net-sysfs.c, after RFC 2863. */
const OPERATIONAL_STATES: ReadonlySet<string> = new Set([
  'unknown',
  'notpresent',
  'down',
  'lowerlayerdown',
  'testing',
  'dormant',
  'up',
]);

/** linux/if_tun.h */
const IFF_TAP = 0x0002;
/** linux/if_arp.h */
const ARPHRD_LOOPBACK = 772;

const HAS_PORTS: ReadonlySet<LinkKind> = new Set<LinkKind>([
  'bridge',
  'bond',
  'team',
  'openvswitch',
  'virtual',
]);

const CARRIES_OTHERS: ReadonlySet<LinkKind> = new Set<LinkKind>([
  'physical',
  'bond',
  'team',
  'vlan',
  'bridge',
]);

const HAS_REAL_SPEED: ReadonlySet<LinkKind> = new Set<LinkKind>([
  'physical',
  'bond',
  'team',
  'vlan',
]);

function lowerIn(entries: readonly string[]): readonly string[] {
  return entries.filter((entry) => entry.startsWith('lower_')).map((entry) => entry.slice(6));
}

/** /sys/class/net/<if>/speed: Mbit/s, -1 for unknown; not readable for many devices. */
function toSpeed(megabits: number | undefined): LinkSpeed {
  if (megabits === undefined) return { known: false, because: 'none' };
  // 4294967295 is the same -1 from drivers that forgot the sign.
  if (megabits <= 0 || megabits >= 2 ** 32 - 1) {
    return { known: false, because: 'unknown' };
  }
  return { known: true, bitsPerSecond: megabits * 1e6 };
}

/** `0x1002`. */
function parseHexadecimal(text: string): number | undefined {
  return /^0x[0-9a-f]{1,8}$/i.test(text) ? Number(text) : undefined;
}
