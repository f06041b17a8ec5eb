import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import {
  affect,
  CallTimeoutError,
  ClosedError,
  ConnectError,
  domainStats,
  errorCodes,
  getAllDomainStats,
  lifecycleEvents,
  listDomains,
  listNetworks,
  openLibvirt,
  readDomainStats,
  ReconnectingConnection,
  RpcError,
  type DomainEvent,
  type DomainRef,
  type LibvirtConnection,
} from '../../../src/libvirt/index.ts';
import { domainRef } from '../../../src/libvirt/structures.ts';
import { nothing, string, uint } from '../../../src/libvirt/xdr.ts';
import { PrivateDaemon } from '../../support/libvirt/private-daemon.ts';

/** The one guest libvirt's built-in test driver begins with. */
const UUID = '6695eb01-f6a4-8304-79aa-97f2502e193f';

let daemon: PrivateDaemon;
let connection: LibvirtConnection;

beforeAll(async () => {
  daemon = await PrivateDaemon.start();
});

afterAll(async () => {
  await daemon.dispose();
});

beforeEach(async () => {
  connection = await openLibvirt({ uri: daemon.uri });
});

afterEach(async () => {
  await connection.close();
});

async function testDomain(): Promise<DomainRef> {
  return connection.domainLookupByName('test');
}

async function rejection(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => undefined,
    (error: unknown) => error,
  );
}

describe('a real libvirtd with its test driver', () => {
  it('tells about itself', async () => {
    const library = await connection.getLibVersion();
    expect(library.major).toBeGreaterThanOrEqual(9);
    expect(await connection.getType()).toBe('TEST');
    expect(await connection.getUri()).toBe('test:///default');
    expect((await connection.getHostname()).length).toBeGreaterThan(0);
    expect(await connection.getCapabilities()).toContain('<capabilities>');
    expect(await connection.nodeGetInfo()).toEqual({
      cpuModel: 'i686',
      memoryKib: 3_145_728n,
      cpus: 16,
      mhz: 1400,
      numaNodes: 2,
      socketsPerNode: 2,
      coresPerSocket: 2,
      threadsPerCore: 2,
    });
  });

  it('lists its domain under the filters that fit', async () => {
    const all = await connection.listAllDomains(0);
    expect(all).toEqual([{ name: 'test', uuid: UUID, id: 1 }]);
    expect(await connection.listAllDomains(listDomains.active | listDomains.persistent)).toEqual(
      all,
    );
    expect(await connection.listAllDomains(listDomains.noAutostart)).toEqual(all);
    expect(await connection.listAllDomains(listDomains.autostart)).toEqual([]);
    expect(await connection.listAllDomains(listDomains.transient)).toEqual([]);
    expect(await connection.listAllDomains(listDomains.shutoff)).toEqual([]);
  });

  it('describes its domain', async () => {
    const domain = await testDomain();
    const xml = await connection.domainGetXmlDesc(domain);
    expect(xml).toMatch(/^<domain type='test' id='1'>/);
    expect(xml).toContain(`<uuid>${UUID}</uuid>`);
    expect(await connection.domainGetState(domain)).toMatchObject({ state: 1 });
    expect(await connection.domainGetAutostart(domain)).toBe(false);
    expect(await connection.domainIsPersistent(domain)).toBe(true);
    expect(await connection.domainIsUpdated(domain)).toBe(false);
    expect(await connection.domainGetMessages(domain)).toEqual([]);
    expect(await connection.domainGetBlockIoTune(domain, 'vda', affect.current)).toContainEqual({
      field: 'total_bytes_sec',
      type: 'ullong',
      value: 0n,
    });
  });

  it('gives statistics of all domains and of the ones asked for', async () => {
    for (const domains of [[], [await testDomain()]]) {
      const records = await connection.getAllDomainStats(domainStats.state, 0, domains);
      const stats = records.map(readDomainStats);
      expect(stats.map(({ domain }) => domain.uuid)).toEqual([UUID]);
      expect(stats[0]?.state.state).toBe(1);
      expect(stats[0]?.cpu.timeNanoseconds).toBeUndefined();
    }
  });

  it('refuses statistics it does not have when told to be strict', async () => {
    const { enforceStats } = getAllDomainStats;
    const error = await rejection(connection.getAllDomainStats(domainStats.block, enforceStats));
    expect(error).toMatchObject({ code: errorCodes.argumentUnsupported });
  });

  it('describes pools, networks and devices', async () => {
    const [pool] = await connection.listAllStoragePools(0);
    const [network] = await connection.listAllNetworks(listNetworks.active);
    if (pool === undefined || network === undefined) throw new Error('no pool or no network');
    expect(await connection.storagePoolGetInfo(pool)).toEqual({
      state: 2,
      capacityBytes: 107_374_182_400n,
      allocationBytes: 0n,
      availableBytes: 107_374_182_400n,
    });
    expect(await connection.storagePoolGetXmlDesc(pool)).toContain('<path>/default-pool</path>');
    expect(await connection.networkGetXmlDesc(network)).toContain("<bridge name='virbr0'");
    expect(await connection.listAllNodeDevices(0)).toContain('computer');
  });

  it('tells of lifecycle events, to a read-only client too', async () => {
    const events: DomainEvent[] = [];
    const unsubscribe = await connection.subscribe('lifecycle', (event) => events.push(event));
    await daemon.virsh('suspend', 'test');
    await daemon.virsh('resume', 'test');
    while (events.length < 2) await sleep(5);
    expect(events).toMatchObject([
      { type: 'lifecycle', domain: { name: 'test' }, event: lifecycleEvents.suspended },
      { type: 'lifecycle', domain: { name: 'test' }, event: lifecycleEvents.resumed },
    ]);
    await unsubscribe();
    await daemon.virsh('suspend', 'test');
    await daemon.virsh('resume', 'test');
    await connection.getHostname();
    expect(events).toHaveLength(2);
  });

  it.each([
    'reboot',
    'ioError',
    'balloonChange',
    'tunable',
    'deviceAdded',
    'deviceRemoved',
    'diskChange',
    'trayChange',
    'blockJob',
    'agentLifecycle',
    'metadataChange',
    'memoryDeviceSizeChange',
    'blockThreshold',
    'memoryFailure',
  ] as const)('accepts a subscription to %s events', async (type) => {
    const unsubscribe = await connection.subscribe(type, () => undefined);
    await unsubscribe();
    expect(connection.closeReason).toBeUndefined();
  });
});

