import { createServer, type Server } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

import { z } from 'zod';

const labels = z.record(z.string(), z.string());

/** What Alertmanager posts (alertmanager docs/configuration.md, webhook_config, version 4). */
const message = z.object({
  receiver: z.string(),
  alerts: z.array(
    z.object({
      status: z.enum(['firing', 'resolved']),
      labels,
      annotations: labels,
      startsAt: z.string(),
    }),
  ),
});

/** One alert in one notification. */
export interface Notification {
  /** Who Alertmanager's routes sent it to. */
  readonly receiver: string;
  readonly status: 'firing' | 'resolved';
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly startsAt: string;
  /** When it arrived, in milliseconds since 1970. */
  readonly arrivedAt: number;
}

/** The pager: an HTTP server in the test's own process that keeps every notification. */
export class WebhookReceiver {
  readonly url: string;
  readonly #server: Server;
  readonly #notifications: readonly Notification[];

  private constructor(server: Server, url: string, notifications: readonly Notification[]) {
    this.#server = server;
    this.url = url;
    this.#notifications = notifications;
  }

  /** @param address an address of this host which Alertmanager can reach. */
  static async listen(address: string): Promise<WebhookReceiver> {
    const notifications: Notification[] = [];
    const server = createServer((incoming, answer) => {
      let body = '';
      incoming.setEncoding('utf8').on('data', (text: string) => (body += text));
      incoming.on('end', () => {
        const parsed = message.safeParse(JSON.parse(body));
        const arrivedAt = Date.now();
        // Alertmanager logs the refusal; the test then misses the page.
        if (!parsed.success) {
          answer.writeHead(400).end(parsed.error.message);
          return;
        }
        const { receiver, alerts } = parsed.data;
        notifications.push(...alerts.map((alert) => ({ receiver, arrivedAt, ...alert })));
        answer.writeHead(200).end();
      });
    });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(0, address, resolve);
    });
    const bound = server.address();
    if (bound === null || typeof bound === 'string') throw new Error('no port was bound');
    return new WebhookReceiver(server, `http://${address}:${bound.port}/`, notifications);
  }

  /** All there was so far, oldest first. */
  get notifications(): readonly Notification[] {
    return this.#notifications;
  }

  /**
   * Waits until what came has a notification that is looked for.
   *
   * @param find one of all there were so far, oldest first.
   * @throws Error with all that came, after `timeoutMs`.
   */
  async waitFor(
    what: string,
    find: (all: readonly Notification[]) => Notification | undefined,
    timeoutMs: number,
  ): Promise<Notification> {
    const deadline = Date.now() + timeoutMs;
    for (;;) {
      const found = find(this.#notifications);
      if (found !== undefined) return found;
      if (Date.now() > deadline) {
        throw new Error(
          `${what}: not within ${timeoutMs / 1000} s. What came:\n${this.describe()}`,
        );
      }
      await sleep(100);
    }
  }

  /** One line per notification. */
  describe(): string {
    return this.#notifications
      .map(({ arrivedAt, receiver, status, labels: { alertname, severity, ...rest } }) => {
        const others = Object.entries(rest).map(([name, value]) => `${name}=${value}`);
        const at = new Date(arrivedAt).toISOString().slice(11, 23);
        return `${at} ${receiver} ${status} ${alertname} ${severity} ${others.join(' ')}`;
      })
      .join('\n');
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => {
      this.#server.close(() => {
        resolve();
      });
    });
  }
}
