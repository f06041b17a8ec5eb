import { createHash } from 'node:crypto';
import { access, mkdir, readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';

import { z } from 'zod';

import { REPOSITORY, type Architecture } from './project.ts';
import { run } from './run.ts';

/** Node for one processor, as the lockfile pins it. */
export interface NodeBinary {
  readonly program: string;
  /** Node's licence and those of all it is made of. */
  readonly licence: string;
}

const lockfile = z.object({
  packages: z.record(
    z.string(),
    z.object({ version: z.string(), integrity: z.string() }).partial(),
  ),
});

/**
 * The Node that goes into the executable: the installed one, or for another processor's the package of
 * the same version, fetched from the npm registry.
 *
 * @param scratch a folder for what is fetched.
 * @throws Error if what came is not what package-lock.json pins.
 */
export async function nodeBinary(architecture: Architecture, scratch: string): Promise<NodeBinary> {
  const name = `node-linux-${architecture}`;
  const installed = join(REPOSITORY, 'node_modules', name);
  const program = join(installed, 'bin/node');
  const folder = (await exists(program)) ? installed : await fetched(name, scratch);
  return { program: join(folder, 'bin/node'), licence: join(folder, 'LICENSE') };
}

async function fetched(name: string, scratch: string): Promise<string> {
  const lock = lockfile.parse(
    JSON.parse(await readFile(join(REPOSITORY, 'package-lock.json'), 'utf8')),
  );
  const { version, integrity } = lock.packages[`node_modules/${name}`] ?? {};
  if (version === undefined || integrity === undefined) {
    throw new Error(`package-lock.json does not pin ${name}`);
  }
  const folder = join(scratch, name);
  await mkdir(folder, { recursive: true });
  await run('npm', ['pack', '--silent', '--pack-destination', folder, `${name}@${version}`]);
  const [file, ...others] = (await readdir(folder)).filter((one) => one.endsWith('.tgz'));
  if (file === undefined || others.length > 0) throw new Error(`npm did not fetch ${name}`);
  const tarball = join(folder, file);
  const digest = createHash('sha512')
    .update(await readFile(tarball))
    .digest('base64');
  if (`sha512-${digest}` !== integrity) {
    throw new Error(`${tarball} is not the ${name} that package-lock.json pins`);
  }
  await run('tar', ['-C', folder, '--no-same-owner', '-xzf', tarball]);
  return join(folder, 'package');
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
