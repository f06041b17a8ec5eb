import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';

import { ALERT_GROUPS } from '../../../rules/src/pack.ts';
import { parseFlags } from '../../../src/config/flags.ts';

const REPOSITORY = resolve(import.meta.dirname, '../../..');
const text = (name: string): string => readFileSync(join(REPOSITORY, name), 'utf8');
const readme = text('README.md');

describe('the README', () => {
  it('has the figures of the benchmarks', () => {
    const rows = text('bench/README.md').replaceAll(/ +/g, ' ');
    const words = readme.replaceAll(/\s+/g, ' ');
    for (const row of [
      'scrape, ms (median)',
      'series per guest',
      'exporter CPU per scrape, ms',
      'libvirtd CPU per scrape, ms',
      'peak RSS, MB',
    ]) {
      // The only table with two contestants and their ratio.
      const found = new RegExp(
        `\\| ${RegExp.escape(row)} \\| (\\d+) \\| (\\d+) \\| \\d+\\.\\d+ \\|`,
      ).exec(rows);
      const [, ours = `no ${row}`, theirs = ''] = found ?? [];
      expect(words, row).toMatch(new RegExp(`\\b${ours}\\b.{0,120}\\b${theirs}\\b`));
    }
  });

  it('counts the alerts there are', () => {
    const names = ALERT_GROUPS.flatMap(({ rules }) => rules.map(({ alert }) => alert));
    expect(readme).toContain(`| ${new Set(names).size} |`);
  });

  it('is cloned from where alerts and the unit say that the project is', () => {
    const { repository } = z
      .object({ repository: z.url() })
      .parse(JSON.parse(text('package.json')));
    const cloned = [...readme.matchAll(/^git clone (\S+)/gm)].map(([, address]) => address);
    expect(new Set(cloned)).toEqual(new Set([`${repository}.git`]));
    expect(text('examples/systemd/kvm-overcommit-exporter.service')).toContain(
      `Documentation=${repository}\n`,
    );
    expect(text('rules/alerts.yaml')).toContain(
      `runbook_url: ${repository}/blob/main/docs/runbooks/`,
    );
  });

  it('names flags there are', () => {
    const named = new Set(
      [...readme.matchAll(/(?<![\w-])--((?:web|libvirt|path|scrape|policy|log)\.[\w.-]*\w)/g)].map(
        ([, name = '']) => name,
      ),
    );
    expect(named.size).toBeGreaterThan(5);
    const help = parseFlags(['--help'], [], '0');
    const stdout = help.kind === 'exit' ? help.stdout : '';
    expect([...named].filter((name) => !stdout.includes(`--${name}`))).toEqual([]);
  });

  it('says what is asked first by somebody who installs it', () => {
    for (const words of [
      'npm prune --omit=dev',
      'systemctl daemon-reload',
      'systemctl enable --now',
      'OPTIONS=',
      '[::]:9177',
      'apache2-utils',
      'Is node_exporter still needed?',
      'libvirt (its read-only socket)',
    ]) {
      expect(readme).toContain(words);
    }
  });
});
