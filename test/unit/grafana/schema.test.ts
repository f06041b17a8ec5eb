import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';

import { SCHEMA_FILE } from '../../../grafana/dashboard-file.ts';
import { validatorOf } from '../../../grafana/schema/validate.ts';
import { dashboard } from '../../../grafana/src/common/dashboard.ts';
import { graph } from '../../../grafana/src/common/graph.ts';

const faultsOf = validatorOf(
  z.record(z.string(), z.unknown()).parse(JSON.parse(readFileSync(SCHEMA_FILE, 'utf8'))),
);

const SMALL = dashboard({
  uid: 'kvm-host',
  title: 'Test',
  description: 'For tests.',
  rows: [
    {
      title: 'A row',
      tiles: [
        graph({
          title: 'Load',
          description: 'Load.',
          unit: 'short',
          queries: [{ expr: 'kvm_host_load1', legend: 'load' }],
          limit: 'cpu.load_ratio',
        }),
      ],
    },
  ],
});
const TEXT = JSON.stringify(SMALL);

/** Faults after a change of the JSON text, which must have happened. */
function faultsAfter(from: string, to: string): readonly string[] {
  expect(TEXT).toContain(from);
  return faultsOf(JSON.parse(TEXT.replace(from, to)));
}

describe('the schema of classic dashboards', () => {
  it('accepts what the builders make', () => {
    expect(faultsOf(JSON.parse(TEXT))).toEqual([]);
  });

  it.each([
    ['of the dashboard', '"editable":', '"editible":'],
    ['of a panel', '"gridPos":', '"gridPosition":'],
    ['of the options of a panel type', '"tooltip":{"mode"', '"tooltipp":{"mode"'],
    ['of the custom fields of a panel type', '"lineWidth":1', '"lineWidht":1'],
    ['of a query', '"legendFormat":', '"legend":'],
  ])('refuses a misspelt name %s', (_, from, to) => {
    expect(faultsAfter(from, to)).not.toEqual([]);
  });

  it.each([
    ['a panel type nobody has', '"type":"timeseries"', '"type":"timeserie"'],
    ['a word that is not one of a list', '"mode":"multi"', '"mode":"many"'],
    ['a text for a number', '"fillOpacity":8', '"fillOpacity":"8"'],
    ['an override of a field there is not', '"id":"custom.lineStyle"', '"id":"custom.linStyle"'],
    ['an override with a value of another type', '"value":{"fill":"dash"', '"value":{"fill":7'],
  ])('refuses %s', (_, from, to) => {
    expect(faultsAfter(from, to)).not.toEqual([]);
  });
});
