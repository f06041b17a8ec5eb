import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { areThreadsApart, VhostThreads } from '../../../../src/guests/process/vhost-threads.ts';
import { HOST, valueIn } from '../../../support/sources/kernel-fixtures.ts';

describe('where vhost workers are', () => {
  it.each([
    ['5.10.0-30-amd64', true],
    ['6.1.0-28-amd64', true],
    ['6.3.9', true],
    ['6.4.0', false],
    ['6.12.107+deb13-amd64', false],
    ['7.1.8', false],
    ['strange', false],
    [undefined, false],
  ])('on kernel %s they are kernel threads of their own: %s', (release, apart) => {
    expect(areThreadsApart(release)).toBe(apart);
  });
});

describe('the vhost workers of guests', () => {
  let procfs: string;

  const onKernel = (release: string): VhostThreads => {
    mkdirSync(`${procfs}/sys/kernel`, { recursive: true });
    writeFileSync(`${procfs}/sys/kernel/osrelease`, `${release}\n`);
    return new VhostThreads({ ...HOST, procfs });
  };

  beforeEach(() => {
    procfs = mkdtempSync(join(tmpdir(), 'vhost-threads-'));
    cpSync(`${HOST.procfs}/4250`, `${procfs}/4250`, { recursive: true });
    writeFileSync(`${procfs}/4250/schedstat`, '5600000000 700000000 8000\n');
  });
  afterEach(() => {
    rmSync(procfs, { recursive: true });
  });

  it('come with what they ran and waited, by the QEMU they work for (before Linux 6.4)', async () => {
    const threads = valueIn(await onKernel('6.1.0-28-amd64').of(new Set([4242, 4300])));
    expect([...threads]).toEqual([
      [
        4242,
        [
          {
            tid: 4250,
            comm: 'vhost-4242',
            role: { kind: 'vhost' },
            schedule: {
              runNanoseconds: 5_600_000_000n,
              delayNanoseconds: 700_000_000n,
              timeslices: 8000n,
            },
            state: undefined,
            stillMs: 0,
          },
        ],
      ],
    ]);
  });

  it('of somebody else are left out', async () => {
    expect(valueIn(await onKernel('6.1.0').of(new Set([4300])))).toEqual(new Map());
  });

  it('are not looked for where they are threads of QEMU', async () => {
    expect(valueIn(await onKernel('6.12.0').of(new Set([4242])))).toEqual(new Map());
  });
});
