import { readCgroupMounts, readGuestCgroup, type CgroupMounts } from '../cgroup/cgroup.ts';
import { ownerUid, readKernelRecord, readRawKernelFile } from '../kernel/kernel-file.ts';
import { ownText } from '../kernel/own-text.ts';
import { parseMemoryFiles } from './qemu-memory-files.ts';
import { listPids } from './pids.ts';
import { readProcessStat } from './stat.ts';
import { Faults, found, isAbsence, toValue, type Result } from '../../runtime/result.ts';
import type { Roots } from '../kernel/roots.ts';
import { TimeSlice } from '../../runtime/time-slice.ts';
import type { MemoryFile, ProcessStat } from '../../model/process.ts';

/** The QEMU process of one running domain. */
export interface QemuProcess {
  /** As libvirt prints it: lower case, with hyphens. */
  readonly uuid: string;
  /** From `-name guest=…`; undefined when QEMU was started without. */
  readonly name: string | undefined;
  readonly pid: number;
  /** Names the process together with the pid. */
  readonly startTimeTicks: number;
  /** As its command line has them. What is plugged in later is not there. */
  readonly memoryFiles: readonly MemoryFile[];
  /** As read in this very collection, so that nobody needs to read it again. */
  readonly stat: ProcessStat;
}

/** What libvirt says of the process of a running domain, which no other user can forge. */
export interface ExpectedProcess {
  /** The domain's id, a part of its scope's name; undefined when not known. */
  readonly runId: number | undefined;
  /** The user libvirt gave the process: the `dac` seclabel of the live XML. Undefined without one. */
  readonly ownerUid: number | undefined;
}

interface KnownQemu {
  readonly uuid: string;
  readonly name: string | undefined;
  readonly pid: number;
  readonly startTimeTicks: number;
  readonly memoryFiles: readonly MemoryFile[];
  /** The user it runs as, where its cgroup or libvirt vouches for it. */
  readonly vouchedOwner: number | undefined;
}

/** A process that says it is the QEMU of a domain. */
interface Candidate extends QemuProcess {
  /** Undefined when its user ids differ or could not be read. */
  readonly ownerUid: number | undefined;
  /** Number of the run in the name of its own, root-owned cgroup; undefined without such a group. */
  readonly scopeRunId: number | undefined;
}

/** What a process was seen to be when it was not QEMU. The comm changes with exec, the rest not. */
interface KnownOther {
  readonly startTimeTicks: number;
  readonly comm: string;
}

/**
 * Finds QEMU processes by `-uuid` in their command line. libvirt has no read-only call which gives
 * the pid, and its pid files are readable by root only.
 *
 * Anybody may start a process with such a command line and such thread names. So of those that say they
 * are a domain's QEMU one is believed
 *
 * 1. that sits in the cgroup of this very run (`machine-qemu\x2d<id>\x2d….scope`), in a directory that
 *    belongs to root: only root can make one and put a process into it;
 * 2. else that runs as the user libvirt gave it (the `dac` seclabel of the live XML);
 * 3. else that runs as the user of QEMUs known by 1 or 2;
 * 4. else that is the only one.
 *
 * When two are left, none is taken, and it is a fault.
 *
 * /proc/<pid>/cmdline takes the target's mmap lock and so can wait for a stuck process. Therefore it
 * is read once in the life of a process and never of one in uninterruptible sleep; every later look
 * is at /proc/<pid>/stat, which takes no lock. /proc is walked only while some domain has no
 * process. Keep one instance per exporter.
 */
export class QemuProcessFinder {
  readonly #roots: Roots;
  readonly #qemus = new Map<string, KnownQemu>();
  readonly #others = new Map<number, KnownOther>();
  /** Asked for, and not found although every process was checked again. */
  readonly #unfound = new Set<string>();
  #cgroupMounts: CgroupMounts | undefined;

  constructor(roots: Roots) {
    this.#roots = roots;
  }

