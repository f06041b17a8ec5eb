import type { Lab } from '../../lab/index.ts';

/** What virsh says of guests, as numbers: an account of them that is not ours. */

/** `virsh dommemstat`: KiB by name, faults as counts, `last_update` in Unix seconds. */
export async function memoryStats(lab: Lab, guest: string): Promise<ReadonlyMap<string, number>> {
  return pairs(await lab.virsh('dommemstat', guest), /^(\S+)\s+(\d+)$/);
}

/** `virsh domblkstat <guest> <device>`: `rd_req`, `rd_bytes`, `wr_req` … */
export async function blockStats(
  lab: Lab,
  guest: string,
  device: string,
): Promise<ReadonlyMap<string, number>> {
  return pairs(await lab.virsh('domblkstat', guest, device), /^\S+\s+(\S+)\s+(\d+)$/);
}

/** `virsh domifstat <guest> <tap>`: `rx_bytes`, `tx_packets` … as the guest sees them. */
export async function interfaceStats(
  lab: Lab,
  guest: string,
  tap: string,
): Promise<ReadonlyMap<string, number>> {
  return pairs(await lab.virsh('domifstat', guest, tap), /^\S+\s+(\S+)\s+(\d+)$/);
}

/** `virsh domstats --raw <group>`, e.g. `vcpu.0.delay`. */
export async function domainStats(
  lab: Lab,
  guest: string,
  group: string,
): Promise<ReadonlyMap<string, number>> {
  const text = await lab.virsh('domstats', '--raw', group, guest);
  return pairs(text, /^\s*([\w.-]+)=(\d+)$/);
}

/** The same of several groups, with all that is said: texts and negative numbers, too. */
export async function rawStats(
  lab: Lab,
  guest: string,
  ...groups: readonly string[]
): Promise<ReadonlyMap<string, string>> {
  const text = await lab.virsh('domstats', '--raw', ...groups, guest);
  return new Map(
    text.split('\n').flatMap((line) => {
      const [, key, value] = /^\s*([\w.-]+)=(.*)$/.exec(line) ?? [];
      return key === undefined || value === undefined ? [] : [[key, value] as const];
    }),
  );
}

/** `virsh dominfo`: text by field, e.g. `Max memory` → `131072 KiB`. */
export async function domainInfo(lab: Lab, guest: string): Promise<ReadonlyMap<string, string>> {
  const text = await lab.virsh('dominfo', guest);
  return new Map(
    text.split('\n').flatMap((line) => {
      const at = line.indexOf(':');
      return at < 0 ? [] : [[line.slice(0, at), line.slice(at + 1).trim()] as const];
    }),
  );
}

/** A number that must be there. */
export function numberOf(values: ReadonlyMap<string, number>, name: string): number {
  const value = values.get(name);
  if (value === undefined) throw new Error(`no ${name} among ${[...values.keys()].join(', ')}`);
  return value;
}

function pairs(text: string, line: RegExp): ReadonlyMap<string, number> {
  return new Map(
    text.split('\n').flatMap((one) => {
      const match = line.exec(one.trimEnd());
      return match?.[1] === undefined ? [] : [[match[1], Number(match[2])] as const];
    }),
  );
}
