import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { join } from 'node:path';

import { eventually } from '../../lab/polling.ts';
import { readNodeOptions } from '../../packaging/node-options.ts';
import type { Pick } from '../support/libvirt/damage.ts';
import { mangled } from './mangle.ts';
import type { Outcome, Target } from './target.ts';

const MAIN = join(import.meta.dirname, '../../src/main.ts');
const AT_ONCE = 64;
const PIPELINED = 6;
/** A connection on which nothing moves any more. */
const MAX_ANSWER_MS = 5000;
/** After so long without an answer the exporter waits for more of a request. */
const QUIET_MS = 100;
/** What an answer may say. */
const STATUSES = new Set([100, 200, 204, 400, 404, 405, 408, 413, 414, 417, 421, 431, 503]);

const HEADS = [
  ...[
    'GET / HTTP/1.1',
    'GET /metrics HTTP/1.1',
    'HEAD /metrics HTTP/1.1',
    'GET /-/healthy HTTP/1.1',
  ],
  ...[
    'GET /-/ready HTTP/1.1',
    'GET /metrics?collect[]=cpu&collect[]=memory HTTP/1.1',
    'OPTIONS * HTTP/1.1',
  ],
  ...['GET http://localhost/metrics HTTP/1.1', 'GET /%2e%2e/x HTTP/1.1', 'POST /metrics HTTP/1.1'],
  ...['GET /metrics?collect[]=constructor HTTP/1.1', 'GET /nothing?a[b]=c&a=__proto__ HTTP/1.1'],
  ...['DELETE / HTTP/1.0', 'PRI * HTTP/2.0', 'CONNECT a:99999 HTTP/1.1', 'GET //a:b@c/d HTTP/1.1'],
];
const FIELDS = [
  ...[
    'Host: localhost',
    'Host: evil.example',
    'Host:',
    'Accept: application/openmetrics-text;q=1,*/*;q=0',
  ],
  ...[
    'Accept: text/plain;version=0.0.4;q=0.5',
    'Accept-Encoding: gzip;q=0, identity',
    'Expect: 100-continue',
  ],
  ...[
    'X-Prometheus-Scrape-Timeout-Seconds: 10',
    'X-Prometheus-Scrape-Timeout-Seconds: 1e309',
    'Content-Length: 5',
  ],
  ...[
    'Transfer-Encoding: chunked',
    'Authorization: Basic YTpi',
    'Connection: Upgrade',
    'Upgrade: h2c',
    'Range: bytes=0-',
  ],
  ...[
    'Cookie: a=b',
    'X-Forwarded-For: 1.2.3.4',
    'Content-Length: 18446744073709551616',
    'Connection: keep-alive, close',
  ],
];
const PIECES = [
  '\r\n',
  '\r',
  '\n',
  '\r\n\r\n',
  '%00',
  '%zz',
  '%',
  '/../',
  '?',
  '#',
  '@',
  ':',
  '\t',
  '\0',
  '[]',
];

