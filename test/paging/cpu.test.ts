import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { eventually, openLab, type Lab } from '../../lab/index.ts';
import { threadSchedule } from '../support/process-readings.ts';
import { INSTANCE, MonitoringStack } from '../support/paging/monitoring-stack.ts';

const NOISY = ['noisy-1', 'noisy-2'] as const;
/** How QEMU names the thread of the first vCPU under emulation. */
const VCPU = 'CPU 0/TCG';

describe('two spinning guests starve a third of CPU', () => {
  const resources = new AsyncDisposableStack();
  let lab: Lab;
  let stack: MonitoringStack;
  let since: number;

  beforeAll(async () => {
    lab = resources.use(await openLab());
    // All want whole CPUs, and there are not enough. A thirtieth of the weight: with a tenth the
    // scheduler, which moves waiting tasks about, at times let a noisy guest wait longer; with a hundredth
    // the victim runs so rarely that the kernel, which counts a wait when it ends, is silent for long.
    const guests = await lab.startGuests([
      { name: 'victim', cpuTune: { shares: 34 } },
      ...NOISY.map((name) => ({ name, vcpus: { current: 2 }, cpuTune: { shares: 1024 } })),
    ]);
    for (const guest of guests) await guest.waitFor('lab: started');
    await lab.guest('victim').command({ kind: 'spin', threads: 1 });
    for (const name of NOISY) await lab.guest(name).command({ kind: 'spin', threads: 2 });
    // Who waits most is settled before anybody is asked: a page has the names of its first moment.
    await eventually('the victim waits nearly all the time', 60_000, async () => {
      const before = threadSchedule(lab.qemuPid('victim'), VCPU);
      await sleep(3000);
      const after = threadSchedule(lab.qemuPid('victim'), VCPU);
      return after.delaySeconds - before.delaySeconds > 2.7;
    });
    stack = resources.use(await MonitoringStack.start(lab));
    since = Date.now() / 1000;
  });

  afterAll(() => resources.disposeAsync());

  it('pages for the host, and names who waits most and who takes most', async () => {
    const host = {
      alertname: 'KvmHostCpuStarved',
      severity: 'critical',
      labels: { instance: INSTANCE, cluster: 'lab' },
    } as const;
    await stack.pager.expectPage(host);
    // The page has the order of its first moment, which is a second's here, and the kernel counts a wait when
    // it ends.
    const named = /Waiting most: victim \(.*Using most, in CPUs: noisy-[12] \(/s;
    await stack.pager.expectDescription(host, named);
    // Muted by the page for the host, unless that stops first.
    const starved = { alertname: 'KvmGuestCpuStarved', labels: { domain: 'victim' } };
    await stack.pager.expectFiring({ ...starved, severity: 'critical' });
  });

  it('is over when the spinning stops', async () => {
    for (const guest of lab.guests) await guest.command({ kind: 'stop', what: 'spin' });
    const { pager } = stack;
    const starved = { alertname: 'KvmHostCpuStarved', severity: 'critical' } as const;
    await pager.expectResolved(starved);
    await pager.expectSilence('alertname="KvmGuestCpuStarved",severity="critical"');
  });

  it('has blamed nobody, since the two took what their weights entitle them to', async () => {
    expect(await stack.pager.fired('alertname="KvmNoisyNeighbour"', since)).toEqual([]);
  });
});
