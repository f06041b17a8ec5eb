import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';

import { z } from 'zod';

import { REPOSITORY } from './project.ts';

/** Something of others that is inside of what we ship. */
export interface Inside {
  readonly name: string;
  readonly version: string;
  /** As its author names it, mostly an SPDX identifier. */
  readonly licence: string;
  readonly text: string;
}

const packageJson = z.object({ name: z.string(), version: z.string(), license: z.string() });
const LICENCE_FILE = /^(licen[cs]e|copying)/i;

/**
 * What licences say of each package in the bundle.
 *
 * @param packages folders relative to the repository.
 * @throws Error if one names no licence. One that comes without its text is said so.
 */
export async function licencesOf(packages: readonly string[]): Promise<readonly Inside[]> {
  return Promise.all(
    packages.map(async (folder) => {
      const path = join(REPOSITORY, folder);
      const about = packageJson.parse(
        JSON.parse(await readFile(join(path, 'package.json'), 'utf8')),
      );
      const files = (await readdir(path)).filter((name) => LICENCE_FILE.test(name)).sort();
      const texts = await Promise.all(files.map((file) => readFile(join(path, file), 'utf8')));
      return {
        name: about.name,
        version: about.version,
        licence: about.license,
        text:
          texts.length === 0
            ? `The package names the licence ${about.license} and comes without its text.`
            : texts.map((text) => text.trim()).join('\n\n'),
      };
    }),
  );
}

/** One text with everything that is inside, each under a heading. */
export function notices(inside: readonly Inside[]): string {
  return [
    'What of others is inside of kvm-overcommit-exporter, and under which terms.',
    ...inside.map(({ name, version, licence, text }) =>
      ['='.repeat(78), `${name} ${version}: ${licence}`, '='.repeat(78), '', text].join('\n'),
    ),
    '',
  ].join('\n\n');
}

/**
 * The lines of a licence that say whose the work is. For a text that has none, the name of the
 * package and "contributors".
 */
export function copyrightLines({ name, text }: Inside): readonly string[] {
  const lines = text
    .split('\n')
    .map((line) => line.trim().replace(/^[*#>\s]+/, ''))
    .filter((line) => /^(?:\(c\)|copyright\s+(?:\(c\)|©|\d{4}))/i.test(line));
  return lines.length === 0 ? [`Copyright contributors of ${name}`] : [...new Set(lines)];
}
