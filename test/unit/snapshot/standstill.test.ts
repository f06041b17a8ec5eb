import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';

import { readStandstill } from '../../../src/snapshot/standstill.ts';
import type { ProcessThread } from '../../../src/sources/process-threads.ts';

const thread = ([state, stillMs]: readonly [string, number]): ProcessThread => ({
  tid: 7,
  comm: 'worker',
  role: { kind: 'other' },
  schedule: undefined,
  state,
  stillMs,
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
    ['stopped by a signal', 'T', [['S', 0]], 'stopped'],
    ['stopped by a debugger', 't', [['S', 0]], 'stopped'],
    [
      'with one thread that has just been stopped',
      'S',
      [
        ['S', 0],
        ['t', 0],
      ],
      'stopped',
    ],
    [
      'with one thread that has slept uninterruptibly',
      'S',
      [
        ['S', 900],
        ['D', 250],
      ],
      'blocked',
    ],
  ] as const)('%s', (_, main, threads, expected) => {
    expect(readStandstill(main, threads.map(thread), undefined)).toBe(expected);
  });

  it('in a frozen cgroup, where its threads look asleep', () => {
    expect(readStandstill('S', [thread(['S', 900])], cgroup('populated 1\nfrozen 1\n'))).toBe(
      'frozen',
    );
  });

  it.each([
    ['that is idle', 'S', [['S', 9_000]]],
    ['whose threads run', 'R', [['R', 0]]],
    ['with a thread that waits for a disk now and then', 'S', [['D', 40]]],
    ['whose main thread has only now begun to wait for a disk', 'D', [['D', 0]]],
  ] as const)('not, %s', (_, main, threads) => {
    expect(
      readStandstill(main, threads.map(thread), cgroup('populated 1\nfrozen 0\n')),
    ).toBeUndefined();
  });

  it('not, as far as is known, whose threads and cgroup could not be read', () => {
    expect(readStandstill('S', undefined, '/nonexistent')).toBeUndefined();
  });
});
