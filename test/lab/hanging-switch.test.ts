import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { eventually, openLab, type Lab } from '../../lab/index.ts';
import { get } from '../support/http.ts';
import { Exposition } from '../support/prometheus-text.ts';
import { scrape, type Target } from '../support/scrape.ts';
import { vhostUserBackend } from '../support/vhost-user-backend.ts';

const NICS = Array.from({ length: 12 }, (_, index) => `slow${index}`);
const GUESTS = ['many-nics', 'one-nic', 'tap'];
/** How long libvirt lets `ovs-vsctl` try (`--timeout=5`). */
const PROGRAM_SECONDS = 5;
/** Shorter than a guest whose NIC took too long is left alone for (a minute at first). */
const WATCHED_MS = 50_000;
const SLOWEST_MS = 3000;

/** libvirtd runs `ovs-vsctl` for the counters of each vhost-user NIC, holding its guest's lock. */
describe('a virtual switch that does not answer', () => {
  const backends: AsyncDisposable[] = [];
  let lab: Lab;
  let exporter: Target;
  let program: string;

  const counters = (scraped: Exposition, domain: string) =>
    scraped.all('kvm_domain_nic_receive_bytes_total', { domain }).length;

  beforeAll(async () => {
    const script = readFileSync(join(import.meta.dirname, '../support/ovs-vsctl.sh'), 'utf8');
    lab = await openLab({ shims: { 'ovs-vsctl': script } });
    program = join(lab.directory.state, 'bin/ovs-vsctl');
    const vhostUser = async (target: string) => {
      const vhostUserSocket = join(lab.directory.sockets, target);
      backends.push(await vhostUserBackend(vhostUserSocket));
      return { vhostUserSocket };
    };
    const slow = [];
    for (const target of NICS) slow.push(await vhostUser(target));
    // Paused: what stands behind the NICs moves no packets.
    const bare = { os: 'none', paused: true, memoryBacking: { memfdShared: true } } as const;
    await lab.startGuest({ ...bare, name: 'many-nics', nics: slow });
    await lab.startGuest({ ...bare, name: 'one-nic', nics: [await vhostUser('quick0')] });
    await lab.startGuest({ ...bare, name: 'tap', nics: [{}] });
    exporter = await lab.exporter();
    await eventually('all NICs have counters', 60_000, async () => {
      const scraped = await scrape(exporter);
      return (
        counters(scraped, 'many-nics') === NICS.length &&
        counters(scraped, 'one-nic') === 1 &&
        counters(scraped, 'tap') === 1
      );
    });
  });

  afterAll(async () => {
    await lab.close();
    for (const backend of backends) await backend[Symbol.asyncDispose]();
  });

  it('costs no guest its place in a scrape, and no other guest its counters', async () => {
    const asked = callsFor(program).length;
    writeFileSync(`${program}.hangs`, '');
    const from = performance.now();
    const end = new AbortController();
    const others = timesOfOthers(lab, end.signal);
    try {
      while (performance.now() < from + WATCHED_MS) await expectNobodyElseHarmed();
    } finally {
      end.abort();
    }
    const times = await others;
    // Whatever waits for us waits for one look at each NIC.
    const again = callsFor(program).slice(asked);
    for (const nic of NICS) {
      expect(again.filter((name) => name === nic).length, nic).toBeLessThanOrEqual(1);
    }
    const waited = times.filter((ms) => ms > 1000).reduce((sum, ms) => sum + ms, 0) / 1000;
    const looks = again.filter((name) => name.startsWith('slow')).length;
    expect(waited).toBeLessThan(PROGRAM_SECONDS * looks + 2);
    // And not longer than that one look: the last ten lists were quick.
    expect(times.slice(-10).filter((ms) => ms > 1000)).toEqual([]);

    async function expectNobodyElseHarmed(): Promise<void> {
      const { status, body, milliseconds } = await get(`${exporter.url}/metrics`, {
        'X-Prometheus-Scrape-Timeout-Seconds': '5',
      });
      expect(status).toBe(200);
      expect(milliseconds).toBeLessThan(SLOWEST_MS);
      const scraped = Exposition.parse(body.toString());
      expect(scraped.value('kvm_libvirt_up')).toBe(1);
      for (const domain of GUESTS) {
        expect(scraped.has('kvm_domain_vcpu_seconds_total', { domain, vcpu: '0' })).toBe(true);
      }
      expect(counters(scraped, 'one-nic')).toBe(1);
      expect(counters(scraped, 'tap')).toBe(1);
      await sleep(1000);
    }
  });

  it('is asked again some time after it has come back, and nothing is owed', async () => {
    rmSync(`${program}.hangs`);
    await eventually('nothing is owed', 60_000, async () => {
      const scraped = await scrape(exporter);
      return scraped.value('kvm_exporter_libvirt_outstanding_calls') === 0;
    });
    const scraped = await scrape(exporter);
    expect(counters(scraped, 'one-nic')).toBe(1);
  });
});

/** The NICs whose counters libvirtd has asked for so far, in this order. */
function callsFor(program: string): readonly string[] {
  if (!existsSync(`${program}.log`)) return [];
  return readFileSync(`${program}.log`, 'utf8')
    .split('\n')
    .filter((line) => line.includes('columns=statistics'))
    .map((line) => line.slice(line.lastIndexOf(' ') + 1));
}

/** How long each `virsh list` took, one after the other, until told to end; in milliseconds. */
async function timesOfOthers(lab: Lab, end: AbortSignal): Promise<readonly number[]> {
  const times: number[] = [];
  while (!end.aborted) {
    const from = performance.now();
    await lab.programs.run('virsh', ['-r', '-c', lab.sockets.readOnlyUri, 'list']);
    times.push(performance.now() - from);
    await sleep(200);
  }
  return times;
}
