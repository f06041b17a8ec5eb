import { once } from 'node:events';

import { onTestFinished } from 'vitest';

import type { ConfiguredGuest } from '../../../../src/model/domain.ts';
import { Deadline } from '../../../../src/runtime/deadline.ts';
import { procedures, type DomainRef, type TypedParam } from '../../../../src/libvirt/index.ts';
import type { CollectorName } from '../../../../src/model/collectors.ts';
import { GuestCollector } from '../../../../src/guests/libvirt/guest-collector.ts';
import { LibvirtSession } from '../../../../src/guests/libvirt/libvirt-session.ts';
import { OutcomeLog } from '../../../../src/model/outcome-log.ts';
import type { Roots } from '../../../../src/sources/kernel/roots.ts';
import type { FakeDaemon } from '../../../support/libvirt/fake-daemon.ts';
import { fakeDaemon } from '../../libvirt/with-daemon.ts';
import { callsTo } from './calls-to.ts';

/** A guest of the fake daemon: what it says in its XML, and in its statistics when asked for groups. */
export interface DaemonGuest {
  readonly ref: DomainRef;
  /** What stands in its XML besides name, uuid and memory. */
  readonly xml: string;
  readonly stats: (groups: number) => readonly TypedParam[];
}

const RUNNING: readonly TypedParam[] = [
  { field: 'state.state', type: 'int', value: 1 },
  { field: 'state.reason', type: 'int', value: 1 },
];

/** The XML of a guest with 64 MiB. */
export function xmlOf({ name, uuid }: DomainRef, more = '<vcpu>1</vcpu>'): string {
  return `<domain type='kvm'><name>${name}</name><uuid>${uuid}</uuid>
    <memory unit='KiB'>65536</memory><currentMemory unit='KiB'>65536</currentMemory>
    ${more}<os><type arch='x86_64'>hvm</type></os></domain>`;
}

/** A fake daemon with these guests, which may change between two calls. */
export async function daemonWithGuests(
  guests: readonly DaemonGuest[],
  libvirtVersion = 9_000_000n,
) {
  const daemon: FakeDaemon = await fakeDaemon();
  const list = (): readonly DomainRef[] => guests.map(({ ref }) => ref);
  const groupsAsked: { readonly name: string; readonly groups: number }[] = [];
  daemon.on(procedures.getType, () => 'QEMU');
  daemon.on(procedures.getLibVersion, () => libvirtVersion);
  daemon.on(procedures.getVersion, () => 7_002_022n);
  daemon.on(procedures.getUri, () => 'qemu:///system');
  daemon.on(procedures.eventRegister, ({ eventId }) => eventId);
  daemon.on(procedures.listAllDomains, list);
  daemon.on(procedures.domainGetControlInfo, () => ({
    state: 0,
    details: 0,
    stateTimeMs: 0n,
  }));
  daemon.on(procedures.getAllDomainStats, ({ domains, stats: groups }) =>
    (domains.length === 0 ? list() : domains).flatMap((domain) => {
      const guest = guests.find(({ ref }) => ref.uuid === domain.uuid);
      if (guest === undefined) return [];
      if (domains.length > 0) groupsAsked.push({ name: domain.name, groups });
      return [{ domain, params: [...(domains.length === 0 ? RUNNING : guest.stats(groups))] }];
    }),
  );
  daemon.on(procedures.domainGetXmlDesc, ({ domain }) =>
    xmlOf(domain, guests.find(({ ref }) => ref.uuid === domain.uuid)?.xml),
  );
  return { daemon, groupsAsked };
}

/** A guest collector in front of such a daemon, connected. */
export async function guestsOfDaemon(
  guests: readonly DaemonGuest[],
  roots: Roots,
  collectors: readonly CollectorName[],
  libvirtVersion?: bigint,
) {
  const { daemon, groupsAsked } = await daemonWithGuests(guests, libvirtVersion);
  const session = new LibvirtSession(daemon.uri);
  onTestFinished(() => session.close());
  const collector = new GuestCollector(session, callsTo(daemon), roots, 4096);
  session.start();
  await once(session, 'connected');
  return {
    daemon,
    session,
    /** Groups each guest was asked for by itself, in order. */
    groupsAsked,
    collect: async () => {
      const log = new OutcomeLog(new Set(collectors));
      const deadline = Deadline.in(10_000);
      const known = await collector.list(log, deadline, () => true);
      const collected =
        known && (await collector.ask(known, log, deadline, Promise.resolve(undefined), undefined));
      return {
        domains: collected?.domains,
        changed: collected?.changed ?? new Map<string, ConfiguredGuest>(),
        outcomes: log.outcomes(),
      };
    },
  };
}
