/**
 * `npm run release -- --dry-run`: everything a release is made of, from the check that the checkout is
 * fit for one to the tested packages, and then what only a person can do. Without `--dry-run` it says
 * the same and insists on a clean checkout at a tag of the version.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { readProject, REPOSITORY } from './project.ts';
import { releaseFaults, whatIsLeft } from './release-steps.ts';

const { values } = parseArgs({
  options: {
    'dry-run': { type: 'boolean', default: false },
    'skip-tests': { type: 'boolean', default: false },
  },
});
const project = readProject();
const git = (...args: readonly string[]) =>
  execFileSync('git', args, { cwd: REPOSITORY, encoding: 'utf8' }).trim();

const faults = releaseFaults({
  version: project.version,
  author: project.author,
  changelog: readFileSync(join(REPOSITORY, 'CHANGELOG.md'), 'utf8'),
  changedFiles: git('status', '--porcelain').split('\n').filter(Boolean),
  tags: git('tag', '--points-at', 'HEAD').split('\n'),
});
for (const fault of faults) process.stderr.write(`not yet fit for a release: ${fault}\n`);
if (faults.length > 0 && !values['dry-run']) process.exit(1);

const steps: readonly (readonly string[])[] = [
  ['run', '--silent', 'package'],
  ...(values['skip-tests'] ? [] : [['run', '--silent', 'test:package']]),
];
for (const step of steps) {
  process.stdout.write(`\n== npm ${step.join(' ')}\n`);
  const { status } = spawnSync('npm', step, { cwd: REPOSITORY, stdio: 'inherit' });
  if (status !== 0) {
    process.stderr.write(`npm ${step.join(' ')} failed: nothing is released\n`);
    process.exit(1);
  }
}
if (values['skip-tests']) process.stdout.write('\nThe packages were not tested (--skip-tests).\n');
process.stdout.write(`\n${whatIsLeft(project)}`);
