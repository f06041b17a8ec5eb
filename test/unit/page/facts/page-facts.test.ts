import { describe, expect, it } from 'vitest';

import { pageFacts, type PageFacts } from '../../../../src/page/facts/page-facts.ts';
import { RecentCounters } from '../../../../src/risk/recent-counters.ts';
import type { ResourceFacts } from '../../../../src/page/facts/resource-facts.ts';
import { findFigure, toWords, type Sentence } from '../../../../src/page/words/sentence.ts';
import type { Snapshot } from '../../../../src/model/snapshot.ts';
import {
  exampleBandwidth,
  exampleConfig,
  exampleInterface,
} from '../../../support/metrics/example-config.ts';
import { exampleBalloon, exampleCgroup } from '../../../support/metrics/example-guest.ts';
import {
  exampleSnapshot,
  exampleView,
  NOTHING_RECENT,
  unknownSnapshot,
} from '../../../support/metrics/example-snapshot.ts';
import { A, B, GIB, smallHost, type GuestAt, type Moment } from '../small-host.ts';

function facts(snapshot: Snapshot): PageFacts {
  return pageFacts(exampleView(snapshot), NOTHING_RECENT);
}

/** At the second look, ten seconds after one at the ordinary host. */
function factsLater(now: Omit<Moment, 'seconds'>): PageFacts {
  const recent = new RecentCounters();
  recent.add(smallHost());
  const snapshot = smallHost({ seconds: 10, ...now });
  return pageFacts(exampleView(snapshot), recent.before(snapshot));
}

function of(page: PageFacts, resource: ResourceFacts['resource']): ResourceFacts {
  const found = page.resources.find((one) => one.resource === resource);
  if (found === undefined) throw new Error(`no ${resource}`);
  return found;
}

function plain(text: string): string {
  return text.replaceAll('\u00a0', ' ');
}

function words(sentence: Sentence): string {
  return plain(toWords(sentence));
}

function barsOf({ charts }: ResourceFacts): string[] {
  return (charts[0]?.bars ?? []).map(({ label, text }) => `${label}: ${plain(text)}`);
}

function inShort({ promise }: ResourceFacts): string[] {
  return promise === undefined
    ? []
    : [promise.ratio, promise.promised, promise.capacity].map(plain);
}

function topOf({ top }: ResourceFacts): string[] {
  return [top.title, ...top.guests.map(({ name, why }) => `${name}: ${plain(why)}`)];
}

