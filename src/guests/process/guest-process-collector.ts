import { BlockDeviceNames } from '../../sources/host/block-device-names.ts';
import {
  readCgroupMounts,
  readGuestCgroup,
  type CgroupMounts,
  type GuestCgroup,
} from '../../sources/cgroup/cgroup.ts';
import { GuestCgroupCpuReader, type ThreadCensus } from '../../sources/cgroup/cpu.ts';
import { readCgroupDetail } from '../../sources/cgroup/detail.ts';
import { GuestCgroupIoReader } from '../../sources/cgroup/io.ts';
import { GuestCgroupMemoryReader } from '../../sources/cgroup/memory.ts';
import { readCpuTime } from '../../sources/kernel/cpu-time.ts';
import { DeadlineFileReader } from '../../sources/kernel/deadline-file.ts';
import { readCgroupPressure } from '../../sources/host/pressure.ts';
import { ProcessKsmReader } from '../../sources/process/ksm.ts';
import { readProcessNuma } from '../../sources/process/numa.ts';
import { startUnixSeconds } from '../../sources/process/stat.ts';
import { readProcessStatus } from '../../sources/process/status.ts';
import { ProcessThreadReader } from '../../sources/process/threads.ts';
import type { QemuProcess } from '../../sources/process/qemu-processes.ts';
import type { Deadline } from '../../runtime/deadline.ts';
import { isAbsence, type Result, type SourceError } from '../../runtime/result.ts';
import type { Roots } from '../../sources/kernel/roots.ts';
import { readSmapsRollup } from '../../sources/process/smaps-rollup.ts';
import { TimeSlice } from '../../runtime/time-slice.ts';
import type { GuestCgroupFacts, GuestProcess } from '../../model/domain.ts';
import type { OutcomeLog } from '../../model/outcome-log.ts';
import { severalAtOnce } from '../../runtime/several-at-once.ts';
import { readStandstill, type SeenStandstill } from './standstill.ts';
import { VhostThreads } from './vhost-threads.ts';
import type { Pressure, PressureResource } from '../../model/pressure.ts';
import type { ProcessKsm, ProcessThread, SmapsRollup } from '../../model/process.ts';

/** Longest to wait for one file that takes the mmap lock of a guest's process. */
const LOCKED_FILE_MILLISECONDS = 250;
/** As many as DeadlineFileReader reads at once: for more, waiting their turn would count as late. */
const LOCKED_FILES_AT_ONCE = 2;

/** What /proc and the cgroups say of one guest. */
export interface GuestFacts {
  readonly process: GuestProcess | undefined;
  readonly cgroup: GuestCgroupFacts | undefined;
}

/** Whether a group that is no scope of a guest's manager holds this process and nothing else. */
export type IsAlone = (group: GuestCgroup, pid: number) => boolean;

interface KnownCgroup {
  readonly startTimeTicks: number;
  /** One that no manager of guests has made: whether it holds the guest alone can change. */
  readonly others: GuestCgroup | undefined;
  /** Undefined when there is none, or one that holds more than the guest. */
  readonly cgroup: GuestCgroup | undefined;
  readonly cpu: GuestCgroupCpuReader | undefined;
  readonly memory: GuestCgroupMemoryReader | undefined;
  readonly io: GuestCgroupIoReader | undefined;
}

/**
 * Reads the QEMU processes and cgroups of all running guests, guest after guest. None of it waits
 * for a guest: a stopped or hung QEMU is read like any other. Keep one instance per exporter.
 */
export class GuestProcessCollector {
  readonly #roots: Roots;
  readonly #pageBytes: number;
  readonly #threads: ProcessThreadReader;
  readonly #vhosts: VhostThreads;
  readonly #lockedFiles = new DeadlineFileReader();
  readonly #ksm: ProcessKsmReader;
  /** Undefined until they could be read. */
  #cgroupMounts: CgroupMounts | undefined;
  readonly #deviceNames: BlockDeviceNames;
  /** A process stays in its cgroup, so the group is looked up once per process. */
  readonly #cgroups = new Map<number, KnownCgroup>();
  /** Guests whose limits were set since they were last read. */
  readonly #changed = new Set<string>();
  readonly #isAlone: IsAlone;
  #bootTimeSeconds: number | undefined;

  constructor(roots: Roots, pageBytes: number, isAlone: IsAlone = () => false) {
    this.#roots = roots;
    this.#pageBytes = pageBytes;
    this.#isAlone = isAlone;
    this.#threads = new ProcessThreadReader(roots);
    this.#vhosts = new VhostThreads(roots);
    this.#ksm = new ProcessKsmReader(roots, this.#lockedFiles);
    this.#deviceNames = new BlockDeviceNames(roots);
  }

  /** An event about this guest: its limits are read afresh at the next collection. */
  invalidate(uuid: string): void {
    this.#changed.add(uuid);
  }

