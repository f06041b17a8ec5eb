import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

import { CATALOGUE } from '../../../src/metrics/catalogue.ts';

const REPOSITORY = resolve(import.meta.dirname, '../../..');
const text = (name: string): string => readFileSync(join(REPOSITORY, name), 'utf8');
const page = text('docs/design.md');

/** Folder to what it may use, as `MAY_USE` of the ESLint configuration says. */
function zonesOfLint(config: string): ReadonlyMap<string, readonly string[]> {
  const [, block = ''] = /const MAY_USE = \{\n([\s\S]*?)\n\};/.exec(config) ?? [];
  return new Map(
    block.split(/\n(?= {2}\w+:)/).map((entry) => {
      const [folder = ''] = /\w+/.exec(entry) ?? [];
      return [folder, [...entry.matchAll(/'(\w+)'/g)].map(([, used = '']) => used)] as const;
    }),
  );
}

/** The same of the table of folders in a page. */
function zonesOfPage(markdown: string): ReadonlyMap<string, readonly string[]> {
  return new Map(
    [...markdown.matchAll(/^\| `(\w+)` \|.*\| ((?:`\w+`(?:, )?)+|–) \|$/gm)].map(
      ([, folder = '', used = '']) => [
        folder,
        [...used.matchAll(/`(\w+)`/g)].map(([, one = '']) => one),
      ],
    ),
  );
}

/** Names that a page says are in a file of src, and that are not. */
function namesNotIn(markdown: string, read: (file: string) => string): readonly string[] {
  return [...markdown.matchAll(/`(\w+)`\s\(`(src\/[\w./-]+\.ts)`\)/g)]
    .filter(([, name = '', file = '']) => !new RegExp(`\\b${name}\\b`).test(read(file)))
    .map(([, name = '', file = '']) => `${name} in ${file}`);
}

describe('the design page', () => {
  it('says of each folder what ESLint lets it use', () => {
    const zones = zonesOfLint(text('eslint.config.js'));
    expect(zones.size).toBeGreaterThan(10);
    expect(zonesOfPage(page)).toEqual(zones);
  });

  it('names functions, types and limits where they are', () => {
    expect([...page.matchAll(/`\w+`\s\(`src\//g)].length).toBeGreaterThan(30);
    expect(namesNotIn(page, text)).toEqual([]);
  });

  it('names metrics there are', () => {
    const known = new Set(CATALOGUE.map(({ name }) => name));
    const named = [...page.matchAll(/(?<![\w:])kvm_\w+(?![\w:])/g)].map(([name]) => name);
    expect(named.length).toBeGreaterThan(5);
    expect(named.filter((name) => !known.has(name))).toEqual([]);
  });

  it('would be found out if a name had moved', () => {
    expect(namesNotIn('the `Old`\n(`src/new.ts`) one', () => 'class New {}')).toEqual([
      'Old in src/new.ts',
    ]);
  });
});

describe('the tests to run after a change', () => {
  const [, section = ''] = text('CONTRIBUTING.md').split('## Which tests to run');

  it('are named for every folder of src', () => {
    const folders = [...zonesOfLint(text('eslint.config.js')).keys()];
    expect(folders.filter((folder) => !section.includes(`\`src/${folder}\``))).toEqual([]);
  });

  it('lie where they are named', () => {
    const named = [...section.matchAll(/\btest\/(?:unit|integration)\/[\w-]+/g)].map(
      ([path]) => path,
    );
    expect(named.length).toBeGreaterThan(20);
    expect(named.filter((path) => !existsSync(join(REPOSITORY, path)))).toEqual([]);
  });
});
