import { Counter, Gauge, Histogram, Registry, Summary, collectDefaultMetrics } from 'prom-client';
import { describe, expect, it } from 'vitest';

import { openMetricsFormat, textFormat, type Format } from '../../../src/exposition/format.ts';
import { readRegistry, writeForeign } from '../../../src/exposition/prom-client.ts';
import { ExpositionWriter } from '../../../src/exposition/writer.ts';

async function textOf(registry: Registry, format: Format): Promise<string> {
  const writer = new ExpositionWriter(format, { onDuplicate: 'throw' });
  const steps = writeForeign(writer, await readRegistry(registry));
  while (steps.next().done !== true);
  writer.end();
  return Buffer.concat([...writer.take()]).toString();
}

describe("prom-client's registry", () => {
  it('comes out in both formats, one after the other, with the same series', async () => {
    const registry = new Registry();
    const scrapes = new Counter({
      name: 'kvm_exporter_scrapes_total',
      help: 'Scrapes.',
      labelNames: ['code'],
      registers: [registry],
    });
    scrapes.inc({ code: '200' }, 3);
    new Gauge({ name: 'node_version_info', help: 'V.', registers: [registry] }).set(1);
    const gc = new Histogram({
      name: 'gc_x',
      help: 'H.',
      buckets: [0.5, 1],
      registers: [registry],
    });
    gc.observe(0.75);
    const lag = new Summary({
      name: 'lag',
      help: 'S.',
      percentiles: [0.5, 1],
      registers: [registry],
    });
    lag.observe(2);

    const openMetrics = await textOf(registry, openMetricsFormat);
    const text = await textOf(registry, textFormat);
    const samplesOf = (exposition: string): string => exposition.replaceAll(/^#.*\n/gm, '').trim();
    expect(samplesOf(openMetrics)).toBe(samplesOf(text));
    expect(samplesOf(text).split('\n')).toEqual([
      'kvm_exporter_scrapes_total{code="200"} 3',
      'node_version_info 1',
      'gc_x_bucket{le="0.5"} 0',
      'gc_x_bucket{le="1.0"} 1',
      'gc_x_bucket{le="+Inf"} 1',
      'gc_x_sum 0.75',
      'gc_x_count 1',
      'lag{quantile="0.5"} 2',
      'lag{quantile="1.0"} 2',
      'lag_sum 2',
      'lag_count 1',
    ]);
    expect(text.match(/# TYPE .*/g)).toEqual([
      '# TYPE kvm_exporter_scrapes_total counter',
      '# TYPE node_version_info gauge',
      '# TYPE gc_x histogram',
      '# TYPE lag summary',
    ]);
    expect(openMetrics.match(/# TYPE .*/g)).toEqual([
      '# TYPE kvm_exporter_scrapes counter',
      '# TYPE node_version info',
      '# TYPE gc_x histogram',
      '# TYPE lag summary',
    ]);
  });

  it("gives Node's default metrics without the gauges that end in _total", async () => {
    const registry = new Registry();
    collectDefaultMetrics({ register: registry });
    const text = await textOf(registry, textFormat);
    expect(text).toMatch(/^process_cpu_seconds_total \d/m);
    expect(text).toMatch(/^nodejs_version_info\{version="v\d+/m);
    expect(text).not.toContain('nodejs_active_handles_total');
  });
});
