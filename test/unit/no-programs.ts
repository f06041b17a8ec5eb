/**
 * Loaded before each file of unit tests: whatever starts a program fails there, since `npm run check` is
 * for machines that have Node and nothing else.
 */
import { execPath } from 'node:process';
import type * as ChildProcess from 'node:child_process';

import { vi } from 'vitest';

vi.mock('node:child_process', async (importOriginal) => {
  const original = await importOriginal<typeof ChildProcess>();
  const refusing: ProxyHandler<(program: string, ...rest: never[]) => unknown> = {
    apply(start, self, args: readonly unknown[]) {
      const [program] = args;
      if (program === execPath) return Reflect.apply(start, self, args) as unknown;
      throw new Error(
        `unit tests start no programs: ${String(program)} belongs in test/integration`,
      );
    },
  };
  return {
    ...original,
    exec: new Proxy(original.exec, refusing),
    execFile: new Proxy(original.execFile, refusing),
    execFileSync: new Proxy(original.execFileSync, refusing),
    execSync: new Proxy(original.execSync, refusing),
    spawn: new Proxy(original.spawn, refusing),
    spawnSync: new Proxy(original.spawnSync, refusing),
  };
});
