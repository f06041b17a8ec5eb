import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';

import { Deadline } from '../../../../src/runtime/deadline.ts';
import { encode, procedures, type NamedObject } from '../../../../src/libvirt/index.ts';
import { OutcomeLog } from '../../../../src/model/outcome-log.ts';
import { PoolCollector } from '../../../../src/guests/libvirt/pool-collector.ts';
import {
  ErrorAnswer,
  FakeDaemon,
  silence,
  type ReceivedCall,
} from '../../../support/libvirt/fake-daemon.ts';
import { callsTo } from './calls-to.ts';

const pool = (name: string, digit: string): NamedObject => ({
  name,
  uuid: `${digit.repeat(8)}-0000-4000-8000-000000000000`,
});
const fast = pool('fast', 'a');
const dead = pool('dead', 'b');
const other = pool('other', 'c');

const info = {
  state: 2,
  capacityBytes: 100n,
  allocationBytes: 60n,
  availableBytes: 40n,
};

let daemon: FakeDaemon;
let pools: PoolCollector;
/** Pools whose lock a refresh holds. */
const locked = new Set<string>();
/** Where nothing answers. */
const silentPaths = new Set<string>();
let held: (() => void)[];

beforeEach(async () => {
  daemon = await FakeDaemon.listen();
  onTestFinished(() => daemon.close());
  locked.clear();
  silentPaths.clear();
  held = [];
  daemon.on(procedures.listAllStoragePools, () =>
    locked.size > 0 ? silence : [fast, dead, other],
  );
  daemon.on(procedures.storagePoolGetInfo, (which, call: ReceivedCall) => {
    if (!locked.has(which.name)) return info;
    held.push(() => {
      call.client.reply(call, encode(procedures.storagePoolGetInfo.result, info));
    });
    return silence;
  });
  daemon.on(
    procedures.storagePoolGetXmlDesc,
    ({ object: { name, uuid } }) =>
      `<pool type="dir"><name>${name}</name><uuid>${uuid}</uuid>
       <target><path>/srv/${name}</path></target></pool>`,
  );
  pools = new PoolCollector(callsTo(daemon), (path) =>
    Promise.resolve(silentPaths.has(path) ? 'silent' : 'answers'),
  );
});

const collect = async () => {
  const log = new OutcomeLog(new Set(['pool']));
  const found = await pools.collect(true, log, Deadline.in(10_000));
  const [outcome] = log.outcomes();
  return {
    states: found?.map(({ name, reading }) => [name, reading?.state]),
    success: outcome?.success,
    subjects: outcome?.errors.map(({ subject }) => subject),
  };
};

/** What a collection tells when no pool but `dead` is unknown. */
const deadAlone = {
  states: [
    ['fast', 'running'],
    ['dead', undefined],
    ['other', 'running'],
  ],
  success: false,
  subjects: ['pool dead'],
};

describe('storage pools', () => {
  it('are listed and asked one by one, with where they lie', async () => {
    expect(await collect()).toEqual({
      states: [
        ['fast', 'running'],
        ['dead', 'running'],
        ['other', 'running'],
      ],
      success: true,
      subjects: [],
    });
    expect(pools.places.map(({ description }) => description?.targetPath)).toEqual([
      '/srv/fast',
      '/srv/dead',
      '/srv/other',
    ]);
  });

  it('that are locked cost themselves alone, are named, and are not asked twice', async () => {
    await collect();
    locked.add('dead');
    for (let round = 0; round < 3; round += 1) {
      expect(await collect()).toEqual(deadAlone);
    }
    expect(held).toHaveLength(1);
    // The list would wait for the same lock.
    expect(daemon.count(procedures.listAllStoragePools)).toBe(1);
  });

  it('that are locked while they are listed cost no second call, and the others nothing', async () => {
    await collect();
    // The refresh takes the lock after the pool has told its sizes.
    daemon.on(procedures.listAllStoragePools, () => {
      locked.add('dead');
      silentPaths.add('/srv/dead');
      return silence;
    });
    await collect();
    for (let round = 0; round < 3; round += 1) {
      expect(await collect()).toEqual(deadAlone);
    }
    expect(held).toHaveLength(0);
    expect(daemon.count(procedures.listAllStoragePools)).toBe(2);
  });

  it('that lie on what answers are asked although two calls are stuck', async () => {
    await collect();
    daemon.on(procedures.listAllStoragePools, () => {
      locked.add('dead');
      return silence;
    });
    await collect();
    for (let round = 0; round < 3; round += 1) {
      expect(await collect()).toEqual(deadAlone);
    }
    expect(held).toHaveLength(1);
  });

  it('are not listed while one owes its description', async () => {
    const describe = (of: 'refused' | 'stuck') => {
      daemon.on(procedures.storagePoolGetXmlDesc, ({ object: { name } }) => {
        if (name !== 'dead') return `<pool type="dir"><name>${name}</name></pool>`;
        return of === 'stuck' ? silence : new ErrorAnswer({ code: 38, message: 'not now' });
      });
    };
    describe('refused');
    await collect();
    describe('stuck');
    expect((await collect()).states).toContainEqual(['dead', 'running']);
    expect(daemon.count(procedures.listAllStoragePools)).toBe(1);
  });

  it('are complete again after the late answer', async () => {
    await collect();
    locked.add('dead');
    await collect();
    locked.clear();
    for (const answer of held.splice(0)) answer();
    await expect.poll(async () => (await collect()).success).toBe(true);
  });

  it('are unknown, and said to be, when one is locked before the first look', async () => {
    locked.add('dead');
    expect(await collect()).toEqual({
      states: undefined,
      success: false,
      subjects: ['storage pools'],
    });
    await collect();
    expect(daemon.count(procedures.listAllStoragePools)).toBe(1);
  });

  it('that are gone are dropped', async () => {
    await collect();
    daemon.on(procedures.listAllStoragePools, () => [fast]);
    await collect();
    expect((await collect()).states).toEqual([['fast', 'running']]);
  });

  it('that end while they are being read are no failure', async () => {
    await collect();
    daemon.on(procedures.listAllStoragePools, () => [fast, other]);
    daemon.on(procedures.storagePoolGetInfo, ({ name }) =>
      name === 'dead'
        ? new ErrorAnswer({ code: 49, message: 'Storage pool not found' })
        : { state: 2, capacityBytes: 100n, allocationBytes: 60n, availableBytes: 40n },
    );
    const { states, success } = await collect();
    expect(success).toBe(true);
    expect(states?.map(([name]) => name)).toEqual(['fast', 'other']);
  });
});
