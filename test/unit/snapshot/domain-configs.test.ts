import { describe, expect, it } from 'vitest';

import { procedures, type DomainRef } from '../../../src/libvirt/index.ts';
import { DomainConfigs } from '../../../src/snapshot/domain-configs.ts';
import { ErrorAnswer, silence } from '../libvirt/fake-daemon.ts';
import { fakeDaemon } from '../libvirt/with-daemon.ts';
import { callsTo } from './calls-to.ts';

const web: DomainRef = { name: 'web', uuid: '11111111-1111-1111-1111-111111111111', id: 3 };

function xmlOf({ name, uuid }: DomainRef): string {
  return `<domain type='qemu'><name>${name}</name><uuid>${uuid}</uuid>
    <memory unit='KiB'>65536</memory><currentMemory unit='KiB'>65536</currentMemory>
    <vcpu>1</vcpu><os><type arch='x86_64'>hvm</type></os></domain>`;
}

async function host() {
  const daemon = await fakeDaemon();
  daemon.on(procedures.domainGetXmlDesc, ({ domain }) => xmlOf(domain));
  const calls = callsTo(daemon);
  const configs = new DomainConfigs();
  return {
    daemon,
    configs,
    fetches: () => daemon.count(procedures.domainGetXmlDesc),
    of: (domains: readonly DomainRef[], patienceMs = 1000) =>
      configs.of(domains, calls, performance.now() + patienceMs),
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

  it('of a guest that vanished meanwhile are absent and the reason is given', async () => {
    const { of, daemon } = await host();
    daemon.on(procedures.domainGetXmlDesc, () => new ErrorAnswer({ code: 42, message: 'gone' }));
    expect(await of([web])).toMatchObject({
      configs: new Map(),
      errors: [{ kind: 'absent', subject: 'XML of web', detail: 'gone' }],
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
