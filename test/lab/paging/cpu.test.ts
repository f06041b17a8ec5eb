import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { openLab, type Lab } from '../../../lab/index.ts';
import { INSTANCE, MonitoringStack } from './support/monitoring-stack.ts';

const NOISY = ['noisy-1', 'noisy-2'] as const;

describe('two spinning guests starve a third of CPU', () => {
  const resources = new AsyncDisposableStack();
  let lab: Lab;
  let stack: MonitoringStack;
  let since: number;

  beforeAll(async () => {
    lab = resources.use(await openLab());
    // All want whole CPUs, and there are not enough. A hundredth of the weight: with a tenth the
    // scheduler, which moves waiting tasks about, at times let a noisy guest wait longer.
    const guests = await lab.startGuests([
      { name: 'victim', cpuTune: { shares: 10 } },
      ...NOISY.map((name) => ({ name, vcpus: { current: 2 }, cpuTune: { shares: 1024 } })),
    ]);
    for (const guest of guests) await guest.waitFor('lab: started');
    stack = resources.use(await MonitoringStack.start(lab));
    since = Date.now() / 1000;
    await lab.guest('victim').command({ kind: 'spin', threads: 1 });
    for (const name of NOISY) await lab.guest(name).command({ kind: 'spin', threads: 2 });
  });

  afterAll(() => resources.disposeAsync());

  it('names each of the two as a cause and the third as who suffers', async () => {
    for (const domain of NOISY) {
      const page = await stack.pager.expectPage({
        alertname: 'KvmNoisyNeighbour',
        severity: 'warning',
        labels: { instance: INSTANCE, cluster: 'lab', domain },
      });
      const { description } = page.annotations;
      expect(description).toContain(`${domain} uses`);
      expect(description).toMatch(/wait for CPUs \(their share\): victim \(/);
      expect(description).toContain(`Cap ${domain}`);
      expect(description).not.toContain(`${domain} (`);
    }
  });

  it('pages for the host, and names who waits most and who takes most', async () => {
    const page = await stack.pager.expectPage({
      alertname: 'KvmHostCpuStarved',
      severity: 'critical',
      labels: { instance: INSTANCE, cluster: 'lab' },
    });
    expect(page.annotations['description']).toMatch(
      /Waiting most: victim \(.*Using most, in CPUs: noisy-[12] \(/s,
    );
    // Muted by the page for the host, unless that stops first.
    const starved = { alertname: 'KvmGuestCpuStarved', labels: { domain: 'victim' } };
    await stack.pager.expectFiring({ ...starved, severity: 'critical' });
  });

  it('is over when the spinning stops', async () => {
    for (const guest of lab.guests) await guest.command({ kind: 'stop', what: 'spin' });
    const { pager } = stack;
    for (const domain of NOISY) {
      const noisy = { alertname: 'KvmNoisyNeighbour', labels: { domain } };
      await pager.expectResolved({ ...noisy, severity: 'warning' });
    }
    const starved = { alertname: 'KvmHostCpuStarved', severity: 'critical' } as const;
    await pager.expectResolved(starved);
    await pager.expectSilence('alertname="KvmGuestCpuStarved",severity="critical"');
  });

  it('has blamed nobody else', async () => {
    const blamed = await stack.pager.fired('alertname="KvmNoisyNeighbour"', since);
    expect(blamed).toEqual(NOISY.map((domain) => `KvmNoisyNeighbour warning domain=${domain}`));
  });
});
