import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';

import ts from 'typescript';
import { describe, expect, it } from 'vitest';

const REPOSITORY = resolve(import.meta.dirname, '../../..');

/** Each file of a folder with the files it imports, types included. */
function importsIn(folder: string): ReadonlyMap<string, readonly string[]> {
  const files = readdirSync(join(REPOSITORY, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.d.ts'))
    .map((name) => join(REPOSITORY, folder, name));
  return new Map(
    files.map((file) => {
      const { importedFiles } = ts.preProcessFile(readFileSync(file, 'utf8'), true, true);
      const local = importedFiles
        .map(({ fileName }) => fileName)
        .filter((name) => name.startsWith('.'))
        .map((name) => relative(REPOSITORY, resolve(dirname(file), name)));
      return [relative(REPOSITORY, file), local];
    }),
  );
}

/** The files of each circle, in the order they are met; none where arrows only go down. */
function findCircles(imports: ReadonlyMap<string, readonly string[]>): readonly string[] {
  const circles: string[] = [];
  const done = new Set<string>();
  const visit = (file: string, path: readonly string[]): void => {
    const met = path.indexOf(file);
    if (met >= 0) circles.push([...path.slice(met), file].join(' → '));
    if (met >= 0 || done.has(file)) return;
    for (const next of imports.get(file) ?? []) visit(next, [...path, file]);
    done.add(file);
  };
  for (const file of imports.keys()) visit(file, []);
  return circles;
}

describe('imports', () => {
  it('of src lead in no circle', () => {
    const imports = importsIn('src');
    expect(imports.size).toBeGreaterThan(200);
    expect(findCircles(imports)).toEqual([]);
  });

  it('that lead in a circle are found', () => {
    const imports = new Map([
      ['a', ['b']],
      ['b', ['c']],
      ['c', ['b', 'd']],
    ]);
    expect(findCircles(imports)).toEqual(['b → c → b']);
  });
});
