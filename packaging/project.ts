import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { z } from 'zod';

export const REPOSITORY = join(import.meta.dirname, '..');

const packageJson = z.object({
  name: z.string(),
  version: z.string().regex(/^\d+\.\d+\.\d+(?:-[0-9a-z.]+)?$/),
  description: z.string(),
  license: z.string(),
  homepage: z.string(),
  author: z.string().regex(/^[^<>]+ <[^<>@]+@[^<>@]+>$/),
  engines: z.object({ node: z.string() }),
  optionalDependencies: z.record(z.string(), z.string()),
});

export type Project = z.infer<typeof packageJson>;

/**
 * What package.json says: the one place for the version, the name and the maintainer.
 *
 * @param version another version than package.json's, for tests of upgrades.
 */
export function readProject(version?: string): Project {
  const project = packageJson.parse(
    JSON.parse(readFileSync(join(REPOSITORY, 'package.json'), 'utf8')),
  );
  return version === undefined ? project : packageJson.parse({ ...project, version });
}

/**
 * The time every packed file gets, in seconds since 1970: SOURCE_DATE_EPOCH
 * (reproducible-builds.org), else that of the last commit, so that two builds are the same bytes.
 */
export function sourceDateEpoch(): number {
  const given =
    process.env['SOURCE_DATE_EPOCH'] ??
    execFileSync('git', ['log', '-1', '--format=%ct'], { cwd: REPOSITORY, encoding: 'utf8' });
  const seconds = Number(given);
  if (!/^\d+\s*$/.test(given) || !Number.isSafeInteger(seconds)) {
    throw new Error(`SOURCE_DATE_EPOCH is not a number of seconds: ${given}`);
  }
  return seconds;
}

/** Processors packages are made for, by the names Node uses. */
export const ARCHITECTURES = ['x64', 'arm64'] as const;
export type Architecture = (typeof ARCHITECTURES)[number];

/** What each kind of package calls a processor. */
export const ARCHITECTURE_NAMES: Readonly<
  Record<Architecture, { readonly debian: string; readonly rpm: string; readonly elf: string }>
> = {
  x64: { debian: 'amd64', rpm: 'x86_64', elf: 'x86-64' },
  arm64: { debian: 'arm64', rpm: 'aarch64', elf: 'AArch64' },
};
