import { failed, failedFrom, found, type Result } from '../../runtime/result.ts';
import type { FileHandles } from '../../model/host.ts';

const SUBJECT = '/proc/sys/fs/file-nr';

/**
 * `fs.file-nr` (Documentation/admin-guide/sysctl/fs.rst), of the kernel this program runs on: it is
 * the same in all containers, so `--path.procfs` has no say in it.
 *
 * systeminformation opens the file and starts no program for it. It is loaded at the first call.
 */
export async function readFileHandles(): Promise<Result<FileHandles>> {
  try {
    const { fsOpenFiles } = await import('systeminformation/lib/filesystem.js');
    return parseFileHandles(await fsOpenFiles());
  } catch (error) {
    return failedFrom(error, SUBJECT);
  }
}

/** What systeminformation made of the file: null or NaN where it made nothing of it. */
export function parseFileHandles(files: {
  readonly allocated: number | null;
  readonly max: number | null;
}): Result<FileHandles> {
  const { allocated, max } = files;
  if (allocated === null || max === null) {
    return failed('unreadable', SUBJECT, 'not three numbers, or not to be read');
  }
  return isCount(allocated) && isCount(max)
    ? found({ allocated, limit: max })
    : failed('malformed', SUBJECT, `${allocated} of ${max}`);
}

function isCount(value: number): boolean {
  return Number.isInteger(value) && value >= 0 && value <= 2 ** 64;
}
