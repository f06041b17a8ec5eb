import { existsSync } from 'node:fs';

import { describe, expect, it } from 'vitest';

import { GUEST_RUNBOOKS } from '../../../src/risk/guest-risk.ts';
import { RISK_SIGNALS } from '../../../src/risk/risk-model.ts';
import { runbookOf } from '../../../src/risk/runbooks.ts';

describe('the runbooks of risks', () => {
  it('are there', () => {
    const all = [...RISK_SIGNALS.map(runbookOf), ...Object.values(GUEST_RUNBOOKS)];
    const named = all.filter((name) => name !== undefined);
    expect(named.length).toBeGreaterThan(30);
    const missing = named.filter(
      (name) => !existsSync(new URL(`../../../docs/runbooks/${name}.md`, import.meta.url)),
    );
    expect(missing).toEqual([]);
  });
});
