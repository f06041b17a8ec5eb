import { once } from 'node:events';
import { hostname } from 'node:os';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { eventually } from '../../../lab/polling.ts';
import { get } from '../../support/http.ts';
import { statusBytes } from '../../support/process-readings.ts';
import { startExporter, type ExporterProcess } from '../process/exporter-process.ts';
import { answerTo, RawConnection } from './raw-http.ts';

const MEGABYTE = 1024 * 1024;
const CLOSE = 'Connection: close\r\n';

describe('requests of somebody who means no good', () => {
  let exporter: ExporterProcess;

  beforeAll(async () => {
    exporter = await startExporter('--demo');
  });

  afterAll(async () => {
    await exporter[Symbol.asyncDispose]();
  });

  it.each([
    ['a port that is none', 'GET http://a:99999/metrics HTTP/1.1\r\nHost: a', 400],
    ['a URL without host', 'GET http:/// HTTP/1.1\r\nHost: localhost', 400],
    ['a user in a URL', 'GET http://u:p@localhost/ HTTP/1.1\r\nHost: localhost', 400],
    ['a URL that is not of HTTP', 'GET ftp://localhost/metrics HTTP/1.1\r\nHost: localhost', 400],
    ['an escape that is none', 'GET /%zz HTTP/1.1\r\nHost: localhost', 400],
    ['a fragment', 'GET /metrics#a HTTP/1.1\r\nHost: localhost', 400],
    ['the server as a whole', 'GET * HTTP/1.1\r\nHost: localhost', 400],
    ['a path of two slashes', 'GET // HTTP/1.1\r\nHost: localhost', 400],
    ['a path up', 'GET /../../etc/passwd HTTP/1.1\r\nHost: localhost', 404],
    ['an escaped NUL', 'GET /%00 HTTP/1.1\r\nHost: localhost', 404],
    ['options of all', 'OPTIONS * HTTP/1.1\r\nHost: localhost', 405],
    ['a deletion', 'DELETE /metrics HTTP/1.1\r\nHost: localhost', 405],
    ['a tunnel', 'CONNECT a:99999 HTTP/1.1\r\nHost: a:99999', 405],
    ['a body', 'GET /metrics HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5', 413],
    ['chunks', 'GET / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked', 413],
    ['two hosts', 'GET /metrics HTTP/1.1\r\nHost: localhost\r\nHost: evil.example', 400],
    ['two hosts, with a URL', 'GET http://localhost/ HTTP/1.1\r\nHost: a\r\nHost: b', 400],
    ['a host that is none', 'GET /metrics HTTP/1.1\r\nHost: a b', 400],
    ['no host', 'GET /metrics HTTP/1.1', 400],
    ['HTTP/2', 'PRI * HTTP/2.0', 400],
    ['no HTTP', 'hello', 400],
    ['a huge header', `GET / HTTP/1.1\r\nHost: localhost\r\nX: ${'x'.repeat(20_000)}`, 431],
  ])('%s: refused with one line and no trace', async (_, request, status) => {
    const { statuses, received } = await answerTo(exporter.port, `${request}\r\n${CLOSE}\r\n`);
    expect(statuses).toEqual([status]);
    expect(received).not.toMatch(/ at |\.[jt]s\b|node_modules|<html|Error/);
    expect(exporter.log).not.toMatch(/^ +at /m);
  });

  it.each([
    ['HTTP/1.0 without a host', 'GET /metrics HTTP/1.0'],
    ['a whole URL', 'GET http://localhost:1/metrics HTTP/1.1\r\nHost: evil.example'],
    ['a protocol to change to', 'GET /metrics HTTP/1.1\r\nHost: a\r\nUpgrade: h2c'],
    ['a range', 'GET /metrics HTTP/1.1\r\nHost: a\r\nRange: bytes=0-9'],
  ])('%s: the metrics are answered', async (_, request) => {
    const { statuses, received } = await answerTo(exporter.port, `${request}\r\n${CLOSE}\r\n`);
    expect(statuses).toEqual([200]);
    expect(received).toContain('kvm_exporter_build_info{');
  });

  it('the head alone costs no collection and has no body', async () => {
    for (const path of ['/metrics', '/']) {
      const request = `HEAD ${path} HTTP/1.1\r\nHost: localhost\r\n${CLOSE}\r\n`;
      const { received } = await answerTo(exporter.port, request);
      expect(received).toMatch(/^HTTP\/1\.1 200 OK\r\n[^]*\r\n\r\n$/);
    }
  });

  it('fill no log: a line a minute for each kind', async () => {
    await using fresh = await startExporter('--demo');
    const request = `GET http://a:99999/metrics HTTP/1.1\r\nHost: a\r\n${CLOSE}\r\n`;
    for (let i = 0; i < 300; i += 1) await answerTo(fresh.port, request);
    for (let i = 0; i < 300; i += 1) await answerTo(fresh.port, 'hello\r\n\r\n');
    const refusals = fresh.log.split('\n').filter((line) => line.includes('level=warn'));
    expect(refusals.map((line) => /msg=("[^"]*"|\S+)/.exec(line)?.[1])).toEqual([
      '"request refused"',
      '"connection closed: no sound request"',
    ]);
  });

  describe('under a name that is not ours', () => {
    const statusOf = async (path: string, host: string): Promise<number> =>
      (await get(`${exporter.url}${path}`, { host })).status;

    it.each(['evil.example', 'localhost.evil.example', '192.0.2.1', '[2001:db8::1]:9177'])(
      '%j: 421 but for the metrics and health checks',
      async (host) => {
        expect(await statusOf('/', host)).toBe(421);
        expect(await statusOf('/nothing', host)).toBe(421);
        expect(await statusOf('/metrics', host)).toBe(200);
        expect(await statusOf('/-/healthy', host)).toBe(200);
        expect(await statusOf('/-/ready', host)).toBe(200);
      },
    );

    it.each(['GET / HTTP/1.0', 'GET / HTTP/1.1\r\nHost:'])(
      'none at all, %j: 421',
      async (request) => {
        const { statuses } = await answerTo(exporter.port, `${request}\r\n${CLOSE}\r\n`);
        expect(statuses).toEqual([421]);
      },
    );

    it('a whole URL decides before the Host header', async () => {
      const ask = (url: string, host: string) =>
        answerTo(exporter.port, `GET ${url} HTTP/1.1\r\nHost: ${host}\r\n${CLOSE}\r\n`);
      expect((await ask('http://evil.example/', 'localhost')).statuses).toEqual([421]);
      expect((await ask('http://localhost/', 'evil.example')).statuses).toEqual([200]);
    });

    it.each([
      'localhost',
      'LOCALHOST.:1',
      '127.0.0.1:9177',
      '127.9.8.7',
      '[::1]',
      hostname(),
      hostname().split('.')[0] ?? '',
    ])('%s is ours', async (host) => {
      expect(await statusOf('/', host)).toBe(200);
    });

    it('is ours with --web.allowed-host', async () => {
      await using known = await startExporter(
        '--demo',
        '--web.allowed-host=kvm1.example.com',
        '--web.allowed-host=192.0.2.1',
      );
      const ask = async (host: string) => (await get(`${known.url}/`, { host })).status;
      expect(await ask('KVM1.example.com:9177')).toBe(200);
      expect(await ask('192.0.2.1')).toBe(200);
      expect(await ask('kvm2.example.com')).toBe(421);
    });
  });
});

