import { describe, expect, it } from 'vitest';

import { parseDiskStats, readDiskStats } from '../../../src/sources/disk-stats.ts';
import { failureOf, HOST, valueIn } from './kernel-fixtures.ts';

describe('disk statistics', () => {
  it('are in bytes and seconds', () => {
    expect(valueIn(readDiskStats(HOST))[0]).toEqual({
      device: 'nvme0n1',
      major: 259,
      minor: 0,
      reads: 35564,
      readBytes: 2207954 * 512,
      readSeconds: 11.076,
      writes: 29826,
      writtenBytes: 3149136 * 512,
      writeSeconds: 12.851,
      inFlight: 3,
      busySeconds: 6.172,
      queueSeconds: 24.657,
    });
  });

  it('are read from the 14 columns of old kernels as well', () => {
    const disks = valueIn(readDiskStats(HOST));
    expect(disks.find(({ device }) => device === 'dm-1')?.queueSeconds).toBe(8);
  });

  it('leave out devices which were never used', () => {
    const devices = valueIn(readDiskStats(HOST)).map(({ device }) => device);
    expect(devices).toEqual(['nvme0n1', 'nvme0n1p1', 'dm-1']);
  });

  it('are malformed when a line is cut', () => {
    expect(failureOf(parseDiskStats(' 8 0 sda 1 2 3\n', 'diskstats'))).toBe('malformed');
  });
});
