import { expect, it } from 'vitest';

import { computeKsmSavings } from '../../../../src/model/facts/ksm-savings.ts';
import { exampleHost } from '../../../support/metrics/example-host.ts';

it('KSM saves the mappings beyond the first of each page, and those of the zero page', () => {
  const { ksm, pageBytes } = exampleHost();
  if (ksm === undefined) throw new Error('the example has KSM');
  const of = (pagesSharing: number | undefined, zeroPages: number | undefined) =>
    computeKsmSavings({ ...exampleHost(), ksm: { ...ksm, pagesSharing, zeroPages } });
  expect(of(100, 10)).toEqual({ sharingBytes: 100 * pageBytes, zeroBytes: 10 * pageBytes });
  // Kernels before 6.10 have no ksm_zero_pages.
  expect(of(100, undefined)).toEqual({ sharingBytes: 100 * pageBytes, zeroBytes: 0 });
  expect(of(undefined, 10)).toBeUndefined();
  expect(computeKsmSavings({ ...exampleHost(), ksm: undefined })).toBeUndefined();
});
