import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';

import { repositoryFiles, REPOSITORY } from '../../../tools/repository-files.ts';

/** What people read: documents, and files that say in a comment how they are made. */
const texts = repositoryFiles().filter((name) => /\.(?:md|ya?ml|service)$/.test(name));

const { scripts } = z
  .object({ scripts: z.record(z.string(), z.string()) })
  .parse(JSON.parse(readFileSync(join(REPOSITORY, 'package.json'), 'utf8')));

/** A system's own Node knows no TypeScript; ours is found by npm and npx. */
function bareNode(text: string): readonly string[] {
  return [...text.matchAll(/(?<!npx )(?<![\w/.-])node (?:-\S+ )*\S+\.[cm]?ts\b/g)].map(
    ([command]) => command,
  );
}

function unknownScripts(text: string): readonly string[] {
  return [...text.matchAll(/\bnpm run (?:--?[\w-]+ )*([a-z][\w:-]*)/g)]
    .map(([, name = '']) => name)
    .filter((name) => scripts[name] === undefined);
}

describe('a command in a document', () => {
  it.each(texts.map((name) => [name]))('of %s is one that works', (name) => {
    const text = readFileSync(join(REPOSITORY, name), 'utf8');
    expect(bareNode(text)).toEqual([]);
    expect(unknownScripts(text)).toEqual([]);
  });

  it('scrapes under one name and at one interval everywhere', () => {
    const all = texts.map((name) => readFileSync(join(REPOSITORY, name), 'utf8')).join('\n');
    const values = (key: RegExp) => new Set([...all.matchAll(key)].map(([, value]) => value));
    expect(values(/\bjob_name: (\S+)/g)).toEqual(new Set(['kvm-overcommit', 'federate']));
    expect(values(/\b(?:scrape_interval|timeInterval): (\w+)/g)).toEqual(new Set(['15s']));
  });

  it('is not Node by itself with TypeScript', () => {
    for (const command of [
      'node rules/check.ts',
      '`node rules/generate.ts`',
      '$ node --no-warnings x.ts',
    ]) {
      expect(bareNode(command), command).toHaveLength(1);
    }
    for (const command of ['npx node example.ts', 'node dist/main.js', 'the node x of a tree.ts']) {
      expect(bareNode(command), command).toEqual([]);
    }
  });

  it('names a script of package.json', () => {
    expect(unknownScripts('`npm run nope`')).toEqual(['nope']);
    expect(unknownScripts('npm run --silent build')).toEqual([]);
  });
});
