import { setImmediate as nextTurn } from 'node:timers/promises';

import {
  readCgroupMounts,
  readGuestCgroup,
  type CgroupMounts,
  type GuestCgroup,
} from '../sources/cgroup.ts';
import { readGuestCgroupCpu } from '../sources/cgroup-cpu.ts';
import { readCgroupMemory } from '../sources/cgroup-memory.ts';
import { readCpuTime } from '../sources/cpu-time.ts';
import { DeadlineFileReader } from '../sources/deadline-file.ts';
import { readCgroupPressure, type Pressure, type PressureResource } from '../sources/pressure.ts';
import { ProcessKsmReader } from '../sources/process-ksm.ts';
import { readProcessNuma } from '../sources/process-numa.ts';
import { startUnixSeconds } from '../sources/process-stat.ts';
import { readProcessStatus } from '../sources/process-status.ts';
import { ProcessThreadReader, type ProcessThread } from '../sources/process-threads.ts';
import type { QemuProcess } from '../sources/qemu-processes.ts';
import { valueOf } from '../sources/reading.ts';
import type { Roots } from '../sources/roots.ts';
import { readSmapsRollup } from '../sources/smaps-rollup.ts';
import type { GuestCgroupFacts, GuestProcess } from './domain.ts';
import type { OutcomeLog } from './outcome-log.ts';
import { VhostThreads } from './vhost-threads.ts';

/** Longest stretch of reading without giving other work a turn. */
const SLICE_MILLISECONDS = 5;
/** Longest to wait for one file that takes the mmap lock of a guest's process. */
const LOCKED_FILE_MILLISECONDS = 250;

/** What /proc and the cgroups say of one guest. */
export interface GuestFacts {
  readonly process: GuestProcess | undefined;
  readonly cgroup: GuestCgroupFacts | undefined;
}

interface KnownCgroup {
  readonly startTimeTicks: number;
  readonly cgroup: GuestCgroup | undefined;
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
  readonly #cgroupMounts: CgroupMounts | undefined;
  /** A process stays in its cgroup, so the group is looked up once per process. */
  readonly #cgroups = new Map<number, KnownCgroup>();
  #bootTimeSeconds: number | undefined;

  constructor(roots: Roots, pageBytes: number) {
    this.#roots = roots;
    this.#pageBytes = pageBytes;
    this.#threads = new ProcessThreadReader(roots);
    this.#vhosts = new VhostThreads(roots);
    this.#ksm = new ProcessKsmReader(roots, this.#lockedFiles);
    this.#cgroupMounts = valueOf(readCgroupMounts(roots));
  }

  /** By uuid. Guests not reached before the deadline are missing. Never rejects. */
  async collect(
    processes: ReadonlyMap<string, QemuProcess>,
    log: OutcomeLog,
    deadline: number,
  ): Promise<ReadonlyMap<string, GuestFacts>> {
    this.#bootTimeSeconds ??= valueOf(readCpuTime(this.#roots))?.bootTimeSeconds;
    const pids = new Set([...processes.values()].map(({ pid }) => pid));
    this.#threads.retain(pids);
    for (const pid of this.#cgroups.keys()) if (!pids.has(pid)) this.#cgroups.delete(pid);

    const vhosts =
      log.run('process', () => this.#vhosts.of(pids)) ?? new Map<number, ProcessThread[]>();
    const facts = new Map<string, GuestFacts>();
    const slow: Promise<void>[] = [];
    let sliceStart = performance.now();
    for (const [uuid, process] of processes) {
      const now = performance.now();
      if (now >= deadline) {
        log.fail('process', {
          kind: 'timeout',
          subject: 'QEMU processes',
          detail: `${processes.size - facts.size} of ${processes.size} not read before the deadline`,
        });
        break;
      }
      if (now - sliceStart > SLICE_MILLISECONDS) {
        await nextTurn();
        sliceStart = performance.now();
      }
      const quick = this.#read(process, vhosts.get(process.pid) ?? [], log);
      facts.set(uuid, quick);
      slow.push(
        this.#readLocked(process, quick, log, deadline).then((complete) => {
          facts.set(uuid, complete);
        }),
      );
    }
    await Promise.all(slow);
    return facts;
  }

  #read(qemu: QemuProcess, vhosts: readonly ProcessThread[], log: OutcomeLog): GuestFacts {
    const { pid, startTimeTicks, stat } = qemu;
    const process = log.run('process', (): GuestProcess => {
      const threads = log.optional('process', this.#threads.read(pid, startTimeTicks));
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
    return { process, cgroup: log.run('cgroup', () => this.#readCgroup(qemu, log)) };
  }

  #readCgroup({ pid, startTimeTicks }: QemuProcess, log: OutcomeLog): GuestCgroupFacts | undefined {
    if (this.#cgroupMounts === undefined) return undefined;
    let known = this.#cgroups.get(pid);
    if (known?.startTimeTicks !== startTimeTicks) {
      const reading = readGuestCgroup(this.#roots, this.#cgroupMounts, pid);
      known = { startTimeTicks, cgroup: log.optional('cgroup', reading) };
      this.#cgroups.set(pid, known);
    }
    const { cgroup } = known;
    if (cgroup?.exclusive !== true) return undefined;
    const cpu = cgroup.controllers.get('cpu');
    const memory = cgroup.controllers.get('memory');
    return {
      cpu:
        cpu === undefined
          ? undefined
          : log.optional('cgroup', readGuestCgroupCpu(cpu, cgroup.controllers.get('cpuacct'))),
      memory: memory === undefined ? undefined : log.optional('cgroup', readCgroupMemory(memory)),
      numa: memory === undefined ? undefined : valueOf(readProcessNuma(memory, this.#pageBytes)),
      pressure: {
        cpu: pressureOf(cgroup, 'cpu'),
        memory: pressureOf(cgroup, 'memory'),
        io: pressureOf(cgroup, 'io'),
      },
    };
  }

  /** Files whose reading takes the mmap lock of the guest's process, which somebody may hold. */
  async #readLocked(
    { pid }: QemuProcess,
    facts: GuestFacts,
    log: OutcomeLog,
    deadline: number,
  ): Promise<GuestFacts> {
    const patience = (): number =>
      Math.max(1, Math.min(LOCKED_FILE_MILLISECONDS, deadline - performance.now()));
    const [ksm, smaps] = await Promise.all([
      log.runAsync('guestksm', () => this.#ksm.read(pid, patience())),
      log.runAsync('smaps', () => readSmapsRollup(this.#roots, pid, this.#lockedFiles, patience())),
    ]);
    if (facts.process === undefined) return facts;
    return {
      cgroup: facts.cgroup,
      process: {
        ...facts.process,
        ksm: ksm === undefined ? undefined : log.optional('guestksm', ksm),
        smaps: smaps === undefined ? undefined : log.optional('smaps', smaps),
      },
    };
  }
}

function pressureOf(cgroup: GuestCgroup, resource: PressureResource): Pressure | undefined {
  if (cgroup.unifiedPath === undefined) return undefined;
  return valueOf(readCgroupPressure(cgroup.unifiedPath, resource));
}
