import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import {
  GuestCgroupMemoryReader,
  parseMemoryLimit,
} from '../../../../src/sources/cgroup/memory.ts';
import { cgroupHost, failureOf, valueIn } from '../../../support/sources/kernel-fixtures.ts';

const SCOPE = 'machine.slice/machine-qemu\\x2d1\\x2dweb.scope';
const treeOf = (tree: 'cgroup-v1' | 'cgroup-v2' | 'cgroup-hybrid'): string =>
  `${cgroupHost(tree).sysfs}/fs/cgroup`;

describe('memory of a guest’s cgroup on v2', () => {
  const path = `${treeOf('cgroup-v2')}/${SCOPE}`;
  const memory = valueIn(
    new GuestCgroupMemoryReader({ version: 2, path, nestedPath: `${path}/libvirt` }).read(),
  );

  it('is what was charged, page cache and swap apart', () => {
    expect(memory.usage).toEqual({
      currentBytes: 12.5 * 2 ** 30,
      peakBytes: 14 * 2 ** 30,
      swapBytes: 512 * 2 ** 20,
      zswapBytes: 64 * 2 ** 20,
      anonymousBytes: 12_616_466_432,
      fileBytes: 256 * 2 ** 20,
      sharedMemoryBytes: 246_022_144,
      anonymousHugePageBytes: 8 * 2 ** 30,
    });
  });

  it('is limited by libvirt’s group inside; none is a word, not a number', () => {
    expect(memory.limits).toEqual({
      maxBytes: 16 * 2 ** 30,
      highBytes: 'unlimited',
      swapMaxBytes: 2 ** 30,
      swapIncludesMemory: false,
    });
  });

  it('has events', () => {
    expect(memory.events).toEqual({ high: 12, max: 34, oom: 1, oomKill: 1 });
  });
});

describe('memory of a guest’s cgroup on v1', () => {
  it('counts the groups inside; a limit of LONG_MAX pages is none', () => {
    const path = `${treeOf('cgroup-v1')}/memory/machine/qemu-3-db.libvirt-qemu`;
    expect(
      valueIn(new GuestCgroupMemoryReader({ version: 1, path, nestedPath: undefined }).read()),
    ).toEqual({
      usage: {
        currentBytes: 4 * 2 ** 30,
        peakBytes: 4.5 * 2 ** 30,
        swapBytes: 100 * 2 ** 20,
        zswapBytes: undefined,
        anonymousBytes: 3_865_470_566,
        fileBytes: 232_202_240,
        sharedMemoryBytes: 8_998_912,
        anonymousHugePageBytes: 2 * 2 ** 30,
      },
      limits: {
        maxBytes: 'unlimited',
        highBytes: undefined,
        swapMaxBytes: 'unlimited',
        swapIncludesMemory: true,
      },
      events: { high: undefined, max: 7, oom: undefined, oomKill: 2 },
      paging: {},
    });
  });

  it('has limits and events of libvirt’s group inside, swap accounting may be off', () => {
    const path = `${treeOf('cgroup-hybrid')}/memory/${SCOPE}`;
    const memory = valueIn(
      new GuestCgroupMemoryReader({ version: 1, path, nestedPath: `${path}/libvirt` }).read(),
    );
    expect(memory.limits.maxBytes).toBe(8 * 2 ** 30);
    expect(memory.limits.swapMaxBytes).toBeUndefined();
    expect(memory.events).toEqual({ high: undefined, max: 5, oom: undefined, oomKill: 1 });
  });
});

describe('a memory limit', () => {
  it('may be none with 64 KiB pages too', () => {
    expect(parseMemoryLimit('9223372036854710272\n')).toBe('unlimited');
    expect(parseMemoryLimit('max\n')).toBe('unlimited');
    expect(parseMemoryLimit('0\n')).toBe(0);
    expect(parseMemoryLimit('lots\n')).toBeUndefined();
  });
});

describe('memory of a cgroup', () => {
  it('is absent when the group is gone', () => {
    for (const version of [1, 2] as const) {
      expect(
        failureOf(
          new GuestCgroupMemoryReader({ version, path: '/nowhere', nestedPath: undefined }).read(),
        ),
      ).toBe('absent');
    }
  });
});

describe('memory of a guest’s cgroup, read again', () => {
  let path: string;
  let reader: GuestCgroupMemoryReader;
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['performance'] });
    path = mkdtempSync(join(tmpdir(), 'cgroup-memory-'));
    cpSync(`${treeOf('cgroup-v1')}/memory/machine/qemu-3-db.libvirt-qemu`, path, {
      recursive: true,
    });
    reader = new GuestCgroupMemoryReader({ version: 1, path, nestedPath: undefined });
  });
  afterEach(() => {
    vi.useRealTimers();
    rmSync(path, { recursive: true });
  });

  const read = () => valueIn(reader.read());
  const write = (file: string, value: number): void => {
    writeFileSync(join(path, file), `${value}\n`);
  };

  it('has the usage of now and, for half a minute, the limits of before', () => {
    expect(read().limits.maxBytes).toBe('unlimited');
    write('memory.usage_in_bytes', 4096);
    write('memory.limit_in_bytes', 8192);
    vi.advanceTimersByTime(29_000);
    expect(read()).toMatchObject({
      usage: { currentBytes: 4096 },
      limits: { maxBytes: 'unlimited' },
    });
    vi.advanceTimersByTime(1_000);
    expect(read().limits.maxBytes).toBe(8192);
  });

  it('has no peak where the kernel keeps none, and says so of one that makes no sense', () => {
    const peak = join(path, 'memory.max_usage_in_bytes');
    rmSync(peak);
    expect(read().usage.peakBytes).toBeUndefined();
    writeFileSync(peak, 'most\n');
    const reading = reader.read();
    expect(reading.ok && reading.faults?.map(({ subject }) => subject)).toEqual([peak]);
    expect(valueIn(reading).usage).toMatchObject({
      currentBytes: 4 * 2 ** 30,
      peakBytes: undefined,
    });
  });

  it('counts at once how often a limit was reached, where there is one', () => {
    write('memory.limit_in_bytes', 8192);
    expect(read().events?.max).toBe(7);
    write('memory.failcnt', 8);
    expect(read().events?.max).toBe(8);
  });

  it('counts what a limit did that came and went between two looks', () => {
    expect(read().events?.max).toBe(7);
    write('memory.failcnt', 9);
    vi.advanceTimersByTime(30_000);
    expect(read().events?.max).toBe(9);
  });

  it('counts OOM kills at once, with or without a limit', () => {
    expect(read().events?.oomKill).toBe(2);
    writeFileSync(
      join(path, 'memory.oom_control'),
      'oom_kill_disable 0\nunder_oom 0\noom_kill 3\n',
    );
    expect(read().events?.oomKill).toBe(3);
  });
});