describe('errors of a real libvirtd', () => {
  it('unknown domain: 42', async () => {
    const domain = { name: 'ghost', uuid: '00000000-0000-4000-8000-000000000000', id: undefined };
    const error = await rejection(connection.domainGetXmlDesc(domain));
    expect(error).toBeInstanceOf(RpcError);
    expect(error).toMatchObject({ code: errorCodes.noDomain });
    expect(String(error)).toContain('Domain not found');
  });

  it('a secret of the configuration over a read-only connection: 29', async () => {
    const secureFlag = 1;
    const error = await rejection(connection.domainGetXmlDesc(await testDomain(), secureFlag));
    expect(error).toMatchObject({ code: errorCodes.operationDenied });
  });

  it('a call that would change something: 29, and nothing is changed', async () => {
    const domain = await testDomain();
    const suspend = { name: 'DOMAIN_SUSPEND', number: 34, args: domainRef, result: nothing };
    const error = await rejection(connection.call(suspend, domain));
    expect(error).toMatchObject({ code: errorCodes.operationDenied });
    expect(String(error)).toContain('read only access');
    expect(await connection.domainGetState(domain)).toMatchObject({ state: 1 });
  });

  it('a procedure that does not exist: 39, and the connection goes on', async () => {
    const future = { name: 'FUTURE', number: 60_000, args: nothing, result: nothing };
    const error = await rejection(connection.call(future, undefined));
    expect(error).toMatchObject({ code: errorCodes.rpc });
    expect(await connection.getType()).toBe('TEST');
  });

  it('arguments it cannot decode: an error, and the connection goes on', async () => {
    const short = { name: 'DOMAIN_GET_XML_DESC', number: 14, args: uint, result: string };
    expect(await rejection(connection.call(short, 1))).toBeInstanceOf(RpcError);
    expect(await connection.getType()).toBe('TEST');
  });

  it('a call the driver does not have: 3', async () => {
    const error = await rejection(connection.domainGetJobInfo(await testDomain()));
    expect(error).toMatchObject({ code: errorCodes.noSupport });
  });

  it('a driver the daemon does not have', async () => {
    const uri = `bhyve+unix:///system?socket=${daemon.readOnlySocket}`;
    expect(await rejection(openLibvirt({ uri }))).toBeInstanceOf(RpcError);
  });
});

describe('keepalive with a real libvirtd', () => {
  it('is answered, so a quiet connection stays open', async () => {
    const keepalive = { intervalMs: 50, count: 2 };
    const quiet = await openLibvirt({ uri: daemon.uri, keepalive });
    await sleep(500);
    expect(quiet.closeReason).toBeUndefined();
    await quiet.close();
  });

  it('notices a stopped daemon, while a call only meets its own deadline', async () => {
    const keepalive = { intervalMs: 200, count: 3 };
    const watching = await openLibvirt({ uri: daemon.uri, keepalive });
    await daemon.signal('SIGSTOP');
    try {
      const error = await rejection(watching.getHostname({ deadlineMs: 100 }));
      expect(error).toBeInstanceOf(CallTimeoutError);
      expect(watching.outstanding).toBe(1);
      const reason = await new Promise((resolve) => {
        watching.onClose(resolve);
      });
      expect(reason).toBeInstanceOf(ClosedError);
    } finally {
      await daemon.signal('SIGCONT');
    }
    await watching.close();
  });
});

describe('a libvirtd that is killed', () => {
  it('ends calls with a typed error, and is found again when it is back', async () => {
    const reconnecting = new ReconnectingConnection({
      initialDelayMs: 50,
      maxDelayMs: 200,
      open: (signal) => openLibvirt({ uri: daemon.uri, signal }),
    });
    try {
      reconnecting.start();
      await once(reconnecting, 'up');
      const before = reconnecting.current;
      expect(await before?.getType()).toBe('TEST');

      await daemon.signal('SIGSTOP');
      const stuck = before === undefined ? undefined : rejection(before.getHostname());
      const down = once(reconnecting, 'down');
      await daemon.kill();
      expect(await stuck).toBeInstanceOf(ClosedError);
      await down;
      expect(reconnecting.current).toBeUndefined();
      expect(await rejection(openLibvirt({ uri: daemon.uri }))).toBeInstanceOf(ConnectError);

      const up = once(reconnecting, 'up');
      await daemon.boot();
      await up;
      expect(reconnecting.current).not.toBe(before);
      expect(await reconnecting.current?.getType()).toBe('TEST');
    } finally {
      await reconnecting.close();
    }
  });
});
