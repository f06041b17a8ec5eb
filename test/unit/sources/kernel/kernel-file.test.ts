import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { readKernelFile, readKernelRecord } from '../../../../src/sources/kernel/kernel-file.ts';
import { failureOf, valueIn } from '../../../support/sources/kernel-fixtures.ts';

describe('a file the kernel prints in one go', () => {
  let directory: string;
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'kernel-file-'));
  });
  afterAll(() => {
    rmSync(directory, { recursive: true });
  });

  const read = (text: string) => {
    const path = join(directory, 'file');
    writeFileSync(path, text);
    return readKernelRecord(path);
  };

  it('is read as a whole, however long it is', () => {
    // The first is the size of the buffer it is read into, to the byte.
    for (const length of [64 * 1024, 64 * 1024 + 1, 200_000]) {
      const text = `${'x'.repeat(length - 3)}\ny\n`.slice(-length);
      expect(valueIn(read(text))).toBe(text);
    }
  });

  it('is malformed when it is empty or ends in the middle of a line', () => {
    expect(failureOf(read(''))).toBe('malformed');
    expect(failureOf(read('VmRSS: 12 kB\nVmSw'))).toBe('malformed');
  });

  it.each(['stat', 'status', 'schedstat', 'comm'])('is /proc/<pid>/%s', (file) => {
    const lines = (text: string): number => text.split('\n').length;
    const path = `/proc/self/${file}`;
    expect(lines(valueIn(readKernelRecord(path)))).toBe(lines(valueIn(readKernelFile(path))));
  });

  it('is a value in /sys and /proc/sys', () => {
    for (const path of ['/sys/kernel/mm/transparent_hugepage/enabled', '/proc/sys/vm/swappiness']) {
      const reading = readKernelFile(path);
      // Not every kernel has both.
      if (reading.ok) expect(readKernelRecord(path)).toEqual(reading);
    }
  });
});
