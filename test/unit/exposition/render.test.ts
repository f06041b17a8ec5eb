import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';

import type { Family } from '../../../src/exposition/family.ts';
import { openMetricsFormat, textFormat } from '../../../src/exposition/format.ts';
import { closeLabels, openLabels } from '../../../src/exposition/labels.ts';
import { bodyStream, render, type Producer } from '../../../src/exposition/render.ts';
import { sampleExposition } from '../../support/exposition/sample-exposition.ts';

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

  it('hands out chunks of about 64 KiB', async () => {
    let chunks = 0;
    for await (const chunk of render(manySeries(100), textFormat)) {
      expect(chunk.length).toBeLessThan(70_000);
      chunks += 1;
    }
    expect(chunks).toBeGreaterThan(10);
  });

  it('gives the event loop a turn every few milliseconds, also with 500,000 series', async () => {
    const produce = manySeries(5000);
    const blocks: number[] = [];
    let last = performance.now();
    const watch = (): void => {
      const now = performance.now();
      blocks.push(now - last);
      last = now;
      handle = setImmediate(watch);
    };
    let handle = setImmediate(watch);
    let bytes = 0;
    for await (const chunk of render(produce, textFormat)) bytes += chunk.length;
    clearImmediate(handle);
    expect(bytes).toBeGreaterThan(40e6);
    expect(blocks.length).toBeGreaterThan(10);
    // The usual block is the renderer's slice; the longest is what else the machine was doing, and
    // bench/scale holds that one to its bar.
    expect(blocks.sort((one, other) => one - other)[Math.floor(blocks.length / 2)]).toBeLessThan(
      25,
    );
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
