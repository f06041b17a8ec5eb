import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';

const GRAFANA = join(import.meta.dirname, '../../../grafana');

function read(name: string): string {
  return readFileSync(join(GRAFANA, name), 'utf8');
}

describe('the data source', () => {
  it('has the scrape interval of the quick start', () => {
    const quickStart = readFileSync(join(GRAFANA, '../docs/quick-start/prometheus.yml'), 'utf8');
    const interval = /scrape_interval: (\S+)/.exec(quickStart)?.[1];
    expect(parse(read('provisioning/datasource.yaml'))).toMatchObject({
      apiVersion: 1,
      datasources: [{ type: 'prometheus', jsonData: { timeInterval: interval } }],
    });
  });
});

describe('the provider of the dashboards', () => {
  const example: unknown = parse(read('provisioning/dashboards.yaml'));

  it('is YAML of the form Grafana takes for file providers', () => {
    expect(example).toEqual({
      apiVersion: 1,
      providers: [
        {
          name: 'kvm-overcommit',
          folder: 'KVM over-commitment',
          type: 'file',
          disableDeletion: true,
          allowUiUpdates: false,
          updateIntervalSeconds: 60,
          options: { path: '/var/lib/grafana/dashboards/kvm-overcommit' },
        },
      ],
    });
  });

  it('is the one the README shows', () => {
    const shown = /```yaml\n([\s\S]*?)```/.exec(read('README.md'))?.[1] ?? '';
    expect(parse(shown)).toEqual(example);
  });
});
