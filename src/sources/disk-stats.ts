import { readKernelFile } from './kernel-file.ts';
import { parseDecimal } from './kernel-text.ts';
import { failed, found, type Reading } from './reading.ts';
import type { Roots } from './roots.ts';

/**
 * I/O of one block device or partition since boot (Documentation/admin-guide/iostats.rst): enough
 * to tell how busy and how slow the disks under the images and the swap are.
 */
export interface DiskStats {
  readonly device: string;
  /** Device number, as `st_dev` and mountinfo give it. */
  readonly major: number;
  readonly minor: number;
  readonly reads: number;
  readonly readBytes: number;
  /** Sum over requests of the time each took. */
  readonly readSeconds: number;
  readonly writes: number;
  readonly writtenBytes: number;
  readonly writeSeconds: number;
  readonly inFlight: number;
  /** Time with at least one request under way. */
  readonly busySeconds: number;
  /** Integral of inFlight over time: its rate is the mean queue length. */
  readonly queueSeconds: number;
}

/** Sectors are of 512 bytes here, whatever the device's own sector size. */
const SECTOR_BYTES = 512;

/** Reads `/proc/diskstats`; devices which never saw a request are left out. */
export function readDiskStats(roots: Roots): Reading<readonly DiskStats[]> {
  const path = `${roots.procfs}/diskstats`;
  const text = readKernelFile(path);
  return text.ok ? parseDiskStats(text.value, path) : text;
}

export function parseDiskStats(text: string, subject: string): Reading<readonly DiskStats[]> {
  const disks: DiskStats[] = [];
  for (const line of text.split('\n')) {
    if (line === '') continue;
    const fields = line.trim().split(/ +/);
    const numbers = fields.map((field, index) => (index === 2 ? 0 : parseDecimal(field)));
    const [major, minor, , reads, , sectorsRead, readMs, writes, , sectorsWritten, writeMs] =
      numbers;
    const [inFlight, busyMs, queueMs] = numbers.slice(11);
    const device = fields[2];
    if (
      device === undefined ||
      major === undefined ||
      minor === undefined ||
      reads === undefined ||
      sectorsRead === undefined ||
      readMs === undefined ||
      writes === undefined ||
      sectorsWritten === undefined ||
      writeMs === undefined ||
      inFlight === undefined ||
      busyMs === undefined ||
      queueMs === undefined
    ) {
      return failed('malformed', subject, `not a device line: ${line}`);
    }
    if (reads === 0 && writes === 0 && inFlight === 0) continue;
    disks.push({
      device,
      major,
      minor,
      reads,
      readBytes: sectorsRead * SECTOR_BYTES,
      readSeconds: readMs / 1000,
      writes,
      writtenBytes: sectorsWritten * SECTOR_BYTES,
      writeSeconds: writeMs / 1000,
      inFlight,
      busySeconds: busyMs / 1000,
      queueSeconds: queueMs / 1000,
    });
  }
  return found(disks);
}
