import { once } from 'node:events';
import { describe, expect, it } from 'vitest';

import type { CollectorName } from '../../../src/model/collectors.ts';
import type { Snapshot } from '../../../src/model/snapshot.ts';
import { eventually } from '../../../lab/polling.ts';
import { servePage, StagedHost } from '../page/served-page.ts';
import { RawConnection } from './raw-http.ts';

/** A host that is read only as long as a test lets it. */
class HeldHost extends StagedHost {
  begun = 0;
  readonly #held = Promise.withResolvers<undefined>();

  letGo(): void {
    this.#held.resolve(undefined);
  }

  override async collect(wanted: ReadonlySet<CollectorName>): Promise<Snapshot> {
    this.begun += 1;
    await this.#held.promise;
    return super.collect(wanted);
  }
}

const GREEDY = '127.0.0.2';

describe('places for requests', () => {
  const ask = async (url: string, path: string, address: string): Promise<RawConnection> => {
    const connection = await RawConnection.open(Number(new URL(url).port), address);
    connection.send(`GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`);
    return connection;
  };
  /** Asks that and waits until it holds a place: its collection has begun. */
  const hold = async (url: string, host: HeldHost, path: string, address: string) => {
    const before = host.begun;
    const connection = await ask(url, path, address);
    await eventually('it holds a place', 10_000, () => host.begun > before);
    return connection;
  };
  const COLLECTORS = ['cpu', 'memory', 'swap', 'pressure'];

  it('are counted over metrics and page, and one client does not keep another out', async () => {
    const host = new HeldHost(60);
    await using served = await servePage(host, { maxRequests: 4 });
    const { url } = served;
    const greedy = [await hold(url, host, '/', GREEDY)];
    // Each of another kind, since the same would share one collection.
    for (const name of COLLECTORS.slice(1)) {
      greedy.push(await hold(url, host, `/metrics?collect[]=${name}`, GREEDY));
    }
    const refused = await ask(url, '/', GREEDY);
    await refused.closed;
    expect(refused.statuses).toEqual([503]);
    const healthy = await ask(url, '/-/healthy', GREEDY);
    await healthy.closed;
    expect(healthy.statuses).toEqual([200]);

    const other = await hold(url, host, '/metrics?collect[]=cpu', '127.0.0.1');
    const loser = greedy.at(-1);
    expect(loser?.received).toBe('');
    host.letGo();
    await Promise.all([...greedy, other].map(({ closed }) => closed));
    expect(other.statuses).toEqual([200]);
    expect(greedy.map(({ statuses }) => statuses[0])).toEqual([200, 200, 200, 503]);
  });

  it('stay taken while work goes on for clients that went', async () => {
    const host = new HeldHost(60);
    await using served = await servePage(host, { maxRequests: 1 });
    const gone = await hold(served.url, host, '/metrics', GREEDY);
    gone.socket.destroy();
    await gone.closed;
    const next = await ask(served.url, '/metrics?collect[]=cpu', GREEDY);
    await next.closed;
    expect(next.statuses).toEqual([503]);
    host.letGo();
    await eventually('the place is free', 10_000, async () => {
      const again = await ask(served.url, '/metrics', GREEDY);
      await again.closed;
      return again.statuses[0] === 200;
    });
  });

  it('are shared in a collection by all who ask the same', async () => {
    const host = new HeldHost(60);
    await using served = await servePage(host);
    const first = await hold(served.url, host, '/', '127.0.0.1');
    const others = await Promise.all(
      Array.from({ length: 20 }, () => ask(served.url, '/', GREEDY)),
    );
    for (const { socket } of others) if (socket.connecting) await once(socket, 'connect');
    const last = await hold(served.url, host, '/metrics?collect[]=cpu', '127.0.0.1');
    host.letGo();
    await Promise.all([first, last, ...others].map(({ closed }) => closed));
    expect(host.begun).toBe(2);
    const pages = [first, ...others].map(({ received }) => received.replace(/^Date: .*$/m, ''));
    expect(new Set(pages).size).toBe(1);
  });

  it('are not held longer than twice the timeout: the connection is closed', async () => {
    const host = new HeldHost(60);
    await using served = await servePage(host, { timeoutSeconds: 0.5 });
    const connection = await hold(served.url, host, '/', '127.0.0.1');
    await connection.closed;
    expect(connection.received).toBe('');
    host.letGo();
  });
});
