/**
 * Writes the pages that come from the code. `npm run docs` writes them, `npm run docs -- --check`
 * only says which are out of date (exit status 1 if any).
 */
import { readFileSync, writeFileSync } from 'node:fs';

import { hostSchemaText } from './host-schema.ts';
import { metricsPage } from './metrics-page.ts';
import { policyPage } from './policy-page.ts';
import { renamedFaults } from './renamed.ts';
import { replacesFaults } from './replaces.ts';

const PAGES: readonly (readonly [file: string, text: string])[] = [
  ['metrics.md', metricsPage()],
  ['policy.md', policyPage()],
  ['api/host.schema.json', hostSchemaText()],
];

for (const fault of [...renamedFaults(), ...replacesFaults()]) {
  process.stderr.write(`${fault}\n`);
  process.exitCode = 1;
}

const checking = process.argv.includes('--check');
for (const [file, text] of PAGES) {
  const path = new URL(file, import.meta.url);
  if (!checking) {
    writeFileSync(path, text);
  } else if (current(path) !== text) {
    process.stderr.write(`docs/${file} is out of date: run \`npm run docs\`\n`);
    process.exitCode = 1;
  }
}

function current(path: URL): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