describe('the small host at a glance', () => {
  const page = facts(smallHost());

  it('has its risks in one sentence', () => {
    expect(page.summary).toBe('Memory is at high risk, storage at medium, CPU and network at low.');
  });

  it('says what it is', () => {
    expect(page.description.map(plain)).toEqual(['4 CPUs', '16 GiB of memory']);
    expect(plain(page.guestCount ?? '')).toBe('2 guests running');
  });

  it('has no problems', () => {
    expect(page.problems).toEqual([]);
    expect(page.exporter.faults).toEqual([]);
  });

  it('has what a run on the bank would do in short', () => {
    expect(page.resources.map(({ bank }) => plain(findFigure(bank) ?? ''))).toEqual([
      '67 % of a CPU for each',
      '3 GiB short',
      '20 GiB short',
      '2 times what fits',
    ]);
  });

  it('promises 6 vCPUs on 4 CPUs', () => {
    const cpu = of(page, 'cpu');
    expect(cpu.level).toBe(0);
    expect(inShort(cpu)).toEqual(['1.5 : 1', '6 vCPUs', '4 CPUs']);
    expect(words(cpu.bank)).toBe(
      'If all vCPUs were busy at once, there would be 67 % of a CPU for each. Guests would run slower, not stop.',
    );
    expect(barsOf(cpu)).toEqual(['Promised: 6 vCPUs', 'Capacity: 4 CPUs']);
    expect(topOf(cpu)).toEqual(['Most vCPUs', 'a: 4 vCPUs', 'b: 2 vCPUs']);
  });

  it('is 3 GiB of memory short: 3 and 6 GiB may be claimed, 6 GiB are there', () => {
    const memory = of(page, 'memory');
    expect(memory.level).toBe(2);
    expect(words(memory.bank)).toBe(
      'If all guests claim what they were promised, memory is 3 GiB short.',
    );
    expect(barsOf(memory)).toEqual([
      'Promised: 16 GiB',
      'Capacity: 15.5 GiB',
      'In use: 10 GiB',
      'Claimable: 9 GiB',
      'Available, with swap: 6 GiB',
    ]);
    expect(topOf(memory)).toEqual(['Most claimable memory', 'b: 6 GiB', 'a: 3 GiB']);
    expect(memory.reasons.map(({ level, sentence }) => `${level} ${words(sentence)}`)).toEqual([
      '2 Guests are promised 1.03 times the memory the host can give.',
      '1 Guests can still claim 1.5 times the memory and swap that is available (limit 1).',
    ]);
  });

  it('is 20 GiB of storage short: a may write 60 GiB more, 40 GiB are free', () => {
    const storage = of(page, 'storage');
    expect(storage.level).toBe(1);
    expect(inShort(storage)).toEqual(['1.1 : 1', '110 GiB', '100 GiB']);
    expect(words(storage.bank)).toBe(
      'If all guests claim what they were promised, storage /var/lib/libvirt/images is 20 GiB short. ' +
        'Guests that write then are paused.',
    );
    expect(barsOf(storage)).toEqual([
      'Promised: 110 GiB',
      'Capacity: 100 GiB',
      'In use: 60 GiB',
      'Claimable: 60 GiB',
      'Available: 40 GiB',
    ]);
    // b has written all of its disk.
    expect(topOf(storage)).toEqual(['Most claimable space', 'a: 60 GiB of 80 GiB']);
  });

  it('promises 2 Gbit/s on 1 Gbit/s', () => {
    const network = of(page, 'network');
    expect(network.level).toBe(0);
    expect(words(network.bank)).toBe(
      'If all guests send as fast as they may, that is 2 times what fits through eno1. ' +
        'Guests would wait, not stop.',
    );
    expect(barsOf(network)).toEqual(['Promised: 2 Gbit/s', 'Capacity: 1 Gbit/s']);
    expect(network.notes.map(words)).toEqual(['No interface of a guest on eno1 has a limit.']);
  });
});

