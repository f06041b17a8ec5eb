import { describe, expect, it } from 'vitest';

import { listVcpuTimes } from '../../../../src/model/facts/vcpu-times.ts';
import {
  exampleLibvirtCpu,
  exampleProcess,
  exampleThread,
  unknownGuest,
} from '../../../support/metrics/example-guest.ts';

describe('times of the vCPUs of a guest', () => {
  it('are those of its vCPU threads, and of no others', () => {
    const threads = [
      exampleThread(100, { kind: 'emulator' }),
      exampleThread(102, { kind: 'vcpu', index: 1 }),
    ];
    const guest = unknownGuest({
      process: exampleProcess({ threads }),
      libvirtCpu: exampleLibvirtCpu(),
    });
    expect(listVcpuTimes(guest)).toEqual([
      { index: 1, runNanoseconds: 30_000_000_000n, delayNanoseconds: 3_000_000_000n },
    ]);
  });

  it('are not told by a kernel without such statistics', () => {
    const threads = [{ ...exampleThread(102, { kind: 'vcpu', index: 0 }), schedule: undefined }];
    expect(listVcpuTimes(unknownGuest({ process: exampleProcess({ threads }) }))).toEqual([
      { index: 0, runNanoseconds: undefined, delayNanoseconds: undefined },
    ]);
  });

  it('are those of libvirt where /proc of the guest is out of reach', () => {
    const guest = unknownGuest({ process: undefined, libvirtCpu: exampleLibvirtCpu() });
    expect(listVcpuTimes(guest)).toEqual([
      { index: 0, runNanoseconds: 7_000_000_000n, delayNanoseconds: 500_000_000n },
      { index: 1, runNanoseconds: 7_000_000_000n, delayNanoseconds: 500_000_000n },
    ]);
  });

  it('are none where nobody tells', () => {
    expect(listVcpuTimes(unknownGuest({ process: undefined, libvirtCpu: undefined }))).toEqual([]);
  });
});
