import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';

import { readStandstill } from '../../src/guests/process/standstill.ts';
import { VhostThreads } from '../../src/guests/process/vhost-threads.ts';
import { BlockDeviceNames } from '../../src/sources/host/block-device-names.ts';
import { GuestCgroupCpuReader } from '../../src/sources/cgroup/cpu.ts';
import { GuestCgroupIoReader } from '../../src/sources/cgroup/io.ts';
import { GuestCgroupMemoryReader } from '../../src/sources/cgroup/memory.ts';
import {
  readCgroupMounts,
  readGuestCgroup,
  type GuestCgroup,
} from '../../src/sources/cgroup/cgroup.ts';
import { readCpuTime } from '../../src/sources/kernel/cpu-time.ts';
import { CpuTopologyReader } from '../../src/sources/host/cpu-topology.ts';
import { DeadlineFileReader } from '../../src/sources/kernel/deadline-file.ts';
import { readHostFacts } from '../../src/sources/host/host-facts.ts';
import { readHugePagePools } from '../../src/sources/host/hugepages.ts';
import { KernelThreadReader } from '../../src/sources/process/kernel-threads.ts';
import { readKsm } from '../../src/sources/host/ksm.ts';
import { readKvmModule } from '../../src/sources/host/kvm-module.ts';
import { readLoadAverage } from '../../src/sources/host/load-average.ts';
import { readMeminfo } from '../../src/sources/host/meminfo.ts';
import { readMemorySysctl } from '../../src/sources/host/memory-sysctl.ts';
import { readMounts } from '../../src/sources/files/mounts.ts';
import { readMultiGenLru } from '../../src/sources/host/multi-gen-lru.ts';
import { NetworkLinkReader } from '../../src/sources/network/links.ts';
import { readNumaNodes } from '../../src/sources/host/numa.ts';
import { readPageSize } from '../../src/sources/kernel/page-size.ts';
import { readCgroupPressure, readHostPressure } from '../../src/sources/host/pressure.ts';
import { ProcessKsmReader } from '../../src/sources/process/ksm.ts';
import { readProcessNuma } from '../../src/sources/process/numa.ts';
import { readProcessStat } from '../../src/sources/process/stat.ts';
import { readProcessStatus } from '../../src/sources/process/status.ts';
import { ProcessThreadReader } from '../../src/sources/process/threads.ts';
import { QemuProcessFinder } from '../../src/sources/process/qemu-processes.ts';
import { Deadline } from '../../src/runtime/deadline.ts';
import { found, type Result } from '../../src/runtime/result.ts';
import type { Roots } from '../../src/sources/kernel/roots.ts';
import { readSmapsRollup } from '../../src/sources/process/smaps-rollup.ts';
import { readSwapAreas } from '../../src/sources/host/swap.ts';
import { parseDmsetupThinPools, parseLvs } from '../../src/sources/lvm/thin-pool.ts';
import { readTransparentHugePages } from '../../src/sources/host/transparent-hugepage.ts';
import { readVmstat } from '../../src/sources/host/vmstat.ts';
import { readZswap } from '../../src/sources/host/zswap.ts';
import { hypervisor } from '../fixtures/net/network-tree.ts';
import type { Pick } from '../support/libvirt/damage.ts';
import { cgroupHost, HOST } from '../support/sources/kernel-fixtures.ts';
import { storageFixture } from '../support/sources/storage-fixture.ts';
import { mangled } from './mangle.ts';
import { judged } from './numbers.ts';
import type { Outcome, Target } from './target.ts';
import { PRESSURE_RESOURCES } from '../../src/model/pressure.ts';

/** The guest of process 4242. */
const WEB = '6f2d0b5a-1111-4222-8333-0123456789ab';
const PID = 4242;
const START = 4_000_000;
const PATIENCE_MS = 900;
const PAGE_BYTES = 4096;
/** One input in so many is a file larger than anything is read of. */
const HUGE_EVERY = 10_000;
const HUGE = '7'.repeat(17 * 1024 * 1024);

/** What the kernel itself prints with a sign, and a link's speed, of which -1 is none. */
const SIGNED: ReadonlySet<string> = new Set(['generalProfitBytes', 'profitBytes', 'priority']);

interface Reader {
  /** Of the path of a file it reads, from the root of the tree. */
  readonly reads: RegExp;
  readonly read: (roots: Roots) => Result<unknown> | Promise<Result<unknown>>;
  /** It goes through all processes or all interfaces, so it gets fewer inputs than the others. */
  readonly walks?: true;
}

/** Of so many inputs for a reader that walks one is handed over. */
const RARELY = 16;

const lockedFiles = new DeadlineFileReader();

