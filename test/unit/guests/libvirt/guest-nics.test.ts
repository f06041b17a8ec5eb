import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';

import { Deadline } from '../../../../src/runtime/deadline.ts';
import { encode, procedures, type DomainRef } from '../../../../src/libvirt/index.ts';
import { GuestNics } from '../../../../src/guests/libvirt/guest-nics.ts';
import { OutcomeLog } from '../../../../src/model/outcome-log.ts';
import { parseDomainXml } from '../../../../src/sources/domain-xml/domain-xml.ts';
import { FakeDaemon, silence, type ReceivedCall } from '../../../support/libvirt/fake-daemon.ts';
import { valueIn } from '../../../support/sources/kernel-fixtures.ts';
import { callsTo } from './calls-to.ts';

const slow: DomainRef = { name: 'slow', uuid: '11111111-1111-1111-1111-111111111111', id: 1 };
const quick: DomainRef = { name: 'quick', uuid: '22222222-2222-2222-2222-222222222222', id: 2 };
const plain: DomainRef = { name: 'plain', uuid: '33333333-3333-3333-3333-333333333333', id: 3 };

const config = ({ name, uuid }: DomainRef, ...nics: readonly [type: string, target: string][]) =>
  valueIn(
    parseDomainXml(
      `<domain type="kvm"><name>${name}</name><uuid>${uuid}</uuid><memory>1024</memory><vcpu>1</vcpu>
      <devices>${nics
        .map(([type, target]) => `<interface type="${type}"><target dev="${target}"/></interface>`)
        .join('')}</devices></domain>`,
      name,
    ),
  );

const CONFIGS = new Map([
  [slow.uuid, config(slow, ['vhostuser', 'vhu0'], ['vhostuser', 'vhu1'], ['vhostuser', 'vhu2'])],
  [quick.uuid, config(quick, ['vhostuser', 'vhu9'])],
  [plain.uuid, config(plain, ['bridge', 'vnet7'])],
]);

const STATS = {
  receivedBytes: 1n,
  receivedPackets: 2n,
  receivedErrors: undefined,
  receivedDrops: 4n,
  transmittedBytes: 5n,
  transmittedPackets: 6n,
  transmittedErrors: 7n,
  transmittedDrops: 8n,
};

let daemon: FakeDaemon;
let nics: GuestNics;
let asked: string[];
let held: (() => void)[];
const hanging = new Set<string>();

beforeEach(async () => {
  daemon = await FakeDaemon.listen();
  onTestFinished(() => daemon.close());
  asked = [];
  held = [];
  hanging.clear();
  daemon.on(procedures.domainInterfaceStats, ({ device }, call: ReceivedCall) => {
    asked.push(device);
    if (!hanging.has(device)) return STATS;
    held.push(() => {
      call.client.reply(call, encode(procedures.domainInterfaceStats.result, STATS));
    });
    return silence;
  });
  daemon.on(procedures.getAllDomainStats, ({ domains }) =>
    domains.map((domain) => ({
      domain,
      params: [
        { field: 'net.count', type: 'uint', value: 1 },
        { field: 'net.0.name', type: 'string', value: 'vnet7' },
        { field: 'net.0.rx.bytes', type: 'ullong', value: 9n },
      ],
    })),
  );
  nics = new GuestNics(callsTo(daemon));
});

const read = async () => {
  const log = new OutcomeLog(new Set(['nic']));
  const found = await nics.read([slow, quick, plain], CONFIGS, undefined, log, Deadline.in(10_000));
  return Object.fromEntries(
    [...found].map(([uuid, counters]) => [
      CONFIGS.get(uuid)?.name ?? uuid,
      counters.map(({ device, receiveBytes }) => [device, receiveBytes]),
    ]),
  );
};

describe('counters of NICs libvirt has to be asked for', () => {
  it('come one by one where libvirt runs a program for them, in bulk for all others', async () => {
    expect(await read()).toEqual({
      slow: [
        ['vhu0', 1n],
        ['vhu1', 1n],
        ['vhu2', 1n],
      ],
      quick: [['vhu9', 1n]],
      plain: [['vnet7', 9n]],
    });
    expect(daemon.count(procedures.getAllDomainStats)).toBe(1);
  });

  it('cost a guest whose program hangs its own counters, nobody else any', async () => {
    for (const device of ['vhu0', 'vhu1', 'vhu2']) hanging.add(device);
    const rest = { quick: [['vhu9', 1n]], plain: [['vnet7', 9n]] };
    expect(await read()).toEqual(rest);
    expect(nics.locked).toEqual(new Set([slow.uuid]));
    // Neither the NIC that is owed nor its neighbours are asked again.
    expect(await read()).toEqual(rest);
    expect(asked.filter((device) => device !== 'vhu9')).toEqual(['vhu0']);
  });

  it('are left alone for a minute after the late answer', async () => {
    hanging.add('vhu0');
    await read();
    for (const answer of held.splice(0)) answer();
    await expect.poll(() => nics.locked.size).toBe(0);
    await read();
    await read();
    expect(asked.filter((device) => device === 'vhu0')).toHaveLength(1);
  });

  it('leave out what the device does not count', async () => {
    const log = new OutcomeLog(new Set(['nic']));
    const found = await nics.read([quick], CONFIGS, undefined, log, Deadline.in(5_000));
    expect(found.get(quick.uuid)?.[0]).toMatchObject({
      receiveErrors: undefined,
      receiveDrops: 4n,
    });
  });
});
