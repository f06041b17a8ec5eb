import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { z } from 'zod';

import { ALERTS, labelsOfAlert } from '../../docs/runbook-faults.ts';
import { commandsOf, filled, readRunbooks, sectionOf, type Runbook } from '../../docs/runbook.ts';
import { offerUsualSockets } from '../../lab/directions.ts';
import { attempt, type CommandResult } from '../../lab/command.ts';
import {
  ensurePackages,
  eventually,
  openLab,
  type Lab,
  type LabExporter,
  type LabProcess,
} from '../../lab/index.ts';
import { sysfsWithHardware } from '../../lab/shadow-sysfs.ts';

/** Commands that cannot succeed here, and why. */
const EXCEPTIONS: readonly { readonly command: RegExp; readonly reason: string }[] = [
  { command: /^(?:systemctl|journalctl) /, reason: 'needs systemd as process 1' },
];

/** What programs say when they are called wrongly, in a pipeline that ends with 0 all the same. */
const WRONG_USE =
  /not found|invalid option|unknown (?:option|command)|unrecognized|unexpected|usage:|syntax error|^error:/im;

const RULES = resolve(import.meta.dirname, '../../rules');
const DOMAIN = 'runbook-guest';
const POOL = 'runbook-pool';
const UPLINK = 'uplink0';
const TAP = 'runbook-tap0';
const PORT = 9090;

const runbooks = readRunbooks();

