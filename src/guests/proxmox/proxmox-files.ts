import type { Deadline } from '../../runtime/deadline.ts';
import {
  toFailure,
  toLook,
  type FoundFile,
  type HostFiles,
} from '../../sources/files/host-files.ts';
import { readMounts, type MountTable } from '../../sources/files/mounts.ts';
import { readSmallText, toTextLook } from '../../sources/files/small-text-file.ts';
import type { Roots } from '../../sources/kernel/roots.ts';
import { failed, found, type Result, type SourceError } from '../../runtime/result.ts';
import { parsePools, parseStartedByHa } from './cluster-conf.ts';
import { MAX_CONF_BYTES, parseGuestConf, type GuestConf } from './guest-conf.ts';
import { parseStatistics, type PveStatistics } from './statistics.ts';
import { parseStorageConf, type PveStorage } from './storage-conf.ts';

/** What Proxmox VE has written about the guests of this node. */
export interface PveFiles {
  readonly vms: ReadonlyMap<number, GuestConf>;
  readonly containers: ReadonlyMap<number, GuestConf>;
  readonly storages: ReadonlyMap<string, PveStorage>;
  readonly pools: ReadonlyMap<number, string>;
  readonly startedByHa: ReadonlySet<number>;
  /** Undefined where the host has no such file (pve-manager before 8.2.5), or it could not be read. */
  readonly statistics: PveStatistics | undefined;
  /** What was there and could not be read now; what was known of it before is used. */
  readonly faults: readonly SourceError[];
  /** Why there are no statistics, where there is a file that should have them. */
  readonly statisticsFault: SourceError | undefined;
}

const VM_DIRECTORY = '/etc/pve/qemu-server';
const CONTAINER_DIRECTORY = '/etc/pve/lxc';
const STATISTICS = '/run/pve/metrics';
/** A line has a few KiB for each guest. */
const FIRST_STATISTICS_BYTES = 256 * 1024;
const PIECE_BYTES = 1024 ** 2;
const MOST_STATISTICS_BYTES = 8 * 1024 ** 2;
const NEWLINE = 0x0a;

interface Parsed<T> {
  readonly fingerprint: string;
  readonly value: T;
}

/** A file of the cluster that need not be there. */
class ClusterFile<T> {
  readonly path: string;
  readonly parse: (text: string) => T;
  readonly empty: T;
  parsed: Parsed<T> | undefined;

  constructor(path: string, parse: (text: string) => T, empty: T) {
    this.path = path;
    this.parse = parse;
    this.empty = empty;
  }
}

/**
 * Reads the configuration of a Proxmox VE node, and what its pvestatd wrote last. `/etc/pve` is FUSE: it
 * hangs when pmxcfs does, so that all of it is read by the processes for files that may hang. A file that
 * has not changed is not read again. Keep one instance per exporter.
 */
