import { readdirSync } from 'node:fs';
import { join } from 'node:path';

import { inject } from 'vitest';

import { readProject } from '../../../packaging/project.ts';

export const VERSION = readProject().version;

/** The one file of a build whose name ends like this. */
export function builtFile(build: 'first' | 'again' | 'next', ending: string): string {
  const folder = inject('built')[build];
  const [name, ...others] = readdirSync(folder).filter((one) => one.endsWith(ending));
  if (name === undefined || others.length > 0) throw new Error(`${folder}: not one *${ending}`);
  return join(folder, name);
}
