import { readKernelFile } from './kernel-file.ts';
import { parseDecimal, parseKeyedLines } from './kernel-text.ts';
import { failed, found, type Reading } from './reading.ts';
import type { Roots } from './roots.ts';

/**
 * Storage I/O a process caused (Documentation/filesystems/proc.rst, 3.3). Page-cache hits are not
 * in here, swap-in is; network storage done by QEMU itself (RBD, NBD) is not.
 */
export interface ProcessIo {
  readonly readBytes: number;
  /** Includes what was later truncated before it reached the disk, see cancelledWriteBytes. */
  readonly writtenBytes: number;
  readonly cancelledWriteBytes: number;
}

/** Reads `/proc/<pid>/io`. `denied` without ptrace access to the process (not root). */
export function readProcessIo(roots: Roots, pid: number): Reading<ProcessIo> {
  const path = `${roots.procfs}/${pid}/io`;
  const text = readKernelFile(path);
  return text.ok ? parseProcessIo(text.value, path) : text;
}

export function parseProcessIo(text: string, subject: string): Reading<ProcessIo> {
  const values = parseKeyedLines(text);
  const readBytes = parseDecimal(values.get('read_bytes'));
  const writtenBytes = parseDecimal(values.get('write_bytes'));
  const cancelledWriteBytes = parseDecimal(values.get('cancelled_write_bytes'));
  if (readBytes === undefined || writtenBytes === undefined || cancelledWriteBytes === undefined) {
    return failed('malformed', subject, 'read_bytes, write_bytes or cancelled_write_bytes missing');
  }
  return found({ readBytes, writtenBytes, cancelledWriteBytes });
}
