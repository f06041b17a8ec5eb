import { readKernelFile } from '../kernel/kernel-file.ts';
import { parseBigDecimal } from '../kernel/kernel-text.ts';
import { failed, Faults, found, inShort, type Result } from '../../runtime/result.ts';
import type { Roots } from '../kernel/roots.ts';
import type { LinkCounters } from '../../model/network.ts';

/**
 * A line of /proc/net/dev (net/core/net-procfs.c): the name, then bytes, packets, errs, drop,
 * fifo, frame, compressed, multicast received and bytes, packets, errs, drop, fifo, colls, carrier,
 * compressed sent. Names cannot hold a colon; the two lines of headings hold bars instead.
 */
const HEADING = /^[^:]*\|[^:]*\|/;
const LINE = new RegExp(
  String.raw`^ *([^:\s|]+):` +
    String.raw` *(\d+) +(\d+) +(\d+) +(\d+) +(\d+) +\d+ +\d+ +\d+` +
    String.raw` +(\d+) +(\d+) +(\d+) +(\d+) +(\d+) +\d+ +\d+ +\d+ *$`,
);

/**
 * Reads the text of /proc/net/dev. One read for all interfaces costs as much as the ten sysfs
 * files of a single one.
 */
export function parseNetDev(text: string, path: string): Result<ReadonlyMap<string, LinkCounters>> {
  const links = new Map<string, LinkCounters>();
  for (const line of text.split('\n')) {
    const fields = LINE.exec(line);
    if (fields === null) {
      if (line === '' || HEADING.test(line)) continue;
      return failed('malformed', path, `line: ${inShort(line)}`);
    }
    const columns = fields.slice(2).map(parseBigDecimal);
    if (columns.includes(undefined)) return failed('malformed', path, `line: ${inShort(line)}`);
    const column = (index: number): bigint => columns[index - 2] ?? 0n;
    links.set(fields[1] ?? '', {
      receivedBytes: column(2),
      receivedPackets: column(3),
      receiveErrors: column(4),
      receiveDrops: column(5),
      receiveFifoErrors: column(6),
      transmittedBytes: column(7),
      transmittedPackets: column(8),
      transmitErrors: column(9),
      transmitDrops: column(10),
      transmitFifoErrors: column(11),
    });
  }
  // Every namespace has its loopback.
  return links.size === 0 ? failed('malformed', path, 'no interface') : found(links);
}

export interface NetworkNamespaceFiles {
  /** The net directory in /proc the counters came from, e.g. `/proc/1/net`. */
  readonly directory: string;
  readonly counters: ReadonlyMap<string, LinkCounters>;
}

/**
 * The counters of the network namespace which sysfs shows. /proc/net is always that of the reading
 * process; in a container the host's is /proc/1/net under the host's /proc, while started inside a
 * namespace of its own it is the other way round. So the one is taken whose interfaces are those
 * of sysfs; of neither (an interface just came or went), the one with more of them.
 *
 * @param names the interfaces in /sys/class/net.
 */
export function readNetworkCounters(
  { procfs }: Roots,
  names: readonly string[],
): Result<NetworkNamespaceFiles> {
  let best: { readonly files: NetworkNamespaceFiles; readonly shared: number } | undefined;
  let failure: Result<never> | undefined;
  const faults = new Faults();
  for (const process of ['1', 'self']) {
    const directory = `${procfs}/${process}/net`;
    const path = `${directory}/dev`;
    const text = readKernelFile(path);
    const counters = text.ok ? parseNetDev(text.value, path) : text;
    if (!counters.ok) {
      failure ??= counters;
      // Not every user may look into another's namespace.
      faults.permitted(counters);
      continue;
    }
    const files = { directory, counters: counters.value };
    const shared = names.filter((name) => counters.value.has(name)).length;
    if (shared === names.length && shared === counters.value.size) return found(files);
    if (best === undefined || shared > best.shared) best = { files, shared };
  }
  if (best !== undefined) return faults.found(best.files);
  return failure ?? failed('absent', procfs, 'no net/dev');
}
