import { failed, found, type Result } from '../../runtime/result.ts';

/** One file `<vmid>.conf` of a VM or a container: what is in force, as text by key. */
export interface GuestConf {
  /**
   * The main section, which is what runs now: what could not be changed at once is in `[PENDING]`, and
   * snapshots repeat all keys.
   */
  readonly values: ReadonlyMap<string, string>;
  /** Keys that are to change with the next start. */
  readonly pending: ReadonlySet<string>;
  /** Number of snapshots. */
  readonly snapshots: number;
}

/** Proxmox VE's own limit of a file in pmxcfs is 1 MiB. */
export const MAX_CONF_BYTES = 1024 ** 2;
const MAX_KEYS = 4096;
const SECTION = /^\[([^\]]*)\]\s*$/;
const VALUE = /^([a-z][a-z0-9_.-]*\d*):\s*(.*?)\s*$/i;
const SNAPSHOT = /^[a-z][a-z0-9_-]+$/i;

/**
 * Reads `qemu-server/<vmid>.conf` and `lxc/<ctid>.conf` (qemu-server, PVE/QemuServer.pm parse_vm_config;
 * pve-container, PVE/LXC/Config.pm). Lines of a section nobody knows, and lines that are no `key: value`,
 * are passed over, as Proxmox VE does. Malformed where there is no single line of value, as in a file that
 * is not of this kind.
 */
export function parseGuestConf(text: string, subject: string): Result<GuestConf> {
  const values = new Map<string, string>();
  const pending = new Set<string>();
  let snapshots = 0;
  let section: 'main' | 'pending' | 'other' = 'main';
  for (const line of text.split('\n')) {
    if (/^\s*(?:#|$)/.test(line)) continue;
    const header = SECTION.exec(line)?.[1];
    if (header !== undefined) {
      const isPending = header.toLowerCase() === 'pending';
      section = isPending ? 'pending' : 'other';
      if (!isPending && SNAPSHOT.test(header)) snapshots += 1;
      continue;
    }
    const [, key, value] = VALUE.exec(line) ?? [];
    if (key === undefined || value === undefined || section === 'other') continue;
    if (values.size + pending.size >= MAX_KEYS)
      return failed('malformed', subject, 'too many keys');
    if (section === 'main') values.set(key, value);
    else if (key !== 'delete') pending.add(key);
    else for (const name of value.split(/[,;\s]+/)) if (name !== '') pending.add(name);
  }
  if (values.size === 0) return failed('malformed', subject, 'no line of the form key: value');
  return found({ values, pending, snapshots });
}

/**
 * A property string, `virtio=BC:24:…,bridge=vmbr0,firewall=1`: the part without a name belongs to the
 * default key, here `''` (PVE/JSONSchema.pm parse_property_string).
 */
export function parseProperties(text: string): ReadonlyMap<string, string> {
  const properties = new Map<string, string>();
  for (const part of text.split(',')) {
    const at = part.indexOf('=');
    const key = at === -1 ? '' : part.slice(0, at).trim();
    if (!properties.has(key)) properties.set(key, part.slice(at + 1).trim());
  }
  return properties;
}

/** A number that is no less than 0; undefined for anything else. */
export function toNumber(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,15}(?:\.\d{1,9})?$/.test(text) ? Number(text) : undefined;
}

export function toInteger(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

/** 64 PiB: more than any host or guest has. */
const MOST_MIB = 2 ** 36;

/** A size in MiB, which may be 0. */
export function toMebibytes(text: string | undefined): number | undefined {
  const mib = toInteger(text);
  return mib !== undefined && mib <= MOST_MIB ? mib : undefined;
}

/** Proxmox VE's own limit of cores. */
const MOST_CPUS = 8192;

/** A number of CPUs: one at least, and no more than there can be. */
export function toCpus(text: string | undefined): number | undefined {
  const cpus = toInteger(text);
  return cpus !== undefined && cpus > 0 && cpus <= MOST_CPUS ? cpus : undefined;
}

/** Undefined for what is no word of Proxmox VE for yes or no. */
export function toBoolean(text: string | undefined): boolean | undefined {
  if (text === undefined) return undefined;
  if (/^(?:1|on|yes|true)$/i.test(text)) return true;
  return /^(?:0|off|no|false)$/i.test(text) ? false : undefined;
}
