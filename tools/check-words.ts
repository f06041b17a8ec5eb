/**
 * `npm run lint:words`: one line for each word that went and came back, in sources, tests, documents,
 * rules and dashboards; exit status 1 if there is any.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { renamedMetrics } from '../docs/renamed.ts';
import { repositoryFiles, REPOSITORY } from './repository-files.ts';
import { bannedWordsIn } from './banned-words.ts';

/** What has to name them: history, the old names, the list itself and its test. */
const EXCLUDED = new Set([
  'CHANGELOG.md',
  'docs/renamed.json',
  'package-lock.json',
  'tools/banned-words.ts',
  'test/unit/tools/banned-words.test.ts',
]);
const CHECKED = /\.(?:ts|js|md|ya?ml|json|service|txt)$|^bin\/|^Dockerfile$/;

const files = repositoryFiles().filter(
  (file) => CHECKED.test(file) && !EXCLUDED.has(file) && !file.includes('/fixtures/'),
);

const oldNames = [...renamedMetrics().keys()];
let faults = 0;
for (const file of files) {
  for (const { line, found, instead } of bannedWordsIn(readFile(file), oldNames)) {
    faults += 1;
    process.stderr.write(`${file}:${line}: "${found}": write ${instead} (docs/glossary.md)\n`);
  }
}
process.stdout.write(`${files.length} files, ${faults} faults\n`);
// A list of no files would find no faults either.
process.exitCode = faults === 0 && files.length > 0 ? 0 : 1;

/** Empty for a file that was deleted and is still in the index. */
function readFile(file: string): string {
  try {
    return readFileSync(join(REPOSITORY, file), 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return '';
    throw error;
  }
}
