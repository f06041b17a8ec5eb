/**
 * Checks docs/runbooks against the alerts, the metrics and the policy: one line per fault, exit
 * status 1 if there is any. `--write` writes the list of runbooks anew first.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { faultsOf } from './runbook-faults.ts';
import { runbookIndex } from './runbook-index.ts';
import { readRunbooks, RUNBOOKS_FOLDER } from './runbook.ts';

const index = join(RUNBOOKS_FOLDER, 'README.md');
if (process.argv.includes('--write')) writeFileSync(index, runbookIndex());

const runbooks = readRunbooks();
const faults = [...faultsOf(runbooks)];
if (!existsSync(index) || readFileSync(index, 'utf8') !== runbookIndex()) {
  faults.push('README.md:1: out of date, run `npm run check:runbooks -- --write`');
}
for (const fault of faults) process.stderr.write(`docs/runbooks/${fault}\n`);
process.stdout.write(`${runbooks.length} runbooks, ${faults.length} faults\n`);
process.exitCode = faults.length === 0 ? 0 : 1;
