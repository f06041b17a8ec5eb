import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { readHostFacts } from '../../../../src/sources/host/host-facts.ts';
import type { Roots } from '../../../../src/sources/kernel/roots.ts';
import { valueIn } from '../../../support/sources/kernel-fixtures.ts';

describe('what the host is', () => {
  let root: string;
  let roots: Roots;

  const put = (path: string, text: string): void => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  };

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'host-facts-'));
    roots = { procfs: join(root, 'proc'), sysfs: join(root, 'sys'), rootfs: root };
    put('proc/cpuinfo', 'processor\t: 0\nvendor_id\t: AuthenticAMD\nmodel name\t: AMD EPYC 9654\n');
    put('proc/sys/kernel/osrelease', '6.12.48-amd64\n');
    put('proc/sys/kernel/hostname', 'kvm7\n');
    put('usr/lib/os-release', 'NAME="Debian GNU/Linux"\nVERSION_ID=\'13\'\n# a comment\n');
  });
  afterEach(() => {
    rmSync(root, { recursive: true });
  });

  it('is read under the paths that were given, not of where the exporter runs', async () => {
    expect(await readHostFacts(roots)).toEqual({
      ok: true,
      value: {
        cpuModel: 'AMD EPYC 9654',
        cpuVendor: 'AuthenticAMD',
        osName: 'Debian GNU/Linux',
        osRelease: '13',
        kernel: '6.12.48-amd64',
        hostname: 'kvm7',
      },
    });
  });

  it.each(['../usr/lib/os-release', '/usr/lib/os-release'])(
    'follows /etc/os-release to %s of the host',
    async (target) => {
      mkdirSync(join(root, 'etc'));
      symlinkSync(target, join(root, 'etc/os-release'));
      expect(valueIn(await readHostFacts(roots)).osName).toBe('Debian GNU/Linux');
    },
  );

  it('does not follow links for ever', async () => {
    mkdirSync(join(root, 'etc'));
    symlinkSync('os-release', join(root, 'etc/os-release'));
    expect(await readHostFacts(roots)).toMatchObject({ faults: [{ kind: 'unreadable' }] });
  });

  it('has no system where the host has no os-release, which is no fault', async () => {
    rmSync(join(root, 'usr'), { recursive: true });
    const facts = await readHostFacts(roots);
    expect(facts).toMatchObject({ ok: true, value: { osName: '', osRelease: '' } });
    expect(facts).not.toHaveProperty('faults');
  });

  it('says so where a file is there but says nothing', async () => {
    put('proc/cpuinfo', '');
    put('usr/lib/os-release', '');
    expect(await readHostFacts(roots)).toMatchObject({
      faults: [{ subject: join(root, 'proc/cpuinfo') }, { kind: 'malformed' }],
    });
  });
});
