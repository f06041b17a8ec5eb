import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { SERVICE_USER } from '../../packaging/text/unit.ts';
import { run } from '../../lab/command.ts';
import { NEXT_VERSION } from './support/build.ts';
import { DebianRoot } from './support/debian-root.ts';
import { builtFile, VERSION } from './support/files.ts';

/**
 * RHEL 9 has glibc 2.34, and libstdc++ and libgcc of GCC 11 (GLIBCXX_3.4.29, CXXABI_1.3.13,
 * GCC_11.0); libatomic.so.1 is in the package libatomic of BaseOS, which a minimal installation does
 * not have and dnf brings along.
 */
const RHEL_9: readonly RegExp[] = [
  /^lib(?:c|m|dl|pthread)\.so\.\d(?:\(GLIBC_2\.(?:\d|[12]\d|3[0-4])(?:\.\d+)?\))?\(64bit\)$/,
  /^lib(?:c|m|dl|pthread)\.so\.\d\(\)\(64bit\)$/,
  /^ld-linux-[\w-]+\.so\.\d\((?:GLIBC_2\.(?:\d|[12]\d|3[0-4])(?:\.\d+)?)?\)\(64bit\)$/,
  /^libstdc\+\+\.so\.6\((?:GLIBCXX_3\.4(?:\.(?:\d|1\d|2\d))?|CXXABI_1\.3(?:\.(?:\d|1[0-3]))?)?\)\(64bit\)$/,
  /^libgcc_s\.so\.1\((?:GCC_[34]\.\d(?:\.\d)?)?\)\(64bit\)$/,
  /^libatomic\.so\.1\((?:LIBATOMIC_1\.0)?\)\(64bit\)$/,
  /^(?:rpmlib|config)\(.*\)/,
  /^\/bin\/sh$/,
  /^shadow-utils$/,
  /^rtld\(GNU_HASH\)$/,
];

describe.each([
  ['x86_64', 'first'],
  ['aarch64', 'first'],
] as const)('the package for Red Hat on %s', (processor, build) => {
  it('asks for nothing that RHEL 9 does not have', async () => {
    const text = await run('rpm', ['-qp', '--requires', builtFile(build, `.${processor}.rpm`)]);
    const asked = text.trim().split('\n');
    expect(asked).toContain('libatomic.so.1()(64bit)');
    expect(asked.filter((one) => !RHEL_9.some((known) => known.test(one)))).toEqual([]);
  });

  it('names what is configuration, so that an upgrade leaves it alone', async () => {
    const text = await run('rpm', ['-qp', '--configfiles', builtFile(build, `.${processor}.rpm`)]);
    expect(text.trim().split('\n').sort()).toEqual([
      '/etc/kvm-overcommit-exporter/policy.yaml',
      '/etc/sysconfig/kvm-overcommit-exporter',
    ]);
  });
});

/**
 * In a root of Debian, since none of Red Hat's is to be had here: rpm, its scripts and the program are
 * real, the libraries and the tools of accounts are Debian's.
 */
describe('installed by rpm', () => {
  let root: DebianRoot;
  const rpm = (...args: readonly string[]) =>
    run('rpm', [`--root=${root.directory}`, ...args], { timeoutMs: 300_000 });
  const version = async () => (await root.run('kvm-overcommit-exporter', '--version')).trim();

  beforeAll(async () => {
    root = await DebianRoot.make('bookworm');
    await rpm('--initdb');
  }, 900_000);

  afterAll(async () => {
    await root[Symbol.asyncDispose]();
  });

  it('makes its user, runs, is upgraded and erased', async () => {
    await rpm('-i', '--nodeps', builtFile('first', '.x86_64.rpm'));
    expect(await version()).toBe(`kvm-overcommit-exporter ${VERSION}`);
    expect(await root.run('id', '-un', SERVICE_USER)).toBe(`${SERVICE_USER}\n`);
    await rpm('-V', '--nodeps', 'kvm-overcommit-exporter');

    await root.run('sh', '-c', 'echo "# ours" >> /etc/sysconfig/kvm-overcommit-exporter');
    await rpm('-U', '--nodeps', builtFile('next', '.x86_64.rpm'));
    expect(await version()).toBe(`kvm-overcommit-exporter ${NEXT_VERSION}`);
    expect(await root.run('cat', '/etc/sysconfig/kvm-overcommit-exporter')).toMatch(/# ours\n$/);

    await rpm('-e', 'kvm-overcommit-exporter');
    expect((await root.attempt('kvm-overcommit-exporter', '--version')).status).not.toBe(0);
    const left = (await root.files('etc', 'usr')).filter((path) => path.includes('kvm-overcommit'));
    // What was edited stays under another name.
    expect(left).toEqual(['etc/sysconfig/kvm-overcommit-exporter.rpmsave']);
  }, 600_000);
});
