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

  it('that libvirt refuses are absent and the reason is given', async () => {
    const { of, daemon } = await host();
    daemon.on(
      procedures.domainGetXmlDesc,
      () => new ErrorAnswer({ code: 38, message: 'Cannot allocate memory' }),
    );
    expect(await of([web])).toMatchObject({
      configs: new Map(),
      errors: [{ kind: 'absent', subject: 'XML of web', detail: 'Cannot allocate memory' }],
    });
  });

  it('that make no sense are absent', async () => {
    const { of, daemon } = await host();
    daemon.on(procedures.domainGetXmlDesc, () => '<domain><name>web</name>');
    const { configs, errors } = await of([web]);
    expect(configs.size).toBe(0);
    expect(errors).toMatchObject([{ kind: 'malformed' }]);
  });
});
