import type { Domain } from '../model/domain.ts';

/** Facts that a later source may add about a guest that an earlier one knows. */
const FILLED = [
  'persistent',
  'autostart',
  'config',
  'balloon',
  'disks',
  'nics',
  'process',
  'cgroup',
] as const;

/**
 * The guests of several sources, each guest once. Sources come in the order in which they are believed:
 * the first that knows a fact about a guest is, and later ones only add what it does not know. Two
 * sources mean the same guest
 *
 * 1. when it has the same process: pid and start;
 * 2. else, when one of them knows no process of it, when it has the same uuid. Two guests with two
 *    processes are two, whatever uuid they were given; so are one that is off and one that runs.
 *
 * A guest of a later source whose name is taken gets its pid, or its key, behind it.
 */
export function mergeGuests(sources: readonly (readonly Domain[])[]): readonly Domain[] {
  const merged: Domain[] = [];
  const byPid = new Map<number, number>();
  const byUuid = new Map<string, number>();
  const names = new Set<string>();
  for (const guests of sources) {
    const before = merged.length;
    for (const guest of guests) {
      const at = findSame(guest, merged, before, byPid, byUuid);
      if (at === undefined) {
        const name = names.has(guest.name) ? apart(guest) : guest.name;
        merged.push(name === guest.name ? guest : { ...guest, name });
        continue;
      }
      const known = merged[at];
      if (known !== undefined) merged[at] = fill(known, guest);
    }
    for (const [index, guest] of merged.entries()) {
      names.add(guest.name);
      if (guest.process !== undefined) byPid.set(guest.process.pid, index);
      const uuid = ownUuid(guest);
      if (uuid !== undefined && !byUuid.has(uuid)) byUuid.set(uuid, index);
    }
  }
  return merged;
}

function findSame(
  guest: Domain,
  merged: readonly Domain[],
  before: number,
  byPid: ReadonlyMap<number, number>,
  byUuid: ReadonlyMap<string, number>,
): number | undefined {
  // All that was merged from this very source is other guests.
  if (before === 0) return undefined;
  const { process } = guest;
  const samePid = process === undefined ? undefined : byPid.get(process.pid);
  const other = samePid === undefined ? undefined : merged[samePid]?.process;
  if (other !== undefined && other.startSeconds === process?.startSeconds) return samePid;
  const uuid = ownUuid(guest);
  const sameUuid = uuid === undefined ? undefined : byUuid.get(uuid);
  if (sameUuid === undefined) return undefined;
  const known = merged[sameUuid];
  if (known === undefined || known.active !== guest.active) return undefined;
  return known.process === undefined || process === undefined ? sameUuid : undefined;
}

/** What libvirt, or the guest's own firmware, calls it; keys of sources are no uuids. */
function ownUuid({ uuid, source, config }: Domain): string | undefined {
  if (source === undefined || source === 'libvirt') return uuid;
  return config === undefined || config.uuid === '' ? undefined : config.uuid;
}

function fill(known: Domain, later: Domain): Domain {
  const added: Partial<Domain> = Object.fromEntries(
    FILLED.filter((field) => known[field] === undefined).map((field) => [field, later[field]]),
  );
  return { ...known, ...added };
}

function apart({ name, process, uuid }: Domain): string {
  return `${name} (${process === undefined ? uuid : String(process.pid)})`;
}