/** A whole exporter under requests of somebody who means no good, many connections at once. */
export const httpRequests: Target = {
  name: 'http-requests',
  async open() {
    const flags = ['--demo', '--web.listen-address=127.0.0.1:0'];
    const child = spawn(process.execPath, [...readNodeOptions(), MAIN, ...flags], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let log = '';
    child.stderr
      .setEncoding('utf8')
      .on('data', (text: string) => (log = (log + text).slice(-65_536)));
    const ended = once(child, 'exit');
    const port = await eventually('the exporter listens', 30_000, () => {
      if (child.exitCode !== null) throw new Error(log);
      const found = /msg=listening address=\S+?:(\d+)/.exec(log)?.[1];
      return found === undefined ? undefined : Number(found);
    });
    const underWay = new Set<Promise<void>>();
    const failures: Error[] = [];
    const outcomes: Outcome[] = [];
    const raiseFailure = (): void => {
      const failure = failures.shift();
      if (failure !== undefined) throw failure;
      if (child.exitCode !== null) throw new Error(`the exporter ended: ${log}`);
      if (/^ +at /m.test(log)) throw new Error(`a trace in the log: ${log}`);
    };
    return {
      async attempt(pick): Promise<Outcome> {
        raiseFailure();
        const text = requests(pick);
        const exchange = answersTo(port, text, pick)
          .then((received) => {
            judge(received);
            outcomes.push(received.includes('HTTP/1.1 200 ') ? 'value' : 'refusal');
          })
          .catch((error: unknown) => {
            failures.push(new Error(JSON.stringify(text.slice(0, 800)), { cause: error }));
          });
        const tracked = exchange.finally(() => underWay.delete(tracked));
        underWay.add(tracked);
        if (underWay.size >= AT_ONCE) await Promise.race(underWay);
        // Of one sent earlier: many are under way.
        return outcomes.shift() ?? 'refusal';
      },
      async finish() {
        await Promise.all(underWay);
        raiseFailure();
        const last = 'GET /metrics HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';
        const answer = await answersTo(port, last, () => 1);
        judge(answer);
        if (!answer.startsWith('HTTP/1.1 200 ')) {
          throw new Error(`it does not answer: ${answer.slice(0, 200)}`);
        }
      },
      async memory() {
        await Promise.all(underWay);
        const metrics = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
        const bytes = /^process_resident_memory_bytes (\S+)$/m.exec(metrics)?.[1];
        if (bytes === undefined) throw new Error('no memory in the metrics');
        return Number(bytes);
      },
      async [Symbol.asyncDispose]() {
        child.kill('SIGKILL');
        await ended;
      },
    };
  },
};

/** One to six requests in a row; the last ends the connection, if it is understood. */
function requests(pick: Pick): string {
  const many = pick(5) === 0 ? 1 + pick(PIPELINED) : 1;
  let text = '';
  for (let i = 1; i <= many; i += 1) {
    // A scrape costs more than all others together.
    const head = HEADS[pick(12) === 0 ? pick(HEADS.length) : 2 + pick(HEADS.length - 2)] ?? '';
    const fields = Array.from({ length: pick(4) }, () => FIELDS[pick(FIELDS.length)] ?? '');
    const host = pick(8) === 0 ? [] : ['Host: localhost'];
    const end = i === many ? ['Connection: close'] : [];
    text += `${[head, ...host, ...fields, ...end].join('\r\n')}\r\n\r\n`;
  }
  return pick(3) === 0 ? text : mangled(text, pick, PIECES);
}

/** All that comes back until the other end hangs up, which it must do after ours is shut. */
function answersTo(port: number, text: string, pick: Pick): Promise<string> {
  return new Promise((resolve, reject) => {
    let received = '';
    const socket = connect({ port, host: '127.0.0.1' });
    const timer = setTimeout(() => {
      socket.destroy();
      reject(new Error(`no end after ${MAX_ANSWER_MS} ms: ${received.slice(0, 300)}`));
    }, MAX_ANSWER_MS);
    socket.setEncoding('latin1').on('data', (part: string) => (received += part));
    // Being hung up on in the middle of what one says is an answer too.
    socket.on('error', () => undefined);
    socket.once('close', () => {
      clearTimeout(timer);
      resolve(received);
    });
    const cut = pick(4) === 0 ? pick(text.length + 1) : text.length;
    socket.write(text.slice(0, cut), 'latin1');
    socket.write(text.slice(cut), 'latin1');
    // To who has said all, an end is a hang-up: only where more is waited for.
    socket.setTimeout(QUIET_MS, () => socket.end());
  });
}

function judge(received: string): void {
  if (received === '') return;
  if (!/^HTTP\/1\.1 \d{3} /.test(received)) throw new Error(`no HTTP: ${received.slice(0, 200)}`);
  for (const [, status] of received.matchAll(/^HTTP\/1\.1 (\d{3}) /gm)) {
    if (!STATUSES.has(Number(status))) throw new Error(`${status}: ${received.slice(0, 500)}`);
  }
  if (/^ +at .*:\d+:\d+|node_modules|\.ts:\d+/m.test(received)) {
    throw new Error(`a trace: ${received.slice(0, 500)}`);
  }
  if (/^kvm_\S+ (?:NaN|[+-]?Inf)/m.test(received)) throw new Error('a false number in the metrics');
}
