import { readdir } from 'node:fs/promises';
import { Agent, request } from 'node:http';
import { describe, expect, it } from 'vitest';

import { COLLECTORS } from '../../../src/model/collectors.ts';
import { run } from '../../../lab/command.ts';
import { NO_GUESTS, startExporter } from './exporter-process.ts';

/** A connection that is kept, as Prometheus keeps its own: it needs no descriptor later. */
class OneConnection extends Agent implements Disposable {
  readonly #url: string;

  constructor(url: string) {
    super({ keepAlive: true, maxSockets: 1 });
    this.#url = url;
  }

  /** What one collector alone gives. */
  scrape(collector: string): Promise<Scraped> {
    const { promise, resolve, reject } = Promise.withResolvers<Scraped>();
    request(`${this.#url}/metrics?collect[]=${collector}`, { agent: this }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => (text += part));
      response.once('end', () => {
        resolve({
          success: text.includes(`kvm_scrape_collector_success{collector="${collector}"} 1\n`),
          families: new Set([...text.matchAll(/^kvm_(?!exporter_)\w+/gm)].map(([name]) => name)),
        });
      });
    })
      .once('error', reject)
      .end();
    return promise;
  }

  [Symbol.dispose](): void {
    this.destroy();
  }
}

interface Scraped {
  readonly success: boolean;
  readonly families: ReadonlySet<string>;
}

describe('an exporter that has no file descriptor left', () => {
  it('loses no family of a collector that says all is well, and recovers', async () => {
    await using exporter = await startExporter(...NO_GUESTS);
    using connection = new OneConnection(exporter.url);
    const scrapeAll = async (): Promise<ReadonlyMap<string, Scraped>> => {
      const scraped = new Map<string, Scraped>();
      for (const { name, enabledByDefault } of COLLECTORS) {
        if (enabledByDefault) scraped.set(name, await connection.scrape(name));
      }
      return scraped;
    };
    const limitTo = (descriptors: number): Promise<string> =>
      run('prlimit', [`--pid=${exporter.pid}`, `--nofile=${descriptors}:`]);

    const before = await scrapeAll();
    const open = new Set((await readdir(`/proc/${exporter.pid}/fd`)).map(Number));
    let free = 0;
    while (open.has(free)) free += 1;
    await limitTo(free);
    const without = await scrapeAll();
    await limitTo(1024);
    const after = await scrapeAll();

    let gone = 0;
    for (const [collector, { families, success }] of without) {
      const lost = [...(before.get(collector)?.families ?? [])].filter(
        (name) => !families.has(name),
      );
      gone += lost.length;
      if (success) expect({ collector, lost }).toEqual({ collector, lost: [] });
      expect(after.get(collector)).toEqual(before.get(collector));
    }
    expect(gone).toBeGreaterThan(50);
  });
});
