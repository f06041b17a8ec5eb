import { chmod, copyFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import type { Bundle } from './bundle.ts';
import { nodeBinary } from './node-binary.ts';
import { readNodeOptions } from './node-options.ts';
import { REPOSITORY, type Architecture } from './project.ts';
import { run } from './run.ts';

/** For in-bundle/give-back.ts. */
const GIVE_BACK = '--experimental-ffi';

/** Tools that take symbols off a program of that processor. */
const STRIP: Readonly<Record<Architecture, string>> = {
  x64: 'x86_64-linux-gnu-strip',
  arm64: 'aarch64-linux-gnu-strip',
};

/**
 * Makes one executable of Node and the bundle (Node's documentation, "Single executable
 * applications"). Without code cache and start-up snapshot: V8 refuses the first unless all its flags
 * agree, and neither comes out the same twice.
 *
 * @param target where the executable goes.
 */
export async function buildExecutable(
  architecture: Architecture,
  { main, parts }: Pick<Bundle, 'main' | 'parts'>,
  target: string,
  scratch: string,
): Promise<void> {
  await mkdir(scratch, { recursive: true });
  await writeFile(join(scratch, 'main.mjs'), main);
  for (const [name, text] of parts) await writeFile(join(scratch, name), text);
  // Before the code is put in: its symbols are a fifth of Node, and afterwards they cannot go.
  const stripped = join(scratch, 'node');
  const { program } = await nodeBinary(architecture, scratch);
  await copyFile(program, stripped);
  await run(STRIP[architecture], ['--strip-all', stripped]);
  const configuration = join(scratch, 'sea.json');
  await writeFile(
    configuration,
    JSON.stringify({
      // The name is part of the executable: a whole path would make it another one in each folder.
      main: 'main.mjs',
      mainFormat: 'module',
      assets: Object.fromEntries([...parts.keys()].map((name) => [name, name])),
      executable: stripped,
      output: target,
      disableExperimentalSEAWarning: true,
      useSnapshot: false,
      useCodeCache: false,
      // More come with the environment variable NODE_OPTIONS.
      execArgv: [...readNodeOptions(), GIVE_BACK],
      execArgvExtension: 'env',
    }),
  );
  await run(join(REPOSITORY, 'node_modules/.bin/node'), ['--build-sea', configuration], {
    cwd: scratch,
  });
  await chmod(target, 0o755);
}
