import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';

import type { Family } from '../../../src/exposition/family.ts';
import { openMetricsFormat, textFormat } from '../../../src/exposition/format.ts';
import { closeLabels, openLabels } from '../../../src/exposition/labels.ts';
import { bodyStream, render, type Producer } from '../../../src/exposition/render.ts';
import { sampleExposition } from './sample-exposition.ts';

const FAMILIES: readonly Family[] = Array.from({ length: 50 }, (_, index) => ({
  name: `kvm_family_${index}_bytes`,
  help: 'One of fifty families.',
  type: 'gauge',
  unit: 'bytes',
  labels: ['domain', 'uuid', 'device'],
}));

/** `domains` × 2 devices × 50 families, label text kept between scrapes as the exporter does. */
function manySeries(domains: number): Producer {
  const labels = Array.from({ length: domains }, (_, index) => {
    const open = openLabels(['domain', 'uuid'], [`instance-${index}`, `6c1d-${index}`]);
    return ['vda', 'vdb'].map((device) => closeLabels(open, ['device'], [device]));
  });
  return function* (writer) {
    for (const family of FAMILIES) {
      writer.family(family);
      for (const devices of labels) {
        for (const device of devices) writer.sample(device, 123456789);
        yield;
      }
    }
  };
}

describe('rendering', () => {
  it('returns the totals after the last chunk', async () => {
    const chunks = render(manySeries(10), textFormat);
    let step = await chunks.next();
    while (step.done !== true) step = await chunks.next();
    expect(step.value).toEqual({ samples: 1000, dropped: 0 });
  });

  it('hands out chunks of about 64 KiB and never blocks the event loop for long', async () => {
    const produce = manySeries(1000);
    for (let warm = 0; warm < 2; warm += 1) {
      for await (const chunk of render(produce, textFormat))
        expect(chunk.length).toBeLessThan(70_000);
    }
    let longest = 0;
    let last = performance.now();
    let turns = 0;
    const watch = (): void => {
      const now = performance.now();
      longest = Math.max(longest, now - last);
      last = now;
      turns += 1;
      handle = setImmediate(watch);
    };
    let handle = setImmediate(watch);
    const start = performance.now();
    const cpu = process.cpuUsage();
    let bytes = 0;
    for await (const chunk of render(produce, textFormat)) bytes += chunk.length;
    const wall = performance.now() - start;
    const used = process.cpuUsage(cpu);
    clearImmediate(handle);
    console.log(
      `100,000 series, ${(bytes / 1e6).toFixed(1)} MB: ${wall.toFixed(0)} ms wall, ` +
        `${((used.user + used.system) / 1000).toFixed(0)} ms CPU, ${turns} turns, ` +
        `longest block ${longest.toFixed(1)} ms`,
    );
    expect(turns).toBeGreaterThan(5);
    // A slice is 3 ms; the rest is room for a busy machine and garbage collection.
    expect(longest).toBeLessThan(50);
  });

  it('passes an error of the producer on', async () => {
    const broken: Producer = function* (writer) {
      yield;
      writer.sample('', 1);
    };
    await expect(render(broken, textFormat).next()).rejects.toThrow('a sample before any family');
  });
});

describe('a response body', () => {
  it('is the same text through gzip as without', async () => {
    const bodies = await Promise.all(
      (['identity', 'gzip'] as const).map(async (encoding) => {
        const body = bodyStream(render(sampleExposition, openMetricsFormat), encoding);
        return Buffer.concat(await body.toArray());
      }),
    );
    const [plain, gzip] = bodies;
    expect(plain?.toString()).toMatch(/# EOF\n$/);
    expect(gunzipSync(gzip ?? Buffer.alloc(0)).toString()).toBe(plain?.toString());
  });

  it('ends in an error and not in a short text when the producer fails', async () => {
    const broken: Producer = function* () {
      yield;
      throw new Error('gone');
    };
    for (const encoding of ['identity', 'gzip'] as const) {
      const body = bodyStream(render(broken, textFormat), encoding);
      await expect(body.toArray()).rejects.toThrow('gone');
    }
  });

  it('stops the producer when the reader goes away', async () => {
    let stopped: boolean;
    const endless: Producer = function* (writer) {
      try {
        for (let index = 0; ; index += 1) {
          if (index % 1000 === 0)
            writer.family({ ...(FAMILIES[0] ?? fail()), name: `kvm_${index}` });
          writer.sample(`{i="${index}"}`, 1);
          yield;
        }
      } finally {
        stopped = true;
      }
    };
    for (const encoding of ['identity', 'gzip'] as const) {
      stopped = false;
      const body = bodyStream(render(endless, textFormat), encoding);
      for await (const chunk of body) {
        expect(chunk).toBeInstanceOf(Buffer);
        break;
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
      expect(stopped).toBe(true);
    }
  });
});

function fail(): never {
  throw new Error('no family');
}
