import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { describe, expect, it, onTestFinished } from 'vitest';

import { errorCodes, procedures } from '../../../../src/libvirt/index.ts';
import { ErrorAnswer } from '../../../support/libvirt/fake-daemon.ts';
import { cgroupHost, HOST } from '../../../support/sources/kernel-fixtures.ts';
import { guestsOfDaemon, xmlOf, type DaemonGuest } from './guests-of-daemon.ts';

/** The guest whose process and cgroup the fixtures have. */
const WEB = '6f2d0b5a-1111-4222-8333-0123456789ab';

function guest(name: string, uuid: string, id: number): DaemonGuest {
  return { ref: { name, uuid, id }, xml: '<vcpu>1</vcpu>', stats: () => [] };
}

const COLLECTORS = [
  'domain',
  'process',
  'cgroup',
  'guestksm',
  'smaps',
  'balloon',
  'block',
  'nic',
  'job',
] as const;

/** Two guests, of which the first has its process and its cgroup here. */
async function host() {
  const root = mkdtempSync(join(tmpdir(), 'ended-guest-'));
  onTestFinished(() => {
    rmSync(root, { recursive: true });
  });
  const roots = { procfs: join(root, 'proc'), sysfs: join(root, 'sys'), rootfs: '' };
  cpSync(HOST.procfs, roots.procfs, { recursive: true });
  cpSync(cgroupHost('cgroup-v2').procfs, roots.procfs, { recursive: true });
  cpSync(cgroupHost('cgroup-v2').sysfs, roots.sysfs, { recursive: true });
  const guests = [
    guest('web,front', WEB, 7),
    guest('stays', '11111111-1111-1111-1111-111111111111', 8),
  ];
  return { root, ...(await guestsOfDaemon(guests, roots, COLLECTORS)) };
}

const failures = (outcomes: readonly { collector: string; success: boolean }[]) =>
  outcomes.filter(({ success }) => !success).map(({ collector }) => collector);

describe('a guest that ends while it is being read', () => {
  it.each([
    ['no domain', errorCodes.noDomain, ['stays']],
    // libvirt still lists what is defined.
    ['operation invalid', errorCodes.operationInvalid, ['web,front', 'stays']],
  ])('is normal: libvirt says %s for its XML', async (_, code, left) => {
    const { daemon, collect } = await host();
    daemon.on(procedures.domainGetXmlDesc, ({ domain }) =>
      domain.uuid === WEB
        ? new ErrorAnswer({ code, message: `Domain not found: no domain with matching uuid` })
        : xmlOf(domain),
    );
    const { domains, outcomes } = await collect();
    expect(domains?.map(({ name }) => name)).toEqual(left);
    expect(failures(outcomes)).toEqual([]);
    expect(outcomes.find(({ collector }) => collector === 'domain')?.errors).toEqual([]);
  });

  it('is a failure when libvirt refuses its XML for another reason', async () => {
    const { daemon, collect } = await host();
    daemon.on(
      procedures.domainGetXmlDesc,
      () => new ErrorAnswer({ code: errorCodes.accessDenied, message: 'access denied' }),
    );
    const { domains, outcomes } = await collect();
    expect(domains).toHaveLength(2);
    expect(failures(outcomes)).toEqual(['domain']);
  });

  it.each([
    ['its process', ['proc/4242']],
    ['its cgroup', ['sys/fs/cgroup/machine.slice']],
    ['both', ['proc/4242', 'sys/fs/cgroup/machine.slice']],
  ])('is normal: %s vanished after it was found', async (_, vanishing) => {
    const { root, daemon, collect } = await host();
    // Its XML is asked for after its process has been found, and before that is read.
    daemon.on(procedures.domainGetXmlDesc, ({ domain }) => {
      for (const path of vanishing) rmSync(join(root, path), { recursive: true, force: true });
      return xmlOf(domain);
    });
    const { domains, outcomes } = await collect();
    expect(domains).toHaveLength(2);
    expect(failures(outcomes)).toEqual([]);
  });

  it('would have been read, had it stayed', async () => {
    const { collect } = await host();
    const { domains, outcomes } = await collect();
    expect(domains?.[0]?.process?.pid).toBe(4242);
    expect(domains?.[0]?.cgroup?.memory).toBeDefined();
    expect(failures(outcomes)).toEqual([]);
  });

  it('is normal: libvirt answers its questions about it with an error', async () => {
    const { daemon, collect } = await host();
    await collect();
    const all = [WEB, '11111111-1111-1111-1111-111111111111'];
    daemon.on(procedures.getAllDomainStats, ({ domains }) =>
      domains.length > 0
        ? new ErrorAnswer({ code: errorCodes.noDomain, message: 'no domain' })
        : all.map((uuid, i) => ({ domain: { name: `guest-${i}`, uuid, id: 7 + i }, params: [] })),
    );
    const { outcomes } = await collect();
    expect(failures(outcomes)).toEqual([]);
  });
});
