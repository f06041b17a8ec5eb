import { chmod, cp, mkdir, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { run } from '../../../lab/command.ts';

const REPOSITORY = join(import.meta.dirname, '../../..');

/** What Node's program and the exporter's start script need of Debian. */
const PACKAGES = ['base-files', 'dash', 'coreutils', 'libc-bin', 'libstdc++6', 'libatomic1'];

/**
 * Makes the context of a base image in `directory`: Debian's packages, the Node this repository
 * pins, and the npm of this machine. No registry of images is asked.
 */
export async function makeBaseContext(directory: string): Promise<void> {
  const tree = join(directory, 'tree');
  await run(
    'mmdebstrap',
    [
      '--mode=root',
      '--variant=extract',
      `--include=${PACKAGES.join()}`,
      '--dpkgopt=path-exclude=/usr/share/doc/*',
      '--quiet',
      'bookworm',
      tree,
    ],
    { timeoutMs: 300_000 },
  );
  // Packages are unpacked, not configured: their scripts would have made these.
  for (const path of ['usr/local/bin', 'usr/local/lib/node_modules', 'root', 'tmp']) {
    await mkdir(join(tree, path), { recursive: true });
  }
  await chmod(join(tree, 'tmp'), 0o1777);
  await cp(
    await realpath(join(REPOSITORY, 'node_modules/.bin/node')),
    join(tree, 'usr/local/bin/node'),
  );
  const npm = (await run('npm', ['root', '--global'])).trim();
  await cp(join(npm, 'npm'), join(tree, 'usr/local/lib/node_modules/npm'), { recursive: true });
  await symlink('../lib/node_modules/npm/bin/npm-cli.js', join(tree, 'usr/local/bin/npm'));
  await run('tar', ['-C', tree, '-cf', join(directory, 'base.tar'), '.']);
  await rm(tree, { recursive: true });
  await writeFile(join(directory, 'Dockerfile'), 'FROM scratch\nADD base.tar /\n');
}
