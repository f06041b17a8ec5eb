import { describe, expect, it } from 'vitest';

import { DemoHost } from '../../../src/demo/demo-host.ts';
import type { Snapshot } from '../../../src/model/snapshot.ts';
import {
  ALL,
  assessed,
  availableOnDisk,
  demoAt,
  domainOf,
  domainsOf,
  linkOf,
  meminfoOf,
  processOf,
  scheduled,
  STARTED_AT,
  there,
  vcpuDelay,
  vmstatOf,
} from './story.ts';

const GIB = 2 ** 30;

/** Two snapshots a minute apart, the later one late in its phase. */
async function lastMinuteBefore(end: number): Promise<readonly [Snapshot, Snapshot]> {
  const demo = demoAt();
  return [await demo(end - 60), await demo(end)];
}

/** PSI full of memory, per second. */
function memoryFull([before, after]: readonly [Snapshot, Snapshot]): number {
  const at = (one: Snapshot) =>
    there(one.host.pressure?.get('memory')?.fullSeconds, 'memory pressure');
  return (at(after) - at(before)) / 60;
}

function pagesPerSecond(
  [before, after]: readonly [Snapshot, Snapshot],
  counter: 'pswpin' | 'pswpout',
): number {
  return (vmstatOf(after, counter) - vmstatOf(before, counter)) / 60;
}

/** Part of the time each guest's vCPU waited for a CPU. */
function delays([before, after]: readonly [Snapshot, Snapshot]): readonly number[] {
  return domainsOf(after).map(
    (domain) => (vcpuDelay(domain) - vcpuDelay(domainOf(before, domain.name))) / 60,
  );
}

describe('the host of the talk', () => {
  it('promises 8:1 of CPU, 2:1 of memory, 3.2:1 of storage and one wire to 32 NICs', async () => {
    const snapshot = await demoAt()(0);
    const { cpu, memory, storage, network } = assessed(snapshot);
    const shared = there(cpu, 'CPU').shared;
    expect(shared.promised.current / shared.capacity.cores).toBe(8);
    const { promised, capacityBytes } = there(memory, 'memory');
    expect(promised.maximumBytes / capacityBytes).toBe(2);
    const { host, containers } = there(storage, 'storage');
    const size = there(containers[0]?.sizeBytes, 'size');
    const capacities = there(snapshot.storage, 'images').disks.map(({ source }) =>
      source.kind === 'local' ? (source.chain.images[0]?.image.capacityBytes ?? 0) : 0,
    );
    expect(capacities.reduce((sum, one) => sum + one, 0) / size).toBe(3.2);
    // Worst case with qcow2's own metadata and the base image.
    expect(host.promisedBytes / size).toBeCloseTo(3.2, 2);
    expect(there(network, 'network').uplinks).toMatchObject([
      { id: 'eno1', nics: 32, guests: 32, speedBytesPerSecond: 125e6, up: true },
    ]);
  });

  it('promises less memory for now: balloons are three quarters of the guests’ size', async () => {
    const { memory } = assessed(await demoAt()(0));
    expect(there(memory, 'memory').promised.currentBytes).toBe(24 * GIB);
  });

  it('would start 28 of its 32 guests by itself', async () => {
    const { bootStorm } = assessed(await demoAt()(0));
    expect(bootStorm?.autostart.afterReboot).toMatchObject({ domains: 28, vcpus: 28 });
    expect(bootStorm?.all.afterReboot.maximumMemoryBytes).toBe(32 * GIB);
  });

  it('has guests of three projects, and two of which nobody wrote down whose they are', async () => {
    const tenants = domainsOf(await demoAt()(0)).map(({ config }) => config?.owner?.tenant);
    const count = (tenant: string | undefined) => tenants.filter((one) => one === tenant).length;
    expect(['shop', 'data', 'ci', undefined].map(count)).toEqual([22, 4, 4, 2]);
  });

  it('says that it is a demo, and gives all that is asked for', async () => {
    const snapshot = await demoAt()(10);
    expect(snapshot.demo).toBe(true);
    expect(snapshot.takenAtSeconds).toBe(STARTED_AT + 10);
    expect(snapshot.libvirt.up).toBe(true);
    expect(snapshot.outcomes.map(({ collector }) => collector).sort()).toEqual([...ALL].sort());
    expect(snapshot.outcomes.every(({ success }) => success)).toBe(true);
  });

  it('leaves out what is not asked for', async () => {
    const host = new DemoHost();
    const snapshot = await host.collect(new Set(['memory', 'domain'] as const));
    expect(snapshot.host.meminfo).toBeDefined();
    expect(snapshot.host.vmstat).toBeUndefined();
    expect(snapshot.storage).toBeUndefined();
    expect(snapshot.network).toBeUndefined();
    const web = domainOf(snapshot, 'web-01');
    expect(web.config?.vcpu.current).toBe(1);
    expect(web.process).toBeUndefined();
    expect(web.monitor).toBe('unasked');
  });
});