describe('the small host at the second look', () => {
  it('says who uses CPU, and who waits for it', () => {
    const cpu = of(
      factsLater({
        host: { busySeconds: 25 },
        guests: [
          { ...A, cpuSeconds: 20, delaySeconds: 1.2 },
          { ...B, cpuSeconds: 5, delaySeconds: 0.01 },
        ],
      }),
      'cpu',
    );
    expect(barsOf(cpu)).toContain('In use: 2.5 CPUs');
    expect(topOf(cpu)).toEqual([
      'Using most CPU',
      'a: 2 CPUs, waited 12 % of the time',
      'b: 0.5 CPUs',
    ]);
  });

  it('names who has the CPUs when vCPUs wait for one', () => {
    const page = factsLater({
      host: { cpuWaitingSeconds: 9 },
      guests: [
        { ...A, cpuSeconds: 5, delaySeconds: 9 },
        { ...B, cpuSeconds: 20 },
      ],
    });
    expect(page.problems.map(({ level, sentence }) => `${level} ${words(sentence)}`)).toEqual([
      '3 vCPUs were ready to run but waited 15 % of the time: all guests are slow. ' +
        'Using most CPU: b and a. Waiting most for a CPU: a.',
    ]);
  });

  it('says who has most traffic, in bits', () => {
    const network = of(
      factsLater({ host: { receivedBytes: 125e6 }, guests: [A, { ...B, receivedBytes: 125e6 }] }),
      'network',
    );
    expect(barsOf(network)).toContain('In use: 100 Mbit/s');
    expect(topOf(network)).toEqual(['Most traffic', 'b: 100 Mbit/s in, 0 bit/s out']);
  });

  it('says when a filesystem is full at this pace', () => {
    // 4 GiB in 10 s, 36 GiB left.
    const storage = of(factsLater({ host: { availableGib: 36 } }), 'storage');
    expect(storage.notes.map(words)).toEqual([
      'At the pace of the last minute /var/lib/libvirt/images is full in 2 min.',
    ]);
  });

  it('says of an OOM kill that it cannot know whom it hit', () => {
    const memory = of(factsLater({ host: { oomKills: 1 } }), 'memory');
    expect(memory.level).toBe(2);
    expect(memory.reasons.map(({ sentence }) => words(sentence))).toContain(
      'The host killed 1 process in the last ten minutes because memory ran out; ' +
        'whether guests were among them takes Prometheus to know.',
    );
  });

  it('calls a storm that stalls the host a loss that needs attention now', () => {
    const host = { swapInPages: 2500, swapOutPages: 2500, memoryStalledSeconds: 2 };
    const page = factsLater({ host });
    expect(of(page, 'memory').level).toBe(3);
    expect(page.problems.map(({ level, sentence }) => `${level} ${words(sentence)}`)).toEqual([
      '3 The host swaps in and out at the same time, 0.98 MiB/s each way, ' +
        'and its tasks stalled on memory 20 % of the time.',
    ]);
    const { lead } = of(page, 'memory');
    expect(lead?.signal).toBe('memory_loss_swap_storm');
    expect(lead?.runbook).toBe('KvmSwapStorm');
  });

  it('tells what was measured in the sentence of the loss, and for scripts by itself', () => {
    const memory = of(factsLater({ host: { memoryStalledSeconds: 7 } }), 'memory');
    expect(memory.level).toBe(3);
    expect(words(memory.lead?.sentence ?? [])).toBe(
      'All tasks stalled on memory 70 % of the time.',
    );
    const measured = memory.reasons.find(({ signal }) => signal === 'memory_pressure');
    expect(measured).toMatchObject({ level: 2, value: 0.7, isSaid: true });
  });

  it('names a guest that loses CPU time though the host does not, and who has the CPUs', () => {
    const page = factsLater({
      host: { cpuWaitingSeconds: 6 },
      guests: [
        { ...A, vcpus: 1, cpuSeconds: 5, delaySeconds: 3 },
        { ...B, vcpus: 4, cpuSeconds: 20 },
      ],
    });
    expect(of(page, 'cpu').reasons.map(({ signal }) => signal)).toContain('cpu_loss_guests');
    expect(page.problems.map(({ level, sentence }) => `${level} ${words(sentence)}`)).toEqual([
      '3 a is waiting for a CPU too long. Using most CPU: b and a.',
    ]);
  });

  it('names a guest that is out of memory inside, once', () => {
    const balloon = (pages: number) =>
      exampleBalloon({
        guestTotalBytes: 8 * GIB,
        guestAvailableBytes: 0.1 * GIB,
        guestSwapInBytes: pages * 4096,
        guestSwapOutBytes: pages * 4096,
      });
    const at = (seconds: number): Snapshot =>
      smallHost({
        seconds,
        guests: [{ ...A, overrides: { balloon: balloon(seconds * 1000) } }, B],
      });
    const recent = new RecentCounters();
    recent.add(at(0));
    const page = pageFacts(exampleView(at(10)), recent.before(at(10)));
    const memory = of(page, 'memory');
    expect(memory.level).toBe(3);
    expect(words(memory.lead?.sentence ?? [])).toBe('1 guest has no memory left and only pages.');
    expect(page.problems.map(({ level, sentence }) => `${level} ${words(sentence)}`)).toEqual([
      '3 a is out of memory inside.',
    ]);
  });
});

