import { describe, expect, it } from 'vitest';

import {
  DOMAIN_STATES,
  hasCrashed,
  isPausedOnIoError,
} from '../../../../src/model/facts/domain-state.ts';

describe('the state of a guest', () => {
  it('has the word of libvirt for each number of virDomainState', () => {
    expect(DOMAIN_STATES.indexOf('running')).toBe(1);
    expect(DOMAIN_STATES.indexOf('paused')).toBe(3);
    expect(DOMAIN_STATES.indexOf('shutoff')).toBe(5);
    expect(DOMAIN_STATES).toHaveLength(8);
  });

  it('is a failed write when it was paused for one, not when somebody paused it', () => {
    expect(isPausedOnIoError({ state: 'paused', reason: 'ioerror' })).toBe(true);
    expect(isPausedOnIoError({ state: 'paused', reason: 'user' })).toBe(false);
  });

  it('is a crash after a panic, or when its QEMU went away, not when it runs again', () => {
    expect(hasCrashed({ state: 'crashed', reason: 'panicked' })).toBe(true);
    expect(hasCrashed({ state: 'shutoff', reason: 'crashed' })).toBe(true);
    expect(hasCrashed({ state: 'paused', reason: 'crashed' })).toBe(true);
    expect(hasCrashed({ state: 'shutoff', reason: 'shutdown' })).toBe(false);
    expect(hasCrashed({ state: 'running', reason: 'crashed' })).toBe(false);
  });
});
