/**
 * Writes the files Prometheus reads from the typed rules, and the tables of docs/risk-model.md.
 * `--check` writes nothing and exits with 1 if a file is not what it would write. With settings it
 * writes the rule files and the Alertmanager example alone, into a folder of yours:
 *
 *     node rules/generate.ts --out /etc/prometheus/kvm --grafana-url https://grafana.example.org \
 *       --runbook-url https://wiki.example.org/kvm --cluster-label datacenter --interval 30s \
 *       --severity critical=page
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';

import { ALERT_GROUPS, FLEET_GROUP, RECORDING_GROUPS } from './src/pack.ts';
import {
  ALERTMANAGER_FILE,
  ALERTS_FILE,
  ALERTS_WITHOUT_KEEP_FIRING_FILE,
  FLEET_FILE,
  MANIFEST_FILE,
  MIXIN_RULES_FILE,
  PLAIN_ALERTS_FILE,
  RECORDING_FILE,
  RISK_DOCUMENT,
} from './tool/files.ts';
import { mixinRules } from './tool/mixin.ts';
import { prometheusRule, ruleFile } from './tool/render.ts';
import { withRiskTables } from './tool/risk-document.ts';
import {
  alertmanagerWithSettings,
  DEFAULT_SETTINGS,
  withoutKeepFiring,
  withoutQueries,
  withSettings,
  type Settings,
} from './tool/settings.ts';

/** Every rule file with what belongs in it. */
export function ruleFiles(settings: Settings): ReadonlyMap<string, string> {
  const recording = RECORDING_GROUPS.map((group) => withSettings(group, settings));
  const alerts = ALERT_GROUPS.map((group) => withSettings(group, settings));
  const variant = (change: typeof withoutQueries): string =>
    ruleFile(ALERT_GROUPS.map((group) => withSettings(change(group), settings)));
  return new Map([
    [RECORDING_FILE, ruleFile(recording)],
    [FLEET_FILE, ruleFile(recording.filter(({ name }) => name === FLEET_GROUP))],
    [ALERTS_FILE, ruleFile(alerts)],
    [PLAIN_ALERTS_FILE, variant(withoutQueries)],
    [ALERTS_WITHOUT_KEEP_FIRING_FILE, variant(withoutKeepFiring)],
    [MANIFEST_FILE, prometheusRule([...recording, ...alerts])],
  ]);
}

/** Every generated file with what belongs in it. */
async function generated(): Promise<ReadonlyMap<string, string>> {
  const document = withRiskTables(await readFile(RISK_DOCUMENT, 'utf8'));
  return new Map([
    ...ruleFiles(DEFAULT_SETTINGS),
    [MIXIN_RULES_FILE, mixinRules(RECORDING_GROUPS, ALERT_GROUPS)],
    [RISK_DOCUMENT, document],
  ]);
}

/** Files that are not what the rules say. */
export async function driftedFiles(): Promise<readonly string[]> {
  const drifted: string[] = [];
  for (const [path, text] of await generated()) {
    const present = await readFile(path, 'utf8').catch(() => undefined);
    if (present !== text) drifted.push(path);
  }
  return drifted;
}

/**
 * Settings from arguments.
 *
 * @throws Error when a value is of no use, with what to write instead.
 */
export function parseSettings(args: readonly string[]): {
  readonly settings: Settings;
  readonly out: string | undefined;
  readonly check: boolean;
} {
  const { values } = parseArgs({
    args: [...args],
    options: {
      check: { type: 'boolean', default: false },
      out: { type: 'string' },
      'cluster-label': { type: 'string' },
      'grafana-url': { type: 'string' },
      'runbook-url': { type: 'string' },
      interval: { type: 'string' },
      severity: { type: 'string', multiple: true, default: [] },
    },
  });
  const clusterLabel = values['cluster-label'] ?? DEFAULT_SETTINGS.clusterLabel;
  if (!/^[a-zA-Z_][a-zA-Z0-9_]*$/.test(clusterLabel)) {
    throw new Error(`--cluster-label ${clusterLabel}: not the name of a label`);
  }
  const { interval } = values;
  if (interval !== undefined && !/^[1-9][0-9]*[smh]$/.test(interval)) {
    throw new Error(`--interval ${interval}: write one number and a unit, e.g. 30s`);
  }
  const severities = { ...DEFAULT_SETTINGS.severities };
  for (const pair of values.severity) {
    const [, from, to] = /^(critical|warning|info)=(\S+)$/.exec(pair) ?? [];
    if (to === undefined || (from !== 'critical' && from !== 'warning' && from !== 'info')) {
      throw new Error(`--severity ${pair}: write critical, warning or info, =, and your word`);
    }
    severities[from] = to;
  }
  const settings = {
    clusterLabel,
    grafanaUrl: (values['grafana-url'] ?? DEFAULT_SETTINGS.grafanaUrl).replace(/\/+$/, ''),
    runbookUrl: (values['runbook-url'] ?? DEFAULT_SETTINGS.runbookUrl).replace(/\/+$/, ''),
    interval,
    severities,
  };
  const changed = JSON.stringify(settings) !== JSON.stringify(DEFAULT_SETTINGS);
  if (changed && values.out === undefined) {
    throw new Error('settings need --out FOLDER: the files of this repository have the defaults');
  }
  return { settings, out: values.out, check: values.check };
}

async function main(): Promise<void> {
  const { settings, out, check } = parseSettings(process.argv.slice(2));
  if (out !== undefined) {
    await mkdir(out, { recursive: true });
    for (const [path, text] of ruleFiles(settings))
      await writeFile(join(out, basename(path)), text);
    const example = await readFile(ALERTMANAGER_FILE, 'utf8');
    await writeFile(
      join(out, basename(ALERTMANAGER_FILE)),
      alertmanagerWithSettings(example, settings),
    );
    return;
  }
  if (check) {
    const drifted = await driftedFiles();
    for (const path of drifted) console.error(`${path} is not what rules/generate.ts writes`);
    process.exitCode = drifted.length === 0 ? 0 : 1;
    return;
  }
  for (const [path, text] of await generated()) {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, text);
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  try {
    await main();
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
    process.exitCode = 2;
  }
}