describe('a host that promises no more than it has', () => {
  const modest: readonly GuestAt[] = [
    { ...A, memoryGib: 4, residentGib: 4, diskGib: 20, writtenGib: 10 },
  ];
  const page = facts(smallHost({ seconds: 0, guests: modest }));

  it('says so of each resource', () => {
    expect(page.summary).toBe('CPU, memory, storage and network are at low risk.');
    expect(page.resources.map(({ bank }) => words(bank))).toEqual([
      'If all vCPUs were busy at once, there would be a CPU for each.',
      'If all guests claim what they were promised, 6 GiB are left in memory and swap.',
      'If all guests claim what they were promised, 30 GiB are left on /var/lib/libvirt/images.',
      'If all guests send as fast as they may, all of it fits through eno1.',
    ]);
  });
});

describe('shared memory in swap', () => {
  const snapshot = smallHost();
  const cgroup = exampleCgroup();
  const usage = cgroup.memory && { ...cgroup.memory.usage, swapBytes: 2 * GIB };
  const domains = snapshot.domains?.map((domain) =>
    domain.name !== 'b' || domain.config === undefined
      ? domain
      : {
          ...domain,
          config: {
            ...domain.config,
            memory: {
              ...domain.config.memory,
              backing: { ...domain.config.memory.backing, source: 'memfd' as const },
            },
          },
          cgroup: {
            ...cgroup,
            memory: cgroup.memory && usage && { ...cgroup.memory, usage },
          },
        },
  );
  const page = facts({ ...snapshot, domains });

  it('is the same on the page as in the sums: VmSwap lacks it', () => {
    expect(topOf(of(page, 'memory'))).toContainEqual(
      expect.stringMatching(/^b: .*2 GiB swapped out$/),
    );
    const row = page.guests.find(({ name }) => name === 'b');
    expect(row?.swappedBytes).toBe(2 * GIB);
  });
});

describe('memory with swap', () => {
  it('says how much must be swapped out where swap fills the gap', () => {
    const snapshot = smallHost();
    const swapAreas = [
      {
        path: '/dev/sda2',
        kind: 'partition' as const,
        sizeBytes: 8 * GIB,
        usedBytes: 0,
        priority: -2,
        zram: undefined,
      },
    ];
    const page = facts({ ...snapshot, host: { ...snapshot.host, swapAreas } });
    expect(words(of(page, 'memory').bank)).toBe(
      'If all guests claim what they were promised, 3 GiB must be swapped out: they can still claim 9 GiB.',
    );
  });
});

describe('network with limits', () => {
  it('counts what guests are limited to', () => {
    const limit = exampleBandwidth({ averageBytesPerSecond: 25e6 });
    const limited = {
      config: exampleConfig({
        interfaces: [exampleInterface({ target: 'vnet0', inbound: limit, outbound: limit })],
      }),
    };
    const page = facts(smallHost({ seconds: 0, guests: [{ ...A, overrides: limited }, B] }));
    const network = of(page, 'network');
    // 200 Mbit/s and all of 1 Gbit/s.
    expect(barsOf(network)).toEqual(['Promised: 1.2 Gbit/s', 'Capacity: 1 Gbit/s']);
    expect(network.notes.map(words)).toEqual(['1 of 2 interfaces on eno1 without a limit.']);
  });
});

