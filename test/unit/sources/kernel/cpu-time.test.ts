import { describe, expect, it } from 'vitest';

import { parseCpuTime, readCpuTime } from '../../../../src/sources/kernel/cpu-time.ts';
import { failureOf, HOST, valueIn } from '../../../support/sources/kernel-fixtures.ts';

describe('CPU time', () => {
  it('is in seconds, at 100 ticks each', () => {
    const { total } = valueIn(readCpuTime(HOST));
    expect(total.userSeconds).toBe(10_000);
    expect(total.stealSeconds).toBe(70);
    expect(total.guestSeconds).toBe(8000);
    expect(total.guestNiceSeconds).toBe(1);
  });

  it('is given for each online CPU by its number', () => {
    const { cpus } = valueIn(readCpuTime(HOST));
    expect([...cpus.keys()]).toEqual([0, 1, 2, 3, 4, 5, 6]);
    expect(cpus.get(6)?.idleSeconds).toBe(7500);
  });

  it('comes with the boot time, which the start of every process counts from', () => {
    const time = valueIn(readCpuTime(HOST));
    expect(time.bootTimeSeconds).toBe(1795435538);
    expect(time.contextSwitches).toBe(123456789012);
    expect(time.runningTasks).toBe(9);
    expect(time.blockedTasks).toBe(2);
  });

  it('is malformed when a column is not a number or is missing', () => {
    expect(failureOf(parseCpuTime('cpu  1 2 3 x 5 6 7 8 9 0\nctxt 1\nbtime 1\n', 's'))).toBe(
      'malformed',
    );
    expect(failureOf(parseCpuTime('cpu  1 2 3 4\nctxt 1\nbtime 1\n', 's'))).toBe('malformed');
    expect(failureOf(parseCpuTime('ctxt 1\nbtime 1\n', 's'))).toBe('malformed');
  });
});
