import type { BlockDeviceNames } from './block-device-names.ts';
import type { GuestCgroupDirectory } from './cgroup.ts';
import { readKernelFile } from './kernel-file.ts';
import { bigDecimalAt } from './kernel-scan.ts';
import { found, type Reading } from './reading.ts';
import { LIMIT_TRUST_MS } from './trusted-reading.ts';

/**
 * What a group read from and wrote to one block device since the group was made, the groups inside
 * included. Requests as the device was given them, after the page cache, the filesystem and the image
 * format; discards are not among them. Undefined where the kernel has no such counter.
 */
export interface IoCounters {
  readonly readBytes: bigint | undefined;
  readonly writtenBytes: bigint | undefined;
  readonly reads: bigint | undefined;
  readonly writes: bigint | undefined;
}

export interface CgroupDeviceIo extends IoCounters {
  /** Kernel name of a whole disk, never a partition; `MAJ:MIN` where it has none. */
  readonly device: string;
}

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
  #missing: { readonly reading: Reading<never>; readonly seenAt: number } | undefined;

  constructor(io: GuestCgroupDirectory, names: BlockDeviceNames) {
    this.#io = io;
    this.#names = names;
  }

  /**
   * One entry per device the group has used. `absent` when the group is gone or has no io controller
   * (v1: no throttling); that it has none is believed for LIMIT_TRUST_MS.
   */
  read(): Reading<readonly CgroupDeviceIo[]> {
    const now = performance.now();
    const missing = this.#missing;
    if (missing !== undefined && now - missing.seenAt < LIMIT_TRUST_MS) return missing.reading;
    const counters = this.#io.version === 2 ? this.#readUnified() : this.#readLegacy();
    if (!counters.ok) {
      this.#missing =
        counters.error.kind === 'absent' ? { reading: counters, seenAt: now } : undefined;
      return counters;
    }
    this.#missing = undefined;
    return found(this.#named(counters.value));
  }

  /** io.stat counts the groups inside too. */
  #readUnified(): Reading<IoByDevice> {
    const text = readKernelFile(`${this.#io.path}/io.stat`);
    return text.ok ? found(parseIoStat(text.value)) : text;
  }

  /**
   * Without the recursive files, libvirt's group inside is added; the groups of single threads are
   * made for cpu, cpuacct and cpuset only (libvirt src/util/vircgroup.c, virCgroupNewThread).
   */
  #readLegacy(): Reading<IoByDevice> {
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
    return nested.ok ? found(together(own.value, nested.value)) : nested;
  }

  #named(counters: IoByDevice): readonly CgroupDeviceIo[] {
    const taken = new Set<string>();
    return [...counters].map(([number, one]) => {
      const name = this.#names.get(number);
      // A name that has just gone over to another number must not be given twice.
      const device = name === undefined || taken.has(name) ? number : name;
      taken.add(device);
      return { device, ...one };
    });
  }
}

/** `MAJ:MIN`. Hidden NVMe paths are `(unknown)`, and their disk is there by its number. */
const DEVICE_NUMBER = /^\d+:\d+$/;

/**
 * v2 io.stat: `8:16 rbytes=1459200 wbytes=314773504 rios=192 wios=353 dbytes=0 dios=0`, and further
 * keys of other policies. A device that has done nothing yet has no values, and up to Linux 5.19 no
 * line end either: the values then belong to the last of the devices before them.
 */
export function parseIoStat(text: string): IoByDevice {
  const counters = new Map<string, IoCounters>();
  for (const line of text.split('\n')) {
    const values = line.indexOf('rbytes=');
    if (values === -1) continue;
    const number = line.slice(0, values).trimEnd().split(' ').at(-1) ?? '';
    if (!DEVICE_NUMBER.test(number)) continue;
    counters.set(number, {
      readBytes: keyValue(line, 'rbytes='),
      writtenBytes: keyValue(line, 'wbytes='),
      reads: keyValue(line, 'rios='),
      writes: keyValue(line, 'wios='),
    });
  }
  return counters;
}

function keyValue(line: string, key: string): bigint | undefined {
  const at = line.indexOf(` ${key}`);
  return at === -1 ? undefined : bigDecimalAt(line, at + 1 + key.length);
}

function readLegacyGroup(path: string, suffix: '' | '_recursive'): Reading<IoByDevice> {
  const bytes = readKernelFile(`${path}/blkio.throttle.io_service_bytes${suffix}`);
  if (!bytes.ok) return bytes;
  const requests = readKernelFile(`${path}/blkio.throttle.io_serviced${suffix}`);
  return requests.ok ? found(parseThrottleFiles(bytes.value, requests.value)) : requests;
}

/**
 * v1 blkio.throttle.io_service_bytes and blkio.throttle.io_serviced: per device a line `8:16 Read
 * 4096` for each of Read, Write, Sync, Async, Discard and Total, and in the end `Total` of all.
 */
export function parseThrottleFiles(bytes: string, requests: string): IoByDevice {
  const inBytes = parseThrottleFile(bytes);
  const inRequests = parseThrottleFile(requests);
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

function parseThrottleFile(text: string): ReadonlyMap<string, Directions> {
  const devices = new Map<string, Directions>();
  for (const line of text.split('\n')) {
    const [number = '', kind, digits = ''] = line.split(' ');
    if ((kind !== 'Read' && kind !== 'Write') || !DEVICE_NUMBER.test(number)) continue;
    const value = bigDecimalAt(digits, 0);
    if (value === undefined) continue;
    let device = devices.get(number);
    if (device === undefined) devices.set(number, (device = {}));
    device[kind === 'Read' ? 'read' : 'write'] = value;
  }
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