describe('what runbooks tell people to run', () => {
  let lab: Lab;
  let exporter: LabExporter;
  let prometheus: LabProcess;
  let prometheusUrl: string;
  let values: Readonly<Record<string, string>>;
  /** By text: many runbooks share a command, and some take seconds. */
  const results = new Map<string, Promise<CommandResult>>();
  const used = new Set<RegExp>();

  beforeAll(async () => {
    await ensurePackages(['prometheus', 'lvm2', 'lsof', 'procps', 'curl']);
    lab = await openLab();
    offerUsualSockets(lab);
    const mountpoint = await lab.filesystem({ type: 'ext4', sizeMib: 32, name: 'images' });
    const guest = await lab.startGuest({
      name: DOMAIN,
      os: 'none',
      persistent: true,
      cpuTune: { periodUs: 100_000, quotaUs: 50_000 },
      disks: [{ source: { kind: 'new', format: 'qcow2', sizeMib: 16, directory: mountpoint } }],
      nics: [{ target: TAP, inboundKibPerSecond: 1024 }],
    });
    await lab.startGuest({ name: 'runbook-neighbour', os: 'none', nics: [{}] });
    await lab.defineGuest({ name: 'runbook-off', os: 'none', autostart: true });
    await lab.virsh('pool-create-as', POOL, 'dir', '--target', mountpoint);

    exporter = await lab.exporter({
      flags: [
        `--path.sysfs=${sysfsWithHardware(lab.sysfs, join(lab.directory.state, 'sysfs'), UPLINK, 1000)}`,
      ],
    });
    const instance = new URL(exporter.url).host;
    prometheusUrl = `http://${lab.network.labAddress}:${PORT}`;
    prometheus = await startPrometheus(lab, instance);
    await eventually(
      'the rules have values',
      60_000,
      async () => (await ask('instance_domain:kvm_domain_cpu_seconds:rate5m')).results > 0,
      () => prometheus.output().slice(-2000),
    );
    values = {
      instance,
      job: 'kvm',
      domain: DOMAIN,
      uplink: UPLINK,
      cpuset: readFileSync('/sys/devices/system/cpu/online', 'utf8').trim(),
      collector: 'domain',
      direction: 'inbound',
      mountpoint,
      page_size: '2097152',
      path: guest.diskPaths[0] ?? '',
      pool: POOL,
      vg: 'vg',
    };
  });

  afterAll(async () => {
    await lab.close();
  });

  /** What the labels of an alert are here. An interface is the guest's if the alert names one. */
  const valuesFor = ({ name }: Runbook): Readonly<Record<string, string>> => {
    const labels = labelsOfAlert(ALERTS.find((alert) => alert.name === name));
    return { ...values, device: labels.includes('domain') ? TAP : UPLINK };
  };

  /** An expression in Prometheus, now. */
  const ask = async (query: string) => {
    try {
      const body = new URLSearchParams({ query });
      const response = await fetch(`${prometheusUrl}/api/v1/query`, { method: 'POST', body });
      const text = await response.text();
      if (response.status !== 200) return { fault: text, results: 0 };
      return { fault: undefined, results: answer.parse(JSON.parse(text)).data.result.length };
    } catch (error) {
      // Not listening yet.
      return { fault: String(error), results: 0 };
    }
  };

  /** A command on the "host": where the lab's libvirt, its files and its network are. */
  const shell = (command: string, env: Readonly<Record<string, string>>) => {
    const here = command.replaceAll('http://localhost:9090', prometheusUrl);
    const key = `${env['device'] ?? ''} ${here}`;
    const known = results.get(key);
    if (known !== undefined) return known;
    const { network, mount } = lab.network;
    const result = attempt(
      'nsenter',
      [`--net=${network}`, `--mount=${mount}`, 'bash', '-c', here],
      { env, timeoutMs: 60_000 },
    );
    results.set(key, result);
    return result;
  };

  describe.each(runbooks)('$name', (runbook) => {
    const blocks = sectionOf(runbook, 'Diagnosis')?.blocks ?? [];
    const commands = blocks.filter(({ language }) => language === 'sh').flatMap(commandsOf);
    const expressions = blocks.filter(({ language }) => language === 'promql');

    it('has commands that work', async () => {
      const failed: string[] = [];
      for (const command of commands) {
        const exception = EXCEPTIONS.find((one) => one.command.test(command));
        if (exception !== undefined) {
          used.add(exception.command);
          continue;
        }
        const { status, stderr, stdout } = await shell(command, valuesFor(runbook));
        if (status !== 0 || WRONG_USE.test(stderr)) {
          failed.push(`${command}: ${status}: ${stderr || stdout}`);
        }
      }
      expect(failed).toEqual([]);
    });

    it('has expressions Prometheus takes', async () => {
      const refused: string[] = [];
      for (const { text } of expressions) {
        const { fault } = await ask(filled(text, valuesFor(runbook)));
        if (fault !== undefined) refused.push(`${text}: ${fault}`);
      }
      expect(refused).toEqual([]);
    });
  });

  it('no exception is left from a command that is gone', () => {
    expect(EXCEPTIONS.filter(({ command }) => !used.has(command))).toEqual([]);
  });

  it('most expressions have a result on a host where nothing is wrong', async () => {
    const empty: string[] = [];
    let asked = 0;
    for (const runbook of runbooks) {
      for (const { language, text } of sectionOf(runbook, 'Diagnosis')?.blocks ?? []) {
        if (language !== 'promql') continue;
        asked += 1;
        const { results } = await ask(filled(text, valuesFor(runbook)));
        if (results === 0) empty.push(`${runbook.name}: ${text}`);
      }
    }
    expect(empty.length, empty.join('\n')).toBeLessThan(asked / 2);
  });

  it('commands of a mitigation have the subcommands and options virsh knows', async () => {
    const unknown: string[] = [];
    for (const runbook of runbooks) {
      for (const { text } of sectionOf(runbook, 'Mitigation')?.blocks ?? []) {
        for (const [, subcommand = '', rest = ''] of text.matchAll(VIRSH)) {
          const { status, stdout } = await shell(`virsh help ${subcommand}`, values);
          if (status !== 0) unknown.push(`${runbook.name}: ${subcommand}`);
          for (const [option] of rest.matchAll(/(?<=\s)--[a-z-]+/g)) {
            const known = new RegExp(`(?<![\\w-])${option}(?![\\w-])`).test(stdout);
            if (!known) unknown.push(`${runbook.name}: ${subcommand} ${option}`);
          }
        }
      }
    }
    expect(unknown).toEqual([]);
  });
});

/** Subcommand and arguments of each virsh of a block. */
const VIRSH = /\bvirsh (?:-r )?-c \S+ ([a-z0-9-]+)([^\n|;)]*)/g;

const answer = z.object({
  data: z.object({ result: z.array(z.unknown()) }),
});

/** A Prometheus beside the exporter, with the whole rule pack. */
async function startPrometheus(lab: Lab, target: string): Promise<LabProcess> {
  const directory = join(lab.directory.state, 'prometheus');
  mkdirSync(directory);
  const config = join(directory, 'prometheus.yaml');
  writeFileSync(
    config,
    stringify({
      global: { scrape_interval: '1s', scrape_timeout: '1s', evaluation_interval: '1s' },
      rule_files: [join(RULES, 'recording.yaml'), join(RULES, 'alerts.yaml')],
      scrape_configs: [{ job_name: 'kvm', static_configs: [{ targets: [target] }] }],
    }),
  );
  return lab.spawn('prometheus', [
    `--config.file=${config}`,
    `--storage.tsdb.path=${join(directory, 'data')}`,
    `--web.listen-address=${lab.network.labAddress}:${PORT}`,
  ]);
}
