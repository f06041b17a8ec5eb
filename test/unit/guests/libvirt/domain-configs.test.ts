import { describe, expect, it } from 'vitest';

import { Deadline } from '../../../../src/runtime/deadline.ts';
import { procedures, type DomainRef } from '../../../../src/libvirt/index.ts';
import { DomainConfigs } from '../../../../src/guests/libvirt/domain-configs.ts';
import { ErrorAnswer, silence } from '../../../support/libvirt/fake-daemon.ts';
import { fakeDaemon } from '../../libvirt/with-daemon.ts';
import { callsTo } from './calls-to.ts';

const web: DomainRef = { name: 'web', uuid: '11111111-1111-1111-1111-111111111111', id: 3 };

function xmlOf({ name, uuid }: DomainRef): string {
  return `<domain type='qemu'><name>${name}</name><uuid>${uuid}</uuid>
    <memory unit='KiB'>65536</memory><currentMemory unit='KiB'>65536</currentMemory>
    <vcpu>1</vcpu><os><type arch='x86_64'>hvm</type></os></domain>`;
}

async function host(now?: () => number) {
  const daemon = await fakeDaemon();
  daemon.on(procedures.domainGetXmlDesc, ({ domain }) => xmlOf(domain));
  const calls = callsTo(daemon);
  const configs = new DomainConfigs(now === undefined ? {} : { now });
  return {
    daemon,
    configs,
    fetches: () => daemon.count(procedures.domainGetXmlDesc),
    of: (domains: readonly DomainRef[], patienceMs = 1000) =>
      configs.of(domains, calls, Deadline.in(patienceMs)),
  };
}

describe('the configurations of guests', () => {
  it('are fetched once and kept', async () => {
    const { of, fetches } = await host();
    expect((await of([web])).configs.get(web.uuid)?.name).toBe('web');
    await of([web]);
    expect(fetches()).toBe(1);
  });

  it('are fetched again after an event about the guest', async () => {
    const { of, fetches, configs } = await host();
    await of([web]);
    configs.invalidate(web.uuid);
    await of([web]);
    expect(fetches()).toBe(2);
  });

  it('are fetched again after a reconnect, as events may have been missed', async () => {
    const { of, fetches, configs } = await host();
    await of([web]);
    configs.invalidateAll();
    await of([web]);
    expect(fetches()).toBe(2);
  });

  it('of a guest that ended since it was listed are none, and that is no failure', async () => {
    const { daemon, of, configs } = await host();
    await of([web]);
    daemon.on(
      procedures.domainGetXmlDesc,
      ({ domain }) =>
        new ErrorAnswer({
          code: 42,
          domain: 10,
          message: `Domain not found: no domain with matching uuid '${domain.uuid}' (web)`,
        }),
    );
    configs.invalidate(web.uuid);
    const { configs: found, errors } = await of([web]);
    expect(errors).toEqual([]);
    expect(found.size).toBe(0);
  });

  it('are fetched again when the guest was restarted or renamed', async () => {
    const { of, fetches } = await host();
    await of([web]);
    await of([{ ...web, id: 4 }]);
    const renamed = await of([{ ...web, id: 4, name: 'www' }]);
    expect(fetches()).toBe(3);
    expect(renamed.configs.get(web.uuid)?.name).toBe('www');
  });

  it('stay as they were when a refresh does not arrive in time', async () => {
    const { of, daemon, configs } = await host();
    await of([web]);
    configs.invalidate(web.uuid);
    daemon.on(procedures.domainGetXmlDesc, () => silence);
    const late = await of([web], 50);
    expect(late.configs.get(web.uuid)?.name).toBe('web');
    expect(late.errors).toMatchObject([{ kind: 'timeout', subject: 'XML of web' }]);
  });

  it('of a guest that vanished meanwhile are absent, and that is no error', async () => {
    const { of, daemon } = await host();
    await of([web]);
    daemon.on(procedures.domainGetXmlDesc, () => new ErrorAnswer({ code: 42, message: 'gone' }));
    const restarted = { ...web, id: 4 };
    expect(await of([restarted])).toEqual({
      configs: new Map(),
      errors: [],
      gone: new Set([web.uuid]),
    });
  });

  it('that libvirt does not give for another reason are absent and the reason is given', async () => {
    const { of, daemon } = await host();
    daemon.on(procedures.domainGetXmlDesc, () => new ErrorAnswer({ code: 88, message: 'denied' }));
    expect(await of([web])).toMatchObject({
      configs: new Map(),
      errors: [{ kind: 'absent', subject: 'XML of web', detail: 'denied' }],
    });
  });

  it('that make no sense are absent', async () => {
    const { of, daemon } = await host();
    daemon.on(procedures.domainGetXmlDesc, () => '<domain><name>web</name>');
    const { configs, errors } = await of([web]);
    expect(configs.size).toBe(0);
    expect(errors).toMatchObject([{ kind: 'malformed' }]);
  });

  it('that make no sense are not fetched again until they change, and said each time', async () => {
    const { of, daemon, fetches, configs } = await host();
    daemon.on(procedures.domainGetXmlDesc, () => '<domain><name>web</name>');
    const first = await of([web]);
    const second = await of([web]);
    expect(second).toEqual(first);
    expect(second.errors).toHaveLength(1);
    expect(fetches()).toBe(1);
    daemon.on(procedures.domainGetXmlDesc, ({ domain }) => xmlOf(domain));
    configs.invalidate(web.uuid);
    expect(await of([web])).toMatchObject({ errors: [] });
  });

  it('with one value that makes no sense are there, and the value is named each time', async () => {
    const { of, daemon, fetches } = await host();
    daemon.on(procedures.domainGetXmlDesc, ({ domain }) =>
      xmlOf(domain).replace('<vcpu>1<', '<vcpu>one<'),
    );
    for (let scrape = 0; scrape < 2; scrape += 1) {
      const { configs, errors } = await of([web]);
      expect(configs.get(web.uuid)?.memory.maximumBytes).toBe(65536 * 1024);
      expect(errors).toMatchObject([{ kind: 'malformed', subject: 'XML of web' }]);
      expect(errors[0]?.detail).toContain('<vcpu>');
    }
    expect(fetches()).toBe(1);
  });
});

