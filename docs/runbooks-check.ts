/**
 * Checks docs/runbooks against the alerts, the metrics, the policy and the actions: one line per
 * fault, exit status 1 if there is any. `--write` first writes the list of runbooks anew, and the
 * actions into the pages that include them.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { faultsOfActions, readActions, withActions } from './runbook-actions.ts';
import { faultsOf } from './runbook-faults.ts';
import { runbookIndex } from './runbook-index.ts';
import { readRunbooks, RUNBOOKS_FOLDER } from './runbook.ts';

const index = join(RUNBOOKS_FOLDER, 'README.md');
const actions = readActions();
if (process.argv.includes('--write')) {
  writeFileSync(index, runbookIndex());
  for (const { name } of readRunbooks()) {
    const page = join(RUNBOOKS_FOLDER, `${name}.md`);
    writeFileSync(page, withActions(name, readFileSync(page, 'utf8'), actions));
  }
}

const runbooks = readRunbooks();
const faults = [...faultsOf(runbooks), ...faultsOfActions(runbooks, actions)];
if (!existsSync(index) || readFileSync(index, 'utf8') !== runbookIndex()) {
  faults.push('README.md:1: out of date, run `npm run check:runbooks -- --write`');
}
for (const fault of faults) process.stderr.write(`docs/runbooks/${fault}\n`);
process.stdout.write(
  `${runbooks.length} runbooks, ${actions.length} actions, ${faults.length} faults\n`,
);
process.exitCode = faults.length === 0 ? 0 : 1;
