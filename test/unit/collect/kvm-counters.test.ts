import { describe, expect, it } from 'vitest';

import { domainStats, type TypedParam } from '../../../src/libvirt/index.ts';
import { HOST } from '../../support/sources/kernel-fixtures.ts';
import { guestsOfDaemon } from '../guests/libvirt/guests-of-daemon.ts';

const web = { name: 'web,front', uuid: '6f2d0b5a-1111-4222-8333-0123456789ab', id: 7 };
const BALLOON = domainStats.balloon | domainStats.cpuTotal;

const ullong = (field: string, value: bigint): TypedParam => ({ field, type: 'ullong', value });

/** What libvirt 9.0 answers when asked for these groups of a guest under KVM. */
function answer(groups: number, exits: bigint): readonly TypedParam[] {
  return [
    ...((groups & domainStats.balloon) === 0
      ? []
      : [ullong('balloon.current', 65536n), ullong('balloon.rss', 70000n)]),
    ...((groups & domainStats.cpuTotal) === 0
      ? []
      : [
          ullong('cpu.haltpoll.success.time', 626_050_059n),
          ullong('cpu.haltpoll.fail.time', 364_832_581n),
        ]),
    ...((groups & domainStats.vcpu) === 0
      ? []
      : [ullong('vcpu.0.time', 5n), ullong('vcpu.0.exits.sum', exits)]),
  ];
}

async function host(libvirtVersion?: bigint) {
  let exits = 100n;
  const guest = {
    ref: web,
    xml: '<vcpu>1</vcpu>',
    stats: (groups: number) => answer(groups, (exits += 1n)),
  };
  const collectors = ['domain', 'process', 'balloon', 'block'] as const;
  return guestsOfDaemon([guest], HOST, collectors, libvirtVersion);
}

describe("KVM's counters", () => {
  it('are there for a guest whose process is in reach as well', async () => {
    const { collect } = await host();
    const [domain] = (await collect()).domains ?? [];
    expect(domain?.process?.pid).toBe(4242);
    expect(domain?.libvirtCpu).toBeUndefined();
    expect(domain?.kvm).toMatchObject({
      haltPollSuccessNanoseconds: 626_050_059n,
      haltPollFailNanoseconds: 364_832_581n,
      vcpus: [{ index: 0, exits: 101n }],
    });
  });

  it('are asked for with the balloon and no more often, since QEMU interrupts vCPUs for them', async () => {
    const { collect, groupsAsked } = await host();
    await collect();
    const [domain] = (await collect()).domains ?? [];
    expect(groupsAsked.map(({ groups }) => groups)).toEqual([
      BALLOON | domainStats.vcpu | domainStats.block,
      domainStats.block,
    ]);
    // As of the last answer.
    expect(domain?.kvm?.vcpus[0]?.exits).toBe(101n);
  });

  it('of vCPUs are not asked for where libvirt does not relay them', async () => {
    const { collect, groupsAsked } = await host(8_008_000n);
    const [domain] = (await collect()).domains ?? [];
    expect(groupsAsked.map(({ groups }) => groups)).toEqual([BALLOON | domainStats.block]);
    expect(domain?.kvm?.haltPollFailNanoseconds).toBe(364_832_581n);
    expect(domain?.kvm?.vcpus).toEqual([]);
  });
});
