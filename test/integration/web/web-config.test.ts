import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { hash } from 'bcryptjs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { attempt, run, type CommandResult } from '../../../lab/command.ts';
import { eventually } from '../../../lab/polling.ts';
import { runToEnd, startExporter, type ExporterProcess } from '../process/exporter-process.ts';
import { makeAuthority, makeCertificate } from './certificates.ts';
import { RawConnection } from './raw-http.ts';

/** curl's exit codes when the handshake or the connection is broken off. */
const BROKEN_OFF = [35, 52, 55, 56];

describe('--web.config.file', () => {
  let directory: string;
  let passwordHash: string;
  const file = (name: string): string => join(directory, name);
  const webConfig = (text: string, name = 'web.yaml'): string => {
    writeFileSync(file(name), text);
    return `--web.config.file=${file(name)}`;
  };
  const start = (text: string): Promise<ExporterProcess> =>
    startExporter('--demo', webConfig(text));
  /** curl, which trusts our authority, asking for a path over HTTPS. */
  const ask = (
    exporter: ExporterProcess,
    path: string,
    ...options: readonly string[]
  ): Promise<CommandResult> =>
    attempt('curl', [
      ...['--silent', '--show-error', '--max-time', '20', '--cacert', file('authority.pem')],
      ...['--output', file('body'), '--write-out', '%{http_code}', ...options],
      `${exporter.url.replace('http:', 'https:')}${path}`,
    ]);
  const certificate = (name: string): readonly string[] => [
    ...['--cert', file(`${name}.pem`), '--key', file(`${name}.key`)],
  ];

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'web-config-'));
    await makeAuthority(directory, 'authority');
    await makeAuthority(directory, 'stranger');
    for (const name of ['server', 'renewed', 'client']) {
      await makeCertificate(directory, name, 'authority');
    }
    await makeCertificate(directory, 'unknown', 'stranger');
    passwordHash = await hash('secret: ä', 4);
  });

  afterAll(() => {
    rmSync(directory, { recursive: true, force: true });
  });

  const TLS = 'tls_server_config:\n  cert_file: server.pem\n  key_file: server.key\n';

  it('with a certificate, named relative to the file, serves HTTPS and nothing else', async () => {
    await using exporter = await start(TLS);
    for (const path of ['/metrics', '/', '/-/healthy']) {
      expect(await ask(exporter, path)).toMatchObject({ status: 0, stdout: '200' });
    }
    expect(exporter.log).toContain('tls=true');
    await expect(fetch(`${exporter.url}/metrics`)).rejects.toThrow();
  });

  it('speaks TLS 1.2 and 1.3, or what the file says', async () => {
    const oldest = ['--tls-max', '1.2'];
    {
      await using exporter = await start(TLS);
      expect(await ask(exporter, '/metrics', ...oldest)).toMatchObject({ stdout: '200' });
      const older = await ask(exporter, '/metrics', '--tls-max', '1.1', '--tlsv1');
      expect(BROKEN_OFF).toContain(older.status);
    }
    await using exporter = await start(`${TLS}  min_version: TLS13\n`);
    expect(BROKEN_OFF).toContain((await ask(exporter, '/metrics', ...oldest)).status);
    expect(await ask(exporter, '/metrics')).toMatchObject({ stdout: '200' });
  });

  it('takes the cipher suites and curves of the file, in their order', async () => {
    const suites = [
      'TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256',
      'TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256',
    ];
    const config = `${TLS}  cipher_suites: [${suites.join(', ')}]\n  curve_preferences: [CurveP384]\n`;
    await using exporter = await start(config);
    const { port } = new URL(exporter.url);
    const handshake = async (...options: readonly string[]) => {
      const target = ['s_client', '-connect', `127.0.0.1:${port}`];
      const { stdout } = await attempt('openssl', [...target, ...options]);
      return stdout;
    };
    const chosen = async (...options: readonly string[]) =>
      /Cipher is (\S+)$/m.exec(await handshake('-tls1_2', ...options))?.[1];
    // The client would rather have the second.
    const wishes = 'ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-CHACHA20-POLY1305';
    expect(await chosen('-cipher', wishes)).toBe('ECDHE-ECDSA-CHACHA20-POLY1305');
    expect(await chosen('-cipher', 'ECDHE-ECDSA-AES256-GCM-SHA384')).toBe('(NONE)');
    expect(await handshake('-tls1_2')).toMatch(/^Server Temp Key: ECDH, (?:P-384|secp384r1)/m);
    expect(await ask(exporter, '/metrics', '--tlsv1.3')).toMatchObject({ stdout: '200' });
    expect(BROKEN_OFF).toContain((await ask(exporter, '/metrics', '--curves', 'X25519')).status);
  });

  it('adds the headers of the file to every answer, and others after SIGHUP', async () => {
    const headers = (frame: string) =>
      `http_server_config:\n  http2: false\n  headers: { X-Frame-Options: ${frame} }\n`;
    await using exporter = await start(headers('deny'));
    const frames = async () => {
      const answers = ['/', '/metrics', '/-/healthy', '/nothing'].map(async (path) => {
        const response = await fetch(`${exporter.url}${path}`);
        await response.arrayBuffer();
        return response.headers.get('x-frame-options');
      });
      return new Set(await Promise.all(answers));
    };
    expect(await frames()).toEqual(new Set(['deny']));
    webConfig(headers('sameorigin'));
    exporter.signal('SIGHUP');
    await eventually('the file is read', 10_000, () => exporter.log.includes('configuration read'));
    expect(await frames()).toEqual(new Set(['sameorigin']));
  });

  describe('asks clients for a certificate as client_auth_type says', () => {
    it.each([
      // Type, answers without a certificate, with one of our authority, with a stranger's.
      ['NoClientCert', '', [true, true, true]],
      ['RequestClientCert', '', [true, true, true]],
      ['RequireAnyClientCert', '', [false, true, true]],
      ['VerifyClientCertIfGiven', '  client_ca_file: authority.pem\n', [true, true, false]],
      ['RequireAndVerifyClientCert', '  client_ca_file: authority.pem\n', [false, true, false]],
    ])('%s', async (type, authority, answered) => {
      await using exporter = await start(`${TLS}  client_auth_type: ${type}\n${authority}`);
      const answers = [
        await ask(exporter, '/metrics'),
        await ask(exporter, '/metrics', ...certificate('client')),
        await ask(exporter, '/metrics', ...certificate('unknown')),
      ];
      expect(answers.map(({ stdout }) => stdout === '200')).toEqual(answered);
      for (const { stdout, status } of answers) {
        if (stdout !== '200') expect(BROKEN_OFF).toContain(status);
      }
    });
  });

  it('asks for a login everywhere, and takes the right one alone', async () => {
    await using exporter = await start(`${TLS}basic_auth_users:\n  alice: ${passwordHash}\n`);
    const login = (user: string) => ask(exporter, '/metrics', '--user', user);
    expect((await login('alice:secret: ä')).stdout).toBe('200');
    expect((await login('alice:secret: ä')).stdout).toBe('200');
    for (const wrong of ['alice:secret', 'alice:', 'bob:secret: ä', ':secret: ä']) {
      expect((await login(wrong)).stdout, wrong).toBe('401');
    }
    for (const path of ['/', '/metrics', '/-/healthy', '/nothing']) {
      expect((await ask(exporter, path)).stdout, path).toBe('401');
    }
    const headers = await run('curl', [
      ...['--silent', '--head', '--cacert', file('authority.pem')],
      exporter.url.replace('http:', 'https:'),
    ]);
    expect(headers).toMatch(/^WWW-Authenticate: Basic realm="kvm-overcommit-exporter"/im);
    // Neither the password nor its hash is anybody's business.
    expect(exporter.log).not.toMatch(/secret|\$2/);
  });

  it('stops in bounded time, however far a handshake or an answer has come', async () => {
    await using exporter = await startExporter('--demo', '--scrape.timeout=2s', webConfig(TLS));
    // Nothing, the beginning of a ClientHello, and a connection that asks nothing after its handshake.
    using silent = await RawConnection.open(exporter.port);
    using half = await RawConnection.open(exporter.port);
    half.send('\x16\x03\x01\x02\x00\x01\x00');
    const shaken = connectTls({
      port: exporter.port,
      host: '127.0.0.1',
      rejectUnauthorized: false,
    });
    await once(shaken, 'secureConnect');
    shaken.on('error', () => undefined).write('GET /metrics HTTP/1.1\r\nHost: a');
    expect((await ask(exporter, '/-/ready')).stdout).toBe('200');
    const from = performance.now();
    exporter.signal('SIGTERM');
    expect((await exporter.ended).code).toBe(0);
    expect(performance.now() - from).toBeLessThan(2000 + 1000 + 2000);
    await Promise.all([silent.closed, half.closed]);
  });

  it('guards TLS as it guards plain connections', async () => {
    await using exporter = await start(TLS);
    const host = (name: string) => ask(exporter, '/', '--header', `Host: ${name}`);
    expect((await host('evil.example')).stdout).toBe('421');
    expect((await host('localhost')).stdout).toBe('200');
    const target = ['--request-target', 'http://a:99999/metrics'];
    expect((await ask(exporter, '/', ...target)).stdout).toBe('400');
    expect((await ask(exporter, '/metrics', '--request', 'DELETE')).stdout).toBe('405');
    const socket = connectTls({
      port: exporter.port,
      host: '127.0.0.1',
      rejectUnauthorized: false,
    });
    await once(socket, 'secureConnect');
    const closed = new Promise((resolve) =>
      socket.on('error', () => undefined).once('close', resolve),
    );
    socket.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n'.repeat(30_000));
    await closed;
    expect((await ask(exporter, '/metrics')).stdout).toBe('200');
  });

  it("of one address' wrong logins delay neither scrapes nor another's right one", async () => {
    const slow = await hash('secret: ä', 11);
    await using exporter = await start(`basic_auth_users:\n  alice: ${slow}\n`);
    const header = (login: string) =>
      `Authorization: Basic ${Buffer.from(login).toString('base64')}\r\n`;
    const request = (login: string) => `GET /-/healthy HTTP/1.1\r\nHost: a\r\n${header(login)}\r\n`;
    const statusOf = async (login: string, address: string) => {
      using connection = await RawConnection.open(exporter.port, address);
      const from = performance.now();
      connection.send(request(login));
      await once(connection.socket, 'data');
      return { status: connection.statuses[0], milliseconds: performance.now() - from };
    };
    // The thread has begun, and a check costs what it costs.
    const { milliseconds: one } = await statusOf('alice:wrong', '127.0.0.1');
    const attack = Array.from({ length: 40 }, (_, i) => statusOf(`alice:${i}`, '127.0.0.2'));
    const right = await statusOf('alice:secret: ä', '127.0.0.3');
    expect(right.status).toBe(200);
    // Its own, and at most the one that was under way.
    expect(right.milliseconds).toBeLessThan(one * 4);
    // Known now, it waits for nobody, from the attacker's address neither.
    expect((await statusOf('alice:secret: ä', '127.0.0.2')).milliseconds).toBeLessThan(one);
    const statuses = (await Promise.all(attack)).map(({ status }) => status);
    expect(new Set(statuses)).toEqual(new Set([401, 503]));
  });

  it('logins work without TLS too', async () => {
    await using exporter = await start(`basic_auth_users:\n  alice: ${passwordHash}\n`);
    const authorization = `Basic ${Buffer.from('alice:secret: ä').toString('base64')}`;
    const status = async (headers: Readonly<Record<string, string>>) =>
      (await fetch(`${exporter.url}/metrics`, { headers })).status;
    expect(await status({ authorization })).toBe(200);
    expect(await status({})).toBe(401);
    expect(await status({ authorization: authorization.replace('Basic', 'Bearer') })).toBe(401);
    // The thread that checks passwords keeps nothing alive.
    const from = performance.now();
    exporter.signal('SIGTERM');
    expect((await exporter.ended).code).toBe(0);
    expect(performance.now() - from).toBeLessThan(5000);
  });

  it('is read again on SIGHUP: other certificates, other users, and a broken file changes nothing', async () => {
    const tls = (name: string) => TLS.replaceAll('server.', `${name}.`);
    const users = `basic_auth_users:\n  alice: ${passwordHash}\n`;
    await using exporter = await start(tls('server'));
    const subject = async () => {
      const { port } = new URL(exporter.url);
      const { stdout } = await attempt('openssl', ['s_client', '-connect', `127.0.0.1:${port}`]);
      return /CN = (\w+)/.exec(/^subject=.*$/m.exec(stdout)?.[0] ?? '')?.[1];
    };
    const hangUp = async (text: string, says: string) => {
      webConfig(text);
      exporter.signal('SIGHUP');
      await eventually(
        says,
        10_000,
        () => exporter.log.includes(says),
        () => exporter.log,
      );
    };
    expect(await subject()).toBe('server');
    await hangUp(`${tls('renewed')}${users}`, 'web configuration read');
    expect(await subject()).toBe('renewed');
    expect((await ask(exporter, '/metrics')).stdout).toBe('401');

    await hangUp('basic_auth_user: {}\n', 'basic_auth_user: unknown key');
    await hangUp(users, 'without a restart');
    await hangUp(
      `${tls('renewed')}  client_auth_type: RequestClientCert\n`,
      'client_auth_type cannot',
    );
    expect(exporter.log).toContain(
      'web configuration is invalid, the one before it stays in force',
    );
    expect(await subject()).toBe('renewed');
    expect((await ask(exporter, '/metrics', '--user', 'alice:secret: ä')).stdout).toBe('200');
  });

  it.each([
    ['no such file', undefined, 'ENOENT'],
    ['a text that is no YAML', 'tls_server_config: [\n', 'web.yaml:'],
    ['an unknown section', 'http_server: {}\n', 'http_server: unknown key'],
    ['a section of others', 'rate_limit: { burst: 5 }\n', 'rate_limit: not supported here'],
    [
      'an unknown setting',
      `${TLS}  cipher_suite: []\n`,
      'web.yaml:4: tls_server_config.cipher_suite: unknown key',
    ],
    [
      'an unknown cipher suite',
      `${TLS}  cipher_suites: [ECDHE-RSA-AES128-SHA]\n`,
      'web.yaml:4: tls_server_config.cipher_suites.0: allowed is a list of',
    ],
    [
      'a key without certificate',
      'tls_server_config:\n  key_file: server.key\n',
      'cert_file: it must',
    ],
    ['a certificate that is not there', TLS.replace('server.pem', 'gone.pem'), 'gone.pem'],
    ['a certificate that is none', TLS.replace('server.pem', 'server.csr'), 'tls_server_config: '],
    ["another certificate's key", TLS.replace('server.key', 'client.key'), 'mismatch'],
    ['an unknown version', `${TLS}  min_version: TLS14\n`, 'min_version: allowed are TLS10'],
    [
      'versions the wrong way round',
      `${TLS}  min_version: TLS13\n  max_version: TLS12\n`,
      'min_version',
    ],
    ['an unknown client_auth_type', `${TLS}  client_auth_type: Maybe\n`, 'RequireAnyClientCert'],
    [
      'verifying without authority',
      `${TLS}  client_auth_type: RequireAndVerifyClientCert\n`,
      'client_ca_file',
    ],
    [
      'an authority that nobody asks',
      `${TLS}  client_ca_file: authority.pem\n`,
      'client_auth_type',
    ],
    [
      'an authority that is none',
      `${TLS}  client_auth_type: VerifyClientCertIfGiven\n  client_ca_file: web.yaml\n`,
      'client_ca_file',
    ],
    [
      'a password that costs too much',
      `basic_auth_users:\n  alice: $2b$15$${'a'.repeat(53)}\n`,
      'basic_auth_users.alice: its cost must be from 4 to 14, and is 15',
    ],
    [
      'a password that costs what bcrypt does not take',
      `basic_auth_users:\n  alice: $2y$03$${'a'.repeat(53)}\n`,
      'and is 3',
    ],
    [
      'a password as it is',
      'basic_auth_users:\n  alice: hunter2\n',
      'web.yaml:2: basic_auth_users.alice',
    ],
  ])('answers %s with one line and exit code 2', async (_, text, named) => {
    const flag = text === undefined ? `--web.config.file=${file('none.yaml')}` : webConfig(text);
    const { code, stdout, stderr } = await runToEnd(['--demo', flag]);
    expect(stderr).toMatch(/^kvm-overcommit-exporter: [^\n]+\n$/);
    expect(stderr).toContain(named);
    expect(stderr).not.toContain('hunter2');
    expect([code, stdout]).toEqual([2, '']);
  });
});
