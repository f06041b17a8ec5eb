import { describe, expect, it } from 'vitest';

import { readKvmModule } from '../../../../src/sources/host/kvm-module.ts';
import {
  AMD_HOST,
  failureOf,
  HOST,
  NOWHERE,
  valueIn,
} from '../../../support/sources/kernel-fixtures.ts';

describe('the KVM module', () => {
  it('of Intel tells about EPT and its accessed bits', () => {
    expect(valueIn(readKvmModule(HOST))).toEqual({
      vendor: 'intel',
      secondLevelPaging: true,
      accessedDirtyBits: false,
      nested: true,
      haltPollSeconds: 0.0002,
      tdpMmu: true,
    });
  });

  it('of AMD tells about NPT, and writes switches as 1 and 0', () => {
    expect(valueIn(readKvmModule(AMD_HOST))).toEqual({
      vendor: 'amd',
      secondLevelPaging: true,
      accessedDirtyBits: undefined,
      nested: true,
      haltPollSeconds: 0,
      tdpMmu: false,
    });
  });

  it('is absent where guests are emulated', () => {
    expect(failureOf(readKvmModule(NOWHERE))).toBe('absent');
  });
});
