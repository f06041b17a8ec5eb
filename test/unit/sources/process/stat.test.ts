import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

import {
  parseProcessStat,
  readProcessStat,
  startUnixSeconds,
} from '../../../../src/sources/process/stat.ts';
import { failureOf, HOST, valueIn } from '../../../support/sources/kernel-fixtures.ts';

describe('process stat', () => {
  it('of a guest gives faults, times and threads', () => {
    expect(valueIn(readProcessStat(HOST, 4242))).toEqual({
      pid: 4242,
      comm: 'qemu-system-x86',
      state: 'S',
      parentPid: 1,
      kernelThread: false,
      minorFaults: 5_296_000,
      majorFaults: 712,
      userSeconds: 9123.45,
      systemSeconds: 543.21,
      threads: 9,
      startTimeTicks: 360_000,
      virtualBytes: 18_971_893_760,
      residentPages: 3_145_728,
      processor: 3,
      blockIoDelaySeconds: 2.5,
      guestSeconds: 8000,
    });
  });

  it('is not confused by spaces and parentheses in the name', () => {
    const stat = valueIn(readProcessStat(HOST, 901));
    expect(stat.comm).toBe('tmux: (a) b) S');
    expect(stat.state).toBe('S');
    expect(stat.startTimeTicks).toBe(950);
  });

  it('tells kernel threads from processes', () => {
    expect(valueIn(readProcessStat(HOST, 37)).kernelThread).toBe(true);
  });

  it('knows no I/O delay while delay accounting is off and the kernel says 0', () => {
    expect(valueIn(readProcessStat(HOST, 900)).blockIoDelaySeconds).toBeUndefined();
  });

  it('still answers for a zombie', () => {
    expect(valueIn(readProcessStat(HOST, 4300)).state).toBe('Z');
  });

  it('is absent when the process is gone and malformed when cut', () => {
    expect(failureOf(readProcessStat(HOST, 999_999))).toBe('absent');
    expect(failureOf(parseProcessStat('4242 (qemu) S 1 2 3', 'stat'))).toBe('malformed');
    expect(failureOf(parseProcessStat('4242 qemu S 1 2 3', 'stat'))).toBe('malformed');
    expect(failureOf(parseProcessStat('', 'stat'))).toBe('malformed');
  });

  it('is malformed where a counter is below 0', () => {
    const sound = readFileSync(`${HOST.procfs}/4242/stat`, 'utf8');
    const broken = sound.replace(' 5296000 0 712 ', ' 5296000 0 -1 ');
    expect(broken).not.toBe(sound);
    expect(failureOf(parseProcessStat(broken, 's'))).toBe('malformed');
  });

  it('gives the start as ticks since boot: one hour in', () => {
    expect(startUnixSeconds(360_000, 1_795_435_538)).toBe(1_795_435_538 + 3600);
  });
});
