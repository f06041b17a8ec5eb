import { describe, expect, it } from 'vitest';

import {
  brokenLegends,
  staleEntries,
  unexpectedlyEmpty,
  type QueryResult,
} from '../../../grafana/query-results.ts';

function result(panel: string, series: QueryResult['series'], legend = ''): QueryResult {
  const expr = 'x';
  return { dashboard: 'kvm-host', panel, refId: 'A', expr, legend, series, fault: undefined };
}

const EMPTY = result('Empty', []);
const FULL = result('Full', [{ instance: 'a' }]);

describe('results of the dashboards’ queries', () => {
  it('report an empty one unless it is in the list', () => {
    expect(unexpectedlyEmpty([EMPTY, FULL], new Map())).toEqual([
      'kvm-host / Empty / A: no data from x',
    ]);
    const list = new Map([['kvm-host / Empty / A', 'a reason']]);
    expect(unexpectedlyEmpty([EMPTY, FULL], list)).toEqual([]);
  });

  it('report entries of the list that have data, or name nothing', () => {
    const list = new Map([
      ['kvm-host / Empty / A', 'a reason'],
      ['kvm-host / Full / A', 'was empty once'],
      ['kvm-host / Renamed / A', 'is called otherwise now'],
    ]);
    expect(staleEntries([EMPTY, FULL], list)).toEqual([
      'kvm-host / Full / A',
      'kvm-host / Renamed / A',
    ]);
  });

  it('report a legend that names a label some series has not', () => {
    const some = result('Some', [{ domain: 'a' }, {}], '{{domain}}');
    expect(brokenLegends([some])).toEqual(['kvm-host / Some / A: no label domain']);
  });
});
