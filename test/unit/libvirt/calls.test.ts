import { describe, expect, it } from 'vitest';

import {
  domainStats,
  getAllDomainStats,
  listDomains,
  procedures,
  RpcError,
  type StatsArgs,
} from '../../../src/libvirt/index.ts';
import { busyGuest } from '../../support/libvirt/busy-guest.ts';
import { ErrorAnswer } from '../../support/libvirt/fake-daemon.ts';
import { connectTo, fakeDaemon, rejection } from './with-daemon.ts';

const web = { name: 'web', uuid: '6695eb01-f6a4-4304-99aa-000000000001', id: 3 };

describe('typed calls', () => {
  it('split version numbers: 9000000 is 9.0.0 and 7002001 is 7.2.1', async () => {
    const daemon = await fakeDaemon();
    daemon.on(procedures.getLibVersion, () => 9_000_000n);
    daemon.on(procedures.getVersion, () => 7_002_001n);
    const connection = await connectTo(daemon);
    expect(await connection.getLibVersion()).toEqual({ major: 9, minor: 0, release: 0 });
    expect(await connection.getVersion()).toEqual({ major: 7, minor: 2, release: 1 });
  });

  it('list domains with a filter', async () => {
    const daemon = await fakeDaemon();
    daemon.on(procedures.listAllDomains, (flags) => (flags === 1024 ? [web] : []));
    const connection = await connectTo(daemon);
    expect(await connection.listAllDomains(listDomains.autostart)).toEqual([web]);
    expect(await connection.listAllDomains(0)).toEqual([]);
  });

  it('ask for stats with all 32 flag bits', async () => {
    const daemon = await fakeDaemon();
    const asked: StatsArgs[] = [];
    daemon.on(procedures.getAllDomainStats, (args) => {
      asked.push(args);
      return [busyGuest(0)];
    });
    const connection = await connectTo(daemon);
    const flags = getAllDomainStats.noWait | getAllDomainStats.enforceStats;
    const [record] = await connection.getAllDomainStats(domainStats.state, flags, [web]);
    expect(asked).toEqual([{ domains: [web], stats: 1, flags: 0xa000_0000 }]);
    expect(record?.domain.name).toBe('guest-0');
    expect(record?.params.size).toBe(92);
  });

  it('pass text that is not ASCII', async () => {
    const daemon = await fakeDaemon();
    daemon.on(procedures.domainGetXmlDesc, ({ domain }) => `<name>${domain.name}</name>`);
    const connection = await connectTo(daemon);
    const xml = await connection.domainGetXmlDesc({ ...web, name: 'büro-服务器-🐧' });
    expect(xml).toBe('<name>büro-服务器-🐧</name>');
  });

  it('reject with the daemon’s error and keep the connection', async () => {
    const daemon = await fakeDaemon();
    const message = 'Domain not found';
    daemon.on(procedures.domainGetState, () => new ErrorAnswer({ code: 42, domain: 10, message }));
    daemon.on(procedures.getHostname, () => 'host1');
    const connection = await connectTo(daemon);
    const error = await rejection(connection.domainGetState(web));
    expect(error).toBeInstanceOf(RpcError);
    expect(error).toMatchObject({ kind: 'rpc', code: 42, errorDomain: 10, level: 2, message });
    expect(await connection.getHostname()).toBe('host1');
  });

  it('understand an error reply without a message', async () => {
    const daemon = await fakeDaemon();
    daemon.on(procedures.getHostname, () => new ErrorAnswer({ code: 38 }));
    const connection = await connectTo(daemon);
    const error = await rejection(connection.getHostname());
    expect(error).toMatchObject({ code: 38, fields: { message: undefined } });
    expect(String(error)).toContain('libvirt error code 38');
  });

  it('report a procedure the daemon does not know as error 39', async () => {
    const daemon = await fakeDaemon();
    const connection = await connectTo(daemon);
    expect(await rejection(connection.domainGetMessages(web))).toMatchObject({ code: 39 });
    expect(connection.closeReason).toBeUndefined();
  });
});
