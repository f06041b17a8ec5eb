import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { setPriority } from 'node:os';
import { join } from 'node:path';

import { stringify } from 'yaml';

import { ALERTMANAGER_FILE } from '../../../rules/tool/files.ts';
import { ensurePackages, eventually, type Lab, type LabExporter } from '../../../lab/index.ts';
import { labAlertmanagerConfig } from './alertmanager-config.ts';
import { preferGuests } from './guest-priority.ts';
import { labPolicy, type PolicyChanges } from './lab-policy.ts';
import { Pager } from './pager.ts';
import { PrometheusApi } from './prometheus-api.ts';
import { scaledRuleFiles } from './scaled-rules.ts';
import { WebhookReceiver } from './webhook-receiver.ts';

/** The label `instance` of everything the lab's exporter says. */
export const INSTANCE = 'kvm-lab';
/** The labels a real installation would have; `cluster` is one the pack must carry through. */
const TARGET_LABELS = { instance: INSTANCE, cluster: 'lab' };

/** However busy guests make the host, monitoring is to see it: before any process of usual priority. */
const NICENESS = -15;
const FIRST = ['-n', String(NICENESS)];
const PROMETHEUS_PORT = 9090;
const ALERTMANAGER_PORT = 9093;

/**
 * An exporter, Prometheus with the rule pack in fast-forward and Alertmanager with the example's
 * routes, all in the lab's network namespace; and the pager they reach over the lab's veth pair.
 * The lab ends those processes when it is closed; the pager is closed here.
 */
export class MonitoringStack implements AsyncDisposable {
  readonly prometheus: PrometheusApi;
  readonly pager: Pager;
  readonly #webhook: WebhookReceiver;
  private constructor(prometheus: PrometheusApi, webhook: WebhookReceiver) {
    this.prometheus = prometheus;
    this.pager = new Pager(webhook, prometheus);
    this.#webhook = webhook;
  }

  /**
   * Starts all and waits until Prometheus has scraped the exporter. To be called when the guests
   * have started, which no rule then knows of: from here on they go before what else the machine
   * does, and monitoring before them.
   *
   * @param exporterFlags beside those the lab and this stack give it.
   */
  static async start(
    lab: Lab,
    policy: PolicyChanges = {},
    exporterFlags: readonly string[] = [],
  ): Promise<MonitoringStack> {
    await ensurePackages(['prometheus', 'prometheus-alertmanager']);
    const { labAddress, hostAddress } = lab.network;
    const directory = join(lab.directory.state, 'monitoring');
    mkdirSync(directory);
    const policyFile = join(directory, 'policy.yaml');
    writeFileSync(policyFile, labPolicy(policy));
    const exporter = await lab.exporter({
      // Of the second there is.
      flags: [`--policy.file=${policyFile}`, '--scrape.timeout-offset=100ms', ...exporterFlags],
    });
    for (const pid of [exporter.pid, lab.daemonPid()]) putFirst(pid);
    preferGuests(lab);
    const webhook = await WebhookReceiver.listen(hostAddress);

    const alertmanagerConfig = join(directory, 'alertmanager.yaml');
    writeFileSync(
      alertmanagerConfig,
      labAlertmanagerConfig(readFileSync(ALERTMANAGER_FILE, 'utf8'), webhook.url),
    );
    const alertmanager = await lab.spawn('nice', [
      ...FIRST,
      'prometheus-alertmanager',
      `--config.file=${alertmanagerConfig}`,
      `--storage.path=${join(directory, 'alertmanager')}`,
      `--web.listen-address=${labAddress}:${ALERTMANAGER_PORT}`,
      '--cluster.listen-address=',
    ]);

    const prometheusConfig = join(directory, 'prometheus.yaml');
    writeFileSync(prometheusConfig, prometheusConfiguration(lab, exporter, directory));
    const url = `http://${labAddress}:${PROMETHEUS_PORT}`;
    const server = await lab.spawn('nice', [
      ...FIRST,
      'prometheus',
      `--config.file=${prometheusConfig}`,
      `--storage.tsdb.path=${join(directory, 'prometheus')}`,
      `--web.listen-address=${labAddress}:${PROMETHEUS_PORT}`,
    ]);
    for (const { pid } of [alertmanager, server]) putFirst(pid);
    const prometheus = new PrometheusApi(url);
    const stack = new MonitoringStack(prometheus, webhook);
    await eventually(
      'Prometheus has scraped the exporter',
      30_000,
      async () => (await prometheus.isReady()) && (await stack.#scrapes()),
      () => `${server.output().slice(-2000)}\n${alertmanager.output().slice(-2000)}`,
    );
    return stack;
  }

  async close(): Promise<void> {
    await this.#webhook.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #scrapes(): Promise<boolean> {
    return (await this.prometheus.query('up{job="kvm-overcommit-exporter"} == 1')).length === 1;
  }
}

/**
 * A priority is a thread's own, and counts within its session only where the kernel shares CPUs out
 * by session (sched(7), autogroups); each process of the lab is a session.
 */
function putFirst(pid: number): void {
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    setPriority(Number(thread), NICENESS);
  }
  const session = `/proc/${pid}/autogroup`;
  if (existsSync(session)) writeFileSync(session, String(NICENESS));
}

function prometheusConfiguration(lab: Lab, exporter: LabExporter, directory: string): string {
  return stringify({
    global: { scrape_interval: '1s', evaluation_interval: '1s' },
    rule_files: scaledRuleFiles(directory),
    alerting: {
      alertmanagers: [
        { static_configs: [{ targets: [`${lab.network.labAddress}:${ALERTMANAGER_PORT}`] }] },
      ],
    },
    scrape_configs: [
      {
        job_name: 'kvm-overcommit-exporter',
        scrape_timeout: '1s',
        static_configs: [{ targets: [new URL(exporter.url).host], labels: TARGET_LABELS }],
      },
    ],
  });
}
