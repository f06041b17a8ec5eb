import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';

import { readStandstill, type SeenStandstill } from '../../../../src/guests/process/standstill.ts';

import { valueIn } from '../../../support/sources/kernel-fixtures.ts';
import type { ProcessThread } from '../../../../src/model/process.ts';

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

function standstill(...about: Parameters<typeof readStandstill>): SeenStandstill | undefined {
  return valueIn(readStandstill(...about));
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
    expect(standstill(main, threads.map(thread), undefined)).toBe(expected);
  });

  it('in a frozen cgroup, where its threads look asleep', () => {
    expect(standstill('S', [thread(['S', 900])], cgroup('populated 1\nfrozen 1\n'))).toBe('frozen');
  });

  it.each([
    ['that is idle', 'S', [['S', 9_000]]],
    ['whose threads run', 'R', [['R', 0]]],
  ] as const)('not, %s', (_, main, threads) => {
    expect(
      standstill(main, threads.map(thread), cgroup('populated 1\nfrozen 0\n')),
    ).toBeUndefined();
  });

  it('perhaps, when a thread has only now begun to sleep uninterruptibly', () => {
    expect(standstill('S', [thread(['D', 40])], undefined)).toBe('uncertain');
  });

  it('not, as far as is known, whose threads and cgroup could not be read', () => {
    expect(standstill('S', undefined, '/nonexistent')).toBeUndefined();
  });

  it('not on a kernel before 5.2, whose cgroups cannot be frozen this way', () => {
    expect(readStandstill('S', undefined, cgroup('populated 1\n'))).toEqual({
      ok: true,
      value: undefined,
    });
  });

  it.each([
    ['is empty', ''],
    ['is garbage', '\u0001 garbage: | {}\n'],
    ['ends in the middle', 'populated 1\nfrozen 1'],
    ['has a number of 400 digits', `populated 1\nfrozen ${'7'.repeat(400)}\n`],
    ['has a word for a number', 'populated 1\nfrozen x\n'],
  ])('or not: that the cgroup does not say is a fault, when its file %s', (_, events) => {
    expect(readStandstill('S', [thread(['D', 900])], cgroup(events))).toMatchObject({
      ok: true,
      value: 'blocked',
      faults: [{ kind: 'malformed' }],
    });
  });

  it('or not: a file that cannot be read is a fault too', () => {
    const directory = cgroup('');
    rmSync(join(directory, 'cgroup.events'));
    mkdirSync(join(directory, 'cgroup.events'));
    expect(readStandstill('S', [], directory)).toMatchObject({ faults: [{ kind: 'unreadable' }] });
  });
});
