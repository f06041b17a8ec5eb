import { describe, expect, it } from 'vitest';

import { bootStorm, type BootStormDomain } from '../../../src/overcommit/boot-storm.ts';

const GIB = 1024 ** 3;

function domain(name: string, more: Partial<BootStormDomain> = {}): BootStormDomain {
  return {
    name,
    active: false,
    persistent: true,
    autostart: false,
    vcpus: 2,
    maximumMemoryBytes: 4 * GIB,
    claimableStorageBytes: 10 * GIB,
    ...more,
  };
}

describe('a boot storm', () => {
  const storm = bootStorm([
    domain('running autostart', { active: true, autostart: true }),
    domain('stopped autostart', {
      autostart: true,
      vcpus: 8,
      claimableStorageBytes: 8 * GIB,
    }),
    domain('running by hand', { active: true }),
    domain('template'),
    domain('transient', { active: true, persistent: false, autostart: true }),
  ]);

  it('adds the domains with autostart that are off now', () => {
    expect(storm.autostart.added).toEqual({
      domains: 1,
      vcpus: 8,
      maximumMemoryBytes: 4 * GIB,
      claimableStorageBytes: 8 * GIB,
    });
  });

  it('brings every domain with autostart back at once after a reboot', () => {
    expect(storm.autostart.afterReboot).toEqual({
      domains: 2,
      vcpus: 10,
      maximumMemoryBytes: 8 * GIB,
      claimableStorageBytes: 18 * GIB,
    });
  });

  it('covers all persistent domains if someone starts everything', () => {
    expect(storm.all.added).toMatchObject({ domains: 2, vcpus: 10 });
    expect(storm.all.afterReboot).toMatchObject({ domains: 4, vcpus: 14 });
  });

  it('knows what a reboot would not bring back', () => {
    expect(storm.activeWithoutAutostart).toBe(2);
  });

  it('is nothing without domains', () => {
    const none = bootStorm([]);
    expect(none.all.afterReboot).toMatchObject({ domains: 0, vcpus: 0, maximumMemoryBytes: 0 });
    expect(none.activeWithoutAutostart).toBe(0);
  });
});
