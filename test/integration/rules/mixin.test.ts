import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { parse } from 'yaml';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';

import { ruleFiles } from '../../../rules/generate.ts';
import { ALERTS_FILE, RECORDING_FILE } from '../../../rules/tool/files.ts';
import { DEFAULT_SETTINGS, type Settings } from '../../../rules/tool/settings.ts';

const ROOT = join(import.meta.dirname, '../../..');

function installJsonnet(): void {
  if (spawnSync('jsonnet', ['--version']).status === 0) return;
  const apt = ['install', '-y', '--no-install-recommends', 'jsonnet'];
  const installed = spawnSync('apt-get', apt, { encoding: 'utf8' });
  if (installed.status !== 0) throw new Error(`jsonnet is needed: ${installed.stderr}`);
}

/** What a field of the mixin is with this configuration. */
function evaluated(field: string, config = '{}'): unknown {
  const mixin = `(import 'rules/mixin/mixin.libsonnet') { _config+:: ${config} }`;
  const run = spawnSync('jsonnet', ['-e', `(${mixin}).${field}`], {
    cwd: ROOT,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
  if (run.status !== 0) throw new Error(run.stderr);
  return JSON.parse(run.stdout);
}

/** What the generator writes with these settings. */
function generated(path: string, settings: Settings = DEFAULT_SETTINGS): unknown {
  return parse(ruleFiles(settings).get(path) ?? '');
}

describe('the mixin', () => {
  beforeAll(installJsonnet, 120_000);

  it('is the generated rules where nothing is set', () => {
    expect(evaluated('prometheusRules')).toEqual(generated(RECORDING_FILE));
    expect(evaluated('prometheusAlerts')).toEqual(generated(ALERTS_FILE));
  });

  it('is what the generator writes with the same settings', () => {
    const settings: Settings = {
      clusterLabel: 'datacenter',
      grafanaUrl: 'https://grafana.test',
      runbookUrl: 'https://wiki.test/kvm',
      interval: '30s',
      severities: { critical: 'page', warning: 'ticket', info: 'note' },
    };
    const config = JSON.stringify(settings);
    expect(evaluated('prometheusRules', config)).toEqual(generated(RECORDING_FILE, settings));
    expect(evaluated('prometheusAlerts', config)).toEqual(generated(ALERTS_FILE, settings));
  });

  it('restricts all that is scraped by a selector, and leaves rules that promtool takes', () => {
    const folder = mkdtempSync(join(tmpdir(), 'mixin-'));
    onTestFinished(() => {
      rmSync(folder, { recursive: true });
    });
    const config = `{ selector: 'job="kvm",env!="test"' }`;
    for (const field of ['prometheusRules', 'prometheusAlerts']) {
      const text = JSON.stringify(evaluated(field, config));
      expect(text).not.toContain('__');
      const file = join(folder, `${field}.json`);
      writeFileSync(file, text);
      const input = spawnSync('promtool', ['check', 'rules', file], { encoding: 'utf8' });
      expect([input.status, input.stderr]).toEqual([0, '']);
    }
    const alerts = JSON.stringify(evaluated('prometheusAlerts', config));
    expect(alerts).toContain(String.raw`(up{job=\"kvm\",env!=\"test\"} == 0)`);
    expect(alerts).toContain(
      String.raw`kvm_domain_state{job=\"kvm\",env!=\"test\",state=\"paused\",reason=\"ioerror\"} == 1`,
    );
    expect(alerts).toContain(
      String.raw`absent(kvm_exporter_build_info{job=\"kvm\",env!=\"test\"})`,
    );
  });

  it('has every dashboard', () => {
    const folder = join(ROOT, 'grafana/dashboards');
    const files = readdirSync(folder).map((name): [string, unknown] => [
      name,
      JSON.parse(readFileSync(join(folder, name), 'utf8')),
    ]);
    expect(evaluated('grafanaDashboards')).toEqual(Object.fromEntries(files));
  });
});
