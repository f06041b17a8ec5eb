import { execFileSync } from 'node:child_process';
import { closeSync, openSync, writeSync } from 'node:fs';

/** A named pipe nobody writes to: it blocks its reader just as a held lock of the kernel does. */
export function makeFifo(path: string): string {
  execFileSync('mkfifo', [path]);
  return path;
}

/** Ends the reads that are stuck in it, for Node cannot exit before. */
export function releaseFifo(path: string): void {
  const fd = openSync(path, 'r+');
  writeSync(fd, 'late');
  closeSync(fd);
}
