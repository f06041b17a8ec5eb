import { beforeAll, describe, expect, it } from 'vitest';

import type { Domain } from '../../../src/model/domain.ts';
import type { Snapshot } from '../../../src/model/snapshot.ts';
import { guestCounters, hostCounters } from './counters.ts';
import {
  allCpuSeconds,
  availableOnDisk,
  cpuTimeOf,
  demoAt,
  domainOf,
  domainsOf,
  linkOf,
  meminfoOf,
  processOf,
  scheduled,
  there,
  total,
  vmstatOf,
} from './story.ts';

const LOOP_SECONDS = 1800;
const CORES = 4;
const GIB = 2 ** 30;
/** Differences of sums since boot are not exact. */
const EPSILON = 1e-4;

/** A snapshot with everything in it that only grows. */
interface Sample {
  readonly snapshot: Snapshot;
  readonly counters: ReadonlyMap<string, number>;
}

function sampleOf(snapshot: Snapshot): Sample {
  const maps = [hostCounters(snapshot), ...domainsOf(snapshot).map(guestCounters)];
  return { snapshot, counters: new Map(maps.flatMap((counters) => [...counters])) };
}

/** A law of physics that two snapshots in succession do not obey. */
interface Broken {
  readonly seconds: number;
  readonly law: string;
}

function lawsBroken(earlier: Sample, later: Sample, dt: number): string[] {
  const before = earlier.snapshot;
  const after = later.snapshot;
  const broken: string[] = [];
  const law = (name: string, holds: boolean): void => {
    if (!holds) broken.push(name);
  };
  const domains = domainsOf(after);

  // Counters never fall, but for a guest that was started anew.
  for (const [name, value] of later.counters) {
    if (value < (earlier.counters.get(name) ?? 0)) broken.push(`${name} never falls`);
  }

  // CPU: all modes make up the time there was; guests ran in it.
  const now = cpuTimeOf(after).total;
  const then = cpuTimeOf(before).total;
  const passed = allCpuSeconds(now) - allCpuSeconds(then);
  law('all CPU modes add up to the cores', Math.abs(passed - CORES * dt) < EPSILON);
  law('guest time is part of user time', now.guestSeconds <= now.userSeconds);
  // A guest that was started in between began at 0.
  const grown = (valueOf: (domain: Domain) => number): number =>
    total(domains, (domain) => {
      const old = domainOf(before, domain.name);
      const isSameRun = processOf(old).pid === processOf(domain).pid;
      return valueOf(domain) - (isSameRun ? valueOf(old) : 0);
    });
  const ran = grown((domain) => scheduled(domain).run);
  const busy = now.userSeconds + now.systemSeconds - (then.userSeconds + then.systemSeconds);
  law('guests run in the busy time of the cores', ran <= busy + EPSILON);

  // Memory: every page is somewhere, and only once.
  const memory = meminfoOf(after);
  const resident = total(domains, (domain) =>
    there(processOf(domain).status?.residentAnonymousBytes, 'RssAnon'),
  );
  const swapped = total(domains, (domain) =>
    there(processOf(domain).status?.swappedBytes, 'VmSwap'),
  );
  const ksm = there(after.host.ksm, 'KSM');
  const saved = there(ksm.pagesSharing, 'pages_sharing') * 4096;
  const anonymous = there(memory.anonymousBytes, 'AnonPages');
  const own = anonymous - (resident - saved);
  law('what is not the guests is the host’s own 380 MiB', own === 380 * 2 ** 20);
  const accounted =
    memory.freeBytes +
    anonymous +
    there(memory.cachedBytes, 'Cached') +
    there(memory.buffersBytes, 'Buffers') +
    there(memory.slabReclaimableBytes, 'SReclaimable') +
    there(memory.slabUnreclaimableBytes, 'SUnreclaim') +
    there(memory.pageTableBytes, 'PageTables') +
    there(memory.kernelStackBytes, 'KernelStack');
  law(
    'all but 220 MiB of memory is accounted for',
    memory.totalBytes - accounted === 220 * 2 ** 20,
  );
  law('the watermark is kept free', memory.freeBytes >= 100 * 2 ** 20);
  const available = there(memory.availableBytes, 'MemAvailable');
  law(
    'available is no more than free and cached',
    available >= 0 && available <= memory.freeBytes + there(memory.cachedBytes, 'Cached'),
  );

  // Swap: in use is what the guests have there, and what came in had gone out.
  const swapTotal = there(memory.swapTotalBytes, 'SwapTotal');
  const swapUsed = swapTotal - there(memory.swapFreeBytes, 'SwapFree');
  law('swap in use is what guests have there', swapUsed === swapped);
  law('swap is not overfull', swapUsed <= swapTotal);
  law('the area says the same', after.host.swapAreas?.[0]?.usedBytes === swapped);
  const wentOut = (vmstatOf(after, 'pswpout') - vmstatOf(after, 'pswpin')) * 4096;
  law('nothing is in swap that did not go there', swapped <= wentOut + 4096);

  // KSM: merged pages are pages of guests.
  const merging = total(domains, (domain) =>
    there(processOf(domain).ksm?.mergingPages, 'merging pages'),
  );
  const merged = there(ksm.pagesShared, 'pages_shared') + saved / 4096;
  law('merged pages of guests add up', merging <= merged && merging > merged - domains.length);
  law('no more is saved than resident', saved < resident);

  // Balloons: no guest has more than it may, nor less than the host sees of it.
  for (const { name, balloon, process } of domains) {
    const current = there(balloon?.currentBytes, 'balloon');
    const status = there(process?.status, 'status');
    const touched =
      there(status.residentAnonymousBytes, 'RssAnon') + there(status.swappedBytes, 'VmSwap');
    law(`${name} has at most 1 GiB`, current <= GIB && touched <= GIB + 30 * 2 ** 20);
  }

  // Pressure: no more than all of the time.
  for (const [resource, pressure] of there(after.host.pressure, 'pressure')) {
    const old = there(before.host.pressure?.get(resource), resource);
    const some = pressure.someSeconds - old.someSeconds;
    const full = (pressure.fullSeconds ?? 0) - (old.fullSeconds ?? 0);
    law(`${resource} pressure is part of the time`, full <= some && some <= dt + EPSILON);
  }

  // Disk: what images take, the filesystem lacks.
  const leaves = there(after.storage, 'storage').disks.map(({ source }) =>
    there(
      source.kind === 'local' ? source.chain.images[0]?.image.allocatedBytes : undefined,
      'image',
    ),
  );
  const room = 996 * GIB - total(leaves, (bytes) => bytes);
  law(
    'images and what is available make up the disk',
    availableOnDisk(after) === Math.max(0, room),
  );
  law('the disk is not overfull', room > -GIB / 1024);

  // Network: what guests send leaves by the wire, which is no faster than it is.
  const sent = (one: Snapshot) => Number(linkOf(one, 'eno1').transmittedBytes);
  const received = (one: Snapshot) => Number(linkOf(one, 'eno1').receivedBytes);
  law('the wire sends at most 1 Gbit/s', sent(after) - sent(before) <= 125e6 * dt + 1);
  law('the wire receives at most 1 Gbit/s', received(after) - received(before) <= 125e6 * dt + 1);
  const nics = grown(({ nics }) => Number(there(nics?.[0]?.transmitBytes, 'NIC')));
  const others = sent(after) - sent(before) - nics;
  law('the wire carries what guests send and 50 kB/s', Math.abs(others - 50e3 * dt) < 100);
  return broken;
}

