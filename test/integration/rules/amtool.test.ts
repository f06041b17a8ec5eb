import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { describe, expect, it } from 'vitest';

import { commandsOf, readRunbooks } from '../../../docs/runbook.ts';
import {
  alertKey,
  silencedAlerts,
  withAlertmanager,
  type AlertLabels,
} from '../../../rules/tool/alertmanager.ts';

const run = promisify(execFile);

/** Silences of more than one alert on one host: none would be left to be heard after the first of them. */
const WIDER = ['KvmHostMaintenance', 'KvmWatchdog'];

/** Where amtool looks below the home directory: Debian's, and upstream's. */
const CONFIGURATIONS = [
  ['.config/prometheus', 'amtool.yml'],
  ['.config/amtool', 'config.yml'],
] as const;

const RUNBOOKS = readRunbooks();
const HOSTS = [
  { cluster: 'fra', instance: 'hv1:9177' },
  { cluster: 'ams', instance: 'hv1:9177' },
  { cluster: 'fra', instance: 'hv2:9177' },
] as const;

/** Every alert on every host. */
function alertsOn(hosts: readonly AlertLabels[]): readonly AlertLabels[] {
  return RUNBOOKS.flatMap(({ name }) =>
    hosts.map((host) => ({ alertname: name, severity: 'critical', job: 'kvm', ...host })),
  );
}

/** The one line that begins so among what a runbook has the reader type. */
function commandOf(name: string, beginning: string): string {
  const runbook = RUNBOOKS.find((one) => one.name === name);
  const commands = (runbook?.sections ?? [])
    .flatMap(({ blocks }) => blocks)
    .filter(({ language }) => language === 'sh')
    .flatMap(commandsOf)
    .filter((command) => command.startsWith(beginning));
  expect([name, commands.length]).toEqual([name, 1]);
  return commands[0] ?? '';
}

/** Has a shell with only these variables follow a step; returns what it prints. */
type Follow = (command: string, variables: AlertLabels) => Promise<string>;

/** With an Alertmanager that has these alerts, and an amtool that is set up for it. */
function withAmtool<T>(
  alerts: readonly AlertLabels[],
  work: (follow: Follow, url: string) => Promise<T>,
): Promise<T> {
  return withAlertmanager('prometheus-alertmanager', alerts, async (url) => {
    const home = mkdtempSync(join(tmpdir(), 'kvm-amtool-'));
    for (const [folder, file] of CONFIGURATIONS) {
      mkdirSync(join(home, folder), { recursive: true });
      writeFileSync(join(home, folder, file), `alertmanager.url: ${url}\n`);
    }
    const { PATH } = process.env;
    try {
      return await work(async (command, variables) => {
        const env = { HOME: home, PATH, ...variables };
        return (await run('sh', ['-c', command], { env })).stdout;
      }, url);
    } finally {
      rmSync(home, { recursive: true, force: true });
    }
  });
}

/** Which alerts the silence of each runbook mutes that none before it did. */
async function mutedBy(
  names: readonly string[],
  hosts: readonly AlertLabels[],
  variables: AlertLabels,
): Promise<ReadonlyMap<string, readonly AlertLabels[]>> {
  return withAmtool(alertsOn(hosts), async (follow, url) => {
    const known = new Set<string>();
    const muted = new Map<string, readonly AlertLabels[]>();
    for (const name of names) {
      await follow(commandOf(name, 'amtool silence add '), variables);
      const fresh = (await silencedAlerts(url)).filter((one) => !known.has(alertKey(one)));
      for (const one of fresh) known.add(alertKey(one));
      muted.set(name, fresh);
    }
    return muted;
  });
}

describe('the silence a runbook ends with, in a real Alertmanager', () => {
  const names = RUNBOOKS.map(({ name }) => name).filter((name) => !WIDER.includes(name));

  it('mutes its alert on its host, and neither another alert nor the same name in another cluster', async () => {
    const [host] = HOSTS;
    const muted = await mutedBy(names, HOSTS, host);
    for (const name of names) {
      expect(muted.get(name)).toEqual([expect.objectContaining({ alertname: name, ...host })]);
    }
    expect(muted.size).toBeGreaterThan(70);
  });

  it('mutes its alert where targets have no cluster, with the variable left empty', async () => {
    const instance = 'hv1:9177';
    const muted = await mutedBy(names, [{ instance }, { instance: 'hv2:9177' }], { instance });
    for (const name of names) {
      expect(muted.get(name)).toEqual([expect.objectContaining({ alertname: name, instance })]);
    }
  });

  it('mutes nothing of hosts with a cluster while the variable is empty', async () => {
    const muted = await mutedBy(names.slice(0, 1), HOSTS, { instance: 'hv1:9177' });
    expect([...muted.values()].flat()).toEqual([]);
  });

  it('of maintenance mutes all alerts of its host and none of any other', async () => {
    const [host] = HOSTS;
    const muted = await mutedBy(['KvmHostMaintenance'], HOSTS, host);
    const alerts = muted.get('KvmHostMaintenance') ?? [];
    expect(alerts.map(({ alertname }) => alertname).toSorted()).toEqual(
      RUNBOOKS.map(({ name }) => name).toSorted(),
    );
    for (const alert of alerts) expect(alert).toMatchObject(host);
  });
});

describe('the runbook of the watchdog, followed with a real Alertmanager', () => {
  it('shows that the alert has arrived, and where it goes', async () => {
    const page = 'KvmWatchdog';
    const watchdog = { alertname: page, severity: 'info' };
    const printed = await withAmtool([watchdog], async (follow) => [
      await follow(commandOf(page, 'amtool alert query '), {}),
      await follow(commandOf(page, 'amtool config routes test '), {}),
    ]);
    expect(printed[0]).toMatch(/^KvmWatchdog .* active/m);
    expect(printed[1]).toBe('watchdog\n');
  });

  it('silences the watchdog and nothing else', async () => {
    const muted = await mutedBy(['KvmWatchdog'], HOSTS, {});
    const names = muted.get('KvmWatchdog')?.map(({ alertname }) => alertname);
    expect(new Set(names)).toEqual(new Set(['KvmWatchdog']));
  });
});
