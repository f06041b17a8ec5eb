import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';

import { readStandstill } from '../../../src/snapshot/standstill.ts';
import type { ProcessThread } from '../../../src/sources/process-threads.ts';

const thread = (stillIn: string | undefined): ProcessThread => ({
  tid: 7,
  comm: 'worker',
  role: { kind: 'other' },
  schedule: undefined,
  stillIn,
});

/** A directory of the unified hierarchy, as the kernel shows it. */
function cgroup(events: string): string {
  const directory = mkdtempSync(join(tmpdir(), 'standstill-test-'));
  onTestFinished(() => {
    rmSync(directory, { recursive: true });
  });
  writeFileSync(join(directory, 'cgroup.events'), events);
  return directory;
}

describe('a QEMU stands still', () => {
  it.each([
    ['stopped by a signal', 'T', [undefined], 'stopped'],
    ['stopped by a debugger', 't', [undefined], 'stopped'],
    ['with one thread stopped', 'S', ['S', 't', 'S'], 'stopped'],
    ['with one thread that has slept uninterruptibly', 'S', ['S', 'D'], 'blocked'],
  ])('%s', (_, main, stillIn, expected) => {
    expect(readStandstill(main, stillIn.map(thread), undefined)).toBe(expected);
  });

  it('in a frozen cgroup, where its threads look asleep', () => {
    expect(readStandstill('S', [thread('S')], cgroup('populated 1\nfrozen 1\n'))).toBe('frozen');
  });

  it.each([
    ['that is idle', 'S', ['S', 'S']],
    ['whose threads run', 'R', [undefined, undefined]],
    ['whose main thread has only now begun to wait for a disk', 'D', [undefined]],
  ])('not, %s', (_, main, stillIn) => {
    expect(
      readStandstill(main, stillIn.map(thread), cgroup('populated 1\nfrozen 0\n')),
    ).toBeUndefined();
  });

  it('not, as far as is known, whose threads and cgroup could not be read', () => {
    expect(readStandstill('S', undefined, '/nonexistent')).toBeUndefined();
  });
});