describe('the demo host, second by second through two loops of its story', () => {
  const broken: Broken[] = [];
  let seconds = 0;

  beforeAll(async () => {
    const demo = demoAt();
    let before = sampleOf(await demo(0));
    for (seconds = 1; seconds <= 2 * LOOP_SECONDS + 60; seconds += 1) {
      const after = sampleOf(await demo(seconds));
      for (const law of lawsBroken(before, after, 1)) broken.push({ seconds, law });
      before = after;
    }
  }, 120_000);

  it('obeys the laws of a real one', () => {
    expect(seconds).toBeGreaterThan(2 * LOOP_SECONDS);
    expect(broken).toEqual([]);
  });
});

describe('the demo host', () => {
  it('obeys the same laws between whole seconds, as scrapes come', async () => {
    const demo = demoAt();
    const broken: Broken[] = [];
    let before = sampleOf(await demo(880.3));
    for (let tenths = 8806; tenths < 10_000; tenths += 3) {
      const after = sampleOf(await demo(tenths / 10));
      for (const law of lawsBroken(before, after, 0.3)) broken.push({ seconds: tenths / 10, law });
      before = after;
    }
    expect(broken).toEqual([]);
  });

  it('is the same at the same moment, however it got there', async () => {
    const direct = demoAt();
    const often = demoAt();
    for (let seconds = 0; seconds < 1234; seconds += 7.7) await often(seconds);
    // Only how long it took to tell may differ.
    const untimed = (snapshot: Snapshot): Snapshot => ({ ...snapshot, outcomes: [] });
    expect(untimed(await often(1234.5))).toEqual(untimed(await direct(1234.5)));
  });

  it('obeys the same laws when its story is told thirty times as fast', async () => {
    const demo = demoAt(30);
    const broken: Broken[] = [];
    let before = sampleOf(await demo(0));
    for (let seconds = 0.7; seconds <= 130; seconds += 0.7) {
      const after = sampleOf(await demo(seconds));
      for (const law of lawsBroken(before, after, 0.7)) broken.push({ seconds, law });
      before = after;
    }
    expect(broken).toEqual([]);
  });
});