  /**
   * The processes of those of the asked-for domains that have a live one. Fails when /proc can not be
   * listed; a process that is there but cannot be read is a fault, and nothing is concluded from it.
   * Call once per collection.
   */
  async find(
    expected: ReadonlyMap<string, ExpectedProcess>,
  ): Promise<Result<ReadonlyMap<string, QemuProcess>>> {
    const slice = new TimeSlice();
    const faults = new Faults();
    const processes = new Map<string, QemuProcess>();
    const missing = new Set<string>();
    for (const uuid of this.#qemus.keys()) if (!expected.has(uuid)) this.#qemus.delete(uuid);
    for (const uuid of this.#unfound) if (!expected.has(uuid)) this.#unfound.delete(uuid);

    for (const uuid of expected.keys()) {
      if (slice.isOver) await slice.nextTurn();
      const known = this.#qemus.get(uuid);
      const reading = known === undefined ? found(undefined) : this.#liveStat(known.pid);
      const stat = faults.optional(reading);
      if (known !== undefined && stat?.startTimeTicks === known.startTimeTicks) {
        const { name, pid, startTimeTicks, memoryFiles } = known;
        processes.set(uuid, { uuid, name, pid, startTimeTicks, memoryFiles, stat });
      } else if (reading.ok) {
        this.#qemus.delete(uuid);
        missing.add(uuid);
      }
    }
    if (missing.size === 0) return faults.found(processes);

    const listed = listPids(this.#roots);
    if (!listed.ok) return listed;
    const pids = listed.value;
    for (const pid of this.#others.keys()) if (!pids.has(pid)) this.#others.delete(pid);
    for (const process of processes.values()) pids.delete(process.pid);

    const candidates = new Map<string, Candidate[]>();
    for (const pid of pids) {
      if (slice.isOver) await slice.nextTurn();
      if (!this.#others.has(pid)) this.#look(pid, missing, candidates, faults);
    }
    // A pid taken for another process may since have become QEMU by pid reuse or exec. That costs
    // one read per process on the host, so it is looked into once per missing domain.
    const unexplained = [...missing].some(
      (uuid) => !candidates.has(uuid) && !this.#unfound.has(uuid),
    );
    if (unexplained) {
      for (const [pid, other] of this.#others) {
        if (slice.isOver) await slice.nextTurn();
        const stat = faults.optional(this.#liveStat(pid));
        if (stat?.startTimeTicks === other.startTimeTicks && stat.comm === other.comm) continue;
        this.#others.delete(pid);
        this.#look(pid, missing, candidates, faults);
      }
    }
    // First those that are vouched for: whom they belong to tells of the others.
    const doubtful: [string, readonly Candidate[]][] = [];
    for (const uuid of missing) {
      const all = withoutWrappers(candidates.get(uuid) ?? []);
      const vouched = vouchedFor(all, expected.get(uuid));
      if (vouched.length === 0 && all.length > 0) doubtful.push([uuid, all]);
      else this.#take(uuid, vouched, true, processes, faults);
    }
    const owners = new Set([...this.#qemus.values()].flatMap((known) => known.vouchedOwner ?? []));
    for (const [uuid, all] of doubtful) {
      const owner = expected.get(uuid)?.ownerUid;
      const credible =
        // libvirt names the user, and none of them is it.
        owner !== undefined
          ? []
          : owners.size === 0
            ? all
            : all.filter(({ ownerUid }) => ownerUid !== undefined && owners.has(ownerUid));
      if (credible.length === 0) {
        faults.refused(
          `process of ${uuid}`,
          `process ${all.map(({ pid }) => pid).join(', ')} says it is this guest, and nobody vouches for it`,
        );
      }
      this.#take(uuid, credible, false, processes, faults);
    }
    return faults.found(processes);
  }

  #take(
    uuid: string,
    credible: readonly Candidate[],
    isVouchedFor: boolean,
    processes: Map<string, QemuProcess>,
    faults: Faults,
  ): void {
    const [only] = credible;
    if (only === undefined) {
      // One that could not be read may have been the one: look again next time.
      if (faults.errors.length === 0) this.#unfound.add(uuid);
      return;
    }
    if (credible.length > 1) {
      const pids = credible.map(({ pid }) => pid).join(', ');
      faults.refused(`process of ${uuid}`, `processes ${pids} all say they are this guest`);
      return;
    }
    this.#unfound.delete(uuid);
    const { name, pid, startTimeTicks, memoryFiles, stat, ownerUid } = only;
    const vouchedOwner = isVouchedFor ? ownerUid : undefined;
    this.#qemus.set(uuid, { uuid, name, pid, startTimeTicks, memoryFiles, vouchedOwner });
    processes.set(uuid, { uuid, name, pid, startTimeTicks, memoryFiles, stat });
  }

  /** Undefined where the process is gone or a corpse. */
  #liveStat(pid: number): Result<ProcessStat | undefined> {
    const stat = readProcessStat(this.#roots, pid);
    if (!stat.ok) return isAbsence(stat.error) ? found(undefined) : stat;
    return stat.value.state === 'Z' || stat.value.state === 'X' ? found(undefined) : stat;
  }

  #look(
    pid: number,
    wanted: ReadonlySet<string>,
    candidates: Map<string, Candidate[]>,
    faults: Faults,
  ): void {
    const stat = faults.optional(this.#liveStat(pid));
    if (stat === undefined) return;
    const { startTimeTicks, comm } = stat;
    if (stat.kernelThread) {
      this.#others.set(pid, { startTimeTicks, comm });
      return;
    }
    // It may hold its mmap lock; it will be read when it has moved on.
    if (stat.state === 'D') return;
    const cmdline = faults.optional(readRawKernelFile(`${this.#roots.procfs}/${pid}/cmdline`));
    if (cmdline === undefined) return;
    const identity = parseQemuCommandLine(cmdline);
    if (identity === undefined) {
      this.#others.set(pid, { startTimeTicks, comm });
      return;
    }
    // A domain not asked for now may be asked for next time: do not file it under others.
    if (!wanted.has(identity.uuid)) return;
    const rivals = candidates.get(identity.uuid) ?? [];
    candidates.set(identity.uuid, rivals);
    rivals.push({
      ...identity,
      pid,
      startTimeTicks,
      memoryFiles: parseMemoryFiles(cmdline),
      stat,
      ownerUid: parseOwner(toValue(readKernelRecord(`${this.#roots.procfs}/${pid}/status`))),
      scopeRunId: this.#scopeRunId(pid),
    });
  }

  #scopeRunId(pid: number): number | undefined {
    this.#cgroupMounts ??= toValue(readCgroupMounts(this.#roots));
    if (this.#cgroupMounts === undefined) return undefined;
    const cgroup = toValue(readGuestCgroup(this.#roots, this.#cgroupMounts, pid));
    if (cgroup?.exclusive !== true) return undefined;
    const directory = cgroup.unifiedPath ?? [...cgroup.controllers.values()][0]?.path;
    // A group out of sight vouches for nobody.
    if (directory === undefined || ownerUid(directory) === undefined) return undefined;
    return parseRunId(cgroup.name);
  }
}

/** A wrapper (`timeout qemu-system-… -uuid …`) shows the same arguments as its child. */
function withoutWrappers(all: readonly Candidate[]): readonly Candidate[] {
  return all.filter(({ pid, ownerUid }) =>
    all.every((other) => other.stat.parentPid !== pid || other.ownerUid !== ownerUid),
  );
}

/** Those for which their cgroup, or else libvirt's word about their owner, speaks. */
function vouchedFor(
  all: readonly Candidate[],
  expected: ExpectedProcess | undefined,
): readonly Candidate[] {
  const { runId, ownerUid } = expected ?? {};
  const scoped =
    runId === undefined ? [] : all.filter((candidate) => candidate.scopeRunId === runId);
  if (scoped.length > 0) return scoped;
  return ownerUid === undefined ? [] : all.filter((candidate) => candidate.ownerUid === ownerUid);
}

/** `Uid:` of a status file: real, effective, saved and file system user, which are one for a QEMU. */
export function parseOwner(status: string | undefined): number | undefined {
  const match = /^Uid:\t(\d{1,10})\t(\d+)\t(\d+)\t(\d+)$/m.exec(status ?? '');
  if (match === null) return undefined;
  const [, real, ...others] = match;
  return others.every((uid) => uid === real) ? Number(real) : undefined;
}

/**
 * The domain's id in the name of its group: `machine-qemu\x2d3\x2dweb.scope` under systemd, else
 * `qemu-3-web.libvirt-qemu` (virDomainDriverGenerateMachineName).
 */
export function parseRunId(group: string): number | undefined {
  const leaf = group.slice(group.lastIndexOf('/') + 1);
  const match = /^(?:machine-)?qemu(?:\\x2d|-)(\d{1,9})(?:\\x2d|-)/.exec(leaf);
  return match === null ? undefined : Number(match[1]);
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/**
 * The domain a command line (NUL-separated, as in /proc/<pid>/cmdline) belongs to, or undefined
 * when it has no `-uuid` argument, i.e. is not a QEMU of libvirt.
 */
export function parseQemuCommandLine(
  commandLine: string,
): { readonly uuid: string; readonly name: string | undefined } | undefined {
  const uuid = findArgument(commandLine, '-uuid')?.toLowerCase();
  if (uuid === undefined || !UUID.test(uuid)) return undefined;
  const name = findArgument(commandLine, '-name');
  return { uuid, name: name === undefined ? undefined : guestName(name) };
}

function findArgument(commandLine: string, option: string): string | undefined {
  const at = commandLine.indexOf(`\0${option}\0`);
  if (at === -1) return undefined;
  const start = at + option.length + 2;
  const end = commandLine.indexOf('\0', start);
  return ownText(commandLine.slice(start, end === -1 ? commandLine.length : end));
}

/** `guest=a,,b,debug-threads=on` → `a,b`: QEMU writes a comma inside a value twice. */
function guestName(value: string): string | undefined {
  // No argument can hold a NUL, so it may stand for a doubled comma while splitting.
  const options = value.replaceAll(',,', '\0').split(',');
  const named = options.find((option) => option.startsWith('guest='));
  const name = named === undefined ? options[0] : named.slice('guest='.length);
  return name?.replaceAll('\0', ',');
}
