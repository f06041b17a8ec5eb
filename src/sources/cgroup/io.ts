import type { BlockDeviceNames } from '../host/block-device-names.ts';
import type { GuestCgroupDirectory } from './cgroup.ts';
import { readKernelRecord, readRawKernelFile } from '../kernel/kernel-file.ts';
import { parseBigDecimal } from '../kernel/kernel-text.ts';
import { failed, failedWith, Faults, found, inShort, type Result } from '../../runtime/result.ts';
import { LIMIT_TTL_MS } from '../../runtime/cached-reading.ts';
import type { CgroupDeviceIo, IoCounters } from '../../model/cgroup.ts';

/** Counters by `MAJ:MIN`. */
export type IoByDevice = ReadonlyMap<string, IoCounters>;

/**
 * Reads the I/O counters of one guest's group; one instance per QEMU process. Nothing of it waits for
 * a device.
 *
 * v2 counts all the group's tasks cause, page cache that is written back included where the
 * filesystem supports it (cgroup-v2.rst, "Writeback"). v1 charges writeback to the root group, so
 * there a guest with a cached disk shows its reads only; and since Linux 6.10 it counts on devices
 * that have a limit set (block/blk-throttle.c, blk_throtl_activated).
 */
export class GuestCgroupIoReader {
  readonly #io: GuestCgroupDirectory;
  readonly #names: BlockDeviceNames;
  /** v1: whether files that count the groups inside are there; old kernels have none. */
  #recursive: boolean | undefined;
  /** A controller that is off mostly stays so, and opening what is not there costs as much. */
  #missing: { readonly reading: Result<never>; readonly seenAt: number } | undefined;
  /** When counters were last seen: they do not go while their device is there. */
  #countersSeenAt: number | undefined;

  constructor(io: GuestCgroupDirectory, names: BlockDeviceNames) {
    this.#io = io;
    this.#names = names;
  }

  /**
   * One entry per device the group has used, none for a group that has used none. `absent` when the
   * group is gone or has no io controller (v1: no throttling); that it has none is believed for
   * LIMIT_TTL_MS. A device whose name cannot be read has its number, and a fault.
   */
  read(): Result<readonly CgroupDeviceIo[]> {
    const now = performance.now();
    const missing = this.#missing;
    if (missing !== undefined && now - missing.seenAt < LIMIT_TTL_MS) return missing.reading;
    const counters = this.#io.version === 2 ? this.#readUnified() : this.#readLegacy();
    if (!counters.ok) {
      this.#missing =
        counters.error.kind === 'absent' ? { reading: counters, seenAt: now } : undefined;
      return counters;
    }
    this.#missing = undefined;
    const faults = new Faults();
    return faults.found(this.#named(faults.optional(counters) ?? counters.value, faults));
  }

  /**
   * io.stat counts the groups inside too. It is empty while the group has used no device (its disks
   * are on Ceph, say), and again once the only one it used has gone: half a minute of emptiness
   * after counters is believed.
   */
  #readUnified(): Result<IoByDevice> {
    const path = `${this.#io.path}/io.stat`;
    const text = readRawKernelFile(path);
    if (!text.ok) return text;
    const now = performance.now();
    if (text.value !== '') {
      const faults = new Faults();
      const counters = parseIoStat(text.value, faults, path);
      if (counters.size > 0) this.#countersSeenAt = now;
      return faults.found(counters);
    }
    const seenAt = this.#countersSeenAt;
    return seenAt !== undefined && now - seenAt < LIMIT_TTL_MS
      ? failed('malformed', path, 'empty, and had counters before')
      : found(new Map());
  }

  /**
   * Without the recursive files, libvirt's group inside is added; the groups of single threads are
   * made for cpu, cpuacct and cpuset only (libvirt src/util/vircgroup.c, virCgroupNewThread). A part
   * of such a sum that cannot be read leaves no sum.
   */
  #readLegacy(): Result<IoByDevice> {
    const { path, nestedPath } = this.#io;
    if (this.#recursive !== false) {
      const all = readLegacyGroup(path, '_recursive');
      if (all.ok) this.#recursive = true;
      if (this.#recursive === true || all.ok || all.error.kind !== 'absent') return all;
    }
    const own = readLegacyGroup(path, '');
    if (!own.ok) return own;
    this.#recursive = false;
    if (nestedPath === undefined) return own;
    const nested = readLegacyGroup(nestedPath, '');
    if (!nested.ok) return nested;
    const [fault] = [...(own.faults ?? []), ...(nested.faults ?? [])];
    return fault === undefined ? found(together(own.value, nested.value)) : failedWith(fault);
  }

  #named(counters: IoByDevice, faults: Faults): readonly CgroupDeviceIo[] {
    const taken = new Set<string>();
    return [...counters].map(([number, one]) => {
      const name = faults.optional(this.#names.get(number));
      // A name that has just gone over to another number must not be given twice.
      const device = name === undefined || taken.has(name) ? number : name;
      taken.add(device);
      return { device, ...one };
    });
  }
}

/** `MAJ:MIN`, of 12 and 20 bits (include/linux/kdev_t.h). */
const DEVICE_NUMBER = /^\d{1,4}:\d{1,7}$/;
/** Instead of a number, where the device has no name the kernel would tell: hidden NVMe paths. */
const UNKNOWN_DEVICE = '(unknown)';