export class ProxmoxFiles {
  readonly #roots: Roots;
  readonly #files: HostFiles;
  readonly #vms = new Map<string, Parsed<GuestConf>>();
  readonly #containers = new Map<string, Parsed<GuestConf>>();
  readonly #storages = new ClusterFile<ReadonlyMap<string, PveStorage>>(
    '/etc/pve/storage.cfg',
    parseStorageConf,
    new Map(),
  );
  readonly #pools = new ClusterFile<ReadonlyMap<number, string>>(
    '/etc/pve/user.cfg',
    parsePools,
    new Map(),
  );
  readonly #startedByHa = new ClusterFile<ReadonlySet<number>>(
    '/etc/pve/ha/resources.cfg',
    parseStartedByHa,
    new Set(),
  );
  #statistics: Parsed<PveStatistics> | undefined;

  constructor(roots: Roots, files: HostFiles) {
    this.#roots = roots;
    this.#files = files;
  }

  /** `absent` where this is no node of Proxmox VE, or its pmxcfs does not run. */
  async read(deadline: Deadline): Promise<Result<PveFiles>> {
    const mounts = readMounts(this.#roots);
    if (!mounts.ok) return mounts;
    const faults: SourceError[] = [];
    const [vms, containers] = await Promise.all([
      this.#readGuests(VM_DIRECTORY, this.#vms, mounts.value, deadline, faults),
      this.#readGuests(CONTAINER_DIRECTORY, this.#containers, mounts.value, deadline, faults),
    ]);
    if (!vms.ok) return vms;
    if (!containers.ok && containers.error.kind !== 'absent') faults.push(containers.error);
    const other = <T>(file: ClusterFile<T>): Promise<T> =>
      this.#readOther(file, mounts.value, deadline, faults);
    const storages = await other(this.#storages);
    const pools = await other(this.#pools);
    const startedByHa = await other(this.#startedByHa);
    // Last: the only one that may be large.
    const statistics = await this.#readStatistics(mounts.value, deadline);
    return found({
      vms: vms.value,
      containers: containers.ok ? containers.value : new Map(),
      storages,
      pools,
      startedByHa,
      statistics: statistics.ok ? statistics.value : undefined,
      faults,
      statisticsFault:
        statistics.ok || statistics.error.kind === 'absent' ? undefined : statistics.error,
    });
  }

  async #readGuests(
    directory: string,
    known: Map<string, Parsed<GuestConf>>,
    mounts: MountTable,
    deadline: Deadline,
    faults: SourceError[],
  ): Promise<Result<ReadonlyMap<number, GuestConf>>> {
    const place = await this.#files.lookAt(toLook(directory, 0), mounts, deadline);
    if (!place.ok) return place;
    if (place.value.look.type !== 'directory') return failed('absent', directory, 'no directory');
    const names = await this.#files.list(place.value, deadline);
    if (!names.ok) return names;
    const files = names.value.filter((name) => /^[1-9]\d{2,8}\.conf$/.test(name));
    for (const name of known.keys()) if (!files.includes(name)) known.delete(name);
    const looks = await this.#files.look(
      files.map((name) => toTextLook(`${directory}/${name}`, known.get(name)?.fingerprint)),
      mounts,
      deadline,
    );
    for (const [index, name] of files.entries()) {
      const look = looks[index];
      if (look === undefined) continue;
      if (!look.ok) {
        // It was there a moment ago: a guest that moves to another node takes its file along.
        if (look.error.kind === 'absent') known.delete(name);
        else faults.push(look.error);
        continue;
      }
      const { fingerprint } = look.value.look;
      if (known.get(name)?.fingerprint === fingerprint) continue;
      const subject = `${directory}/${name}`;
      const text = await readSmallText(this.#files, look.value, subject, MAX_CONF_BYTES, deadline);
      const conf = text.ok ? parseGuestConf(text.value, subject) : text;
      if (conf.ok) known.set(name, { fingerprint, value: conf.value });
      else faults.push(conf.error);
    }
    return found(new Map([...known].map(([name, { value }]) => [parseInt(name, 10), value])));
  }

  async #readOther<T>(
    file: ClusterFile<T>,
    mounts: MountTable,
    deadline: Deadline,
    faults: SourceError[],
  ): Promise<T> {
    const { path, parse, empty, parsed: known } = file;
    const old = known?.value ?? empty;
    const look = await this.#files.lookAt(toTextLook(path, known?.fingerprint), mounts, deadline);
    if (!look.ok) {
      if (look.error.kind === 'absent') return empty;
      faults.push(look.error);
      return old;
    }
    const { fingerprint } = look.value.look;
    if (known?.fingerprint === fingerprint) return old;
    const text = await readSmallText(this.#files, look.value, path, MAX_CONF_BYTES, deadline);
    if (!text.ok) {
      faults.push(text.error);
      return old;
    }
    const value = parse(text.value);
    file.parsed = { fingerprint, value };
    return value;
  }

  /** In pieces, so that a large file is seen to be read on. */
  async #readFirstLine(
    file: FoundFile,
    start: Uint8Array,
    deadline: Deadline,
  ): Promise<Result<string>> {
    const parts = [start];
    let length = start.length;
    while (parts.at(-1)?.includes(NEWLINE) !== true) {
      const isAtEnd =
        parts.at(-1)?.length !== (parts.length === 1 ? FIRST_STATISTICS_BYTES : PIECE_BYTES);
      if (isAtEnd || length > MOST_STATISTICS_BYTES) {
        return failed('malformed', STATISTICS, `no whole line in ${length} bytes`);
      }
      const more = await this.#files.readBytes(file, length, PIECE_BYTES, deadline);
      if (!more.ok) return more;
      parts.push(more.value);
      length += more.value.length;
    }
    return found(toLine(parts));
  }

  async #readStatistics(mounts: MountTable, deadline: Deadline): Promise<Result<PveStatistics>> {
    const request = toLook(STATISTICS, FIRST_STATISTICS_BYTES, this.#statistics?.fingerprint);
    const look = await this.#files.lookAt(request, mounts, deadline);
    if (!look.ok) return look;
    const { fingerprint, header } = look.value.look;
    if (this.#statistics?.fingerprint === fingerprint) return found(this.#statistics.value);
    if (header === undefined) return failed('malformed', STATISTICS, 'not a regular file');
    if (header.kind === 'failed') return toFailure(header, STATISTICS);
    const line = await this.#readFirstLine(look.value, header.bytes, deadline);
    if (!line.ok) return line;
    const statistics = parseStatistics(line.value, STATISTICS);
    if (statistics.ok) this.#statistics = { fingerprint, value: statistics.value };
    return statistics;
  }
}

/** The text up to the first newline. */
function toLine(parts: readonly Uint8Array[]): string {
  const decoder = new TextDecoder();
  const text = parts.map((part) => decoder.decode(part, { stream: true })).join('');
  return text.slice(0, text.indexOf('\n'));
}
