/** Guest by guest, the pool it is in (`/etc/pve/user.cfg`; pve-access-control, PVE/AccessControl.pm). */
export function parsePools(text: string): ReadonlyMap<number, string> {
  const pools = new Map<number, string>();
  for (const line of text.split('\n')) {
    // The other lines have names, addresses and rights of people: none of them is read.
    if (!line.startsWith('pool:')) continue;
    const [, name, , vmids = ''] = line.split(':');
    if (name === undefined || name === '') continue;
    for (const vmid of vmids.split(',')) {
      if (/^\d{3,9}$/.test(vmid)) pools.set(Number(vmid), name);
    }
  }
  return pools;
}

/**
 * Guests that the cluster's high availability starts, whatever their own `onboot` says: those of
 * `/etc/pve/ha/resources.cfg` whose wanted state is `started`, the default (pve-ha-manager).
 */
export function parseStartedByHa(text: string): ReadonlySet<number> {
  const started = new Set<number>();
  let current: number | undefined;
  for (const line of text.split('\n')) {
    const section = /^(?:vm|ct):\s*(\d{3,9})\s*$/.exec(line)?.[1];
    if (section !== undefined) {
      current = Number(section);
      started.add(current);
      continue;
    }
    if (/^\S/.test(line)) current = undefined;
    const state = /^\s+state\s+(\S+)\s*$/.exec(line)?.[1];
    if (state === undefined || current === undefined) continue;
    if (state !== 'started' && state !== 'enabled') started.delete(current);
  }
  return started;
}
