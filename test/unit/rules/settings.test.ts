import { readFile } from 'node:fs/promises';

import { describe, expect, it } from 'vitest';

import { parseSettings, ruleFiles } from '../../../rules/generate.ts';
import { ALERT_GROUPS, RECORDING_GROUPS } from '../../../rules/src/pack.ts';
import { ALERTMANAGER_FILE } from '../../../rules/tool/files.ts';
import { parsePromql, selectorsOf } from '../../../tools/promql.ts';
import {
  alertmanagerWithSettings,
  DEFAULT_SETTINGS,
  withoutKeepFiring,
  withoutQueries,
  withSettings,
  type Settings,
} from '../../../rules/tool/settings.ts';

const GROUPS = [...RECORDING_GROUPS, ...ALERT_GROUPS];

function textWith(settings: Partial<Settings>): string {
  const groups = GROUPS.map((group) => withSettings(group, { ...DEFAULT_SETTINGS, ...settings }));
  return JSON.stringify(groups);
}

describe('settings of the generator', () => {
  it('change nothing where none is set', () => {
    expect(GROUPS.map((group) => withSettings(group, DEFAULT_SETTINGS))).toEqual(GROUPS);
  });

  it('put another label in the place of cluster everywhere a label can be', () => {
    const text = textWith({ clusterLabel: 'datacenter' });
    // What is left are names of recording rules, variables of dashboards, and prose.
    const left = text.matchAll(/.{20}\bcluster\b.{12}/g);
    for (const [around] of left) {
      expect(around).toMatch(/cluster(?::kvm_|_resource)|var-cluster=|of a cluster|[a-z] cluster/);
    }
    expect(text).toContain('on (datacenter, job, instance)');
    expect(text).toContain('$labels.datacenter');
    expect(text).toContain('{datacenter=%q,job=%q');
  });

  it('leave rules that are PromQL and read the same metrics', () => {
    for (const group of GROUPS) {
      const changed = withSettings(group, { ...DEFAULT_SETTINGS, clusterLabel: 'datacenter' });
      const metricsOf = (expr: string): readonly string[] =>
        selectorsOf(parsePromql(expr)).map(({ metric }) => metric);
      expect(changed.rules.map(({ expr }) => metricsOf(expr))).toEqual(
        group.rules.map(({ expr }) => metricsOf(expr)),
      );
    }
  });

  it('put addresses, intervals and severities of the operator', () => {
    const { settings } = parseSettings([
      '--out=/nowhere',
      '--grafana-url=https://grafana.test/',
      '--runbook-url=https://wiki.test/kvm/',
      '--interval=30s',
      '--severity=critical=page',
    ]);
    const [group] = ALERT_GROUPS.map((one) => withSettings(one, settings));
    expect(group?.interval).toBe('30s');
    const text = textWith(settings);
    expect(text).toContain('"severity":"page"');
    const alerts = ALERT_GROUPS.flatMap((one) => withSettings(one, settings).rules);
    expect(alerts.filter(({ labels }) => labels?.['severity'] === 'critical')).toEqual([]);
    expect(text).toContain('https://grafana.test/d/kvm-host?');
    expect(text).toContain('https://wiki.test/kvm/KvmHostOomKill.md');
    // Limits of the policy keep theirs: that is the exporter's word.
    expect(text).toContain(String.raw`{severity=\"critical\"}`);
  });

  it('are in the Alertmanager example, too', async () => {
    const example = await readFile(ALERTMANAGER_FILE, 'utf8');
    expect(alertmanagerWithSettings(example, DEFAULT_SETTINGS)).toBe(example);
    const text = alertmanagerWithSettings(example, {
      ...DEFAULT_SETTINGS,
      clusterLabel: 'datacenter',
      severities: { critical: 'page', warning: 'ticket', info: 'info' },
    });
    expect(text).toContain('group_by: [alertname, datacenter, job, instance]');
    expect(text).toContain('equal: [datacenter, job, instance, domain]');
    expect(text).not.toMatch(/^ *(?:group_by|equal): .*\bcluster\b/m);
    expect(text).toContain('matchers: [severity="page", alertname=~"Kvm.*"]');
    expect(text).toContain('severity=~"ticket|info"');
    expect(text).not.toMatch(/severity=~?"[^"]*\b(?:critical|warning)\b/);
  });

  it.each([
    [['--cluster-label=a-b', '--out=x'], '--cluster-label a-b: not the name of a label'],
    [['--interval=30', '--out=x'], '--interval 30: write one number and a unit, e.g. 30s'],
    [
      ['--severity=page', '--out=x'],
      '--severity page: write critical, warning or info, =, and your word',
    ],
    [
      ['--interval=30s'],
      'settings need --out FOLDER: the files of this repository have the defaults',
    ],
  ])('refuse %j', (args, message) => {
    expect(() => parseSettings(args)).toThrow(message);
  });
});

describe('variants of the alerts', () => {
  it('without queries have a text for each alert, and no question in it', () => {
    for (const { rules } of ALERT_GROUPS.map(withoutQueries)) {
      for (const { alert, annotations } of rules) {
        expect(annotations.description, alert).not.toMatch(/\bquery [("]/);
        expect(annotations.description, alert).toMatch(/\.$/);
        const blocks = annotations.description.matchAll(/\{\{ (range|with|if|end)\b/g);
        const depth = [...blocks].reduce((sum, [, word]) => sum + (word === 'end' ? -1 : 1), 0);
        expect(depth, alert).toBe(0);
      }
    }
  });

  it('without keep_firing_for have no such field', () => {
    expect(JSON.stringify(ALERT_GROUPS.map(withoutKeepFiring))).not.toContain('keepFiringFor');
    const [text = ''] = [...ruleFiles(DEFAULT_SETTINGS)].flatMap(([path, content]) =>
      path.endsWith('alerts-without-keep-firing.yaml') ? [content] : [],
    );
    expect(text).toContain('alert: KvmHostOomKill');
    expect(text).not.toContain('keep_firing_for');
  });
});
