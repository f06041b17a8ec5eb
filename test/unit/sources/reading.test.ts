import { describe, expect, it } from 'vitest';

import { failed, Faults } from '../../../src/sources/reading.ts';

describe('a failure', () => {
  const SPEECH = 'x'.repeat(10_000);

  it('repeats only the beginning of what others wrote', () => {
    const faults = new Faults();
    faults.malformed('a file', SPEECH);
    const reading = failed('malformed', 'a file', SPEECH);
    const errors = [...faults.errors, ...(reading.ok ? [] : [reading.error])];
    expect(errors.map(({ detail }) => detail)).toEqual([
      `${'x'.repeat(300)}…`,
      `${'x'.repeat(300)}…`,
    ]);
  });
});
