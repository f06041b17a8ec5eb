import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

import { openMetricsFormat, textFormat, type Format } from '../../../src/exposition/format.ts';
import { labelText } from '../../../src/exposition/labels.ts';
import { render } from '../../../src/exposition/render.ts';
import { ExpositionWriter } from '../../../src/exposition/writer.ts';
import { CATALOGUE } from '../../../src/metrics/catalogue.ts';
import { AWKWARD_NAME, sampleExposition } from '../../support/exposition/sample-exposition.ts';
import {
  exampleSnapshot,
  exampleView,
  expositionOf,
} from '../../support/metrics/example-snapshot.ts';

/** What `promtool check metrics` has to say: exit status and both streams. */
function promtool(input: string | Buffer): readonly [number | null, string, string] {
  const run = spawnSync('promtool', ['check', 'metrics'], { input, encoding: 'utf8' });
  return [run.status, run.stdout, run.stderr];
}

const SILENT = [0, '', ''];

async function textOf(format: Format): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of render(sampleExposition, format)) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}

describe("Prometheus' own parsers", () => {
  it('promtool check metrics reads text 0.0.4 and has nothing to say', async () => {
    expect(promtool(await textOf(textFormat))).toEqual(SILENT);
  });

  it('nor of a small host', async () => {
    expect(promtool(await expositionOf(exampleView(exampleSnapshot()), textFormat))).toEqual(
      SILENT,
    );
  });

  it('nor of every family with a sample', () => {
    const writer = new ExpositionWriter(textFormat, { onDuplicate: 'throw' });
    for (const metric of CATALOGUE) {
      writer.family(metric);
      writer.sample(
        labelText(
          metric.labels,
          metric.labels.map(() => 'x'),
        ),
        1,
      );
    }
    writer.end();
    expect(promtool(Buffer.concat([...writer.take()]))).toEqual(SILENT);
  });

  it('the OpenMetrics parser reads names, values and awkward label values unchanged', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'openmetrics-'));
    try {
      // The importer wants a time on every sample; it does not change how the rest is read.
      const stamped = (await textOf(openMetricsFormat)).replaceAll(/^[^#].*$/gm, '$& 1700000000');
      const input = join(directory, 'exposition.txt');
      const database = join(directory, 'data');
      writeFileSync(input, stamped);
      execFileSync('promtool', ['tsdb', 'create-blocks-from', 'openmetrics', input, database]);
      // `tsdb dump` refuses a database without a write-ahead log.
      mkdirSync(join(database, 'wal'));
      const dump = execFileSync('promtool', ['tsdb', 'dump', database], { encoding: 'utf8' });
      expect(dump.trim().split('\n').sort()).toEqual(
        [
          `{__name__="kvm_domain_info", domain=${JSON.stringify(AWKWARD_NAME)}, uuid="6c1d"} 1 1700000000000`,
          '{__name__="kvm_domain_vcpu_seconds_total", domain="web", vcpu="0"} 1.8446744073709552e+19 1700000000000',
          '{__name__="kvm_domain_vcpu_seconds_total", domain="web", vcpu="1"} 0.25 1700000000000',
          '{__name__="kvm_host_memory_bytes"} 1.7179869184e+10 1700000000000',
        ].sort(),
      );
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
});
