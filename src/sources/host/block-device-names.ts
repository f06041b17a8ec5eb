import { readKernelFile } from '../kernel/kernel-file.ts';
import { failed, found, inShort, isAbsence, type Result } from '../../runtime/result.ts';
import type { Roots } from '../kernel/roots.ts';
import { LIMIT_TTL_MS } from '../../runtime/cached-reading.ts';

interface Known {
  readonly name: string | undefined;
  readonly readAt: number;
}

/**
 * Kernel names of block devices by their number. The kernel ties most numbers to a name for good
 * (sda, dm-0, loop0), but not all (NVMe), so a name is looked up again now and then.
 */
export class BlockDeviceNames {
  readonly #roots: Roots;
  readonly #known = new Map<string, Known>();
  #prunedAt = performance.now();

  constructor(roots: Roots) {
    this.#roots = roots;
  }

  /**
   * `sda`, `dm-3`, `nvme0n1` or `cciss/c0d0`: DEVNAME of /sys/dev/block/MAJ:MIN/uevent, at most
   * LIMIT_TTL_MS old. Undefined when there is no such device, or not in our view of /sys; failed
   * when it is there but does not say its name.
   *
   * @param number `MAJ:MIN`, both decimal.
   */
  get(number: string): Result<string | undefined> {
    const now = performance.now();
    const known = this.#known.get(number);
    if (known !== undefined && now - known.readAt < LIMIT_TTL_MS) return found(known.name);
    const path = `${this.#roots.sysfs}/dev/block/${number}/uevent`;
    const uevent = readKernelFile(path);
    if (!uevent.ok && !isAbsence(uevent.error)) return uevent;
    const name = uevent.ok ? nameIn(uevent.value, number) : undefined;
    if (uevent.ok && name === undefined) return failed('malformed', path, inShort(uevent.value));
    this.#known.set(number, { name, readAt: now });
    return found(name);
  }

  /**
   * Now and then drops devices nobody has asked for lately: most are volumes that come and go with guests.
   */
  prune(): void {
    const now = performance.now();
    if (now - this.#prunedAt < LIMIT_TTL_MS) return;
    this.#prunedAt = now;
    for (const [number, { readAt }] of this.#known) {
      if (now - readAt >= LIMIT_TTL_MS) this.#known.delete(number);
    }
  }
}

/**
 * A disk's own name is at most 31 bytes long (DISK_NAME_LEN, include/linux/blkdev.h); a driver may
 * put its devices into a directory.
 */
const DEVICE_NAME = /^DEVNAME=([\w!/.:-]{1,64})$/m;

/** Undefined in a text that is not about this device (drivers/base/core.c, dev_uevent). */
function nameIn(uevent: string, number: string): string | undefined {
  const major = /^MAJOR=(\d{1,10})$/m.exec(uevent)?.[1];
  const minor = /^MINOR=(\d{1,10})$/m.exec(uevent)?.[1];
  if (major === undefined || minor === undefined || `${major}:${minor}` !== number)
    return undefined;
  return DEVICE_NAME.exec(uevent)?.[1];
}