describe('a host in need', () => {
  it('names guests whose write failed, where room is missing, and counts them once', () => {
    const paused = { state: 'paused', reason: 'ioerror' } as const;
    const guests = ['a', 'b', 'c', 'd', 'e'].map((name) => ({ ...A, name, overrides: paused }));
    const page = facts(smallHost({ seconds: 0, guests, host: { availableGib: 0 } }));
    expect(page.problems.map(({ level, sentence }) => `${level} ${words(sentence)}`)).toEqual([
      '3 a, b, c and 2 more are paused because a write failed. ' +
        'Make room on /var/lib/libvirt/images, then resume.',
      '3 1 filesystem is full, and images can still grow there.',
    ]);
    expect(page.guestCount?.replaceAll('\u00a0', ' ')).toBe('0 guests running, 5 paused');
    expect(of(page, 'storage').level).toBe(3);
    const reasons = of(page, 'storage').reasons.map(({ level, sentence }) => ({
      level,
      says: words(sentence),
    }));
    expect(reasons.filter(({ says }) => says.includes('full') || says.includes('left'))).toEqual([
      { level: 3, says: '1 filesystem is full, and images can still grow there.' },
    ]);
  });

  it('names guests that crashed or do not answer, and storage that hangs', () => {
    const page = facts(
      exampleSnapshot({
        domains: smallHost({
          seconds: 0,
          guests: [
            { ...A, overrides: { monitor: 'unresponsive' } },
            { ...B, overrides: { state: 'shutoff', reason: 'crashed', active: false } },
          ],
        }).domains,
      }),
    );
    expect(page.problems.map(({ sentence }) => words(sentence))).toEqual([
      'b crashed.',
      'Storage /mnt/nfs does not answer: no answer within 2 s',
      'a does not answer on the QEMU monitor: balloon and disk values are missing.',
    ]);
    expect(page.guests.map(({ name, state }) => `${name}: ${state}`)).toEqual([
      'b: off, crashed',
      'a: running, no answer',
    ]);
  });

  it('names thin pools and images that are broken', () => {
    const { storage } = exampleSnapshot();
    if (storage?.thin === undefined) throw new Error('no thin pool');
    const { thin } = storage;
    const pools = thin.storage.pools.map((pool) => ({
      ...pool,
      state: 'out-of-data-space' as const,
      needsCheck: true,
    }));
    const page = facts(
      smallHost(
        { seconds: 0 },
        {
          storage: {
            ...storage,
            filesystems: [],
            thin: { ...thin, storage: { ...thin.storage, pools } },
          },
        },
      ),
    );
    expect(page.problems.map(({ sentence }) => words(sentence))).toEqual([
      'Thin pool vg0/thin0 has no free space: writes wait or fail.',
      'The metadata of thin pool vg0/thin0 needs a check.',
    ]);
  });
});

