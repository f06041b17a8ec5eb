import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

import { failed, failedFrom, Faults } from '../../../src/runtime/result.ts';

describe('a failure', () => {
  const SPEECH = 'x'.repeat(10_000);

  it('repeats only the beginning of what others wrote', () => {
    const faults = new Faults();
    faults.malformed('a file', SPEECH);
    const reading = failed('malformed', 'a file', SPEECH);
    const errors = [...faults.errors, reading.error];
    expect(errors.map(({ detail }) => detail)).toEqual([
      `${'x'.repeat(300)}…`,
      `${'x'.repeat(300)}…`,
    ]);
  });
});

describe('a file that cannot be read', () => {
  const detailOf = (path: string, subject: string): string => {
    try {
      readFileSync(path);
      throw new Error('it was read');
    } catch (error) {
      return failedFrom(error, subject).error.detail;
    }
  };

  it('is named once', () => {
    const path = "/nonexistent/it's, open here";
    expect(detailOf(path, path)).toBe('ENOENT: no such file or directory');
    expect(detailOf('/proc/self', '/proc/self')).toBe('EISDIR: illegal operation on a directory');
  });

  it('keeps its name where what is read has another', () => {
    expect(detailOf('/nonexistent', 'meminfo')).toBe(
      "ENOENT: no such file or directory, open '/nonexistent'",
    );
  });
});
