import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { attempt, run } from '../../lab/command.ts';
import { builtFile } from './support/files.ts';
import { ANY_PORT, Started } from './support/started.ts';

/** npm says so of packages that would run something at installation, or of a Node too old for them. */
const COMPLAINT = /install script|allow-scripts|ignore-scripts|EBADENGINE|deprecated/i;

describe('the package for npm, with an old Node first in PATH', () => {
  let directory: string;
  /** The machine's own, not the one this repository brings: npm scripts put that first. */
  const env = () => ({
    PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    HOME: directory,
    npm_config_cache: join(directory, 'cache'),
    npm_config_update_notifier: 'false',
    // `npm run --silent test:package` would keep npm from saying what is looked for.
    npm_config_loglevel: 'notice',
  });
  const settings = async () => {
    const get = async (name: string) => (await run('npm', ['config', 'get', name])).trim();
    const certificates = await get('cafile');
    return {
      npm_config_registry: await get('registry'),
      ...(certificates === 'null' ? {} : { npm_config_cafile: certificates }),
    };
  };
  let environment: Readonly<Record<string, string>>;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'npm-'));
    environment = { ...env(), ...(await settings()) };
  }, 60_000);

  afterAll(async () => {
    await rm(directory, { recursive: true, force: true });
  });

  it('is an old Node', async () => {
    expect(await run('node', ['--version'], { env: environment })).toMatch(/^v(?:1\d|20)\./);
  });

  it('runs with npx, which installs nothing for good and warns of nothing', async () => {
    const tarball = builtFile('first', '_npm.tgz');
    await using exporter = await Started.by(
      'npx',
      ['--yes', `--package=${tarball}`, 'kvm-overcommit-exporter', '--demo', ANY_PORT],
      { cwd: directory, env: environment },
    );
    const metrics = await exporter.metrics();
    expect(metrics).toMatch(/kvm_exporter_build_info\{.*nodeversion="v26\./);
    expect(exporter.said()).not.toMatch(COMPLAINT);
  }, 300_000);

  it('is installed with npm i -g, two packages and no warning', async () => {
    const prefix = join(directory, 'global');
    const { stdout, stderr, status } = await attempt(
      'npm',
      ['install', '--global', `--prefix=${prefix}`, builtFile('first', '_npm.tgz')],
      { env: environment, timeoutMs: 300_000 },
    );
    expect(status).toBe(0);
    expect(`${stdout}${stderr}`).not.toMatch(COMPLAINT);
    expect(stdout).toMatch(/added 2 packages/);
    const program = join(prefix, 'bin/kvm-overcommit-exporter');
    await using exporter = await Started.by(program, ['--demo', ANY_PORT], { env: environment });
    expect(await exporter.metrics()).toContain('kvm_domain_info{');
  }, 300_000);
});
