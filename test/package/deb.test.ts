import { appendFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { SERVICE_USER } from '../../packaging/text/unit.ts';
import { attempt, run } from '../../lab/command.ts';
import { NEXT_VERSION } from './support/build.ts';
import { DebianRoot } from './support/debian-root.ts';
import { builtFile, VERSION } from './support/files.ts';
import { ANY_PORT, Started } from './support/started.ts';

const FLAGS_FILE = '/etc/default/kvm-overcommit-exporter';
/** CAP_DAC_READ_SEARCH alone. */
const CAPABILITY = '0000000000000004';
/** Where packages put things; /tmp, /proc and what dpkg notes for itself are elsewhere. */
const PLACES = ['etc', 'usr', 'var/lib/systemd'] as const;
/** Files that every installation changes. */
const NOTED = /^etc\/(?:passwd|group|shadow|gshadow|subuid|subgid)-?$|^etc\/\.pwd\.lock$/;

describe('the package for Debian', () => {
  it('has no error that lintian knows of', async () => {
    const { stdout, stderr } = await attempt(
      'lintian',
      ['--fail-on=error', '--allow-root', builtFile('first', '_amd64.deb')],
      { timeoutMs: 1_500_000 },
    );
    expect(`${stdout}${stderr}`).not.toMatch(/^E:/m);
    // A lintian that was killed, or could not read it, has found nothing either.
    expect(stderr).not.toMatch(/cannot|error|died/i);
  }, 1_600_000);

  it('has a manual page that man formats without a warning', async () => {
    const page = await run('sh', [
      '-c',
      'dpkg-deb --fsys-tarfile "$1" | tar -xO ./usr/share/man/man8/kvm-overcommit-exporter.8.gz | gunzip',
      'sh',
      builtFile('first', '_amd64.deb'),
    ]);
    const { stdout, stderr } = await attempt('man', ['--warnings', '-l', '-'], { input: page });
    expect(stderr).toBe('');
    expect(stdout).toContain('--collector.smaps');
  });
});

describe.each([
  ['Debian 12', 'bookworm'],
  ['Debian 13', 'trixie'],
])('on %s', (_, suite) => {
  let root: DebianRoot;
  let before: readonly string[];
  const ours = async () => (await root.files(...PLACES)).filter((path) => !NOTED.test(path));
  const install = async (build: 'first' | 'next') =>
    root.run(
      'dpkg',
      '--install',
      '--force-downgrade',
      await root.put(builtFile(build, '_amd64.deb')),
    );
  const version = async () => (await root.run('kvm-overcommit-exporter', '--version')).trim();
  /** As systemd would start it: the unit's user, its one capability, its flags. */
  const start = async () => {
    const inside = await readFile(join(root.directory, FLAGS_FILE), 'utf8');
    const options = /^OPTIONS="(.*)"$/m.exec(inside)?.[1] ?? '';
    const rights = '-all,+dac_read_search';
    return Started.by('chroot', [
      root.directory,
      'setpriv',
      ...[`--reuid=${SERVICE_USER}`, `--regid=${SERVICE_USER}`, '--clear-groups', '--no-new-privs'],
      ...[`--inh-caps=${rights}`, `--ambient-caps=${rights}`, `--bounding-set=${rights}`],
      '/usr/bin/kvm-overcommit-exporter',
      ...options.split(' '),
      ANY_PORT,
    ]);
  };

  beforeAll(async () => {
    root = await DebianRoot.make(suite);
    before = await ours();
  }, 900_000);

  afterAll(async () => {
    await root[Symbol.asyncDispose]();
  });

  it('is installed with a user of its own and the unit enabled', async () => {
    const said = await install('first');
    expect(said).not.toMatch(/warning/i);
    expect(await version()).toBe(`kvm-overcommit-exporter ${VERSION}`);
    expect(await root.run('getent', 'passwd', SERVICE_USER)).toMatch(/:\/:\/usr\/sbin\/nologin\n$/);
    expect(await root.files('etc/systemd/system/multi-user.target.wants')).toContain(
      'etc/systemd/system/multi-user.target.wants/kvm-overcommit-exporter.service',
    );
  }, 300_000);

  it('answers a scrape as that user, with its one capability', async () => {
    await using exporter = await start();
    expect(exporter.status('CapEff')).toEqual([CAPABILITY]);
    expect(exporter.status('CapBnd')).toEqual([CAPABILITY]);
    const id = (await root.run('id', '-u', SERVICE_USER)).trim();
    expect(exporter.status('Uid')).toEqual([id, id, id, id]);
    expect(await exporter.metrics()).toMatch(/^kvm_host_memory_size_bytes \d+$/m);
  }, 300_000);

  it('keeps edited flags in an upgrade and in a downgrade', async () => {
    await appendFile(join(root.directory, FLAGS_FILE), '# ours\n');
    await install('next');
    expect(await version()).toBe(`kvm-overcommit-exporter ${NEXT_VERSION}`);
    expect(await readFile(join(root.directory, FLAGS_FILE), 'utf8')).toMatch(/# ours\n$/);
    await install('first');
    expect(await version()).toBe(`kvm-overcommit-exporter ${VERSION}`);
    expect(await readFile(join(root.directory, FLAGS_FILE), 'utf8')).toMatch(/# ours\n$/);
    await using exporter = await start();
    expect(await exporter.metrics()).toContain(`version="${VERSION}"`);
  }, 600_000);

  it('leaves the configuration when it is removed, and nothing when it is purged', async () => {
    await root.run('dpkg', '--remove', 'kvm-overcommit-exporter');
    expect((await root.attempt('kvm-overcommit-exporter', '--version')).status).not.toBe(0);
    expect(await readFile(join(root.directory, FLAGS_FILE), 'utf8')).toMatch(/# ours\n$/);
    await root.run('dpkg', '--purge', 'kvm-overcommit-exporter');
    expect(await ours()).toEqual(before);
    expect((await root.attempt('getent', 'passwd', SERVICE_USER)).status).not.toBe(0);
    expect((await root.attempt('getent', 'group', SERVICE_USER)).status).not.toBe(0);
  }, 300_000);

  it("does not take an administrator's files along when it is purged", async () => {
    await install('first');
    const kept = join(root.directory, 'etc/kvm-overcommit-exporter/web.yml');
    await writeFile(kept, '');
    await root.run('dpkg', '--purge', 'kvm-overcommit-exporter');
    expect(await readFile(kept, 'utf8')).toBe('');
  }, 300_000);
});
