import { totalmem } from 'node:os';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { eventually, ksmCounter, openLab, type Lab } from '../../lab/index.ts';
import { INSTANCE, MonitoringStack } from '../support/paging/monitoring-stack.ts';

const MIB = 1024 * 1024;
const PAGE = 4096;
const STORM = {
  alertname: 'KvmSwapStorm',
  severity: 'critical',
  labels: { instance: INSTANCE, cluster: 'lab' },
} as const;

describe('guests squeezed until the host swaps in and out', () => {
  const guests = ['thrasher-1', 'thrasher-2', 'thrasher-3'] as const;
  const resources = new AsyncDisposableStack();
  let lab: Lab;
  let stack: MonitoringStack;
  const lifts: (() => void)[] = [];

  beforeAll(async () => {
    lab = resources.use(await openLab());
    await lab.startGuests(guests.map((name) => ({ name, memoryMib: 256 })));
    for (const name of guests) {
      await lab.guest(name).command({ kind: 'touch', mib: 64, pattern: 'unique', slot: 0 });
    }
    await lab.swapFile(1024);
    // Swap on a fast disk, and other work on the host: all tasks stall for a shorter part of
    // the time than on a host where this hurts.
    stack = resources.use(
      await MonitoringStack.start(lab, { memory: { pressure_ratio: { warning: 0.03 } } }),
    );
    for (const name of guests) lifts.push(await lab.squeezeMemory(name, 96 * MIB));
    // Reads 64 MiB and writes as much, over and over, so that what is out must come back in.
    const copy = 'dd if=/mem/0 of=/mem/1 bs=1M conv=notrunc status=none';
    for (const name of guests) {
      await lab.guest(name).command(`sh (while :; do ${copy}; done) & echo $! >/run/spin`);
    }
  });

  afterAll(() => resources.disposeAsync());

  it('pages a swap storm with the guests that are in it', async () => {
    const page = await stack.pager.expectPage(STORM);
    expect(page.labels['domain']).toBeUndefined();
    for (const name of guests) expect(page.annotations['description']).toContain(name);
  });

  it('mutes what the storm explains', async () => {
    const { pager } = stack;
    const stormAt = (await pager.expectPage(STORM)).arrivedAt;
    const alertname = 'KvmGuestSwappedByHost';
    for (const domain of guests) {
      await pager.expectFiring({ alertname, severity: 'warning', labels: { domain } });
    }
    const told = pager.notifications.filter(
      ({ labels, arrivedAt }) => labels['alertname'] === alertname && arrivedAt > stormAt,
    );
    expect(told).toEqual([]);
  });

  it('is over when the guests have room again', async () => {
    for (const lift of lifts) lift();
    await stack.pager.expectResolved(STORM);
  });
});

describe('merged guests write different data', () => {
  const guests = ['twin-1', 'twin-2', 'twin-3'] as const;
  const MERGED_MIB = 48;
  const resources = new AsyncDisposableStack();
  let lab: Lab;
  let stack: MonitoringStack;
  const saved = () => ksmCounter('pages_sharing') * PAGE;

  beforeAll(async () => {
    lab = resources.use(await openLab());
    await lab.startGuests(guests.map((name) => ({ name, memoryMib: 192 })));
    for (const name of guests) {
      await lab.guest(name).command({ kind: 'touch', mib: MERGED_MIB, pattern: 'same' });
    }
    const before = saved();
    lab.ksm({ run: 1, pages_to_scan: 20_000, sleep_millisecs: 10 });
    await eventually(
      'most of that is merged',
      180_000,
      () => saved() - before > 0.6 * guests.length * MERGED_MIB * MIB,
      () => `${saved()} bytes saved, ${before} before`,
    );
    // A tenth of what is left is more than small guests can part on a large host: an eighth of
    // what these have merged.
    const collapse = (guests.length * MERGED_MIB * MIB) / 8 / totalmem();
    stack = resources.use(
      await MonitoringStack.start(lab, {
        memory: { ksm_collapse_ratio: { warning: collapse } },
      }),
    );
  });

  afterAll(() => resources.disposeAsync());

  it('warns that merged memory comes apart, and which guests grow', async () => {
    const written = guests.map((name) =>
      lab.guest(name).command({ kind: 'touch', mib: MERGED_MIB, pattern: 'unique' }),
    );
    const page = await stack.pager.expectPage({
      alertname: 'KvmKsmCollapse',
      severity: 'warning',
      labels: { instance: INSTANCE, cluster: 'lab' },
    });
    await Promise.all(written);
    const growing = /Growing most: (.*)\./.exec(page.annotations['description'] ?? '')?.[1] ?? '';
    expect(growing).toMatch(/twin-[123] \(/);
  });

  it('is over when nothing more comes apart', async () => {
    const collapse = { alertname: 'KvmKsmCollapse', severity: 'warning' } as const;
    await stack.pager.expectResolved(collapse);
  });
});
