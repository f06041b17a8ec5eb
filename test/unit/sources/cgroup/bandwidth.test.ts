import { describe, expect, it } from 'vitest';

import {
  parseCfsQuota,
  parseCpuMax,
  parseThrottling,
} from '../../../../src/sources/cgroup/bandwidth.ts';

describe('a CPU bandwidth limit', () => {
  it('is in seconds, or none', () => {
    expect(parseCpuMax('max 100000\n')).toBe('unlimited');
    expect(parseCpuMax('50000 100000\n')).toEqual({ quotaSeconds: 0.05, periodSeconds: 0.1 });
    expect(parseCfsQuota('-1\n', '100000\n')).toBe('unlimited');
  });

  it('is not known from half of it', () => {
    expect(parseCpuMax('50000\n')).toBeUndefined();
    expect(parseCpuMax('much 100000\n')).toBeUndefined();
    expect(parseCfsQuota('50000\n', undefined)).toBeUndefined();
    expect(parseCfsQuota('50000\n', '0\n')).toBeUndefined();
    expect(parseThrottling('nr_periods 1\n')).toBeUndefined();
  });
});
