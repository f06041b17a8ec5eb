import { readFileSync } from 'node:fs';

import { describe, expect, it } from 'vitest';

import { ALERT_GROUPS, FLEET_GROUP, RECORDING_GROUPS } from '../../../rules/src/pack.ts';
import { parsePromql, selectorsOf } from '../../../tools/promql.ts';
import { labelsOfExpression } from '../../../rules/tool/series.ts';

const FINER_THAN_A_HOST = ['domain', 'vcpu', 'device', 'path', 'mountpoint', 'pool', 'uplink'];

const labelsOf = (expr: string): ReadonlySet<string> =>
  labelsOfExpression(parsePromql(expr)).labels;

describe('rules on several Prometheus servers that have some of the hosts each', () => {
  it('look at one host at a time, those of the fleet group excepted', () => {
    const rules = [...RECORDING_GROUPS, ...ALERT_GROUPS]
      .filter(({ name }) => name !== FLEET_GROUP)
      .flatMap((group) => group.rules.map((rule) => ({ ...rule })));
    const others = rules.filter(({ expr }) => !labelsOf(expr).has('instance'));
    // It has no host, because none is seen: every server says so for itself.
    expect(others.map((rule) => ('alert' in rule ? rule.alert : rule.record))).toEqual([
      'KvmWatchdog',
      'KvmExporterAbsent',
    ]);
  });

  it('are federated with all the fleet group reads, as bench/README.md has it', () => {
    const readme = readFileSync(new URL('../../../bench/README.md', import.meta.url), 'utf8');
    const patterns = [...readme.matchAll(/'\{__name__=~"(.+)"\}'/g)].map(
      ([, pattern = '']) => new RegExp(`^(?:${pattern})$`),
    );
    const fleet = RECORDING_GROUPS.find(({ name }) => name === FLEET_GROUP);
    const read = (fleet?.rules ?? []).flatMap(({ expr }) => selectorsOf(parsePromql(expr)));
    const left = read.filter(({ metric }) => !patterns.some((one) => one.test(metric)));
    expect(left.map(({ metric }) => metric)).toEqual([]);
  });

  it('send little to the one that has the fleet group: nothing finer than a host', () => {
    const fleet = RECORDING_GROUPS.find(({ name }) => name === FLEET_GROUP);
    const read = (fleet?.rules ?? []).flatMap(({ expr }) => selectorsOf(parsePromql(expr)));
    expect(read).not.toEqual([]);
    for (const { metric } of read) {
      const finer = FINER_THAN_A_HOST.filter((label) => labelsOf(metric).has(label));
      expect(finer, metric).toEqual([]);
    }
  });
});
