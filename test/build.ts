import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

const REPOSITORY = join(import.meta.dirname, '..');

/** Before tests that start the exporter: they start what is installed, not its sources. */
export function setup(): void {
  execFileSync(join(REPOSITORY, 'node_modules/.bin/tsc'), ['-p', 'tsconfig.build.json'], {
    cwd: REPOSITORY,
    stdio: 'inherit',
  });
}
