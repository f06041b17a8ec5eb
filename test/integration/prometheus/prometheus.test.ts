import { spawnSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { eventually } from '../../../lab/polling.ts';
import { Exposition } from '../../support/prometheus-text.ts';
import { NO_GUESTS, startExporter } from '../process/exporter-process.ts';
import { ScrapingPrometheus } from './scraping-prometheus.ts';
import { WatchedPath } from './watched-path.ts';

const TEXT = 'text/plain;version=0.0.4';
const JOBS = ['demo-openmetrics', 'demo-text', 'host-openmetrics', 'host-text'] as const;
const SCRAPES = 3;
/** The five series of its own that Prometheus 2.42 adds to each target. */
const REPORT_SERIES = 5;

describe('a real Prometheus', () => {
  const stack = new AsyncDisposableStack();
  let prometheus: ScrapingPrometheus;
  let paths: Readonly<Record<(typeof JOBS)[number], WatchedPath>>;

  beforeAll(async () => {
    const demo = stack.use(await startExporter('--demo'));
    const host = stack.use(await startExporter(...NO_GUESTS));
    paths = {
      'demo-openmetrics': stack.use(await WatchedPath.to(demo.url)),
      'demo-text': stack.use(await WatchedPath.to(demo.url, TEXT)),
      'host-openmetrics': stack.use(await WatchedPath.to(host.url)),
      'host-text': stack.use(await WatchedPath.to(host.url, TEXT)),
    };
    const addresses = Object.entries(paths).map(([job, path]) => [job, path.address] as const);
    prometheus = stack.use(await ScrapingPrometheus.of(Object.fromEntries(addresses)));
    await eventually('some scrapes of each', 90_000, async () => {
      const counts = await prometheus.query('count_over_time(up[1m])');
      return counts.filter(({ value }) => value >= SCRAPES).length === JOBS.length;
    });
  });

  afterAll(async () => {
    await stack.disposeAsync();
  });

  it('finds the exporter up, in both formats, at every scrape', async () => {
    for (const target of await prometheus.targets()) {
      expect(target).toMatchObject({ health: 'up', lastError: '' });
    }
    const worst = await prometheus.query('min_over_time(up[1m])');
    expect(worst.map(({ labels, value }) => [labels['job'], value]).toSorted()).toEqual(
      JOBS.map((job) => [job, 1]),
    );
  });

  it('was given OpenMetrics when it asked as it does, and text 0.0.4 when made to', () => {
    const types = JOBS.map((job) => paths[job].last.contentType.split(';')[0]);
    const [open, text] = ['application/openmetrics-text', 'text/plain'];
    expect(types).toEqual([open, text, open, text]);
    // It asks for gzip.
    expect(JOBS.map((job) => paths[job].last.encoding)).toEqual(['gzip', 'gzip', 'gzip', 'gzip']);
  });

  it('drops no sample', async () => {
    const scraped = byJob(await prometheus.query('scrape_samples_scraped'));
    expect([...scraped.keys()].toSorted()).toEqual([...JOBS]);
    for (const [job, samples] of scraped) expect([job, samples > 100]).toEqual([job, true]);
    const dropped = byJob(
      await prometheus.query('scrape_samples_scraped - scrape_samples_post_metric_relabeling'),
    );
    expect(JOBS.map((job) => dropped.get(job))).toEqual([0, 0, 0, 0]);
  });

  it('stores as many series as there are samples in an answer', async () => {
    await eventually('nothing changes while it is read', 110_000, async () => {
      const before = JOBS.map((job) => samplesOf(paths[job]));
      const stored = byJob(await prometheus.query('count by (job) ({job=~".+"})'));
      const scraped = byJob(await prometheus.query('scrape_samples_scraped'));
      const after = JOBS.map((job) => samplesOf(paths[job]));
      return JOBS.every((job, index) => {
        return (
          before[index] === after[index] &&
          scraped.get(job) === before[index] &&
          stored.get(job) === (before[index] ?? 0) + REPORT_SERIES
        );
      });
    });
  });

  it('has nothing to say about any sample', () => {
    const complaints = prometheus.log
      .split('\n')
      .filter((line) =>
        /level=(?:warn|error)|Error on ingesting|Duplicate sample|out.of.order/i.test(line),
      )
      // The reason Prometheus itself gives for its own start, not for a scrape.
      .filter((line) => !line.includes('component=tsdb'));
    expect(complaints).toEqual([]);
    expect(prometheus.log).toContain('Server is ready to receive web requests');
  });

  it('stores the values it was given', async () => {
    const demo = Exposition.parse(paths['demo-text'].last.text);
    const stored = await prometheus.query('kvm_domain_vcpus{job="demo-text"}');
    const vcpus = demo.all('kvm_domain_vcpus');
    expect(stored).toHaveLength(vcpus.length);
    for (const { labels, value } of stored) {
      expect(value).toBe(demo.value('kvm_domain_vcpus', { domain: labels['domain'] ?? '' }));
    }
    const demoFlag = byJob(await prometheus.query('kvm_exporter_demo'));
    expect(JOBS.map((job) => demoFlag.get(job))).toEqual([1, 1, 0, 0]);
  });

  it('promtool check metrics reads the text without a word', () => {
    for (const job of ['demo-text', 'host-text'] as const) {
      const input = paths[job].last.text;
      const run = spawnSync('promtool', ['check', 'metrics'], { input, encoding: 'utf8' });
      expect([job, run.status, run.stdout, run.stderr]).toEqual([job, 0, '', '']);
    }
  });
});

function byJob(
  samples: readonly {
    readonly labels: Readonly<Record<string, string>>;
    readonly value: number;
  }[],
): ReadonlyMap<string, number> {
  return new Map(samples.map(({ labels, value }) => [labels['job'] ?? '', value]));
}

function samplesOf(path: WatchedPath): number {
  return Exposition.parse(path.last.text).samples.length;
}
