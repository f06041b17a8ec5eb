import { closeSync, openSync, readdirSync, readSync, statSync } from 'node:fs';

import { parseDecimal } from './kernel-text.ts';
import { failed, failedFrom, found, inShort, type Result } from '../../runtime/result.ts';

/**
 * Readers for small files the kernel makes up on the spot (/proc, /sys, cgroupfs).
 *
 * Synchronous on purpose: such a read never waits for a device, and costs about 15 µs against
 * about 400 µs through the thread pool. Anything that can wait (a disk image, a mount, smaps) must
 * not come through here. Our own instead of readFileSync because that stats first and allocates
 * per call; these files report size 0 and are read thousands of times per scrape.
 */
const CHUNK = 64 * 1024;
const MAX_KERNEL_FILE = 16 * 1024 * 1024;
let buffer = Buffer.allocUnsafe(CHUNK);

const NEWLINE = 0x0a;

/**
 * The whole text of a kernel file (UTF-8), or why it could not be read. The kernel ends each of its
 * lines and has no file of this kind without one: an empty text and one that ends in the middle of
 * a line are `malformed`, lest half a number be taken for a number.
 */
export function readKernelFile(path: string): Result<string> {
  return ofWholeLines(readRawKernelFile(path), path);
}

/**
 * As {@link readKernelFile}, of a file the kernel prints in one go: values in /sys and /proc/sys,
 * what /proc/<pid> says of one process or thread, cgroup files without a list of processes. Such a
 * file (single_open of fs/seq_file.c, kernfs_seq_start of fs/kernfs/file.c) comes whole with the
 * first read; asking for its end as well is an eighth of the cost, thousands of times per scrape.
 */
export function readKernelRecord(path: string): Result<string> {
  return ofWholeLines(readText(path, true), path);
}

/** As {@link readKernelFile}, of the few files that may be empty or do not consist of lines. */
export function readRawKernelFile(path: string): Result<string> {
  return readText(path, false);
}

function readText(path: string, isOneRecord: boolean): Result<string> {
  let fd: number;
  try {
    fd = openSync(path, 'r');
  } catch (error) {
    return failedFrom(error, path);
  }
  try {
    let length = 0;
    for (;;) {
      if (length === buffer.length) {
        if (length >= MAX_KERNEL_FILE) return failed('malformed', path, 'larger than 16 MiB');
        buffer = Buffer.concat([buffer, Buffer.allocUnsafe(length)]);
      }
      const got = readSync(fd, buffer, length, buffer.length - length, null);
      length += got;
      const isWhole = isOneRecord && length < buffer.length && buffer[length - 1] === NEWLINE;
      if (got === 0 || isWhole) return found(buffer.toString('utf8', 0, length));
    }
  } catch (error) {
    return failedFrom(error, path);
  } finally {
    closeSync(fd);
  }
}

function ofWholeLines(text: Result<string>, path: string): Result<string> {
  if (!text.ok) return text;
  if (text.value === '') return failed('malformed', path, 'empty');
  if (text.value.charCodeAt(text.value.length - 1) !== NEWLINE) {
    return failed('malformed', path, 'ends in the middle of a line');
  }
  return text;
}

/**
 * The lines at the start of a kernel file that fit into so many bytes: for files of one paragraph
 * per CPU, of which one tells enough.
 */
export function readKernelStart(path: string, bytes: number): Result<string> {
  let fd: number;
  try {
    fd = openSync(path, 'r');
  } catch (error) {
    return failedFrom(error, path);
  }
  try {
    const start = Buffer.alloc(bytes);
    const text = start.toString('utf8', 0, readSync(fd, start, 0, bytes, null));
    const end = text.lastIndexOf('\n');
    return end === -1 ? failed('malformed', path, 'no line') : found(text.slice(0, end + 1));
  } catch (error) {
    return failedFrom(error, path);
  } finally {
    closeSync(fd);
  }
}

/** One non-negative decimal integer, as most single-value files in /sys hold. */
export function readKernelInteger(path: string): Result<number> {
  return readKernelValue(path, parseDecimal);
}

/** What `parse` makes of the whole text; `malformed` where it makes nothing of it. */
export function readKernelValue<T>(
  path: string,
  parse: (text: string) => T | undefined,
): Result<T> {
  const text = readKernelRecord(path);
  if (!text.ok) return text;
  const value = parse(text.value);
  return value === undefined ? failed('malformed', path, inShort(text.value)) : found(value);
}

/** The names in a kernel directory, or why it could not be listed. */
export function listKernelDirectory(path: string): Result<readonly string[]> {
  try {
    return found(readdirSync(path));
  } catch (error) {
    return failedFrom(error, path);
  }
}

/** The user a kernel directory belongs to; undefined when it can not be told. */
export function ownerUid(path: string): number | undefined {
  try {
    return statSync(path).uid;
  } catch {
    return undefined;
  }
}