  /** As if there had been an event about every guest. */
  invalidateAll(): void {
    this.#cgroups.clear();
  }

  /**
   * By uuid. Guests not reached before the deadline are missing. Never rejects.
   *
   * @param tellStandstill called as soon as a guest's process has been read.
   */
  async collect(
    processes: ReadonlyMap<string, QemuProcess>,
    log: OutcomeLog,
    deadline: Deadline,
    tellStandstill: (uuid: string, standstill: SeenStandstill | undefined) => void,
  ): Promise<ReadonlyMap<string, GuestFacts>> {
    this.#bootTimeSeconds ??= log.run('process', () =>
      log.optional('process', readCpuTime(this.#roots)),
    )?.bootTimeSeconds;
    this.#cgroupMounts ??= log.run('cgroup', () =>
      log.optional('cgroup', readCgroupMounts(this.#roots)),
    );
    const pids = new Set([...processes.values()].map(({ pid }) => pid));
    this.#threads.retain(pids);
    this.#deviceNames.prune();
    for (const pid of this.#cgroups.keys()) if (!pids.has(pid)) this.#cgroups.delete(pid);
    for (const uuid of this.#changed) if (!processes.has(uuid)) this.#changed.delete(uuid);

    this.#ksm.startCollection(pids);
    // Under way while the quick files are read.
    const ksm = log.runAsync('guestksm', () =>
      readOneByOne(processes, (process, patience) => this.#ksm.read(process, patience), deadline),
    );
    const smaps = log.runAsync('smaps', () =>
      readOneByOne(
        processes,
        ({ pid }, patience) => readSmapsRollup(this.#roots, pid, this.#lockedFiles, patience),
        deadline,
      ),
    );

    const vhosts = await log.runAsync('process', async () =>
      log.optional('process', await this.#vhosts.of(pids)),
    );
    const facts = new Map<string, GuestFacts>();
    const slice = new TimeSlice();
    for (const [uuid, process] of processes) {
      if (deadline.expired) {
        const missed = processes.size - facts.size;
        for (const collector of ['process', 'cgroup'] as const) {
          log.fail(collector, notReached('QEMU processes', missed, processes.size));
        }
        break;
      }
      if (slice.isOver) await slice.nextTurn();
      const { standstill, ...read } = this.#read(process, vhosts?.get(process.pid) ?? [], log);
      tellStandstill(uuid, standstill);
      facts.set(uuid, read);
    }
    const locked = { guestksm: await ksm, smaps: await smaps };
    for (const collector of ['guestksm', 'smaps'] as const) {
      const missed = processes.size - (locked[collector]?.size ?? processes.size);
      if (missed === 0) continue;
      log.fail(collector, notReached('files of QEMU processes', missed, processes.size));
    }
    return withLockedFiles(facts, locked.guestksm, locked.smaps, log);
  }

  #read(
    qemu: QemuProcess,
    vhosts: readonly ProcessThread[],
    log: OutcomeLog,
  ): GuestFacts & { readonly standstill: SeenStandstill | undefined } {
    const { pid, startTimeTicks, stat } = qemu;
    const process = log.run('process', (): GuestProcess => {
      const threads = log.optional('process', this.#threads.read(pid, startTimeTicks, stat.state));
      return {
        pid,
        startSeconds:
          this.#bootTimeSeconds === undefined
            ? undefined
            : startUnixSeconds(startTimeTicks, this.#bootTimeSeconds),
        stat,
        status: log.optional('process', readProcessStatus(this.#roots, pid)),
        threads: threads === undefined ? undefined : [...threads, ...vhosts],
        ksm: undefined,
        smaps: undefined,
      };
    });
    const census = toCensus(process?.threads);
    const known = log.run('cgroup', () => this.#findCgroup(qemu, log));
    return {
      process,
      cgroup:
        known === undefined
          ? undefined
          : log.run('cgroup', () => this.#readCgroup(known, census, log)),
      standstill: log.optional(
        'cgroup',
        readStandstill(stat.state, process?.threads, known?.cgroup?.unifiedPath),
      ),
    };
  }

  #readCgroup(
    { cgroup, cpu, memory, io }: KnownCgroup,
    census: ThreadCensus | undefined,
    log: OutcomeLog,
  ): GuestCgroupFacts | undefined {
    if (cgroup === undefined) return undefined;
    const memoryDirectory = cgroup.controllers.get('memory');
    return {
      cpu: cpu === undefined ? undefined : log.optional('cgroup', cpu.read(census)),
      memory: memory === undefined ? undefined : log.optional('cgroup', memory.read()),
      io: io === undefined ? undefined : log.optional('cgroup', io.read()),
      numa:
        memoryDirectory === undefined
          ? undefined
          : log.optional('cgroup', readProcessNuma(memoryDirectory, this.#pageBytes)),
      detail: log.run('cgroupdetail', () =>
        log.optional(
          'cgroupdetail',
          readCgroupDetail(cgroup.controllers.get('cpu'), memoryDirectory),
        ),
      ),
      pressure: {
        cpu: toPressure(cgroup, 'cpu', log),
        memory: toPressure(cgroup, 'memory', log),
        io: toPressure(cgroup, 'io', log),
      },
    };
  }

  #findCgroup({ uuid, pid, startTimeTicks }: QemuProcess, log: OutcomeLog): KnownCgroup {
    const known = this.#cgroups.get(pid);
    const changed = this.#changed.delete(uuid);
    if (known?.startTimeTicks === startTimeTicks && !changed) {
      const { others, cgroup } = known;
      if (others === undefined || this.#isAlone(others, pid) === (cgroup !== undefined))
        return known;
    }
    const reading =
      this.#cgroupMounts === undefined
        ? undefined
        : readGuestCgroup(this.#roots, this.#cgroupMounts, pid);
    const group = reading === undefined ? undefined : log.optional('cgroup', reading);
    const isOwn = group !== undefined && (group.exclusive || this.#isAlone(group, pid));
    const cgroup = isOwn ? group : undefined;
    const directory = cgroup?.controllers.get('cpu');
    const cpu =
      directory === undefined
        ? undefined
        : new GuestCgroupCpuReader(directory, cgroup?.controllers.get('cpuacct'));
    const memoryDirectory = cgroup?.controllers.get('memory');
    const memory =
      memoryDirectory === undefined ? undefined : new GuestCgroupMemoryReader(memoryDirectory);
    const ioDirectory = cgroup?.controllers.get('blkio');
    const io =
      ioDirectory === undefined
        ? undefined
        : new GuestCgroupIoReader(ioDirectory, this.#deviceNames);
    const others = group?.exclusive === false ? group : undefined;
    const found: KnownCgroup = { startTimeTicks, others, cgroup, cpu, memory, io };
    // Not for good: what could not be read now may be next time.
    if (reading?.ok === true || (reading !== undefined && isAbsence(reading.error))) {
      this.#cgroups.set(pid, found);
    }
    return found;
  }
}

/**
 * Reads a file that takes the mmap lock of the guest's process, which somebody may hold, of each
 * process: two at a time, each under its own deadline. Those not reached before the deadline of the
 * collection are missing.
 */
async function readOneByOne<T>(
  processes: ReadonlyMap<string, QemuProcess>,
  read: (process: QemuProcess, patience: Deadline) => Promise<Result<T>>,
  deadline: Deadline,
): Promise<ReadonlyMap<string, Result<T>>> {
  const readings = new Map<string, Result<T>>();
  const slice = new TimeSlice();
  await severalAtOnce(LOCKED_FILES_AT_ONCE, processes, async ([uuid, process]) => {
    if (slice.isOver) await slice.nextTurn();
    if (deadline.expired) return;
    readings.set(uuid, await read(process, deadline.within(LOCKED_FILE_MILLISECONDS)));
  });
  return readings;
}

function withLockedFiles(
  facts: ReadonlyMap<string, GuestFacts>,
  ksm: ReadonlyMap<string, Result<ProcessKsm>> | undefined,
  smaps: ReadonlyMap<string, Result<SmapsRollup>> | undefined,
  log: OutcomeLog,
): ReadonlyMap<string, GuestFacts> {
  const complete = new Map<string, GuestFacts>();
  for (const [uuid, { process, cgroup }] of facts) {
    const ksmReading = ksm?.get(uuid);
    const smapsReading = smaps?.get(uuid);
    complete.set(uuid, {
      cgroup,
      process:
        process === undefined
          ? undefined
          : {
              ...process,
              ksm: ksmReading === undefined ? undefined : log.optional('guestksm', ksmReading),
              smaps: smapsReading === undefined ? undefined : log.optional('smaps', smapsReading),
            },
    });
  }
  return complete;
}

function notReached(subject: string, missed: number, all: number): SourceError {
  return { kind: 'timeout', subject, detail: `${missed} of ${all} not read before the deadline` };
}

function toPressure(
  cgroup: GuestCgroup,
  resource: PressureResource,
  log: OutcomeLog,
): Pressure | undefined {
  if (cgroup.unifiedPath === undefined) return undefined;
  return log.optional('cgroup', readCgroupPressure(cgroup.unifiedPath, resource));
}

function toCensus(threads: readonly ProcessThread[] | undefined): ThreadCensus | undefined {
  if (threads === undefined) return undefined;
  const census = { vcpus: 0, iothreads: 0 };
  for (const { role } of threads) {
    if (role.kind === 'vcpu') census.vcpus += 1;
    else if (role.kind === 'iothread') census.iothreads += 1;
  }
  return census;
}