describe('an exporter that does not see everything', () => {
  it('says which sockets of libvirt were tried and what to do, and shows the host', () => {
    const detail =
      'cannot connect to libvirt (/run/libvirt/virtqemud-sock-ro: ENOENT). Start virtqemud.';
    const page = facts(
      unknownSnapshot({
        host: smallHost().host,
        outcomes: [
          {
            collector: 'domain',
            success: false,
            durationSeconds: 0,
            errors: [{ kind: 'absent', subject: 'libvirt', detail }],
          },
          {
            collector: 'pool',
            success: false,
            durationSeconds: 0,
            errors: [{ kind: 'absent', subject: 'libvirt', detail: 'not connected' }],
          },
        ],
      }),
    );
    expect(
      page.exporter.faults.map(({ sentence, detail: why }) => [words(sentence), why && words(why)]),
    ).toEqual([['No connection to libvirt: only the host is shown, no guests.', detail]]);
    expect(page.guestCount).toBeUndefined();
    expect(page.resources.map(({ bank }) => words(bank))).toEqual(
      Array.from({ length: 4 }, () => 'Unknown: libvirt could not be asked about guests.'),
    );
    // 6 of 16 GiB are available, but what was promised is not known: that is not a low risk.
    expect(of(page, 'memory').level).toBeUndefined();
    expect(page.summary).toBe('All risks are unknown.');
    expect(of(page, 'cpu').level).toBeUndefined();
    expect(page.description.map(plain)).toEqual(['4 CPUs', '16 GiB of memory']);
  });

  it('does not pass the guests of one source for all, when another does not answer', () => {
    const states = [
      { name: 'libvirt', up: true, guests: 2 },
      { name: 'proxmox', up: false, guests: undefined },
    ] as const;
    const guestSources = { states, userQemus: undefined, pvestatdAtSeconds: undefined };
    const page = facts(smallHost({ seconds: 0 }, { guestSources }));
    expect(page.guestCount && plain(page.guestCount)).toBe('2 guests running, others not known');
    expect(page.resources.map(({ bank }) => words(bank))).toEqual(
      Array.from({ length: 4 }, () => 'Unknown: files of Proxmox VE could not be read.'),
    );
  });

  it('says which risks are not known beside those that are', () => {
    const host = smallHost();
    const { meminfo } = host.host;
    const page = facts({
      ...host,
      domains: undefined,
      storage: undefined,
      host: { ...host.host, meminfo: meminfo && { ...meminfo, availableBytes: 0.1 * GIB } },
    });
    expect(page.summary).toBe(
      'Memory is at high risk; the risk of CPU, storage and network is unknown.',
    );
  });

  it('names a collector once, not all that could not run for want of it', () => {
    const error = { kind: 'denied' as const, subject: '/proc', detail: 'not ours' };
    const missing = { kind: 'absent' as const, subject: 'QEMU processes', detail: 'no list' };
    const outcome = { success: false, durationSeconds: 0 };
    const page = facts(
      smallHost(
        { seconds: 0 },
        {
          outcomes: [
            { ...outcome, collector: 'process', errors: [error] },
            { ...outcome, collector: 'cgroup', lacking: 'process', errors: [missing] },
          ],
        },
      ),
    );
    expect(page.exporter.faults.map(({ sentence }) => words(sentence))).toEqual([
      'Collector process failed: part of what it reads is missing, here and in the metrics.',
    ]);
    expect(page.exporter.about.map(words)).toContain('2 collectors, 2 failed');
  });

  it('names collectors that failed, with the first error of each', () => {
    const error = { kind: 'timeout' as const, subject: '/mnt/x', detail: 'no answer within 2 s' };
    const page = facts(
      smallHost(
        { seconds: 0 },
        {
          outcomes: [
            { collector: 'image', success: false, durationSeconds: 2, errors: [error, error] },
          ],
        },
      ),
    );
    expect(
      page.exporter.faults.map(({ sentence, detail }) => [
        words(sentence),
        detail && words(detail),
      ]),
    ).toEqual([
      [
        'Collector image failed: part of what it reads is missing, here and in the metrics.',
        '/mnt/x: no answer within 2 s (and 1 more error)',
      ],
    ]);
  });

  it('says that a broken policy file is not in force', () => {
    const view = exampleView(smallHost());
    const broken = { ...view, policy: { ...view.policy, lastReadOk: false } };
    expect(
      pageFacts(broken, NOTHING_RECENT).exporter.faults.map(({ sentence }) => words(sentence)),
    ).toEqual([
      'The policy file is invalid. The policy read at 2023-11-14 22:13:21 UTC stays in force.',
    ]);
  });
});

describe('a host without guests', () => {
  const storage = { disks: [], filesystems: [], thin: undefined, unwatchedThinPools: undefined };
  const page = facts(smallHost({ seconds: 0, guests: [] }, { storage }));

  it('has promised nothing', () => {
    expect(page.resources.map(({ bank }) => words(bank))).toEqual([
      'No guest runs: nothing is promised.',
      'No guest runs: nothing is promised.',
      'No guest has a disk: nothing is promised.',
      'No running guest uses an uplink of this host.',
    ]);
    expect(page.summary).toBe('CPU, memory, storage and network are at low risk.');
  });
});

describe('the list of guests', () => {
  const names = Array.from({ length: 1000 }, (_, index) => `guest-${index}`);
  const paused = { state: 'paused', reason: 'ioerror' } as const;
  const guests = names.map((name, index) => ({
    ...A,
    name,
    overrides: index === 999 ? paused : {},
  }));
  const { guests: list } = facts(smallHost({ seconds: 0, guests }));

  it('has all 1,000, and those in trouble first', () => {
    expect(list).toHaveLength(1000);
    expect(list[0]).toMatchObject({
      name: 'guest-999',
      state: 'paused, write failed',
      troubles: [{ id: 'paused_on_io_error', level: 3, runbook: 'KvmGuestPausedOnIoError' }],
    });
  });

  it('is sorted as people count', () => {
    expect(list.slice(1, 13).map(({ name }) => name)).toEqual(names.slice(0, 12));
  });
});

