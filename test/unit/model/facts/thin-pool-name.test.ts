import { expect, it } from 'vitest';

import { thinPoolName } from '../../../../src/model/facts/thin-pool-name.ts';

it('a thin pool is named with its volume group, where that is known', () => {
  expect(thinPoolName('vg0', 'pool')).toBe('vg0/pool');
  expect(thinPoolName(undefined, 'vg0-pool')).toBe('vg0-pool');
});
