import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';

import ts from 'typescript';
import { describe, expect, it } from 'vitest';

import { repositoryFiles, REPOSITORY } from '../../../tools/repository-files.ts';

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

/**
 * Files a file names beside itself other than by an import, such as a worker or a script, which the compiler
 * does not look for.
 */
function namedBeside(file: string): readonly string[] {
  const text = readFileSync(join(REPOSITORY, file), 'utf8');
  const ways = [
    /new URL\(\s*'([^']+\.\w+)',\s*import\.meta\.url/g,
    /(?:join|resolve)\(\s*import\.meta\.dirname,\s*'([^']+\.\w+)',?\s*\)/g,
  ];
  return ways
    .flatMap((way) => [...text.matchAll(way)])
    .map(([, name = '']) => relative(REPOSITORY, resolve(REPOSITORY, dirname(file), name)));
}

describe('files named beside the code', () => {
  const sources = repositoryFiles().filter((name) => name.endsWith('.ts'));

  it('are there', () => {
    const named = sources.flatMap((file) => namedBeside(file).map((other) => [file, other]));
    expect(named.length).toBeGreaterThan(10);
    expect(named.filter(([, other = '']) => !existsSync(join(REPOSITORY, other)))).toEqual([]);
    // Reads every source of the repository, which takes its time on a busy machine.
  }, 120_000);
});

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
