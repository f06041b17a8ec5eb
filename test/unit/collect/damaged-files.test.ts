import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { inspect } from 'node:util';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { COLLECTORS, type CollectorName } from '../../../src/model/collectors.ts';
import { GuestProcessCollector } from '../../../src/guests/process/guest-process-collector.ts';
import { HostCollector } from '../../../src/collect/host-collector.ts';
import { OutcomeLog } from '../../../src/model/outcome-log.ts';
import { readHostFacts } from '../../../src/sources/host/host-facts.ts';
import { NetworkLinkReader } from '../../../src/sources/network/links.ts';
import { QemuProcessFinder } from '../../../src/sources/process/qemu-processes.ts';
import { Deadline } from '../../../src/runtime/deadline.ts';
import { found } from '../../../src/runtime/result.ts';
import type { Roots } from '../../../src/sources/kernel/roots.ts';
import { hypervisor } from '../../fixtures/net/network-tree.ts';
import { cgroupHost, HOST } from '../../support/sources/kernel-fixtures.ts';

/** What a collection gave: every value by its path, and the collectors that failed. */
interface Seen {
  readonly values: ReadonlyMap<string, string>;
  readonly failed: readonly CollectorName[];
}

/** The guest of process 4242. */
const WEB = '6f2d0b5a-1111-4222-8333-0123456789ab';

async function collect(roots: Roots): Promise<Seen> {
  const log = new OutcomeLog(new Set(COLLECTORS.map(({ name }) => name)));
  const host = await new HostCollector(roots).collect(log, {
    facts: await readHostFacts(roots),
    fileHandles: found(undefined),
  });
  const processes = await log.runAsync('process', async () =>
    log.required(
      'process',
      await new QemuProcessFinder(roots).find(new Map([[WEB, { runId: 1, ownerUid: undefined }]])),
    ),
  );
  const guests = await new GuestProcessCollector(roots, host.pageBytes).collect(
    processes ?? new Map(),
    log,
    Deadline.in(5000),
    () => undefined,
  );
  const network = await log.runAsync('network', async () =>
    log.required('network', await new NetworkLinkReader(roots).read()),
  );
  const values = new Map<string, string>();
  leaves({ host, guests, links: network?.links }, '', values);
  const failed = log.outcomes().flatMap(({ collector, success }) => (success ? [] : [collector]));
  return { values, failed };
}

function leaves(value: unknown, path: string, into: Map<string, string>): void {
  if (value === undefined) return;
  if (value instanceof Map) {
    for (const [key, one] of value) leaves(one, `${path}/${String(key)}`, into);
  } else if (typeof value === 'object' && value !== null) {
    for (const [key, one] of Object.entries(value)) leaves(one, `${path}/${key}`, into);
  } else {
    into.set(path, inspect(value));
  }
}

function filesBelow(directory: string): readonly string[] {
  return readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
    const path = join(directory, entry.name);
    return entry.isDirectory() ? filesBelow(path) : entry.isFile() ? [path] : [];
  });
}

const text = (path: string): string => readFileSync(path, 'utf8');

/** What may become of a kernel file: it is there, and does not say what it should. */
const DAMAGES: Readonly<Record<string, (path: string) => void>> = {
  'is empty': (path) => {
    writeFileSync(path, '');
  },
  'is garbage': (path) => {
    writeFileSync(path, '\u0001 garbage: | {}\n');
  },
  'cannot be read (EISDIR)': (path) => {
    rmSync(path);
    mkdirSync(path);
  },
  'ends in the middle': (path) => {
    writeFileSync(path, text(path).trimEnd().slice(0, -1));
  },
  'has numbers of 400 digits': (path) => {
    writeFileSync(path, text(path).replaceAll(/(?<![\w.])\d+\b/g, '7'.repeat(400)));
  },
  'has words for numbers': (path) => {
    writeFileSync(path, text(path).replaceAll(/(?<![\w.])\d+\b/g, 'x'));
  },
};

/**
 * Whose text is a name, or what a process says of itself: any text is good, so only what cannot be
 * read is damage.
 */
const NAMES = /\/(?:comm|cmdline|hostname|osrelease|cpuinfo)$/;

/** Empty while a guest has used no device, which is all a look at it can tell. */
const MAY_BE_EMPTY = /\/io\.stat$/;

/** What tells whose kernel it is. */
const FACTS = {
  cpuinfo: 'processor\t: 0\nvendor_id\t: GenuineIntel\nmodel name\t: Intel(R) Xeon(R)\n',
  'sys/kernel/osrelease': '6.18.1-amd64\n',
  'sys/kernel/hostname': 'kvm7\n',
};

const CGROUPS = /cgroup|mountinfo/;

describe.each(['cgroup-v2', 'cgroup-v1', 'cgroup-hybrid'] as const)(
  'a kernel file that is there but says nothing, on a host with %s',
  (cgroups) => {
    let root: string;
    let roots: Roots;
    let before: Seen;

    beforeAll(async () => {
      root = mkdtempSync(join(tmpdir(), 'damaged-'));
      roots = { procfs: join(root, 'proc'), sysfs: join(root, 'sys'), rootfs: '' };
      using network = hypervisor();
      for (const tree of [HOST, cgroupHost(cgroups), network.roots]) {
        cpSync(tree.procfs, roots.procfs, { recursive: true, verbatimSymlinks: true });
        cpSync(tree.sysfs, roots.sysfs, { recursive: true, verbatimSymlinks: true });
      }
      for (const [file, says] of Object.entries(FACTS))
        writeFileSync(join(roots.procfs, file), says);
      before = await collect(roots);
    });

    afterAll(() => {
      rmSync(root, { recursive: true });
    });

    it('is looked for where the whole host is read', () => {
      expect(before.failed).toEqual([]);
      expect(before.values.size).toBeGreaterThan(500);
      expect([...before.values.keys()].some((path) => path.startsWith('/guests/'))).toBe(true);
    });

    it.each(Object.keys(DAMAGES))(
      'makes no value vanish or change without a failed collector when it %s',
      async (damage) => {
        const quiet: string[] = [];
        let loud = 0;
        for (const file of [...filesBelow(roots.procfs), ...filesBelow(roots.sysfs)]) {
          const name = relative(root, file);
          if (NAMES.test(name) && damage !== 'cannot be read (EISDIR)') continue;
          if (MAY_BE_EMPTY.test(name) && damage === 'is empty') continue;
          // The rest of the host is the same.
          if (cgroups !== 'cgroup-v2' && !CGROUPS.test(name)) continue;
          renameSync(file, `${root}/kept`);
          cpSync(`${root}/kept`, file);
          DAMAGES[damage]?.(file);
          const after = await collect(roots);
          rmSync(file, { recursive: true });
          renameSync(`${root}/kept`, file);

          const gone = [...before.values.keys()].filter((path) => !after.values.has(path));
          const changed = [...after.values].filter(([path, value]) => {
            const was = before.values.get(path);
            return was !== undefined && was !== value;
          });
          if (gone.length + changed.length === 0) continue;
          if (after.failed.length > 0) loud += 1;
          else quiet.push(`${name}: ${[...gone, ...changed].slice(0, 3).join(' ')}`);
        }
        expect(quiet).toEqual([]);
        expect(loud).toBeGreaterThan(10);
      },
      180_000,
    );
  },
);
