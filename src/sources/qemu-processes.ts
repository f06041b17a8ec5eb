import { listKernelDirectory, readRawKernelFile } from './kernel-file.ts';
import { readProcessStat, type ProcessStat } from './process-stat.ts';
import { Faults, found, isAbsence, type Reading } from './reading.ts';
import type { Roots } from './roots.ts';
import { TimeSlice } from './time-slice.ts';

/** The QEMU process of one running domain. */
export interface QemuProcess {
  /** As libvirt prints it: lower case, with hyphens. */
  readonly uuid: string;
  /** From `-name guest=…`; undefined when QEMU was started without. */
  readonly name: string | undefined;
  readonly pid: number;
  /** Names the process together with the pid. */
  readonly startTimeTicks: number;
  /** As read in this very collection, so that nobody needs to read it again. */
  readonly stat: ProcessStat;
}

interface KnownQemu {
  readonly uuid: string;
  readonly name: string | undefined;
  readonly pid: number;
  readonly startTimeTicks: number;
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
 * /proc/<pid>/cmdline takes the target's mmap lock and so can wait for a stuck process. Therefore it
 * is read once in the life of a process and never of one in uninterruptible sleep; every later look
 * is at /proc/<pid>/stat, which takes no lock. /proc is walked only while some domain has no
 * process. Keep one instance per exporter.
 */
export class QemuProcessFinder {
  readonly #roots: Roots;
  readonly #qemus = new Map<string, KnownQemu>();
  readonly #others = new Map<number, KnownOther>();
  /** Asked for, and not found although every process was looked at again. */
  readonly #unfound = new Set<string>();

  constructor(roots: Roots) {
    this.#roots = roots;
  }

  /**
   * The processes of those of the asked-for domains that have a live one. Fails when /proc can not be
   * listed; a process that is there but cannot be read is a fault, and nothing is concluded from it.
   * Call once per collection.
   */
  async find(uuids: ReadonlySet<string>): Promise<Reading<ReadonlyMap<string, QemuProcess>>> {
    const slice = new TimeSlice();
    const faults = new Faults();
    const processes = new Map<string, QemuProcess>();
    const missing = new Set<string>();
    for (const uuid of this.#qemus.keys()) if (!uuids.has(uuid)) this.#qemus.delete(uuid);
    for (const uuid of this.#unfound) if (!uuids.has(uuid)) this.#unfound.delete(uuid);

    for (const uuid of uuids) {
      if (slice.isOver) await slice.nextTurn();
      const known = this.#qemus.get(uuid);
      const reading = known === undefined ? found(undefined) : this.#liveStat(known.pid);
      const stat = faults.optional(reading);
      if (known !== undefined && stat?.startTimeTicks === known.startTimeTicks) {
        processes.set(uuid, { ...known, stat });
      } else if (reading.ok) {
        this.#qemus.delete(uuid);
        missing.add(uuid);
      }
    }
    if (missing.size === 0) return faults.found(processes);

    const names = listKernelDirectory(this.#roots.procfs);
    if (!names.ok) return names;
    const pids = new Set<number>();
    for (const name of names.value) {
      const pid = Number(name);
      if (Number.isSafeInteger(pid) && pid > 0) pids.add(pid);
    }
    for (const pid of this.#others.keys()) if (!pids.has(pid)) this.#others.delete(pid);
    for (const process of processes.values()) pids.delete(process.pid);

    const candidates = new Map<string, QemuProcess>();
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
    for (const uuid of missing) {
      const process = candidates.get(uuid);
      if (process === undefined) {
        // One that could not be read may have been the one: look again next time.
        if (faults.errors.length === 0) this.#unfound.add(uuid);
        continue;
      }
      this.#unfound.delete(uuid);
      const { name, pid, startTimeTicks } = process;
      this.#qemus.set(uuid, { uuid, name, pid, startTimeTicks });
      processes.set(uuid, process);
    }
    return faults.found(processes);
  }

  /** Undefined where the process is gone or a corpse. */
  #liveStat(pid: number): Reading<ProcessStat | undefined> {
    const stat = readProcessStat(this.#roots, pid);
    if (!stat.ok) return isAbsence(stat.error) ? found(undefined) : stat;
    return stat.value.state === 'Z' || stat.value.state === 'X' ? found(undefined) : stat;
  }

  #look(
    pid: number,
    wanted: ReadonlySet<string>,
    candidates: Map<string, QemuProcess>,
    faults: Faults,
  ): void {
    const stat = faults.optional(this.#liveStat(pid));
    if (stat === undefined) return;
    const { startTimeTicks, comm } = stat;
    if (stat.kernelThread) {
      this.#others.set(pid, { startTimeTicks, comm });
      return;
    }
    // It may hold its mmap lock; it will be looked at when it has moved on.
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
    const rival = candidates.get(identity.uuid);
    // A wrapper (`timeout qemu-system-… -uuid …`) shows the same arguments and starts first.
    if (rival !== undefined && !isYounger(startTimeTicks, pid, rival)) return;
    candidates.set(identity.uuid, { ...identity, pid, startTimeTicks, stat });
  }
}

function isYounger(startTimeTicks: number, pid: number, rival: QemuProcess): boolean {
  if (startTimeTicks !== rival.startTimeTicks) return startTimeTicks > rival.startTimeTicks;
  return pid > rival.pid;
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/**
 * The domain a command line (NUL-separated, as in /proc/<pid>/cmdline) belongs to, or undefined
 * when it has no `-uuid` argument, i.e. is not a QEMU of libvirt.
 */
export function parseQemuCommandLine(
  commandLine: string,
): { readonly uuid: string; readonly name: string | undefined } | undefined {
  const uuid = argumentOf(commandLine, '-uuid')?.toLowerCase();
  if (uuid === undefined || !UUID.test(uuid)) return undefined;
  const name = argumentOf(commandLine, '-name');
  return { uuid, name: name === undefined ? undefined : guestName(name) };
}

function argumentOf(commandLine: string, option: string): string | undefined {
  const at = commandLine.indexOf(`\0${option}\0`);
  if (at === -1) return undefined;
  const start = at + option.length + 2;
  const end = commandLine.indexOf('\0', start);
  return commandLine.slice(start, end === -1 ? commandLine.length : end);
}

/** `guest=a,,b,debug-threads=on` → `a,b`: QEMU writes a comma inside a value twice. */
function guestName(value: string): string | undefined {
  // No argument can hold a NUL, so it may stand for a doubled comma while splitting.
  const options = value.replaceAll(',,', '\0').split(',');
  const named = options.find((option) => option.startsWith('guest='));
  const name = named === undefined ? options[0] : named.slice('guest='.length);
  return name?.replaceAll('\0', ',');
}
