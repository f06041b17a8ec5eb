import { readKernelFile } from './kernel-file.ts';
import { valueOf } from './reading.ts';
import type { Roots } from './roots.ts';
import { LIMIT_TRUST_MS } from './trusted-reading.ts';

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

  constructor(roots: Roots) {
    this.#roots = roots;
  }

  /**
   * `sda`, `dm-3`, `nvme0n1` or `cciss/c0d0`: DEVNAME of /sys/dev/block/MAJ:MIN/uevent, at most
   * LIMIT_TRUST_MS old. Undefined when there is no such device, or not in our view of /sys.
   *
   * @param number `MAJ:MIN`, both decimal.
   */
  get(number: string): string | undefined {
    const now = performance.now();
    const known = this.#known.get(number);
    if (known !== undefined && now - known.readAt < LIMIT_TRUST_MS) return known.name;
    const uevent = valueOf(readKernelFile(`${this.#roots.sysfs}/dev/block/${number}/uevent`));
    const name = uevent === undefined ? undefined : /^DEVNAME=(.+)$/m.exec(uevent)?.[1];
    this.#known.set(number, { name, readAt: now });
    return name;
  }

  /** Forgets devices nobody has asked for lately: most are volumes that come and go with guests. */
  prune(): void {
    const now = performance.now();
    for (const [number, { readAt }] of this.#known) {
      if (now - readAt >= LIMIT_TRUST_MS) this.#known.delete(number);
    }
  }
}
