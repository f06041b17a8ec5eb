import { once } from 'node:events';
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { describe, expect, it, onTestFinished } from 'vitest';

import { Deadline } from '../../../../src/runtime/deadline.ts';
import { domainStats, procedures, type TypedParam } from '../../../../src/libvirt/index.ts';
import type { CollectorName } from '../../../../src/model/collectors.ts';
import { LiveHost } from '../../../../src/collect/live-host.ts';
import { ErrorAnswer } from '../../../support/libvirt/fake-daemon.ts';
import { HOST, NOWHERE } from '../../../support/sources/kernel-fixtures.ts';
import { daemonWithGuests, guestsOfDaemon, type DaemonGuest } from './guests-of-daemon.ts';

const ref = { name: 'web', uuid: '11111111-1111-4111-8111-111111111111', id: 7 };

const text = (field: string, value: string): TypedParam => ({ field, type: 'string', value });

/** A guest with one disk, which libvirt's XML and its statistics both have from its definition. */
class Guest implements DaemonGuest {
  readonly ref = ref;
  image: string;
  /** Set where the XML is to say something else. */
  inXml: string | undefined;
  more = '';

  constructor(image: string) {
    this.image = image;
  }

  get xml(): string {
    return `<vcpu>1</vcpu><devices><disk type='file' device='disk'><driver type='raw'/>
      <source file='${this.inXml ?? this.image}'/><target dev='vda'/></disk>
      <disk type='file' device='cdrom'><target dev='sda'/><readonly/></disk>${this.more}</devices>`;
  }

  stats(groups: number): readonly TypedParam[] {
    return (groups & domainStats.block) === 0
      ? []
      : [
          text('block.0.name', 'vda'),
          text('block.0.path', this.image),
          text('block.1.name', 'sda'),
        ];
  }
}

const COLLECTORS: readonly CollectorName[] = ['domain', 'block'];

async function host() {
  const guest = new Guest('/images/web.raw');
  const more = await guestsOfDaemon([guest], NOWHERE, COLLECTORS);
  const paths = async () => {
    const { domains } = await more.collect();
    return domains?.[0]?.config?.disks.map(({ source }) =>
      source?.kind === 'file' ? source.path : undefined,
    );
  };
  return { guest, paths, fetches: () => more.daemon.count(procedures.domainGetXmlDesc), ...more };
}

describe('a change that no event told of', () => {
  it('is none as long as what is seen agrees with the XML', async () => {
    const { paths, fetches } = await host();
    await paths();
    expect(await paths()).toEqual(['/images/web.raw', undefined]);
    expect(fetches()).toBe(1);
  });

  it('of an image (snapshot, commit, pivot) is seen at once, in the same collection', async () => {
    const { guest, paths, collect, fetches } = await host();
    await paths();
    guest.image = '/images/web.snapshot1';
    const { domains, changed } = await collect();
    expect(domains?.[0]?.config?.disks[0]?.source).toMatchObject({ path: '/images/web.snapshot1' });
    expect([...changed.keys()]).toEqual([ref.uuid]);
    expect(fetches()).toBe(2);
  });

  it('of a medium is seen, and of a disk that came or went', async () => {
    const { guest, paths, fetches } = await host();
    await paths();
    const own = guest.stats.bind(guest);
    guest.stats = (groups) => [
      ...own(groups),
      text('block.2.name', 'vdb'),
      text('block.2.path', '/b'),
    ];
    guest.more = `<disk type='file' device='disk'><source file='/b'/><target dev='vdb'/></disk>`;
    expect(await paths()).toEqual(['/images/web.raw', undefined, '/b']);
    guest.stats = own;
    guest.more = '';
    expect(await paths()).toEqual(['/images/web.raw', undefined]);
    guest.stats = (groups) => [...own(groups), text('block.1.path', '/iso')];
    await paths();
    expect(fetches()).toBe(4);
  });

  it('leaves the guest without a configuration where libvirt does not give its XML', async () => {
    const { guest, daemon, paths, collect } = await host();
    await paths();
    guest.image = '/images/web.snapshot1';
    daemon.on(
      procedures.domainGetXmlDesc,
      () => new ErrorAnswer({ code: 38, message: 'no memory' }),
    );
    const { domains, outcomes } = await collect();
    expect(domains?.[0]?.config).toBeUndefined();
    expect(outcomes.find(({ collector }) => collector === 'domain')?.success).toBe(false);
  });

  it('that a fresh XML does not explain is asked about once, and the XML is believed', async () => {
    const { guest, paths, fetches } = await host();
    guest.inXml = '/images/by-another-name.raw';
    for (let i = 0; i < 4; i += 1) await paths();
    expect(await paths()).toEqual(['/images/by-another-name.raw', undefined]);
    expect(fetches()).toBe(2);
  });

  it('of the number of vCPUs is seen in the threads of QEMU', async () => {
    // Of which the fixture has four. When its XML was first read, one was plugged in.
    let reads = 0;
    const web: DaemonGuest = {
      ref: { name: 'web,front', uuid: '6f2d0b5a-1111-4222-8333-0123456789ab', id: 7 },
      get xml() {
        reads += 1;
        return `<vcpu current='${reads === 1 ? 1 : 4}'>8</vcpu>`;
      },
      stats: () => [],
    };
    const { collect } = await guestsOfDaemon([web], HOST, ['domain', 'process']);
    const { domains } = await collect();
    expect(domains?.[0]?.process?.pid).toBe(4242);
    expect(domains?.[0]?.config?.vcpu.current).toBe(4);
    await collect();
    expect(reads).toBe(2);
  });
});

describe('storage of a guest whose disk was pivoted', () => {
  it('is that of the image it writes now, in the same collection', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'pivot-'));
    onTestFinished(() => {
      rmSync(directory, { recursive: true });
    });
    const [before, after] = [join(directory, 'before.raw'), join(directory, 'after.raw')];
    for (const path of [before, after]) {
      writeFileSync(path, '');
      truncateSync(path, 2 ** 20);
    }
    const guest = new Guest(before);
    const { daemon } = await daemonWithGuests([guest]);
    const live = new LiveHost({
      roots: { procfs: '/proc', sysfs: '/sys', rootfs: '' },
      libvirtUri: daemon.uri,
      maxCalls: 4,
      maxStuckCalls: 2,
      enabled: new Set(COLLECTORS),
      selects: () => true,
    });
    onTestFinished(() => live.close());
    live.start();
    await once(live.session, 'connected');
    const images = async () => {
      const wanted = new Set<CollectorName>([...COLLECTORS, 'image']);
      const { storage } = await live.collect(wanted, Deadline.in(20_000));
      return storage?.disks.flatMap(({ source }) =>
        source.kind === 'local' ? source.chain.images.map(({ image }) => image.path) : [],
      );
    };
    expect(await images()).toEqual([before]);
    guest.image = after;
    expect(await images()).toEqual([after]);
  });
});
