import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';

import { repositoryFiles, REPOSITORY } from '../../../tools/repository-files.ts';

/** Files and folders as documents name them, from the root of the repository or from where they are. */
const NAMED =
  /^(?:docs|grafana|rules|examples|bench|src|test|lab|tools)\/(?:[\w/-]+|[\w./-]+\.(?:ts|md|ya?ml|json|png|service))$/;

const documents = repositoryFiles().filter((name) => name.endsWith('.md'));

/** Paths a document links to or names in code, that are not there. */
function missingFrom(document: string): readonly string[] {
  const text = withoutHistory(readFileSync(join(REPOSITORY, document), 'utf8'));
  const here = join(REPOSITORY, dirname(document));
  const isThere = (path: string): boolean =>
    [REPOSITORY, here].some((folder) => existsSync(join(folder, path)));
  const linked = [...text.matchAll(/\]\(([^)\s#]+)(?:#[^)]*)?\)/g)]
    .map(([, target = '']) => target)
    .filter((target) => !/^[a-z]+:/.test(target) && !existsSync(join(here, target)));
  const named = [...text.matchAll(/`([^`\n]+)`/g)]
    .map(([, code = '']) => code)
    .filter((code) => NAMED.test(code) && !isThere(code));
  return [...linked, ...named];
}

/** What a decision tells of files that were. */
function withoutHistory(text: string): string {
  return text.replace(/^## Where files went\n(?:(?!## ).*\n)*/m, '');
}

describe('documents', () => {
  it('are many', () => {
    expect(documents.length).toBeGreaterThan(50);
  });

  it.each(documents.map((document) => [document]))('%s speaks of files there are', (document) => {
    expect(missingFrom(document)).toEqual([]);
  });
});
