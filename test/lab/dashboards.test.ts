import { existsSync, readFileSync } from 'node:fs';
import { totalmem } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe } from 'vitest';

import { committedDashboards } from '../../grafana/dashboard-models.ts';
import { emptyInLab } from '../../grafana/expected-empty.ts';
import { runQueries, unexpectedlyEmpty, type QueryResult } from '../../grafana/query-results.ts';
import { expectDataOfAllQueries } from '../support/grafana/query-expectations.ts';
import { openLab, type Lab } from '../../lab/index.ts';
import { MonitoringStack } from '../support/paging/monitoring-stack.ts';
import { sysfsWithHardware } from '../../lab/shadow-sysfs.ts';

const MIB = 1024 * 1024;
const UPLINK_MEGABITS = 100;
/** The guest the Guest dashboard is about: it has all a guest can have. */
const CHOSEN = 'web';
/** Five guests boot at once under emulation, perhaps beside other work. */
const BOOT_MS = 240_000;

describe('the dashboards on a real Prometheus that scrapes real guests', () => {
  const resources = new AsyncDisposableStack();
  let lab: Lab;
  let results: readonly QueryResult[];
  const emptyHere = emptyInLab({
    pressure: existsSync('/proc/pressure'),
    memoryErrors: readFileSync('/proc/meminfo', 'utf8').includes('HardwareCorrupted:'),
    mglru: existsSync('/sys/kernel/mm/lru_gen'),
  });
  /** Events and chains of rules take their time; after long enough what is missing is a fault. */
  const whenAllHaveHappened = async (
    ask: () => Promise<readonly QueryResult[]>,
  ): Promise<readonly QueryResult[]> => {
    const deadline = Date.now() + 180_000;
    for (;;) {
      const found = await ask();
      if (unexpectedlyEmpty(found, emptyHere).length === 0 || Date.now() > deadline) return found;
      await sleep(2000);
    }
  };

  beforeAll(async () => {
    lab = resources.use(await openLab());
    const images = await lab.filesystem({ type: 'ext4', sizeMib: 256, name: 'images' });
    const small = await lab.filesystem({ type: 'ext4', sizeMib: 32, name: 'small' });
    lab.hugePages(32);
    await lab.swapFile(256);
    await lab.startGuests([
      {
        name: CHOSEN,
        memoryMib: 256,
        vcpus: { current: 2, maximum: 4 },
        cpuTune: { shares: 512, periodUs: 100_000, quotaUs: 80_000 },
        disks: [
          {
            source: {
              kind: 'new',
              format: 'qcow2',
              sizeMib: 64,
              directory: images,
              backingDepth: 2,
            },
            cache: 'none',
            ioTune: { total_bytes_sec: 50 * MIB, total_iops_sec: 2000 },
          },
        ],
        nics: [{ inboundKibPerSecond: 4096, outboundKibPerSecond: 2048 }],
        persistent: true,
        autostart: true,
      },
      {
        name: 'twin',
        memoryMib: 192,
        nics: [{}],
        disks: [{ source: { kind: 'new', format: 'qcow2', sizeMib: 160, directory: images } }],
      },
      { name: 'spinner', vcpus: { current: 2 } },
      {
        name: 'filler',
        disks: [{ source: { kind: 'new', format: 'qcow2', sizeMib: 64, directory: small } }],
      },
      // Promised more than there is, which costs nothing until somebody claims it.
      { name: 'giant', os: 'none', memoryMib: Math.floor((0.97 * totalmem()) / MIB) },
      { name: 'huge', os: 'none', memoryBacking: { hugePages: true } },
      { name: 'silent', os: 'none', balloon: { kind: 'silent' } },
      { name: 'rigid', os: 'none', balloon: { kind: 'none' }, vcpus: { cpuset: '0' } },
    ]);
    await lab.defineGuest({ name: 'off', os: 'none', autostart: true });
    await lab.virsh('pool-define-as', 'images', 'dir', '--target', images);
    await lab.virsh('pool-start', 'images');
    const booting = lab.guests.filter(({ spec }) => spec.os !== 'none');
    await Promise.all(booting.map((guest) => guest.waitFor('lab: started', BOOT_MS)));

    const sysfs = sysfsWithHardware(
      lab.sysfs,
      join(lab.directory.root, 'shadow-sysfs'),
      lab.network.uplink,
      UPLINK_MEGABITS,
    );
    const stack = resources.use(await MonitoringStack.start(lab, {}, [`--path.sysfs=${sysfs}`]));
    await work(lab);
    results = await whenAllHaveHappened(() =>
      runQueries(committedDashboards(), stack.prometheus.url, {
        domain: CHOSEN,
        rateInterval: '15s',
      }),
    );
  }, 600_000);

  afterAll(() => resources.disposeAsync());

  expectDataOfAllQueries(() => results, emptyHere);
});

/** Has guests and host do all the dashboards are about. */
async function work(lab: Lab): Promise<void> {
  const peer = lab.network.peerAddress;
  const chosen = lab.guest(CHOSEN);
  const twin = lab.guest('twin');
  lab.ksm({ run: 1, pages_to_scan: 20_000, sleep_millisecs: 20 });
  lab.changeSetting('/sys/module/zswap/parameters/enabled', 'Y');
  // Less than the guest will hold, and more than it holds: the kernel refuses what it cannot reclaim.
  await lab.squeezeMemory(CHOSEN, 192 * MIB);
  await chosen.command({ kind: 'touch', mib: 128, pattern: 'unique', slot: 1 }, 120_000);
  for (const guest of [chosen, twin]) {
    await guest.command({ kind: 'touch', mib: 32, pattern: 'same' });
    await guest.command({ kind: 'disk', disk: 'vda', everyMs: 500 });
    const flush = 'dd if=/block of=/dev/vda bs=64k count=1 conv=notrunc,fsync status=none';
    await guest.command(`sh (while :; do ${flush}; sleep 1; done) &`);
  }
  await chosen.command({ kind: 'traffic', direction: 'tx', peer, kibPerSecond: 256 });
  await twin.command({ kind: 'traffic', direction: 'rx', peer, kibPerSecond: 256 });
  // Slow enough that it still grows when the queries are run.
  await twin.command({ kind: 'fill', disk: 'vda', mib: 160, kibPerSecond: 512 });
  await lab.virsh('setmem', 'twin', '160M', '--live');
  await lab.guest('filler').command({ kind: 'fill', disk: 'vda', mib: 64 });
  await lab.guest('spinner').command({ kind: 'spin', threads: 2 });
}