describe('more requests than can be answered', () => {
  it.each([
    ['/', 1],
    ['/metrics', 1],
    ['/-/healthy', 1],
    ['/nothing', 1],
    ['/', 5],
  ])(
    '1.1 MB of GET %s on %i connections cost no memory and nobody else a scrape',
    async (path, connections) => {
      await using exporter = await startExporter('--demo');
      using ends = new DisposableStack();
      const scrapeMs = async () => {
        const { status, milliseconds } = await get(`${exporter.url}/metrics`);
        expect(status).toBe(200);
        return milliseconds;
      };
      for (let i = 0; i < 20; i += 1) {
        await scrapeMs();
        await get(`${exporter.url}/`);
      }
      const before = statusBytes(exporter.pid, 'VmRSS');
      const request = `GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`;
      const flood = request.repeat(Math.ceil((1.1 * MEGABYTE) / request.length));
      for (let i = 0; i < connections; i += 1) {
        const connection = await RawConnection.open(exporter.port);
        // It does not read either.
        connection.socket.pause();
        connection.send(flood);
        ends.defer(() => connection.socket.destroy());
      }
      let most = before;
      for (let i = 0; i < 20; i += 1) {
        expect(await scrapeMs()).toBeLessThan(5000);
        most = Math.max(most, statusBytes(exporter.pid, 'VmRSS'));
      }
      const grownBy = Math.round((most - before) / MEGABYTE);
      expect(grownBy, 'MB').toBeLessThan(50);
      // For the reader of a log of tests.
      console.info(`${connections} × GET ${path}: ${grownBy} MB more`);
    },
  );

  it('at the same time share one collection and one rendering', async () => {
    await using exporter = await startExporter('--demo');
    const request = 'GET /metrics HTTP/1.1\r\nHost: localhost\r\n';
    const requests = `${request}\r\n`.repeat(7) + `${request}${CLOSE}\r\n`;
    const { statuses, received } = await answerTo(exporter.port, requests);
    expect(statuses).toEqual(Array(8).fill(200));
    // A second rendering would find that the exporter has used more of the CPU.
    const used = received.match(/^process_cpu_user_seconds_total .*$/gm);
    expect(used).toHaveLength(8);
    expect(new Set(used).size).toBe(1);
  });

  it('count over all routes, and health checks are answered all the same', async () => {
    await using exporter = await startExporter('--demo', '--web.max-requests=1');
    const one = (path: string) => `GET ${path} HTTP/1.1\r\nHost: localhost\r\n`;
    for (const [first, second] of [
      ['/', '/metrics'],
      ['/metrics', '/'],
      ['/', '/'],
    ] as const) {
      // In one packet: the second is there before the first can be answered.
      const requests = `${one(first)}\r\n${one(second)}\r\n${one('/-/healthy')}${CLOSE}\r\n`;
      const { statuses, received } = await answerTo(exporter.port, requests);
      expect(statuses).toEqual([200, 503, 200]);
      expect(received).toContain('--web.max-requests');
    }
    expect((await get(`${exporter.url}/`)).status).toBe(200);
  });

  it('come to an end on a connection: the hundredth answer closes it', async () => {
    await using exporter = await startExporter('--demo');
    using connection = await RawConnection.open(exporter.port);
    for (let i = 1; i <= 100; i += 1) {
      connection.send('GET /-/healthy HTTP/1.1\r\nHost: a\r\n\r\n');
      await eventually('an answer', 5000, async () => {
        if (connection.statuses.length < i) await once(connection.socket, 'data');
        return connection.statuses.length === i;
      });
    }
    await connection.closed;
    expect(connection.received.match(/^Connection: close/gim)).toHaveLength(1);
  });
});