describe('who suffers', () => {
  it('comes first, by how much of the time: not by state alone', () => {
    const names = ['calm', 'by-hand', 'little', 'much', 'losing'];
    const at = (seconds: number) =>
      names.map((name) => ({
        ...A,
        name,
        delaySeconds: seconds * ({ little: 0.08, much: 0.94 }[name] ?? 0),
        packets: seconds * 90,
        sentPackets: seconds * 10,
        drops: name === 'losing' ? seconds * 50 : 0,
        ...(name === 'by-hand' ? { overrides: { state: 'paused' as const, reason: 'user' } } : {}),
      }));
    const recent = new RecentCounters();
    recent.add(smallHost({ seconds: 0, guests: at(0) }));
    const snapshot = smallHost({ seconds: 10, guests: at(10) });
    const page = pageFacts(exampleView(snapshot), recent.before(snapshot));
    expect(page.guests.map(({ name, troubles }) => [name, troubles[0]?.short])).toEqual([
      ['much', `waits 94\u00a0%`],
      ['losing', `loses 33\u00a0% of packets`],
      ['little', `waits 8\u00a0%`],
      ['by-hand', undefined],
      ['calm', undefined],
    ]);
    expect(topOf({ ...of(page, 'cpu'), top: of(page, 'cpu').sufferers })).toEqual([
      'Waiting most for a CPU',
      'much: 94 % of the time',
      'little: 8 % of the time',
    ]);
  });
});

describe('a resource at high risk', () => {
  it('is led by what is measured, before what would be left', () => {
    const page = factsLater({
      host: { memoryStalledSeconds: 5.4 },
      guests: [{ ...A, memoryGib: 4, residentGib: 4, diskGib: 20, writtenGib: 10 }],
    });
    const memory = of(page, 'memory');
    expect(memory.level).toBe(2);
    expect(findFigure(memory.bank)).toBe('6\u00a0GiB are left');
    expect(findFigure(memory.lead?.sentence ?? [])).toBe('stalled on memory 54\u00a0% of the time');
    expect(memory.lead?.runbook).toBe('KvmHostMemoryPressure');
    // A promise alone leads nowhere.
    expect(of(facts(smallHost()), 'memory').lead).toBeUndefined();
  });
});

describe('a risk that may be higher than it is shown', () => {
  const modest: readonly GuestAt[] = [
    { ...A, memoryGib: 4, residentGib: 4, diskGib: 20, writtenGib: 10 },
  ];

  it('says that one look tells no rates', () => {
    const page = facts(smallHost({ seconds: 0, guests: modest }));
    expect(page.resources.map(({ doubts }) => doubts.map(words))).toEqual([
      ['Not known before the next look: how long vCPUs wait.'],
      ['Not known before the next look: stalls and swap traffic.'],
      ['Not known before the next look: how fast storage fills.'],
      ['Not known before the next look: traffic and lost packets.'],
    ]);
  });

  it('is in no doubt after two looks at a host that can be read', () => {
    const page = factsLater({ guests: modest });
    expect(page.resources.map(({ level, doubts }) => [level, doubts])).toEqual(
      Array.from({ length: 4 }, () => [0, []]),
    );
  });

  it('says which losses only Prometheus can tell, as long as there is no loss', () => {
    const page = factsLater({ guests: modest });
    expect(page.resources.map(({ unseen }) => unseen.map(words))).toEqual([
      [],
      [
        'Only Prometheus can tell: the host killed a process, and a guest is gone, began anew or was hit itself; ' +
          'guests that stall at the memory limit of their own cgroup.',
      ],
      ['Only Prometheus can tell: filesystems that are full within minutes.'],
      [],
    ]);
    const lost = factsLater({ guests: modest, host: { memoryStalledSeconds: 7 } });
    expect(of(lost, 'memory').unseen).toEqual([]);
  });

  it('says that a filesystem that is full in minutes takes hours of history to judge', () => {
    const storage = of(factsLater({ guests: modest, host: { availableGib: 36 } }), 'storage');
    expect(storage.level).toBe(0);
    expect(storage.doubts.map(words)).toEqual([
      'Whether /var/lib/libvirt/images fills on as in the last minute takes hours of history to tell, which Prometheus has.',
    ]);
  });

  it('says that nothing is known of an uplink without a speed', () => {
    const at = (seconds: number): Snapshot => {
      const host = smallHost({
        seconds,
        guests: modest.map((one) => ({ ...one, packets: seconds })),
      });
      const links = new Map(host.network?.links);
      const uplink = links.get('eno1');
      if (uplink?.state === undefined) throw new Error('no uplink');
      links.set('eno1', {
        ...uplink,
        state: { ...uplink.state, speed: { known: false, because: 'none' } },
      });
      return { ...host, network: { links } };
    };
    const recent = new RecentCounters();
    recent.add(at(0));
    const network = of(pageFacts(exampleView(at(10)), recent.before(at(10))), 'network');
    // No packet is lost, and that is all that is measured.
    expect(network.level).toBe(0);
    expect(network.promise).toBeUndefined();
    expect(network.isNothingPromised).toBe(false);
    expect(network.doubts.map(words)).toContain(
      'How much of eno1 is promised is not known: its speed is not.',
    );
  });

  it('does not call unknown what is nothing', () => {
    const storage = { disks: [], filesystems: [], thin: undefined, unwatchedThinPools: undefined };
    const page = facts(smallHost({ seconds: 0, guests: [] }, { storage }));
    expect(page.resources.map(({ isNothingPromised }) => isNothingPromised)).toEqual([
      true,
      true,
      true,
      true,
    ]);
  });
});

