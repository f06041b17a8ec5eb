import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

import { withRiskTables } from '../../../rules/tool/risk-document.ts';

const page = readFileSync(join(import.meta.dirname, '../../../docs/risk-model.md'), 'utf8');
const lines = page.split('\n');

describe('the risk model', () => {
  it('names each level and what to do at it', () => {
    const header = lines.indexOf('| level | name | meaning | do |');
    const cells = lines.slice(header + 2, header + 6).map((line) => line.split(' | '));
    expect(cells.map(([level, name, , what]) => [level, name, what])).toEqual([
      ['| 0', 'Low', 'nothing |'],
      ['| 1', 'Medium', 'plan |'],
      ['| 2', 'High', 'act today |'],
      ['| 3', 'Critical', 'act now |'],
    ]);
  });

  it('calls a limit a limit, so that none is taken for a level', () => {
    const tables = lines.filter((line) => line.startsWith('| `'));
    expect(tables.length).toBeGreaterThan(20);
    for (const line of tables) {
      expect(line.replaceAll(/(?:warning|critical) limit of/g, '')).not.toMatch(/warning|critical/);
    }
  });

  it('is made from the table in the code', () => {
    expect(withRiskTables(page)).toBe(page);
  });
});
