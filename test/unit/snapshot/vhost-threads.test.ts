import { describe, expect, it } from 'vitest';

import { areThreadsApart } from '../../../src/snapshot/vhost-threads.ts';

describe('where vhost workers are', () => {
  it.each([
    ['5.10.0-30-amd64', true],
    ['6.1.0-28-amd64', true],
    ['6.3.9', true],
    ['6.4.0', false],
    ['6.12.107+deb13-amd64', false],
    ['7.1.8', false],
    ['strange', false],
    [undefined, false],
  ])('on kernel %s they are kernel threads of their own: %s', (release, apart) => {
    expect(areThreadsApart(release)).toBe(apart);
  });
});