describe('a host of whose guests not all is known', () => {
  const unknownMemory: GuestAt = { ...B, overrides: { config: undefined, balloon: undefined } };

  it('says at least of what is promised, and at most of what is left', () => {
    const memory = of(facts(smallHost({ seconds: 0, guests: [A, unknownMemory] })), 'memory');
    expect(inShort(memory)).toEqual(['0.52 : 1', 'at least 8 GiB', '15.5 GiB']);
    // a may claim 3 of the 6 GiB that are there; what b may claim nobody knows.
    expect(words(memory.bank)).toBe(
      'If all guests claim what they were promised, at most 3 GiB are left in memory and swap.',
    );
    expect(memory.notes.map(words)).toContain(
      'Nothing tells how much memory 1 guest may have; no sum here has it.',
    );
    expect(memory.doubts.map(words)).toContain('What 1 guest can still claim is not known.');
  });

  it('says at least of what is short', () => {
    const guests = [A, unknownMemory];
    const host = { memoryAvailableGib: 1 };
    const memory = of(facts(smallHost({ seconds: 0, host, guests })), 'memory');
    expect(words(memory.bank)).toBe(
      'If all guests claim what they were promised, memory is at least 2 GiB short.',
    );
    expect(memory.reasons.map(({ sentence }) => words(sentence)).join()).toContain(
      'Guests can still claim at least 3 times the memory and swap that is available',
    );
  });

  it('does not say that nothing is promised where nothing tells what is', () => {
    const memory = of(facts(smallHost({ seconds: 0, guests: [unknownMemory] })), 'memory');
    expect(memory.isNothingPromised).toBe(false);
    expect(words(memory.bank)).toBe('Unknown: nothing tells the memory of the guests that run.');
  });

  it('names the source that did not tell of its guests, not what it has read of the host', () => {
    const page = facts(
      smallHost(
        { seconds: 0 },
        {
          guestSources: {
            states: [
              { name: 'proxmox', up: false, guests: undefined },
              { name: 'process', up: true, guests: 2 },
            ],
            userQemus: undefined,
            pvestatdAtSeconds: undefined,
          },
        },
      ),
    );
    expect(page.resources.map(({ bank }) => words(bank))).toEqual(
      Array.from({ length: 4 }, () => 'Unknown: files of Proxmox VE could not be read.'),
    );
  });
});
