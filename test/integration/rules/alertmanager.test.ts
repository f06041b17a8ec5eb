import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';

const RULES = join(import.meta.dirname, '../../../rules');
const CONFIG = join(RULES, 'alertmanager.example.yaml');

const alertFile = z.object({
  groups: z.array(z.object({ rules: z.array(z.object({ alert: z.string() })) })),
});
const ALERTS = new Set(
  alertFile
    .parse(parse(readFileSync(join(RULES, 'alerts.yaml'), 'utf8')))
    .groups.flatMap(({ rules }) => rules.map(({ alert }) => alert)),
);

type Labels = Readonly<Record<string, string>>;

const storedAlerts = z.array(
  z.object({
    labels: z.record(z.string(), z.string()),
    status: z.object({ state: z.string() }),
  }),
);

let directory: string;
let url: string;
let alertmanager: ChildProcess;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'kvm-overcommit-alertmanager-'));
  url = `http://127.0.0.1:${await freePort()}`;
  alertmanager = spawn(
    'prometheus-alertmanager',
    [
      `--config.file=${CONFIG}`,
      `--storage.path=${directory}`,
      `--web.listen-address=${url.slice('http://'.length)}`,
      '--cluster.listen-address=',
    ],
    { stdio: 'ignore' },
  );
  await vi.waitFor(
    async () => {
      expect((await fetch(`${url}/-/ready`)).ok).toBe(true);
    },
    { timeout: 30_000, interval: 200 },
  );
});

afterAll(() => {
  alertmanager.kill('SIGKILL');
  rmSync(directory, { recursive: true, force: true });
});

async function freePort(): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const server = createServer();
  server.listen(0, '127.0.0.1', () => {
    const address = server.address();
    server.close(() => {
      if (address === null || typeof address === 'string') reject(new Error('no port'));
      else resolve(address.port);
    });
  });
  return promise;
}

function receiverOf(labels: Labels): string {
  const matchers = Object.entries(labels).map(([name, value]) => `${name}=${value}`);
  return execFileSync('amtool', [
    'config',
    'routes',
    'test',
    `--config.file=${CONFIG}`,
    ...matchers,
  ])
    .toString()
    .trim();
}

let hosts = 0;

/** Fires alerts of one host and says which of them Alertmanager keeps quiet. */
async function mutedOf(...alerts: readonly Labels[]): Promise<readonly string[]> {
  hosts += 1;
  const instance = `host-${hosts}`;
  const fired = alerts.map((labels) => ({ labels: { job: 'kvm', instance, ...labels } }));
  const response = await fetch(`${url}/api/v2/alerts`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(fired),
  });
  expect(response.status).toBe(200);
  const ask = async () => {
    const answer = await fetch(`${url}/api/v2/alerts?filter=instance=${instance}`);
    return storedAlerts.parse(await answer.json());
  };
  // An alert is "unprocessed" until it went through the pipeline once.
  await expect
    .poll(async () => (await ask()).filter(({ status }) => status.state !== 'unprocessed').length, {
      timeout: 60_000,
      interval: 250,
    })
    .toBe(alerts.length);
  return (await ask())
    .filter(({ status }) => status.state === 'suppressed')
    .map(({ labels }) => `${labels['alertname'] ?? ''} ${labels['severity'] ?? ''}`)
    .sort();
}

function alert(alertname: string, severity: string, more: Labels = {}): Labels {
  if (!ALERTS.has(alertname)) throw new Error(`the pack has no alert ${alertname}`);
  return { alertname, severity, ...more };
}

describe('the Alertmanager example', () => {
  it('is a valid configuration', () => {
    const output = execFileSync('amtool', ['check-config', CONFIG]).toString();
    expect(output).toContain('SUCCESS');
  });

  it('names only alerts the pack has', () => {
    const named = readFileSync(CONFIG, 'utf8').match(/Kvm[A-Za-z]+(?![A-Za-z.])/g) ?? [];
    expect(named.filter((name) => !ALERTS.has(name))).toEqual([]);
  });

  it('pages for critical alerts, opens tickets for warnings, and is quiet about the rest', () => {
    expect(receiverOf(alert('KvmSwapStorm', 'critical'))).toBe('page');
    expect(receiverOf(alert('KvmSwapStorm', 'warning'))).toBe('ticket');
    expect(receiverOf({ alertname: 'KvmAnything', severity: 'info' })).toBe('nowhere');
  });

  it('mutes the warning of an alert that is critical, for the same filesystem only', async () => {
    const muted = await mutedOf(
      alert('KvmFilesystemAlmostFull', 'critical', { mountpoint: '/a' }),
      alert('KvmFilesystemAlmostFull', 'warning', { mountpoint: '/a' }),
      alert('KvmFilesystemFillingUp', 'warning', { mountpoint: '/b' }),
    );
    expect(muted).toEqual(['KvmFilesystemAlmostFull warning']);
  });

  it('mutes the filling of a filesystem once guests are paused for lack of space', async () => {
    const muted = await mutedOf(
      alert('KvmGuestPausedOnIoError', 'critical', { domain: 'web' }),
      alert('KvmFilesystemFillingUp', 'warning', { mountpoint: '/a' }),
      alert('KvmFilesystemFullImminent', 'critical', { mountpoint: '/a' }),
      alert('KvmSwapStorm', 'warning'),
    );
    expect(muted).toEqual(['KvmFilesystemFillingUp warning', 'KvmFilesystemFullImminent critical']);
  });

  it('mutes alerts about guests while libvirt is down, but not those about the host', async () => {
    const muted = await mutedOf(
      alert('KvmLibvirtDown', 'critical'),
      alert('KvmGuestMonitorUnresponsive', 'warning', { domain: 'web' }),
      alert('KvmNoisyNeighbour', 'warning', { domain: 'web' }),
      alert('KvmHostMemoryLow', 'warning'),
    );
    expect(muted).toEqual(['KvmGuestMonitorUnresponsive warning', 'KvmNoisyNeighbour warning']);
  });

  it('mutes everything else about a host whose exporter is down', async () => {
    const muted = await mutedOf(
      alert('KvmExporterDown', 'critical'),
      alert('KvmSwapStorm', 'critical'),
      alert('KvmLibvirtDown', 'critical'),
    );
    expect(muted).toEqual(['KvmLibvirtDown critical', 'KvmSwapStorm critical']);
  });
});
