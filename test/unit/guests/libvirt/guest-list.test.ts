import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';

import { Deadline } from '../../../../src/runtime/deadline.ts';
import { openLibvirt, procedures, type DomainRef } from '../../../../src/libvirt/index.ts';
import { ControlCalls } from '../../../../src/guests/libvirt/control-calls.ts';
import { GuestList } from '../../../../src/guests/libvirt/guest-list.ts';
import { OutcomeLog } from '../../../../src/model/outcome-log.ts';
import { ErrorAnswer, FakeDaemon, silence } from '../../../support/libvirt/fake-daemon.ts';
import { callsTo } from './calls-to.ts';

const RUNNING = 1;
const PAUSED = 3;

const web: DomainRef = { name: 'web', uuid: '11111111-1111-1111-1111-111111111111', id: 1 };
const db: DomainRef = { name: 'db', uuid: '22222222-2222-2222-2222-222222222222', id: 2 };

let daemon: FakeDaemon;
let list: GuestList;
/** Guests of the daemon. */
let guests: readonly DomainRef[];

beforeEach(async () => {
  daemon = await FakeDaemon.listen();
  guests = [web, db];
  daemon.on(procedures.getAllDomainStats, () =>
    guests.map((domain) => ({
      domain,
      params: [
        { field: 'state.state', type: 'int', value: RUNNING },
        { field: 'state.reason', type: 'int', value: 1 },
      ],
    })),
  );
  daemon.on(procedures.listAllDomains, (flags) => (flags === 0 ? guests : [web]));
  daemon.on(procedures.domainGetState, ({ domain }) => ({
    state: domain.uuid === db.uuid ? PAUSED : RUNNING,
    reason: 1,
  }));
  const connection = await openLibvirt({ uri: daemon.uri, keepalive: false });
  list = new GuestList(callsTo(daemon), new ControlCalls(() => connection));
  onTestFinished(async () => {
    await connection.close();
    await daemon.close();
  });
});

const read = async (locked: readonly string[] = []) => {
  const log = new OutcomeLog(new Set(['domain']));
  const listed = await list.read(log, Deadline.in(5_000), new Set(locked));
  const [outcome] = log.outcomes();
  return { states: listed?.map(({ ref, state }) => [ref.name, state.state]), outcome };
};

/** No ordinary worker of the daemon is free: only priority procedures are answered. */
const takeAllWorkers = () => {
  daemon.on(procedures.getAllDomainStats, () => silence);
};

/** Somebody holds a guest's lock: whatever touches it waits, lists included. */
const lock = (uuid: string) => {
  takeAllWorkers();
  daemon.on(procedures.listAllDomains, () => silence);
  daemon.on(procedures.domainGetState, ({ domain }) =>
    domain.uuid === uuid ? silence : { state: PAUSED, reason: 1 },
  );
};

describe('the list of guests', () => {
  it('comes in one bulk call', async () => {
    expect((await read()).states).toEqual([
      ['web', RUNNING],
      ['db', RUNNING],
    ]);
    expect(daemon.count(procedures.domainGetState)).toBe(0);
  });

  it('comes by priority procedures when all ordinary workers are taken, on the first look too', async () => {
    takeAllWorkers();
    const { states, outcome } = await read();
    expect(states).toEqual([
      ['web', RUNNING],
      ['db', PAUSED],
    ]);
    expect(outcome?.success).toBe(true);
  });

  it('is not asked for in bulk again while the last bulk call is owed', async () => {
    takeAllWorkers();
    await read();
    await read();
    await read();
    expect(daemon.count(procedures.getAllDomainStats)).toBe(1);
  });

  it('is that of last time, with the states of today, while a guest is locked', async () => {
    await read();
    lock(web.uuid);
    for (let round = 0; round < 3; round += 1) {
      expect((await read()).states).toEqual([
        ['web', RUNNING],
        ['db', PAUSED],
      ]);
    }
    // One owed call of each kind, however long it lasts.
    expect(daemon.count(procedures.getAllDomainStats)).toBe(2);
  });

  it('is not asked for at all while a guest is known to be locked', async () => {
    await read();
    const before = daemon.count(procedures.listAllDomains);
    expect((await read([web.uuid])).states).toEqual([
      ['web', RUNNING],
      ['db', PAUSED],
    ]);
    expect(daemon.count(procedures.listAllDomains)).toBe(before);
    expect(daemon.count(procedures.domainGetState)).toBe(1);
  });

  it('drops a guest that is gone meanwhile', async () => {
    await read();
    daemon.on(procedures.domainGetState, ({ domain }) =>
      domain.uuid === db.uuid ? new ErrorAnswer({ code: 42 }) : { state: RUNNING, reason: 1 },
    );
    expect((await read([web.uuid])).states).toEqual([['web', RUNNING]]);
  });

  it('is missing, and said to be, when the daemon answers nothing', async () => {
    await read();
    takeAllWorkers();
    daemon.on(procedures.listAllDomains, () => silence);
    daemon.on(procedures.domainGetState, () => silence);
    const { states, outcome } = await read();
    expect(states).toBeUndefined();
    expect(outcome?.success).toBe(false);
  });
});