describe('the demo’s story', () => {
  it('begins calm: nobody waits, nothing is swapped, claims can be met', async () => {
    const minute = await lastMinuteBefore(590);
    expect(Math.max(...delays(minute))).toBeLessThan(0.01);
    expect(memoryFull(minute)).toBe(0);
    expect(pagesPerSecond(minute, 'pswpout')).toBe(0);
    const memory = meminfoOf(minute[1]);
    expect(there(memory.availableBytes, 'MemAvailable') / memory.totalBytes).toBeGreaterThan(0.2);
    const { current } = there(assessed(minute[1]).memory, 'memory');
    expect(current.shortfallBytes).toBeLessThan(0);
  });

  it('goes on with two noisy neighbours, for whom nearly everybody has to wait', async () => {
    const minute = await lastMinuteBefore(890);
    const used = (name: string) =>
      scheduled(domainOf(minute[1], name)).run - scheduled(domainOf(minute[0], name)).run;
    // More than a quarter of four cores, each.
    expect(used('build-01') / 60).toBeGreaterThan(1);
    expect(used('build-02') / 60).toBeGreaterThan(1);
    expect(delays(minute).filter((delay) => delay > 0.1).length).toBeGreaterThanOrEqual(20);
    const wire =
      Number(linkOf(minute[1], 'eno1').transmittedBytes) -
      Number(linkOf(minute[0], 'eno1').transmittedBytes);
    expect(wire / 60 / 125e6).toBeGreaterThan(0.95);
  });

  it('then a swap storm: pages go both ways, and often nobody gets on', async () => {
    const minute = await lastMinuteBefore(1190);
    expect(pagesPerSecond(minute, 'pswpin')).toBeGreaterThan(200);
    expect(pagesPerSecond(minute, 'pswpout')).toBeGreaterThan(200);
    expect(memoryFull(minute)).toBeGreaterThan(0.6);
    expect(Math.max(...delays(minute))).toBeLessThan(0.05);
  });

  it('then a run on the bank: guests may claim more than there is, and swap is nearly full', async () => {
    const late = await demoAt()(1490);
    const { current, promised } = there(assessed(late).memory, 'memory');
    expect(promised.currentBytes).toBe(32 * GIB);
    expect(current.exposureBytes / current.supplyBytes).toBeGreaterThan(1.5);
    const memory = meminfoOf(late);
    const swapFree = there(memory.swapFreeBytes, 'SwapFree');
    expect(swapFree / there(memory.swapTotalBytes, 'SwapTotal')).toBeLessThan(0.1);
    expect(there(memory.availableBytes, 'MemAvailable') / memory.totalBytes).toBeLessThan(0.05);
  });

  it('ends with a full disk and the guests that write to it paused', async () => {
    const demo = demoAt();
    expect(availableOnDisk(await demo(1510)) / GIB).toBeGreaterThan(50);
    const full = await demo(1790);
    expect(availableOnDisk(full)).toBeLessThan(4096 * 32);
    const paused = domainsOf(full).filter(({ state }) => state === 'paused');
    expect(paused.map(({ reason }) => reason)).toEqual(Array(10).fill('ioerror'));
    expect(new Set(paused.map(({ name }) => name.split('-')[0]))).toEqual(new Set(['app', 'mail']));
    const idle = await demo(1795);
    expect(scheduled(domainOf(idle, 'app-01'))).toEqual(scheduled(domainOf(full, 'app-01')));
    expect(domainOf(idle, 'app-01').balloon?.lastUpdateSeconds).toBeLessThan(STARTED_AT + 1710);
  });

  it('begins again: there is room, and the paused guests are new processes', async () => {
    const demo = demoAt();
    const full = await demo(1790);
    const again = await demo(1860);
    expect(availableOnDisk(again) / GIB).toBeGreaterThan(50);
    expect(domainsOf(again).every(({ state }) => state === 'running')).toBe(true);
    const restarted = processOf(domainOf(again, 'app-01'));
    expect(restarted.startSeconds).toBe(STARTED_AT + 1800);
    expect(restarted.pid).not.toBe(processOf(domainOf(full, 'app-01')).pid);
    expect(restarted.stat.userSeconds).toBeLessThan(20);
    expect(processOf(domainOf(again, 'web-01')).pid).toBe(processOf(domainOf(full, 'web-01')).pid);
  });

  it('is told as fast as one likes, with the same ends', async () => {
    const demo = demoAt(10);
    const storm = [await demo(113), await demo(119)] as const;
    expect(vmstatOf(storm[1], 'pswpin') - vmstatOf(storm[0], 'pswpin')).toBeGreaterThan(6 * 200);
    expect(domainsOf(await demo(179)).some(({ reason }) => reason === 'ioerror')).toBe(true);
  });
});
