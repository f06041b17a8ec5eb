/**
 * A libvirtd whose guests and pools come and go, as a process of its own: `node daemon.ts
 * <directory of its socket> <images>`, started with an IPC channel. Each message is a Change; the
 * first is answered with the URI when it listens. Ends when the channel closes.
 */
import {
  domainStats,
  errorCodes,
  eventDefinitions,
  listDomains,
  procedures,
  type DomainRef,
  type EncodableStatsRecord,
  type NamedObject,
} from '../../src/libvirt/index.ts';
import { fakeGuest, type FakeGuest } from '../support/fake-host/fake-guest.ts';
import { fakePool, type FakePool } from '../support/fake-host/fake-pools.ts';
import { guestXml } from '../support/fake-host/guest-xml.ts';
import { recordOf } from '../support/fake-host/replies.ts';
import { ErrorAnswer, FakeDaemon, type FakeClient } from '../support/libvirt/fake-daemon.ts';
import { changeSchema, type Change, type EventFact, type GuestFact } from './daemon-state.ts';

/** VIR_FROM_QEMU and VIR_FROM_STORAGE: who an error is from. */
const FROM_QEMU = 10;
const FROM_STORAGE = 18;
/** VIR_DOMAIN_RUNNING and _SHUTOFF, with VIR_DOMAIN_RUNNING_BOOTED and _SHUTOFF_SHUTDOWN. */
const RUNNING = { state: 1, reason: 1 };
const SHUT_OFF = { state: 5, reason: 1 };

interface Guest {
  readonly fact: GuestFact;
  readonly guest: FakeGuest;
  readonly ref: DomainRef;
}

interface Subscription {
  readonly client: FakeClient;
  readonly eventId: number;
  readonly callbackId: number;
}

const [directory = '', images = ''] = process.argv.slice(2);
const guests = new Map<string, Guest>();
const subscriptions: Subscription[] = [];
let pools: readonly FakePool[] = [];
let listening: Promise<FakeDaemon> | undefined;

process.on('message', (message) => {
  apply(changeSchema.parse(message));
  listening ??= listen();
});
process.on('disconnect', () => {
  void listening?.then((daemon) => daemon.close());
});

function apply(change: Change): void {
  for (const uuid of change.gone) guests.delete(uuid);
  for (const fact of change.guests) {
    const guest = fakeGuest(fact.index, images, fact);
    const { name, uuid, id } = guest;
    guests.set(uuid, { fact, guest, ref: { name, uuid, id: fact.running ? id : undefined } });
  }
  pools = change.pools.map(({ number, name, path }) => fakePool(number, name, 'dir', path));
  change.events.forEach(tell);
}

/** Only who asked for events of this kind hears of it. */
function tell(event: EventFact): void {
  const { eventId } = eventDefinitions[event.type];
  for (const subscription of subscriptions) {
    if (subscription.eventId !== eventId) continue;
    subscription.client.sendEvent(subscription.callbackId, event);
  }
}

async function listen(): Promise<FakeDaemon> {
  const daemon = await FakeDaemon.listen(directory);
  daemon.on(procedures.getType, () => 'QEMU');
  daemon.on(procedures.getLibVersion, () => 9_000_000n);
  daemon.on(procedures.getVersion, () => 7_002_000n);
  daemon.on(procedures.getUri, () => 'qemu:///system');
  daemon.on(procedures.getHostname, () => 'soak');
  daemon.on(procedures.eventRegister, ({ eventId }, { client }) => {
    const callbackId = subscriptions.length;
    subscriptions.push({ client, eventId, callbackId });
    return callbackId;
  });
  daemon.on(procedures.eventDeregister, () => undefined);
  daemon.on(procedures.listAllDomains, (flags) => {
    return [...guests.values()].filter(({ fact }) => isListed(fact, flags)).map(({ ref }) => ref);
  });
  daemon.on(procedures.domainGetXmlDesc, ({ domain }) => {
    const guest = guests.get(domain.uuid);
    if (guest === undefined) return noDomain(domain);
    const xml = guestXml(guest.guest);
    return guest.fact.running ? xml : inactive(xml);
  });
  daemon.on(procedures.domainGetState, ({ domain }) => {
    const guest = guests.get(domain.uuid);
    if (guest === undefined) return noDomain(domain);
    return guest.fact.running ? RUNNING : SHUT_OFF;
  });
  daemon.on(procedures.domainGetControlInfo, ({ domain }) =>
    guests.has(domain.uuid) ? { state: 0, details: 0, stateTimeMs: 0n } : noDomain(domain),
  );
  // Those that are no more are passed over (virDomainObjListConvert with skip_missing).
  daemon.on(procedures.getAllDomainStats, ({ stats, domains }) =>
    (domains.length === 0
      ? [...guests.values()]
      : domains.flatMap(({ uuid }) => guests.get(uuid) ?? [])
    ).map((guest) => statsOf(guest, stats)),
  );
  daemon.on(procedures.listAllStoragePools, () => pools);
  daemon.on(procedures.storagePoolGetInfo, (pool) => poolOf(pool)?.info ?? noPool(pool));
  daemon.on(
    procedures.storagePoolGetXmlDesc,
    ({ object }) => poolOf(object)?.xml ?? noPool(object),
  );
  process.send?.(daemon.uri);
  return daemon;
}

function isListed(fact: GuestFact, flags: number): boolean {
  if ((flags & listDomains.active) !== 0 && !fact.running) return false;
  // Persistent guests start with the host, as far as this daemon is concerned.
  const persistent = listDomains.persistent | listDomains.autostart;
  return (flags & persistent) === 0 || fact.persistent;
}

function statsOf({ fact, guest, ref }: Guest, groups: number): EncodableStatsRecord {
  if (fact.running) return recordOf(guest, groups);
  const params =
    (groups & domainStats.state) === 0
      ? []
      : ([
          { field: 'state.state', type: 'int', value: SHUT_OFF.state },
          { field: 'state.reason', type: 'int', value: SHUT_OFF.reason },
        ] as const);
  return { domain: ref, params };
}

/** As libvirt dumps a guest that is off: no id, no names that last for a run alone. */
function inactive(xml: string): string {
  return xml
    .replace(/ id='\d+'/, '')
    .replace(/\n *<target dev='vnet\d+'\/>/g, '')
    .replace(/\n *<alias name='[^']*'\/>/g, '');
}

function poolOf({ uuid }: NamedObject): FakePool | undefined {
  return pools.find((pool) => pool.uuid === uuid);
}

function noDomain({ uuid, name }: DomainRef): ErrorAnswer {
  return new ErrorAnswer({
    code: errorCodes.noDomain,
    domain: FROM_QEMU,
    message: `Domain not found: no domain with matching uuid '${uuid}' (${name})`,
  });
}

function noPool({ uuid, name }: NamedObject): ErrorAnswer {
  return new ErrorAnswer({
    code: errorCodes.noStoragePool,
    domain: FROM_STORAGE,
    message: `Storage pool not found: no storage pool with matching uuid '${uuid}' (${name})`,
  });
}
