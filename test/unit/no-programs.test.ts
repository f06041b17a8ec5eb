import { spawnSync } from 'node:child_process';
import { execPath } from 'node:process';

import { describe, expect, it } from 'vitest';

describe('a unit test', () => {
  it('cannot start a program', () => {
    expect(() => spawnSync('true')).toThrow('unit tests start no programs: true');
  });

  it('can start Node', () => {
    expect(spawnSync(execPath, ['--version'], { encoding: 'utf8' }).stdout).toBe(
      `${process.version}\n`,
    );
  });
});
