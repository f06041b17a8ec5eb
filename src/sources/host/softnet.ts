import { readKernelFile } from '../kernel/kernel-file.ts';
import { failed, found, inShort, type Result } from '../../runtime/result.ts';
import type { Roots } from '../kernel/roots.ts';

/** Processed, dropped, and others that came with the years; of each CPU that is online. */
const LINE = /^[\da-f]{8} ([\da-f]{8})(?: [\da-f]{8})*$/;

/**
 * Packets that were dropped because the queue of a CPU was full (net.core.netdev_max_backlog), summed
 * over the CPUs: `/proc/net/softnet_stat`, which has the same in all network namespaces
 * (softnet_seq_show in net/core/net-procfs.c). Of CPUs that are offline it says nothing.
 */
export function readSoftnetDrops(roots: Roots): Result<number> {
  const path = `${roots.procfs}/net/softnet_stat`;
  const text = readKernelFile(path);
  return text.ok ? parseSoftnetDrops(text.value, path) : text;
}

export function parseSoftnetDrops(text: string, subject: string): Result<number> {
  let drops = 0;
  for (const line of text.trimEnd().split('\n')) {
    const dropped = LINE.exec(line)?.[1];
    if (dropped === undefined) return failed('malformed', subject, `line: ${inShort(line)}`);
    drops += Number.parseInt(dropped, 16);
  }
  return found(drops);
}
