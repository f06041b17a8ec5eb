import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

const REPOSITORY = resolve(import.meta.dirname, '../../..');
/** Files and folders as documents name them, from the root of the repository or from where they are. */
const NAMED =
  /^(?:docs|grafana|rules|examples|bench|src|test)\/(?:[\w/-]+|[\w./-]+\.(?:ts|md|ya?ml|json|png|service))$/;

const documents = execFileSync('git', ['ls-files', '*.md'], { cwd: REPOSITORY, encoding: 'utf8' })
  .split('\n')
  .filter((name) => name !== '');

/** Paths a document links to or names in code, that are not there. */
function missingFrom(document: string): readonly string[] {
  const text = readFileSync(join(REPOSITORY, document), 'utf8');
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

describe('documents', () => {
  it('are many', () => {
    expect(documents.length).toBeGreaterThan(50);
  });

  it.each(documents.map((document) => [document]))('%s speaks of files there are', (document) => {
    expect(missingFrom(document)).toEqual([]);
  });
});
