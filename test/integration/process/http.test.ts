import { once } from 'node:events';
import { connect } from 'node:net';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { eventually } from '../../../lab/polling.ts';
import { get } from '../../support/http.ts';
import { Exposition } from '../../support/prometheus-text.ts';
import { NO_GUESTS, startExporter, type ExporterProcess } from './exporter-process.ts';

const TEXT = 'text/plain; version=0.0.4; charset=utf-8';
const OPEN_METRICS =
  'application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=underscores';
/** What Prometheus 2.42 sends. */
const PROMETHEUS_ACCEPT =
  'application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1';

describe('the exporter over HTTP, on a host without libvirt', () => {
  let exporter: ExporterProcess;
  const metrics = (query = '', headers: Readonly<Record<string, string>> = {}) =>
    get(`${exporter.url}/metrics${query}`, headers);
  const scraped = async (query: string): Promise<Exposition> => {
    const { status, body } = await metrics(query);
    expect([status, status === 200 ? '' : body.toString()]).toEqual([200, '']);
    return Exposition.parse(body.toString());
  };

  beforeAll(async () => {
    exporter = await startExporter(...NO_GUESTS);
  });

  afterAll(async () => {
    await exporter[Symbol.asyncDispose]();
  });

  it.each([
    ['nothing', undefined, TEXT],
    ['*/*', '*/*', TEXT],
    ['text 0.0.4', 'text/plain;version=0.0.4', TEXT],
    ['OpenMetrics', 'application/openmetrics-text; version=1.0.0', OPEN_METRICS],
    ['what Prometheus does', PROMETHEUS_ACCEPT, OPEN_METRICS],
  ])('answers a client that accepts %s in the right format', async (_, accept, contentType) => {
    const { status, headers, body } = await metrics('', accept === undefined ? {} : { accept });
    expect(status).toBe(200);
    expect(headers['content-type']).toBe(contentType);
    expect(headers.vary).toBe('Accept, Accept-Encoding');
    expect(headers['content-encoding']).toBeUndefined();
    const text = body.toString();
    expect(text.endsWith('# EOF\n')).toBe(contentType === OPEN_METRICS);
    expect(Exposition.parse(text).value('kvm_libvirt_up')).toBe(0);
  });

  it.each([TEXT, OPEN_METRICS])('compresses %s for a client that accepts gzip', async (accept) => {
    const { headers, body } = await metrics('', { accept, 'accept-encoding': 'gzip' });
    expect(headers['content-encoding']).toBe('gzip');
    expect(headers['content-type']).toBe(accept);
    const text = gunzipSync(body).toString();
    expect(text.length).toBeGreaterThan(body.length * 2);
    expect(Exposition.parse(text).has('kvm_host_memory_size_bytes')).toBe(true);
  });

  it('declares types as the format has them: an info is a gauge in text 0.0.4', async () => {
    const types = async (accept: string) =>
      Exposition.parse((await metrics('', { accept })).body.toString()).types;
    const text = await types(TEXT);
    expect(text.get('kvm_exporter_build_info')).toBe('gauge');
    expect(text.get('kvm_host_context_switches_total')).toBe('counter');
    const open = await types(OPEN_METRICS);
    expect(open.get('kvm_exporter_build')).toBe('info');
    expect(open.get('kvm_host_context_switches')).toBe('counter');
  });

  it('says of nothing about guests that it could be read, and logs the one reason', async () => {
    const outcomes = new Map(
      (await scraped(''))
        .all('kvm_scrape_collector_success')
        .map(({ labels, value }) => [labels['collector'], value]),
    );
    const waiting = ['balloon', 'block', 'nic', 'process', 'guestksm', 'cgroup', 'image', 'mom'];
    for (const collector of ['domain', 'pool', ...waiting]) {
      expect([collector, outcomes.get(collector)]).toEqual([collector, 0]);
    }
    for (const collector of ['cpu', 'memory', 'vmstat']) {
      expect([collector, outcomes.get(collector)]).toEqual([collector, 1]);
    }
    await eventually('the log says why', 10_000, () => /failed" collector=pool/.test(exporter.log));
    expect(exporter.log).toContain('failed" collector=domain');
    for (const collector of waiting) expect(exporter.log).not.toContain(`collector=${collector}`);
  });

  it('collects only what collect[] names', async () => {
    const some = await scraped('?collect[]=memory&collect[]=ksm');
    expect(some.has('kvm_host_memory_size_bytes')).toBe(true);
    expect(some.has('kvm_host_cpu_seconds_total')).toBe(false);
    const collectors = some
      .all('kvm_scrape_collector_success')
      .map((one) => one.labels['collector']);
    expect(collectors.toSorted()).toEqual(['ksm', 'memory']);
  });

  it('collects all but what exclude[] names', async () => {
    const all = await scraped('');
    const some = await scraped('?exclude[]=memory');
    expect(some.has('kvm_host_memory_size_bytes')).toBe(false);
    expect(some.has('kvm_host_cpu_seconds_total')).toBe(true);
    const count = (one: Exposition) => one.all('kvm_scrape_collector_success').length;
    expect(count(some)).toBe(count(all) - 1);
  });

  it.each([
    ['an unknown collector', '?collect[]=vms', 'vms'],
    ['a collector that is switched off', '?collect[]=smaps', '--collector.smaps'],
    ['both filters at once', '?collect[]=cpu&exclude[]=memory', 'exclude[]'],
    ['what only looks like a filter', '?collect=memory', 'write collect[]'],
  ])('answers %s with 400 and one line', async (_, query, named) => {
    const { status, headers, body } = await metrics(query);
    expect(status).toBe(400);
    expect(headers['content-type']).toBe('text/plain; charset=utf-8');
    expect(body.toString()).toMatch(/^[^\n]+\n$/);
    expect(body.toString()).toContain(named);
  });

  it('answers a timeout that is no number with 400', async () => {
    const timeout = (value: string) =>
      metrics('', { 'X-Prometheus-Scrape-Timeout-Seconds': value });
    expect((await timeout('soon')).status).toBe(400);
    expect((await timeout('2.5')).status).toBe(200);
  });

  it('is healthy and ready, has a page, and nothing else', async () => {
    const statuses: [string, number][] = [];
    for (const path of ['/-/healthy', '/-/ready', '/', '/nothing', '/metrics/', '/-/reload']) {
      statuses.push([path, (await get(`${exporter.url}${path}`)).status]);
    }
    expect(Object.fromEntries(statuses)).toEqual({
      '/-/healthy': 200,
      '/-/ready': 200,
      '/': 200,
      '/nothing': 404,
      // Express takes the same path with a slash at the end for the same.
      '/metrics/': 200,
      '/-/reload': 404,
    });
    const page = await get(`${exporter.url}/`);
    expect(page.headers['content-type']).toBe('text/html; charset=utf-8');
    expect((await get(linkToMetrics(`${exporter.url}/`, page.body))).status).toBe(200);
  });

  it('counts its answers by status', async () => {
    await metrics('?collect[]=vms');
    const answers = await scraped('');
    const count = (code: string) => answers.value('kvm_exporter_http_requests_total', { code });
    expect(count('200')).toBeGreaterThan(0);
    expect(count('400')).toBeGreaterThan(0);
  });
});

describe('switches of the HTTP side', () => {
  it('answers 503 to scrapes beyond --web.max-requests, and serves those within', async () => {
    await using exporter = await startExporter('--demo', '--web.max-requests=1');
    // Two requests in one packet: the second is there before the first can be answered.
    const one = 'GET /metrics HTTP/1.1\r\nHost: localhost\r\n';
    const answer = await raw(exporter.port, `${one}\r\n${one}Connection: close\r\n\r\n`);
    const statuses = [...answer.matchAll(/^HTTP\/1\.1 (\d+)/gm)].map(([, status]) => status);
    expect(statuses).toEqual(['200', '503']);
    expect(answer).toContain('--web.max-requests');
    // It was not left counting.
    expect((await get(`${exporter.url}/metrics`)).status).toBe(200);
  });

  it('leaves out metrics about the exporter itself with --web.disable-exporter-metrics', async () => {
    const own = /^(?:process_|nodejs_|kvm_exporter_http_)/;
    const ownOf = async (...flags: readonly string[]) => {
      await using exporter = await startExporter(...NO_GUESTS, ...flags);
      const { body } = await get(`${exporter.url}/metrics`);
      const { samples } = Exposition.parse(body.toString());
      expect(samples.length).toBeGreaterThan(100);
      return samples.filter(({ name }) => own.test(name)).length;
    };
    expect(await ownOf()).toBeGreaterThan(10);
    expect(await ownOf('--web.disable-exporter-metrics')).toBe(0);
  });

  it('serves the metrics where --web.telemetry-path says, and only there', async () => {
    await using exporter = await startExporter('--demo', '--web.telemetry-path=/kvm');
    expect((await get(`${exporter.url}/kvm`)).status).toBe(200);
    expect((await get(`${exporter.url}/metrics`)).status).toBe(404);
    const page = await get(`${exporter.url}/`);
    expect(linkToMetrics(`${exporter.url}/`, page.body)).toBe(`${exporter.url}/kvm`);
  });

  it('switches collectors with --collector and --no-collector', async () => {
    await using exporter = await startExporter(
      ...NO_GUESTS,
      '--no-collector.cpu',
      '--collector.smaps',
    );
    const { body } = await get(`${exporter.url}/metrics`);
    const on = Exposition.parse(body.toString())
      .all('kvm_scrape_collector_success')
      .map(({ labels }) => labels['collector']);
    expect(on).not.toContain('cpu');
    expect(on).toContain('smaps');
    expect(on).toContain('memory');
  });
});

/** Where a person who opens the page gets when following the link to the metrics. */
function linkToMetrics(url: string, page: Buffer): string {
  const href = /<a href="([^"]*)">Metrics</.exec(page.toString())?.[1];
  if (href === undefined) throw new Error('the page has no link to the metrics');
  return new URL(href, url).href;
}

/** Sends a text over TCP and returns all that comes back. */
async function raw(port: number, text: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  let answer = '';
  socket.setEncoding('utf8').on('data', (part: string) => (answer += part));
  socket.write(text);
  await once(socket, 'close');
  return answer;
}
