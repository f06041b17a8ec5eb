import { toBoolean } from './guest-conf.ts';
import type { DiskSource, VolumeSpace } from '../../model/domain-config.ts';
import { thinPoolName } from '../../model/facts/thin-pool-name.ts';

/** One storage of `/etc/pve/storage.cfg`. */
export interface PveStorage {
  readonly id: string;
  /** `dir`, `nfs`, `lvmthin`, `zfspool`, `rbd`, … */
  readonly type: string;
  readonly values: ReadonlyMap<string, string>;
}

/**
 * Reads `/etc/pve/storage.cfg` (pve-storage, PVE/SectionConfig.pm): `<type>: <id>` at the start of a
 * line, then lines that begin with white space, `key value` or `key` alone for yes.
 */
export function parseStorageConf(text: string): ReadonlyMap<string, PveStorage> {
  const storages = new Map<string, PveStorage>();
  let values: Map<string, string> | undefined;
  for (const line of text.split('\n')) {
    if (/^\s*(?:#|$)/.test(line)) continue;
    const [, type, id] = /^([a-z][a-z0-9]*):\s*([A-Za-z][\w.-]*)\s*$/.exec(line) ?? [];
    if (type !== undefined && id !== undefined) {
      values = new Map();
      storages.set(id, { id, type, values });
      continue;
    }
    const [, key, value] = /^\s+([a-z][\w-]*)(?:\s+(.*?))?\s*$/.exec(line) ?? [];
    if (key === undefined) values = undefined;
    else values?.set(key, value ?? '1');
  }
  return storages;
}

export interface VolumePlace {
  readonly source: DiskSource;
  /** `qcow2`, `raw`, `vmdk`, `subvol`; undefined: not said by its name. */
  readonly format: string | undefined;
  readonly space: VolumeSpace;
}

const UNKNOWN: VolumeSpace = { kind: 'unknown', thinPool: undefined };
const FILE: VolumeSpace = { kind: 'file', thinPool: undefined };

/** The pool of LVM that volumes of a storage of type `lvmthin` take their space from. */
export function thinPoolOf({ type, values }: PveStorage): string | undefined {
  const [group = '', pool = ''] = [values.get('vgname'), values.get('thinpool')];
  if (type !== 'lvmthin' || !NAMES.test(group) || !NAMES.test(pool)) return undefined;
  return thinPoolName(group, pool);
}

const DIRECTORY_TYPES: ReadonlySet<string> = new Set(['dir', 'nfs', 'cifs', 'cephfs', 'btrfs']);
const NAMES = /^(?!\.{1,2}$)[\w.+-]+$/;

/**
 * What a volume id of a guest's config means on this host (pve-storage, PVE/Storage/*Plugin.pm, `path`):
 * `<storage>:<volume>`, or an absolute path. Undefined for one that names no volume at all.
 */
export function locateVolume(
  volumeId: string,
  storages: ReadonlyMap<string, PveStorage>,
): VolumePlace | undefined {
  if (volumeId.startsWith('/')) {
    const isDevice = volumeId.startsWith('/dev/');
    return {
      source: { kind: isDevice ? 'block' : 'file', path: volumeId },
      format: /\.(qcow2|raw|vmdk)$/.exec(volumeId)?.[1] ?? 'raw',
      space: isDevice ? UNKNOWN : FILE,
    };
  }
  const at = volumeId.indexOf(':');
  if (at < 1) return undefined;
  const volume = volumeId.slice(at + 1);
  const parts = volume.split('/');
  const name = parts.at(-1) ?? '';
  if (!parts.every((part) => NAMES.test(part))) return undefined;
  const storage = storages.get(volumeId.slice(0, at));
  const elsewhere = (protocol: string): VolumePlace => ({
    source: { kind: 'network', protocol, name: volumeId, hosts: [] },
    format: 'raw',
    space: { kind: 'remote', thinPool: undefined },
  });
  if (storage === undefined) {
    return { source: { kind: 'other', path: volumeId }, format: undefined, space: UNKNOWN };
  }
  const { type, values, id } = storage;
  const format = /\.(qcow2|raw|vmdk|subvol)$/.exec(name)?.[1];
  if (DIRECTORY_TYPES.has(type)) {
    const base = values.get('path') ?? `/mnt/pve/${id}`;
    const images = /(?:^|,)images=([^,]+)/.exec(values.get('content-dirs') ?? '')?.[1] ?? 'images';
    const vmid = parts.at(-2);
    if (vmid === undefined || !base.startsWith('/')) return undefined;
    const file = `${base.replace(/\/+$/, '')}/${images}/${vmid}/${name}`;
    const path = type === 'btrfs' && format === 'raw' ? `${file.slice(0, -4)}/disk.raw` : file;
    return { source: { kind: 'file', path }, format: format ?? 'raw', space: FILE };
  }
  const block = (path: string, kind: VolumeSpace['kind'], thinPool?: string): VolumePlace => ({
    source: { kind: 'block', path },
    format: format ?? 'raw',
    space: { kind, thinPool },
  });
  switch (type) {
    case 'lvmthin':
    case 'lvm': {
      const group = values.get('vgname') ?? '';
      if (!NAMES.test(group)) return undefined;
      if (type === 'lvm') return block(`/dev/${group}/${name}`, 'thick');
      return block(`/dev/${group}/${name}`, 'thin', thinPoolOf(storage));
    }
    case 'zfspool': {
      const pool = values.get('pool') ?? '';
      if (!pool.split('/').every((part) => NAMES.test(part))) return undefined;
      const isSparse = toBoolean(values.get('sparse')) === true;
      return block(`/dev/zvol/${pool}/${name}`, isSparse ? 'thin' : 'thick');
    }
    case 'rbd':
      return elsewhere('rbd');
    case 'iscsi':
    case 'iscsidirect':
    case 'zfs':
      return elsewhere('iscsi');
    default:
      return { source: { kind: 'other', path: volumeId }, format, space: UNKNOWN };
  }
}
