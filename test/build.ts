import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

const REPOSITORY = join(import.meta.dirname, '..');

/** Set by `npm test`, whose lanes may not build what another starts. */
export const BUILT = 'KVM_OVERCOMMIT_TEST_BUILT';

/** Before tests that start the exporter: they start what is installed, not its sources. */
export function setup(): void {
  if (process.env[BUILT] !== undefined) return;
  execFileSync(join(REPOSITORY, 'node_modules/.bin/tsc'), ['-p', 'tsconfig.build.json'], {
    cwd: REPOSITORY,
    stdio: 'inherit',
  });
}