/** Guests, all of whose XML is read in the first collection, at an hour of collections. */
async function anHourOf(guests: number, intervalSeconds: number) {
  let nowMs = 0;
  const { of, daemon } = await host(() => nowMs);
  const readAt = new Map<string, number>();
  let reads = 0;
  daemon.on(procedures.domainGetXmlDesc, ({ domain }) => {
    readAt.set(domain.uuid, nowMs);
    reads += 1;
    return xmlOf(domain);
  });
  const domains = Array.from({ length: guests }, (_, i) => ({
    name: `guest-${i}`,
    uuid: `11111111-1111-1111-1111-${String(i).padStart(12, '0')}`,
    id: i + 1,
  }));
  let oldestMs = 0;
  let mostReads = 0;
  for (; nowMs <= 3_600_000; nowMs += intervalSeconds * 1000) {
    // Before the refreshes of this collection: the oldest anything was ever used at.
    oldestMs = Math.max(
      oldestMs,
      ...domains.map(({ uuid }) => nowMs - (readAt.get(uuid) ?? nowMs)),
    );
    const before = reads;
    await of(domains, 60_000);
    if (nowMs > 0) mostReads = Math.max(mostReads, reads - before);
  }
  return { oldestSeconds: oldestMs / 1000, mostReads, reads };
}

describe('over a simulated hour, however many guests and however rare the scrapes', () => {
  it.each([
    { guests: 1, interval: 15 },
    { guests: 220, interval: 15 },
    { guests: 1000, interval: 15 },
    { guests: 1000, interval: 60 },
  ])(
    'each XML of $guests guests is read again within 5 minutes at scrapes of $interval s',
    async ({ guests, interval }) => {
      const { oldestSeconds, mostReads, reads } = await anHourOf(guests, interval);
      process.stdout.write(
        `${guests} guests, ${interval} s: oldest XML ${oldestSeconds} s, at most ${mostReads} refreshes at once, ${reads} reads\n`,
      );
      expect(oldestSeconds).toBeLessThanOrEqual(300);
      // Spread: what one scrape has to do is what its share of the round is.
      expect(mostReads).toBeLessThanOrEqual(Math.ceil((guests * interval) / 240));
    },
    60_000,
  );

  it('a pause in scraping is not made up for in one collection', async () => {
    const { mostReads } = await anHourOf(100, 1200);
    expect(mostReads).toBe(50);
  });

  it('of few guests are read again one a second, however often they are collected', async () => {
    let nowMs = 0;
    const { of, daemon } = await host(() => nowMs);
    const db = { name: 'db', uuid: '22222222-2222-2222-2222-222222222222', id: 4 };
    const read: string[] = [];
    daemon.on(procedures.domainGetXmlDesc, ({ domain }) => {
      read.push(domain.name);
      return xmlOf(domain);
    });
    for (nowMs = 0; nowMs <= 4_000; nowMs += 200) await of([web, db]);
    expect(read).toEqual(['web', 'db', 'web', 'db', 'web', 'db']);
  });

  it('an XML that an event had read again is not the oldest any more', async () => {
    let nowMs = 0;
    const { of, configs, daemon } = await host(() => nowMs);
    const db = { name: 'db', uuid: '22222222-2222-2222-2222-222222222222', id: 4 };
    const read: string[] = [];
    daemon.on(procedures.domainGetXmlDesc, ({ domain }) => {
      read.push(domain.name);
      return xmlOf(domain);
    });
    await of([web, db]);
    nowMs = 500;
    configs.invalidate(web.uuid);
    await of([web, db]);
    nowMs = 1_500;
    await of([web, db]);
    expect(read.slice(2)).toEqual(['web', 'db']);
  });
});
