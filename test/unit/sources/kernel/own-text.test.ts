import { describe, expect, it } from 'vitest';

import { parseCgroupMounts, parseGuestCgroup } from '../../../../src/sources/cgroup/cgroup.ts';
import { ownText } from '../../../../src/sources/kernel/own-text.ts';
import { parseSystemEmulator } from '../../../../src/sources/process/qemu-command-line.ts';
import { parseMemoryFiles } from '../../../../src/sources/process/qemu-memory-files.ts';
import { parseQemuCommandLine } from '../../../../src/sources/process/qemu-processes.ts';
import { parseProcessStat } from '../../../../src/sources/process/stat.ts';
import { collectGarbage } from '../../../support/measure/collect-garbage.ts';
import { HOST, valueIn } from '../../../support/sources/kernel-fixtures.ts';

const TEXTS = 100;
/** Much more than what is read from it. */
const REST = ' '.repeat(100_000);
const UUID = '6a4bd2d5-4fd0-4b27-9d2c-1f4c0de0c0de';
const MOUNTS = valueIn(
  parseCgroupMounts('30 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n', HOST, 'mountinfo'),
);

/** Whether what was read from texts keeps the texts themselves in memory. */
function keepsAll(text: string, read: (text: string) => unknown): boolean {
  collectGarbage();
  const before = process.memoryUsage().heapUsed;
  // Each is read from a file, so each is a text of its own.
  const kept = Array.from({ length: TEXTS }, () => read(Buffer.from(text + REST).toString()));
  collectGarbage();
  const bytes = process.memoryUsage().heapUsed - before;
  expect(kept).toHaveLength(TEXTS);
  return bytes > (TEXTS * REST.length) / 2;
}

describe('what is kept of a long text', () => {
  const commandLine = [
    ...['/usr/bin/qemu-system-x86_64', '-uuid', UUID, '-pidfile', '/run/one-guest.pid'],
    ...['-name', 'guest=a-guest-with-a-long-name,debug-threads=on'],
    ...['-object', 'memory-backend-file,id=ram,mem-path=/dev/shm/one-guest,share=on'],
    ...['-append', ''],
  ].join('\0');

  it('is all of it when a part is only cut out', () => {
    expect(keepsAll(commandLine, (text) => text.slice(0, 27))).toBe(true);
  });

  it.each([
    ['a part by itself', (text: string) => ownText(text.slice(0, 27))],
    ['a command line', parseSystemEmulator],
    ['name and uuid of a command line', parseQemuCommandLine],
    ['files of memory in a command line', (text: string) => parseMemoryFiles(text)[0]],
  ])('is not the text: %s', (_, read) => {
    expect(read(commandLine)).toBeDefined();
    expect(keepsAll(commandLine, read)).toBe(false);
  });

  it("is not the text: a process's stat", () => {
    const fields = Array.from({ length: 49 }, (_, index) => `${index}`).join(' ');
    const stat = `4242 (qemu-system-x86) S ${fields}`;
    const read = (text: string): unknown => valueIn(parseProcessStat(text, 'stat'));
    expect(read(stat)).toMatchObject({ comm: 'qemu-system-x86' });
    expect(keepsAll(stat, read)).toBe(false);
  });

  it("is not the text: a guest's cgroup", () => {
    const cgroup = '0::/machine.slice/machine-qemu\\x2d1\\x2dguest.scope\n1:name=other:';
    const read = (text: string): unknown => valueIn(parseGuestCgroup(text, MOUNTS, 'cgroup'));
    expect(read(cgroup)).toMatchObject({ exclusive: true });
    expect(keepsAll(cgroup, read)).toBe(false);
  });
});
