import { eventually } from '../../../lab/index.ts';
import type { PrometheusApi } from './prometheus-api.ts';
import type { Notification, WebhookReceiver } from './webhook-receiver.ts';

export interface ExpectedAlert {
  readonly alertname: string;
  readonly severity: 'critical' | 'warning' | 'info';
  /** Further labels it must have. */
  readonly labels?: Readonly<Record<string, string>>;
}

/**
 * How long a test waits for somebody to be told, or for silence: far longer than it takes, because
 * a machine that is busy with something else is not what the tests are about.
 */
const PATIENCE_MS = 180_000;

/** Who the example's routes send a severity to. */
const RECEIVERS = { critical: 'pager', warning: 'tickets', info: 'nobody' } as const;

/** What was paged, and what Prometheus knows of alerts that never were. */
export class Pager {
  readonly #webhook: WebhookReceiver;
  readonly #prometheus: PrometheusApi;

  constructor(webhook: WebhookReceiver, prometheus: PrometheusApi) {
    this.#webhook = webhook;
    this.#prometheus = prometheus;
  }

  /**
   * Waits until whoever is responsible for its severity is told of an alert.
   *
   * @throws Error with all that was told instead.
   */
  async expectPage(expected: ExpectedAlert): Promise<Notification> {
    return this.#told('firing', expected);
  }

  /** Waits until the last that somebody is told of an alert is that it is over. */
  async expectResolved(expected: ExpectedAlert): Promise<Notification> {
    return this.#told('resolved', expected);
  }

  /** All notifications so far, oldest first. */
  get notifications(): readonly Notification[] {
    return this.#webhook.notifications;
  }

  /**
   * Alerts that fired from a Unix time on, muted or not, as `name severity domain=… mountpoint=…`;
   * to expect that there were none, or only some.
   *
   * @param matchers which: label matchers of PromQL, e.g. `severity="critical"`.
   */
  async fired(matchers: string, since: number): Promise<readonly string[]> {
    const expression = `ALERTS{alertstate="firing",${matchers}}`;
    const all = await this.#prometheus.range(expression, since, Date.now() / 1000);
    return all.map(({ labels }) => describe(labels)).toSorted();
  }

  /** Waits until an alert fires, whether or not Alertmanager tells anybody. */
  async expectFiring(expected: ExpectedAlert): Promise<void> {
    const matchers = labelsOf(expected)
      .map(([name, value]) => `${name}="${value}"`)
      .join(',');
    await eventually(`${matchers} fires`, PATIENCE_MS, async () => {
      const all = await this.#prometheus.query(`ALERTS{alertstate="firing",${matchers}}`);
      return all.length > 0;
    });
  }

  /** Waits until the description of an alert that fires is like that; it may change while it fires. */
  async expectDescription(expected: ExpectedAlert, pattern: RegExp): Promise<void> {
    let descriptions: readonly (string | undefined)[] = [];
    await eventually(
      `${expected.alertname} says ${String(pattern)}`,
      PATIENCE_MS,
      async () => {
        const all = await this.#prometheus.firing();
        descriptions = all
          .filter(({ labels }) => isOf(expected, labels))
          .map(({ annotations }) => annotations['description']);
        return descriptions.some((description = '') => pattern.test(description));
      },
      () => descriptions.join('\n'),
    );
  }

  /** Waits until none of these fires any more, muted or not. */
  async expectSilence(matchers: string): Promise<void> {
    let firing: readonly string[] = [];
    await eventually(
      'no alert fires',
      PATIENCE_MS,
      async () => {
        const all = await this.#prometheus.query(`ALERTS{alertstate="firing",${matchers}}`);
        firing = all.map(({ labels }) => describe(labels));
        return firing.length === 0;
      },
      () => firing.join('\n'),
    );
  }

  describe(): string {
    return this.#webhook.describe();
  }

  async #told(status: Notification['status'], expected: ExpectedAlert): Promise<Notification> {
    const { severity } = expected;
    return this.#webhook.waitFor(
      `${status} ${labelsOf(expected)
        .map(([name, value]) => `${name}=${value}`)
        .join(' ')}`,
      (all) => {
        const about = all.filter(
          ({ receiver, labels: told }) => receiver === RECEIVERS[severity] && isOf(expected, told),
        );
        if (status === 'firing') return about.find((one) => one.status === 'firing');
        const last = about.at(-1);
        return last?.status === 'resolved' ? last : undefined;
      },
      PATIENCE_MS,
    );
  }
}

function labelsOf({ alertname, severity, labels = {} }: ExpectedAlert): [string, string][] {
  return Object.entries({ alertname, severity, ...labels });
}

/** Whether an alert with these labels is the expected one. */
function isOf(expected: ExpectedAlert, labels: Readonly<Record<string, string>>): boolean {
  return labelsOf(expected).every(([name, value]) => labels[name] === value);
}

function describe(labels: Readonly<Record<string, string>>): string {
  const { alertname = '', severity = '' } = labels;
  const rest = ['domain', 'mountpoint'].flatMap((name) => {
    const value = labels[name];
    return value === undefined ? [] : [`${name}=${value}`];
  });
  return [alertname, severity, ...rest].join(' ');
}