const HOST_READERS: readonly Reader[] = [
  { reads: /^proc\/meminfo$/, read: readMeminfo },
  { reads: /^proc\/vmstat$/, read: readVmstat },
  { reads: /^proc\/stat$/, read: readCpuTime },
  { reads: /^proc\/loadavg$/, read: readLoadAverage },
  { reads: /^proc\/sys\/(?:vm|kernel)\//, read: readMemorySysctl },
  { reads: /^proc\/self\/auxv$/, read: readPageSize },
  {
    reads: /^sys\/devices\/system\/(?:cpu|node)\//,
    read: (roots) => new CpuTopologyReader(roots).read(),
  },
  { reads: /^sys\/module\/kvm/, read: readKvmModule },
  { reads: /^sys\/kernel\/mm\/hugepages\//, read: readHugePagePools },
  { reads: /^sys\/kernel\/mm\/transparent_hugepage\//, read: readTransparentHugePages },
  { reads: /^sys\/kernel\/mm\/lru_gen\//, read: readMultiGenLru },
  { reads: /^sys\/kernel\/mm\/ksm\//, read: readKsm },
  { reads: /^(?:proc\/swaps|sys\/block\/zram)/, read: readSwapAreas },
  { reads: /zswap\//, read: readZswap },
  { reads: /^sys\/devices\/system\/node\//, read: readNumaNodes },
  ...PRESSURE_RESOURCES.map((resource) => ({
    reads: new RegExp(`^proc/pressure/${resource}$`),
    read: (roots: Roots) => readHostPressure(roots, resource),
  })),
  { reads: /^proc\/(?:cpuinfo|sys\/kernel\/)|^etc\//, read: readHostFacts },
  {
    reads: /^proc\/\d+\/(?:stat|comm)$/,
    read: (roots) => new KernelThreadReader(roots).readMemoryManagement(),
    walks: true,
  },
  {
    reads: /^(?:sys\/class\/net|proc\/1\/net)\//,
    read: (roots) => new NetworkLinkReader(roots).read(),
    walks: true,
  },
  { reads: /mountinfo$/, read: readMounts },
  {
    reads: /^proc\/\d+\/(?:stat|cmdline|status)$/,
    read: (roots) =>
      new QemuProcessFinder(roots).find(new Map([[WEB, { runId: 1, ownerUid: undefined }]])),
    walks: true,
  },
  { reads: /^proc\/4242\/stat$/, read: (roots) => readProcessStat(roots, PID) },
  { reads: /^proc\/4242\/status$/, read: (roots) => readProcessStatus(roots, PID) },
  {
    reads: /^proc\/4242\/task\//,
    read: (roots) => new ProcessThreadReader(roots).read(PID, START, 'S'),
  },
  {
    reads: /^proc\/(?:4242\/ksm|4242\/stat$|self\/ksm)/,
    read: (roots) =>
      new ProcessKsmReader(roots, lockedFiles).read(
        { pid: PID, startTimeTicks: START },
        Deadline.in(PATIENCE_MS),
      ),
  },
  {
    reads: /^proc\/4242\/smaps_rollup$/,
    read: (roots) => readSmapsRollup(roots, PID, lockedFiles, Deadline.in(PATIENCE_MS)),
  },
  {
    reads: /^proc\/\d+\/(?:stat|comm)$|osrelease$/,
    read: (roots) => new VhostThreads(roots).of(new Set([PID])),
    walks: true,
  },
];

const CGROUP_READERS: readonly Reader[] = [
  { reads: /mountinfo$|4242\/cgroup$/, read: cgroupOf },
  {
    reads: /\/cpu\.|\/cpuacct\./,
    read: inCgroup(({ controllers }) => {
      const cpu = controllers.get('cpu');
      return cpu && new GuestCgroupCpuReader(cpu, controllers.get('cpuacct')).read(undefined);
    }),
  },
  {
    reads: /\/memory\.(?!numa)/,
    read: inCgroup(({ controllers }) => {
      const memory = controllers.get('memory');
      return memory && new GuestCgroupMemoryReader(memory).read();
    }),
  },
  {
    reads: /\/memory\.numa_stat$/,
    read: inCgroup(({ controllers }) => {
      const memory = controllers.get('memory');
      return memory && readProcessNuma(memory, PAGE_BYTES);
    }),
  },
  {
    reads: /\/(?:io\.stat|blkio\.|uevent)/,
    read: inCgroup(({ controllers }, roots) => {
      const io = controllers.get('blkio');
      return io && new GuestCgroupIoReader(io, new BlockDeviceNames(roots)).read();
    }),
  },
  ...PRESSURE_RESOURCES.map((resource) => ({
    reads: new RegExp(`/${resource}\\.pressure$`),
    read: inCgroup(({ unifiedPath }) =>
      unifiedPath === undefined ? undefined : readCgroupPressure(unifiedPath, resource),
    ),
  })),
  {
    reads: /\/cgroup\.events$/,
    read: inCgroup(({ unifiedPath }) => readStandstill('S', undefined, unifiedPath)),
  },
];

function cgroupOf(roots: Roots): Result<GuestCgroup> {
  const mounts = readCgroupMounts(roots);
  return mounts.ok ? readGuestCgroup(roots, mounts.value, PID) : mounts;
}

function inCgroup(
  read: (cgroup: GuestCgroup, roots: Roots) => Result<unknown> | undefined,
): Reader['read'] {
  return (roots) => {
    const cgroup = cgroupOf(roots);
    return cgroup.ok ? (read(cgroup.value, roots) ?? found(undefined)) : cgroup;
  };
}

/** A file of a tree, and who reads it. */
interface Seat {
  readonly path: string;
  readonly good: string;
  readonly roots: Roots;
  readonly reader: Reader;
}

/** Every reader of /proc, /sys and cgroups, each with every file it reads damaged in turn. */
export const kernelFiles: Target = {
  name: 'kernel-files',
  open() {
    const root = mkdtempSync(join(tmpdir(), 'fuzz-kernel-'));
    const seats = [
      ...seatsOf(hostTree(join(root, 'host')), HOST_READERS),
      ...(['cgroup-v2', 'cgroup-v1', 'cgroup-hybrid'] as const).flatMap((kind) =>
        seatsOf(cgroupTree(join(root, kind), kind), CGROUP_READERS),
      ),
    ];
    // A reader with many files would otherwise be the only one that is tried.
    const byReader = [...Map.groupBy(seats, ({ reader }) => reader).values()];
    const texts = [
      { good: storageFixture('dmsetup-status-thin-pool'), parse: parseDmsetupThinPools },
      { good: storageFixture('lvs.json'), parse: parseLvs },
    ];
    return {
      attempt(pick): Outcome | Promise<Outcome> {
        let reader = pick(byReader.length + texts.length);
        while (byReader[reader]?.[0]?.reader.walks === true && pick(RARELY) > 0) {
          reader = pick(byReader.length + texts.length);
        }
        const files = byReader[reader] ?? [];
        const seat = files[pick(files.length)];
        if (seat !== undefined) return attemptAt(seat, pick);
        const text = texts[reader - byReader.length];
        return text === undefined ? 'refusal' : judged(text.parse(mangled(text.good, pick)));
      },
      [Symbol.asyncDispose]() {
        rmSync(root, { recursive: true });
        return Promise.resolve();
      },
    };
  },
};

async function attemptAt({ path, good, roots, reader }: Seat, pick: Pick): Promise<Outcome> {
  const text = pick(HUGE_EVERY) === 0 ? HUGE : mangled(good, pick);
  writeFileSync(path, text, 'latin1');
  try {
    return judged(await reader.read(roots), SIGNED);
  } catch (error) {
    throw new Error(`${path} with ${JSON.stringify(text.slice(0, 500))}`, { cause: error });
  } finally {
    writeFileSync(path, good, 'latin1');
  }
}

function seatsOf(roots: Roots, readers: readonly Reader[]): readonly Seat[] {
  const files = filesBelow(roots.rootfs);
  return readers.flatMap((reader) =>
    files
      .filter((path) => reader.reads.test(relative(roots.rootfs, path)))
      .map((path) => ({ path, good: readFileSync(path, 'latin1'), roots, reader })),
  );
}

function filesBelow(directory: string): readonly string[] {
  return readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
    const path = join(directory, entry.name);
    return entry.isDirectory() ? filesBelow(path) : entry.isFile() ? [path] : [];
  });
}

function treeAt(root: string, ...sources: readonly Roots[]): Roots {
  const roots = { procfs: join(root, 'proc'), sysfs: join(root, 'sys'), rootfs: root };
  for (const { procfs, sysfs } of sources) {
    cpSync(procfs, roots.procfs, { recursive: true, verbatimSymlinks: true });
    cpSync(sysfs, roots.sysfs, { recursive: true, verbatimSymlinks: true });
  }
  return roots;
}

function hostTree(root: string): Roots {
  using network = hypervisor();
  const roots = treeAt(root, HOST, cgroupHost('cgroup-v2'), network.roots);
  const put = (path: string, text: string): void => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  };
  put(
    'proc/cpuinfo',
    'processor\t: 0\nvendor_id\t: GenuineIntel\nmodel name\t: Intel(R) Xeon(R)\n',
  );
  put('proc/sys/kernel/osrelease', '6.1.0-30-amd64\n');
  put('proc/sys/kernel/hostname', 'kvm7\n');
  put('etc/os-release', 'NAME="Debian GNU/Linux"\nVERSION_ID="12"\n# a comment\n');
  return roots;
}

function cgroupTree(root: string, kind: Parameters<typeof cgroupHost>[0]): Roots {
  return treeAt(root, cgroupHost(kind));
}
