import { LIMIT_TTL_MS } from '../../runtime/cached-reading.ts';
import { found, isAbsence, type Result } from '../../runtime/result.ts';
import { TimeSlice } from '../../runtime/time-slice.ts';
import { listKernelDirectory, readKernelFile } from '../kernel/kernel-file.ts';
import type { Roots } from '../kernel/roots.ts';

/**
 * `LVM-`, the ids of group and volume (32 characters each), and `tpool` for the thin-pool target itself
 * (LVM2 lib/activate/dev_manager.c, build_dm_uuid and lv_layer). A pool has more devices: `-tdata`,
 * `-tmeta`, `-pool`.
 */
const THIN_POOL_UUID = /^LVM-[0-9A-Za-z]{64}-tpool$/;

/** Tells how many LVM thin pools a host has, without a program and without privileges. */
export class ActiveThinPools {
  readonly #roots: Roots;
  #last: { readonly count: number; readonly seenAt: number } | undefined;

  constructor(roots: Roots) {
    this.#roots = roots;
  }

  /**
   * The number of active LVM thin pools: /sys/block/dm-N/dm/uuid, of which a device without a UUID has
   * an empty line (Linux drivers/md/dm-sysfs.c). At most LIMIT_TTL_MS old, since a host with a thousand
   * thin volumes has as many of these files, some 20 µs each. `absent` where /sys is not in view.
   */
  async count(): Promise<Result<number>> {
    const now = performance.now();
    const last = this.#last;
    if (last !== undefined && now - last.seenAt < LIMIT_TTL_MS) return found(last.count);
    const directory = `${this.#roots.sysfs}/block`;
    const names = listKernelDirectory(directory);
    if (!names.ok) return names;
    const slice = new TimeSlice();
    let count = 0;
    for (const name of names.value) {
      if (!/^dm-\d{1,10}$/.test(name)) continue;
      if (slice.isOver) await slice.nextTurn();
      const path = `${directory}/${name}/dm/uuid`;
      const uuid = readKernelFile(path);
      // Volumes come and go with guests; what is gone meanwhile is no pool.
      if (!uuid.ok && isAbsence(uuid.error)) continue;
      if (!uuid.ok) return uuid;
      if (THIN_POOL_UUID.test(uuid.value.trimEnd())) count += 1;
    }
    this.#last = { count, seenAt: now };
    return found(count);
  }
}
