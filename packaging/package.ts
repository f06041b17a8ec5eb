/**
 * `npm run package`: builds everything people install into `out/`.
 * `--arch=x64` or `--arch=arm64` builds for one processor, `--kinds=deb,rpm,image,npm,manifest` some kinds.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { build, KINDS, type Kind } from './build.ts';
import { ARCHITECTURES, REPOSITORY, type Architecture } from './project.ts';

const { values } = parseArgs({
  options: {
    arch: { type: 'string', default: ARCHITECTURES.join() },
    kinds: { type: 'string', default: KINDS.join() },
    out: { type: 'string', default: join(REPOSITORY, 'out') },
  },
});
const architectures = chosen<Architecture>('--arch', values.arch, ARCHITECTURES);
const kinds = chosen<Kind>('--kinds', values.kinds, KINDS);

const scratch = await mkdtemp(join(tmpdir(), 'kvm-overcommit-package-'));
try {
  // What an earlier version left would be taken for this one's.
  await rm(values.out, { recursive: true, force: true });
  const report = (line: string) => process.stdout.write(`${line}\n`);
  const made = await build({ architectures, kinds, out: values.out, scratch, report });
  for (const { name, sha256 } of made) process.stdout.write(`${sha256}  ${name}\n`);
} finally {
  await rm(scratch, { recursive: true, force: true });
}

function chosen<T extends string>(flag: string, text: string, all: readonly T[]): readonly T[] {
  const names = text.split(',');
  const unknown = names.filter((name) => !all.some((one) => one === name));
  if (unknown.length > 0) {
    throw new Error(`${flag}: ${unknown.join()} is not one of ${all.join()}`);
  }
  return all.filter((one) => names.includes(one));
}
