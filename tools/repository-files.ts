import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';

/** The root of the checkout. */
export const REPOSITORY = join(import.meta.dirname, '..');

/**
 * Every file that is kept or could be, by its path from the root: all but what .gitignore names. Works
 * without git, as in an unpacked archive.
 *
 * @throws Error for a line of .gitignore other than `folder/` and `*.ending`.
 */
export function repositoryFiles(): readonly string[] {
  const folders = new Set(['.git']);
  const endings: string[] = [];
  for (const line of readFileSync(join(REPOSITORY, '.gitignore'), 'utf8').split('\n')) {
    const [, folder, ending] = /^(?:([\w.-]+)\/|\*(\.[\w.]+))$/.exec(line) ?? [];
    if (folder !== undefined) folders.add(folder);
    else if (ending !== undefined) endings.push(ending);
    else if (line !== '')
      throw new Error(`.gitignore: tools/repository-files.ts cannot read ${line}`);
  }
  const inFolder = (folder: string): readonly string[] =>
    readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
      const path = join(folder, entry.name);
      if (folders.has(entry.name)) return [];
      if (entry.isDirectory()) return inFolder(path);
      return endings.some((ending) => entry.name.endsWith(ending))
        ? []
        : [relative(REPOSITORY, path)];
    });
  return inFolder(REPOSITORY).toSorted();
}
