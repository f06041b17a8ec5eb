import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { GuestCgroupCpuReader } from '../../../../src/sources/cgroup/cpu.ts';
import { readCgroupDetail } from '../../../../src/sources/cgroup/detail.ts';
import { GuestCgroupMemoryReader } from '../../../../src/sources/cgroup/memory.ts';
import { failureOf, valueIn } from '../../../support/sources/kernel-fixtures.ts';

const GIB = 2 ** 30;

/** A guest's group in machine.slice, as Linux 6.13 has it. */
let root: string;
let path: string;

function write(file: string, text: string): void {
  mkdirSync(dirname(join(root, file)), { recursive: true });
  writeFileSync(join(root, file), text);
}

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'cgroup-'));
  path = `${root}/machine.slice/web.scope`;
  write('machine.slice/memory.min', `${2 * GIB}\n`);
  const files: Readonly<Record<string, string>> = {
    'cpu.stat':
      'usage_usec 9000000\nuser_usec 1\nsystem_usec 1\ncore_sched.force_idle_usec 2500000\n' +
      'nr_periods 10\nnr_throttled 1\nthrottled_usec 5\nnr_bursts 7\nburst_usec 1500000\n',
    'cpu.max': 'max 100000\n',
    'cpu.weight': '100\n',
    'memory.current': `${3 * GIB}\n`,
    'memory.max': 'max\n',
    'memory.high': 'max\n',
    'memory.swap.max': 'max\n',
    'memory.min': `${GIB}\n`,
    'memory.low': `${GIB / 2}\n`,
    'memory.events': 'low 3\nhigh 0\nmax 0\noom 0\noom_kill 0\n',
    'memory.swap.events': 'high 0\nmax 4\nfail 5\n',
    'memory.stat':
      'anon 1\nfile 1\nworkingset_refault_anon 11\nworkingset_refault_file 12\npswpin 13\npswpout 14\n',
  };
  for (const [file, text] of Object.entries(files)) write(`machine.slice/web.scope/${file}`, text);
});

afterEach(() => {
  rmSync(root, { recursive: true });
});

const group = () => ({ version: 2, path, nestedPath: undefined }) as const;
const memory = () => valueIn(new GuestCgroupMemoryReader(group()).read());
const share = () => valueIn(new GuestCgroupCpuReader(group(), undefined).read(undefined)).share;

describe('the memory of a group', () => {
  it('that came back after it was thrown out is counted in pages', () => {
    expect(memory().paging).toEqual({
      anonymousRefaults: 11,
      fileRefaults: 12,
      swapIns: 13,
      swapOuts: 14,
    });
  });

  it('that came back is not known from a kernel that does not count it', () => {
    write('machine.slice/web.scope/memory.stat', 'anon 1\nfile 1\n');
    expect(memory().paging).toEqual({});
  });

  it.each([
    ['its own where the one around keeps more', `${GIB}`, `${2 * GIB}`, GIB],
    ['no more than the one around keeps', `${8 * GIB}`, `${2 * GIB}`, 2 * GIB],
    ['nothing where the one around keeps nothing', `${8 * GIB}`, '0', 0],
    ['that of the one around where it asks for all', 'max', `${2 * GIB}`, 2 * GIB],
    ['all where both ask for it', 'max', 'max', 'unlimited'],
  ])('that is never reclaimed is %s', (_, own, around, guaranteed) => {
    write('machine.slice/web.scope/memory.min', `${own}\n`);
    write('machine.slice/memory.min', `${around}\n`);
    expect(memory().limits.guaranteedBytes).toBe(guaranteed);
  });

  it('whose floor is there and makes no sense is not read', () => {
    write('machine.slice/web.scope/memory.min', 'much\n');
    expect(failureOf(new GuestCgroupMemoryReader(group()).read())).toBe('malformed');
  });
});

describe('a group with cpu.idle', () => {
  it('has no share', () => {
    expect(share()).toEqual({ kind: 'weight', weight: 100 });
    write('machine.slice/web.scope/cpu.idle', '1\n');
    expect(share()).toEqual({ kind: 'idle' });
  });

  it('shows a weight of 0', () => {
    write('machine.slice/web.scope/cpu.weight', '0\n');
    expect(share()).toEqual({ kind: 'idle' });
  });
});

describe('what few need to know of a group', () => {
  it('is in five files', () => {
    expect(valueIn(readCgroupDetail(group(), group()))).toEqual({
      lowBytes: GIB / 2,
      lowEvents: 3,
      swapEvents: { high: 0, max: 4, fail: 5 },
      forcedIdleSeconds: 2.5,
      bursts: 7,
      burstSeconds: 1.5,
    });
  });

  it('is undefined on a kernel or a cgroup version that has none of it', () => {
    rmSync(`${path}/memory.swap.events`);
    write('machine.slice/web.scope/cpu.stat', 'usage_usec 1\n');
    expect(valueIn(readCgroupDetail(group(), group()))).toEqual({
      lowBytes: GIB / 2,
      lowEvents: 3,
    });
    const old = { ...group(), version: 1 } as const;
    expect(valueIn(readCgroupDetail(old, old))).toEqual({});
  });
});
