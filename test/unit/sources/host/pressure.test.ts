import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import {
  parsePressure,
  readCgroupPressure,
  readHostPressure,
} from '../../../../src/sources/host/pressure.ts';
import {
  cgroupHost,
  failureOf,
  HOST,
  NOWHERE,
  valueIn,
} from '../../../support/sources/kernel-fixtures.ts';

const V2_SCOPE = `${cgroupHost('cgroup-v2').sysfs}/fs/cgroup/machine.slice/machine-qemu\\x2d1\\x2dweb.scope`;

describe('pressure', () => {
  it('is the total in seconds', () => {
    expect(valueIn(readHostPressure(HOST, 'memory'))).toEqual({
      someSeconds: 2.966979,
      fullSeconds: 2.667886,
    });
  });

  it('has no full value for the CPUs of the host, where the kernel prints a constant 0', () => {
    expect(valueIn(readHostPressure(HOST, 'cpu'))).toEqual({
      someSeconds: 14.140586,
      fullSeconds: undefined,
    });
  });

  it('has one for the CPUs of a guest', () => {
    expect(valueIn(readCgroupPressure(V2_SCOPE, 'cpu'))).toEqual({
      someSeconds: 7.5,
      fullSeconds: 2.5,
    });
  });

  it('has no full value where the kernel prints one line (CPU before 5.13)', () => {
    const text = 'some avg10=0.00 avg60=0.00 avg300=0.00 total=1000000\n';
    expect(valueIn(parsePressure(text, 'cpu'))).toEqual({ someSeconds: 1, fullSeconds: undefined });
  });

  it('is unreadable where the file is there but can not be read', () => {
    const group = mkdtempSync(join(tmpdir(), 'pressure-'));
    mkdirSync(join(group, 'cpu.pressure'));
    expect(failureOf(readCgroupPressure(group, 'cpu'))).toBe('unreadable');
    rmSync(group, { recursive: true });
  });

  it('is absent without PSI', () => {
    expect(failureOf(readHostPressure(NOWHERE, 'io'))).toBe('absent');
  });

  it('is malformed without a total', () => {
    expect(failureOf(parsePressure('some avg10=0.00\n', 'cpu'))).toBe('malformed');
  });
});