/**
 * v2 io.stat: `8:16 rbytes=1459200 wbytes=314773504 rios=192 wios=353 dbytes=0 dios=0`, and further
 * keys of other policies. A device that has done nothing yet has no values, and up to Linux 5.19 no
 * line end either: the values then belong to the last of the devices before them.
 *
 * What is not of this form goes to `faults`, and values without a line end do: the last may be cut.
 */
export function parseIoStat(text: string, faults = new Faults(), subject = 'io.stat'): IoByDevice {
  const counters = new Map<string, IoCounters>();
  const lines = text.split('\n');
  for (const [index, line] of lines.entries()) {
    const words = line.split(' ').filter((word) => word !== '');
    const firstValue = words.findIndex((word) => word.includes('='));
    const devices = firstValue === -1 ? words : words.slice(0, firstValue);
    const ends = index < lines.length - 1;
    if (
      !devices.every((word) => DEVICE_NUMBER.test(word) || word === UNKNOWN_DEVICE) ||
      (firstValue !== -1 && (devices.length === 0 || !ends))
    ) {
      faults.malformed(subject, inShort(line));
      continue;
    }
    const number = devices.at(-1);
    const values = firstValue === -1 ? [] : words.slice(firstValue);
    if (number === undefined || number === UNKNOWN_DEVICE) continue;
    if (!values.some((word) => word.startsWith('rbytes='))) continue;
    const value = (key: string): bigint | undefined =>
      faults.field(
        values.find((word) => word.startsWith(key))?.slice(key.length),
        parseBigDecimal,
        subject,
        `${number} ${key}`,
      );
    counters.set(number, {
      readBytes: value('rbytes='),
      writtenBytes: value('wbytes='),
      reads: value('rios='),
      writes: value('wios='),
    });
  }
  return counters;
}

function readLegacyGroup(path: string, suffix: '' | '_recursive'): Result<IoByDevice> {
  const bytes = readKernelRecord(`${path}/blkio.throttle.io_service_bytes${suffix}`);
  if (!bytes.ok) return bytes;
  const requests = readKernelRecord(`${path}/blkio.throttle.io_serviced${suffix}`);
  if (!requests.ok) return requests;
  const faults = new Faults();
  return faults.found(parseThrottleFiles(bytes.value, requests.value, faults, path));
}

/**
 * v1 blkio.throttle.io_service_bytes and blkio.throttle.io_serviced: per device a line `8:16 Read
 * 4096` for each of Read, Write, Sync, Async, Discard and Total, and in the end `Total` of all. What
 * is not of this form goes to `faults`.
 */
export function parseThrottleFiles(
  bytes: string,
  requests: string,
  faults = new Faults(),
  subject = 'blkio.throttle',
): IoByDevice {
  const inBytes = parseThrottleFile(bytes, faults, subject);
  const inRequests = parseThrottleFile(requests, faults, subject);
  const numbers = new Set([...inBytes.keys(), ...inRequests.keys()]);
  return new Map(
    [...numbers].map((number) => [
      number,
      {
        readBytes: inBytes.get(number)?.read,
        writtenBytes: inBytes.get(number)?.write,
        reads: inRequests.get(number)?.read,
        writes: inRequests.get(number)?.write,
      },
    ]),
  );
}

interface Directions {
  read?: bigint;
  write?: bigint;
}

const THROTTLE_KINDS = new Set(['Read', 'Write', 'Sync', 'Async', 'Discard', 'Total']);

function parseThrottleFile(
  text: string,
  faults: Faults,
  subject: string,
): ReadonlyMap<string, Directions> {
  const devices = new Map<string, Directions>();
  let total = false;
  for (const line of text.split('\n')) {
    if (line === '') continue;
    const words = line.split(' ');
    const [number = '', kind = '', digits] = words[0] === 'Total' ? ['', ...words] : words;
    const value = parseBigDecimal(digits);
    const known = DEVICE_NUMBER.test(number);
    if (
      value === undefined ||
      !THROTTLE_KINDS.has(kind) ||
      !(known || number === UNKNOWN_DEVICE || kind === 'Total')
    ) {
      faults.malformed(subject, inShort(line));
      continue;
    }
    if (number === '') total = true;
    if (!known || (kind !== 'Read' && kind !== 'Write')) continue;
    let device = devices.get(number);
    if (device === undefined) devices.set(number, (device = {}));
    device[kind === 'Read' ? 'read' : 'write'] = value;
  }
  if (!total) faults.malformed(subject, 'no Total');
  return devices;
}

function together(a: IoByDevice, b: IoByDevice): IoByDevice {
  const sums = new Map(a);
  for (const [number, more] of b) {
    const own = a.get(number);
    sums.set(number, {
      readBytes: sum(own?.readBytes, more.readBytes),
      writtenBytes: sum(own?.writtenBytes, more.writtenBytes),
      reads: sum(own?.reads, more.reads),
      writes: sum(own?.writes, more.writes),
    });
  }
  return sums;
}

function sum(a: bigint | undefined, b: bigint | undefined): bigint | undefined {
  return a === undefined || b === undefined ? (a ?? b) : a + b;
}
