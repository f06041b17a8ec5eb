import { expect, it } from 'vitest';

import { canShareBlocks } from '../../../../src/model/facts/shared-blocks.ts';

it('files share or compress blocks unless their filesystem is known to do neither', () => {
  const can = (
    sharedExtents: 'never' | 'possible' | 'unknown',
    compression: 'never' | 'possible' | 'unknown' | 'on',
  ) => canShareBlocks({ network: false, sharedExtents, compression });
  expect(can('never', 'never')).toBe(false);
  expect(can('possible', 'never')).toBe(true);
  expect(can('never', 'on')).toBe(true);
  expect(can('unknown', 'unknown')).toBe(true);
});
