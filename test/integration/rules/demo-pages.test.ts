import { beforeAll, describe, expect, it } from 'vitest';

import { ALERT_GROUPS, RECORDING_GROUPS } from '../../../rules/src/pack.ts';
import {
  alertKey,
  alertmanagerBinary,
  mutedAlerts,
  type AlertLabels,
} from '../../../rules/tool/alertmanager.ts';
import { firingAlerts } from '../../support/rules/firing.ts';
import { SliceRunner } from '../../../rules/tool/run-tests.ts';
import type { RuleTest } from '../../../rules/tool/test-file.ts';
import { demoScrapes } from '../grafana/demo-history.ts';

const GROUPS = [...RECORDING_GROUPS, ...ALERT_GROUPS];
const TARGET = 'job="kvm",instance="demo"';
const INTERVAL = 30;
const STORY = 1800;

/** The series of the demo's first half hour that rules read. */
async function demoSeries(): Promise<RuleTest['input_series']> {
  const read = new Set(JSON.stringify(GROUPS).match(/kvm_[a-z0-9_]+/g));
  const samples = STORY / INTERVAL + 1;
  const rows = new Map<string, string[]>();
  const history = {
    startedAtSeconds: 0,
    seconds: STORY,
    scrapeIntervalSeconds: INTERVAL,
  };
  for await (const { elapsed, text } of demoScrapes(history)) {
    for (const line of text.split('\n')) {
      const [, name = '', labels = '', value = ''] = /^(\w+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? [];
      if (!read.has(name)) continue;
      const series = `${name}{${[TARGET, labels].filter((one) => one !== '').join(',')}}`;
      const row = rows.get(series) ?? Array.from({ length: samples }, () => '_');
      row[elapsed / INTERVAL] = value;
      rows.set(series, row);
    }
  }
  return [
    { series: `up{${TARGET}}`, values: `1+0x${samples}` },
    ...[...rows].map(([series, values]) => ({ series, values: values.join(' ') })),
  ];
}

/** Names of what reaches somebody, once each. */
function names(alerts: readonly AlertLabels[], severity: string): readonly string[] {
  const own = alerts.filter((alert) => alert['severity'] === severity);
  return [...new Set(own.map((alert) => alert['alertname'] ?? ''))].sort();
}

/**
 * The demo's story with every rule, and what a real Alertmanager with the example configuration lets
 * through: at most one page per cause.
 */
describe('the story of the demo host', { timeout: 300_000 }, () => {
  let firing: ReadonlyMap<number, readonly AlertLabels[]>;
  let binary: string;

  beforeAll(async () => {
    await using runner = await SliceRunner.open();
    const found = await alertmanagerBinary();
    if (found === undefined)
      throw new Error('no Alertmanager: apt-get install prometheus-alertmanager');
    binary = found;
    const times = [9, 14, 19, 24, 27, 29.5].map((minute) => minute * 60);
    firing = await firingAlerts(
      { interval: `${INTERVAL}s`, input_series: await demoSeries() },
      times,
      GROUPS,
      runner,
    );
  }, 300_000);

  it.each([
    { minute: 9, phase: 'calm', pages: [], tickets: [] },
    {
      minute: 14,
      phase: 'noisy neighbour',
      pages: [],
      tickets: ['KvmCpuOverPromised', 'KvmMemoryOverPromised'],
    },
    {
      minute: 19,
      phase: 'swap storm',
      pages: ['KvmSwapStorm'],
      tickets: ['KvmCpuOverPromised', 'KvmMemoryOverPromised'],
    },
    {
      minute: 24,
      phase: 'run on the bank',
      pages: ['KvmSwapStorm'],
      tickets: ['KvmCpuOverPromised', 'KvmKsmCollapse', 'KvmMemoryOverPromised'],
    },
    {
      minute: 27,
      phase: 'out of space, soon',
      pages: ['KvmFilesystemFullImminent', 'KvmSwapStorm'],
      tickets: ['KvmCpuOverPromised', 'KvmKsmCollapse', 'KvmMemoryOverPromised'],
    },
    // The page of the filesystem names the guests it has stopped: no second one.
    {
      minute: 29.5,
      phase: 'out of space',
      pages: ['KvmFilesystemFull', 'KvmSwapStorm'],
      tickets: ['KvmCpuOverPromised', 'KvmKsmCollapse', 'KvmMemoryOverPromised'],
    },
  ])('pages for $pages in minute $minute ($phase)', async ({ minute, pages, tickets }) => {
    const alerts = firing.get(minute * 60) ?? [];
    const muted = new Set((await mutedAlerts(binary, alerts)).map(alertKey));
    const heard = alerts.filter((alert) => !muted.has(alertKey(alert)));
    expect({ pages: names(heard, 'critical'), tickets: names(heard, 'warning') }).toEqual({
      pages,
      tickets,
    });
  });
});
