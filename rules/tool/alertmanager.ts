import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { parse } from 'yaml';
import { z } from 'zod';

import { ALERTMANAGER_FILE } from './files.ts';
import { freePort } from '../../tools/free-port.ts';
import { run } from './promtool.ts';

/** An alert as labels; `alertname` among them. */
export type AlertLabels = Readonly<Record<string, string>>;

/** The same text for the same labels, in whatever order they come. */
export function alertKey(labels: AlertLabels): string {
  return JSON.stringify(Object.entries(labels).toSorted());
}

const START_TIMEOUT_MS = 20_000;
const POLL_MS = 100;
/** Debian's name of the daemon; upstream calls it alertmanager. */
const BINARIES = ['prometheus-alertmanager', 'alertmanager'];

/** The receiver an alert is routed to (`amtool config routes test`). */
export async function receiverOf(labels: AlertLabels): Promise<string> {
  const matchers = Object.entries(labels).map(([name, value]) => `${name}=${value}`);
  const file = `--config.file=${ALERTMANAGER_FILE}`;
  const { output } = await run('amtool', ['config', 'routes', 'test', file, ...matchers]);
  // amtool warns on standard error, which comes after.
  return output.split('\n')[0] ?? '';
}

const CONFIG = z.object({
  route: z.object({ routes: z.array(z.object({ matchers: z.array(z.string()) })) }),
  inhibit_rules: z.array(
    z.object({ source_matchers: z.array(z.string()), target_matchers: z.array(z.string()) }),
  ),
});

/** The patterns of alert names in the example: each alternative alone. */
export async function namedAlerts(): Promise<readonly RegExp[]> {
  const config = CONFIG.parse(parse(await readFile(ALERTMANAGER_FILE, 'utf8')));
  const matchers = [
    ...config.route.routes.flatMap((one) => one.matchers),
    ...config.inhibit_rules.flatMap((one) => [...one.source_matchers, ...one.target_matchers]),
  ];
  const patterns = matchers.flatMap((one) => {
    const [, pattern] = /^alertname(?:=~?|!=)"(.*)"$/.exec(one) ?? [];
    return pattern?.split('|') ?? [];
  });
  return [...new Set(patterns)].map((pattern) => new RegExp(`^(?:${pattern})$`));
}

/** Whether the daemon is installed. */
export async function alertmanagerBinary(): Promise<string | undefined> {
  for (const binary of BINARIES) {
    if ((await run(binary, ['--version'])).ok) return binary;
  }
  return undefined;
}

/** Sends alerts to a real Alertmanager with the example configuration and tells which it mutes. */
export function mutedAlerts(
  binary: string,
  alerts: readonly AlertLabels[],
): Promise<readonly AlertLabels[]> {
  return withAlerts(binary, alerts, (_api, muted) => Promise.resolve(muted));
}

const GROUPS = z.array(z.object({ alerts: z.array(z.object({ labels: z.unknown() })) }));

/** How many alerts are in each notification that a receiver gets of alerts that come all at once. */
export function notificationsOf(
  binary: string,
  alerts: readonly AlertLabels[],
  receiver: string,
): Promise<readonly number[]> {
  return withAlerts(binary, alerts, async (api) => {
    const answer = await fetch(`${api}/alerts/groups?receiver=${receiver}&inhibited=false`);
    return GROUPS.parse(await answer.json()).map((group) => group.alerts.length);
  });
}

/** Asks about alerts all of which it has decided about. */
function withAlerts<T>(
  binary: string,
  alerts: readonly AlertLabels[],
  ask: (api: string, muted: readonly AlertLabels[]) => Promise<T>,
): Promise<T> {
  return withAlertmanager(binary, alerts, async (url) => {
    const api = `${url}/api/v2`;
    // To Alertmanager, alerts with the same labels are one.
    const count = new Set(alerts.map(alertKey)).size;
    return ask(api, await mutedOf(`${api}/alerts`, count));
  });
}

/**
 * A real Alertmanager with the example configuration that these alerts were sent to. It listens on loopback
 * only and is gone afterwards.
 *
 * @param work gets the daemon's address
 */
export async function withAlertmanager<T>(
  binary: string,
  alerts: readonly AlertLabels[],
  work: (url: string) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'kvm-alertmanager-'));
  const url = `http://127.0.0.1:${await freePort()}`;
  const daemon = spawn(
    binary,
    [
      `--config.file=${ALERTMANAGER_FILE}`,
      `--storage.path=${folder}`,
      `--web.listen-address=${new URL(url).host}`,
      '--cluster.listen-address=',
    ],
    { stdio: 'ignore' },
  );
  const ended = new Promise<void>((resolve) => {
    daemon.on('exit', () => {
      resolve();
    });
    daemon.on('error', () => {
      resolve();
    });
  });
  try {
    await ready(`${url}/api/v2/status`);
    const sent = await fetch(`${url}/api/v2/alerts`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(alerts.map((labels) => ({ labels }))),
    });
    if (!sent.ok) throw new Error(`Alertmanager refuses the alerts: ${await sent.text()}`);
    return await work(url);
  } finally {
    daemon.kill('SIGTERM');
    await ended;
    await rm(folder, { recursive: true, force: true });
  }
}

/** The alerts of an Alertmanager that somebody has silenced. */
export async function silencedAlerts(url: string): Promise<readonly AlertLabels[]> {
  const alerts = ALERTS.parse(await (await fetch(`${url}/api/v2/alerts`)).json());
  return alerts.filter(({ status }) => status.silencedBy.length > 0).map(({ labels }) => labels);
}

const ALERTS = z.array(
  z.object({
    labels: z.record(z.string(), z.string()),
    status: z.object({
      state: z.string(),
      inhibitedBy: z.array(z.string()),
      silencedBy: z.array(z.string()),
    }),
  }),
);

/** In this many looks in a row nothing may change. */
const STEADY_LOOKS = 5;

/**
 * Alerts are `unprocessed` until their group has been processed. Whom an alert mutes is found out beside
 * that and a little later, so that only an answer that stays is one.
 */
async function mutedOf(url: string, count: number): Promise<readonly AlertLabels[]> {
  const deadline = Date.now() + START_TIMEOUT_MS;
  let last = '';
  let steady = 0;
  for (;;) {
    const alerts = ALERTS.parse(await (await fetch(url)).json());
    const decided = alerts.filter(({ status }) => status.state !== 'unprocessed');
    if (decided.length === count) {
      const muted = decided
        .filter(({ status }) => status.inhibitedBy.length > 0)
        .map(({ labels }) => labels);
      // It lists them in any order.
      const now = muted.map(alertKey).sort().join();
      steady = now === last ? steady + 1 : 0;
      last = now;
      if (steady === STEADY_LOOKS) return muted;
    }
    if (Date.now() > deadline) throw new Error('Alertmanager does not decide about the alerts');
    await sleep(POLL_MS);
  }
}

async function ready(url: string): Promise<void> {
  const deadline = Date.now() + START_TIMEOUT_MS;
  for (;;) {
    const answer = await fetch(url).catch(() => undefined);
    if (answer?.ok === true) return;
    if (Date.now() > deadline) throw new Error('Alertmanager does not start');
    await sleep(POLL_MS);
  }
}
