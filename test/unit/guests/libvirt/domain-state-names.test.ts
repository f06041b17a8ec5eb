import { describe, expect, it } from 'vitest';

import { stateNames } from '../../../../src/guests/libvirt/domain-state-names.ts';

describe('the words for a state and its reason', () => {
  it.each([
    [1, 1, 'running', 'booted'],
    [3, 5, 'paused', 'ioerror'],
    [5, 5, 'shutoff', 'saved'],
    [1, 5, 'running', 'unpaused'],
    [5, 3, 'shutoff', 'crashed'],
    [6, 1, 'crashed', 'panicked'],
    [7, 0, 'pmsuspended', 'unknown'],
  ])('state %i with reason %i is %s (%s)', (state, reason, word, because) => {
    expect(stateNames(state, reason)).toEqual({ state: word, reason: because });
  });

  it('does not know a reason newer than itself', () => {
    expect(stateNames(3, 99)).toEqual({ state: 'paused', reason: 'unknown' });
  });

  it('has no state when libvirt sent none', () => {
    expect(stateNames(undefined, undefined)).toEqual({ state: 'nostate', reason: 'unknown' });
  });
});
