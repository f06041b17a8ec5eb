import { describe, expect, it } from 'vitest';

import type { Family } from '../../../src/exposition/family.ts';
import { openMetricsFormat, textFormat, type Format } from '../../../src/exposition/format.ts';
import { labelText } from '../../../src/exposition/labels.ts';
import { render, type Producer } from '../../../src/exposition/render.ts';
import { ExpositionWriter } from '../../../src/exposition/writer.ts';
import {
  memoryTotal,
  sampleExposition,
  vcpuSeconds,
} from '../../support/exposition/sample-exposition.ts';

async function textOf(produce: Producer, format: Format): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of render(produce, format, { onDuplicate: 'throw' })) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}

const strict = (): ExpositionWriter => new ExpositionWriter(textFormat, { onDuplicate: 'throw' });

describe('text format 0.0.4', () => {
  it('writes HELP and TYPE under the full name, infos as gauges, and nothing at the end', async () => {
    expect(await textOf(sampleExposition, textFormat)).toBe(
      [
        '# HELP kvm_domain_info Facts of a "domain" from its XML, with a \\\\ and\\na second line.',
        '# TYPE kvm_domain_info gauge',
        'kvm_domain_info{domain="a \\"quoted\\" \\\\ name\\nüñí 🐧",uuid="6c1d"} 1',
        '# HELP kvm_domain_vcpu_seconds_total CPU time of a vCPU thread, from /proc/<pid>/task/<tid>/schedstat.',
        '# TYPE kvm_domain_vcpu_seconds_total counter',
        'kvm_domain_vcpu_seconds_total{domain="web",vcpu="0"} 18446744073709551615',
        'kvm_domain_vcpu_seconds_total{domain="web",vcpu="1"} 0.25',
        '# HELP kvm_host_memory_bytes MemTotal of /proc/meminfo.',
        '# TYPE kvm_host_memory_bytes gauge',
        'kvm_host_memory_bytes 17179869184',
        '',
      ].join('\n'),
    );
  });
});

describe('OpenMetrics 1.0', () => {
  it('writes TYPE, UNIT, HELP under the family name, samples with their suffix, and # EOF', async () => {
    expect(await textOf(sampleExposition, openMetricsFormat)).toBe(
      [
        '# TYPE kvm_domain info',
        '# HELP kvm_domain Facts of a \\"domain\\" from its XML, with a \\\\ and\\na second line.',
        'kvm_domain_info{domain="a \\"quoted\\" \\\\ name\\nüñí 🐧",uuid="6c1d"} 1',
        '# TYPE kvm_domain_vcpu_seconds counter',
        '# UNIT kvm_domain_vcpu_seconds seconds',
        '# HELP kvm_domain_vcpu_seconds CPU time of a vCPU thread, from /proc/<pid>/task/<tid>/schedstat.',
        'kvm_domain_vcpu_seconds_total{domain="web",vcpu="0"} 18446744073709551615',
        'kvm_domain_vcpu_seconds_total{domain="web",vcpu="1"} 0.25',
        '# TYPE kvm_host_memory_bytes gauge',
        '# UNIT kvm_host_memory_bytes bytes',
        '# HELP kvm_host_memory_bytes MemTotal of /proc/meminfo.',
        'kvm_host_memory_bytes 17179869184',
        '# EOF',
        '',
      ].join('\n'),
    );
  });
});

describe('a writer', () => {
  it('refuses a family a second time in every mode, because only code can cause that', () => {
    for (const writer of [strict(), new ExpositionWriter(textFormat)]) {
      writer.family(memoryTotal);
      writer.family(vcpuSeconds);
      expect(() => {
        writer.family(memoryTotal);
      }).toThrow('kvm_host_memory_bytes is written twice');
    }
  });

  it('refuses a counter and an info whose OpenMetrics names would be equal', () => {
    const writer = strict();
    const labels: readonly string[] = [];
    writer.family({ name: 'kvm_x_info', help: 'x', type: 'info', unit: '', labels });
    expect(() => {
      writer.family({ name: 'kvm_x_total', help: 'x', type: 'counter', unit: '', labels });
    }).toThrow('kvm_x_total is written twice');
  });

  it('in production leaves a duplicate series out, counts it, and keeps the first value', () => {
    const writer = new ExpositionWriter(textFormat);
    writer.family(vcpuSeconds);
    const labels = labelText(vcpuSeconds.labels, ['web', '0']);
    writer.sample(labels, 1);
    writer.sample(labelText(vcpuSeconds.labels, ['web', '1']), 2);
    writer.sample(labels, 3);
    writer.end();
    expect(Buffer.concat([...writer.take()]).toString()).toMatch(
      /vcpu="0"\} 1\nkvm_domain_vcpu_seconds_total\{domain="web",vcpu="1"\} 2\n$/,
    );
    expect([writer.samples, writer.dropped]).toEqual([2, 1]);
  });

  it('in strict mode throws on a duplicate series and names it', () => {
    const writer = strict();
    writer.family(vcpuSeconds);
    const labels = labelText(vcpuSeconds.labels, ['web', '0']);
    writer.sample(labels, 1);
    expect(() => {
      writer.sample(labels, 1);
    }).toThrow('series kvm_domain_vcpu_seconds_total{domain="web",vcpu="0"} is written twice');
  });

  it('takes the same labels in two families for two series', () => {
    const writer = strict();
    writer.family(vcpuSeconds);
    writer.sample(labelText(vcpuSeconds.labels, ['web', '0']), 1);
    writer.family({ ...vcpuSeconds, name: 'kvm_domain_vcpu_delay_seconds_total' });
    writer.sample(labelText(vcpuSeconds.labels, ['web', '0']), 1);
    expect(writer.samples).toBe(2);
  });

  it('in strict mode refuses labels other than the declared ones in the declared order', () => {
    const writer = strict();
    writer.family(vcpuSeconds);
    expect(() => {
      writer.sample(labelText(['vcpu', 'domain'], ['0', 'web']), 1);
    }).toThrow('kvm_domain_vcpu_seconds_total has labels (vcpu,domain), declared (domain,vcpu)');
  });

  it('in strict mode refuses an unsound declaration', () => {
    expect(() => {
      strict().family({ ...vcpuSeconds, name: 'kvm_domain_vcpu_seconds' });
    }).toThrow('a counter ends in _total');
  });

  it('refuses a sample without a family', () => {
    expect(() => {
      strict().sample('', 1);
    }).toThrow('a sample before any family');
  });

  it('writes histogram samples under their suffixes', () => {
    const writer = strict();
    const family: Family = {
      name: 'kvm_exporter_read_seconds',
      help: 'h',
      type: 'histogram',
      unit: 'seconds',
      labels: [],
    };
    writer.family(family);
    writer.sample('{le="0.5"}', 1, '_bucket');
    writer.sample('{le="+Inf"}', 2, '_bucket');
    writer.sample('', 0.75, '_sum');
    writer.sample('', 2, '_count');
    writer.end();
    expect(Buffer.concat([...writer.take()]).toString()).toContain(
      'kvm_exporter_read_seconds_bucket{le="0.5"} 1\n' +
        'kvm_exporter_read_seconds_bucket{le="+Inf"} 2\n' +
        'kvm_exporter_read_seconds_sum 0.75\n' +
        'kvm_exporter_read_seconds_count 2\n',
    );
  });
});
