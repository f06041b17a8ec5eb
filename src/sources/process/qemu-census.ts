import {
  isVouchedFor,
  parsePveScope,
  parseGuestCgroup,
  readCgroupMounts,
  type CgroupMounts,
} from '../cgroup/cgroup.ts';
import {
  ownerUid,
  readKernelFile,
  readKernelRecord,
  readRawKernelFile,
} from '../kernel/kernel-file.ts';
import { ownText } from '../kernel/own-text.ts';
import { listPids } from './pids.ts';
import { parseSystemEmulator, type QemuCommandLine } from './qemu-command-line.ts';
import { parseMemoryFiles } from './qemu-memory-files.ts';
import { parseOwner, parseRunId } from './qemu-processes.ts';
import { readProcessStat } from './stat.ts';
import { USER_HZ } from '../../runtime/kernel-time.ts';
import { failed, Faults, isAbsence, toValue, type Result } from '../../runtime/result.ts';
import type { Roots } from '../kernel/roots.ts';
import { TimeSlice } from '../../runtime/time-slice.ts';
import type { MemoryFile, ProcessStat } from '../../model/process.ts';

/** A QEMU that runs on this host. */
export interface CountedQemu {
  readonly pid: number;
  /** Names the process together with the pid. */
  readonly startTimeTicks: number;
  readonly stat: ProcessStat;
  readonly commandLine: QemuCommandLine;
  readonly memoryFiles: readonly MemoryFile[];
  /** Its cgroup, from the root of the hierarchy. */
  readonly group: string;
  /** `host`: a guest of this host. `user`: an ordinary user runs it, or nobody vouches for it. */
  readonly owner: 'host' | 'user';
  /** In a scope that only root makes: libvirt's of one run, or Proxmox VE's of one VM. */
  readonly scope:
    | { readonly manager: 'libvirt' }
    | { readonly manager: 'proxmox'; readonly vmid: number }
    | undefined;
  /** It runs in a container, so that paths and interfaces it names are not the host's. */
  readonly isContained: boolean;
}

/** Names a run of a guest that nobody but its process knows. */
export function processKey({ pid, startTimeTicks }: CountedQemu): string {
  return `pid:${pid}:${startTimeTicks}`;
}

/** What the kernel says of a process that says it is a QEMU. */
export interface Witness {
  /** Undefined when its user ids differ or could not be read. */
  readonly ownerUid: number | undefined;
  /** Its groups, from the root of each hierarchy. */
  readonly groups: readonly string[];
  readonly scope: CountedQemu['scope'];
  readonly guestSeconds: number;
  readonly virtualBytes: number;
  /** `-m` of its command line. */
  readonly saidMemoryBytes: number | undefined;
}

const USER_GROUP = /^\/user\.slice(?:\/|$)|\/user@\d+\.service(?:\/|$)/;
/** What runs in there is counted with the container. */
const LXC_GROUP = /^\/(?:lxc|lxc\.payload(?:\.[^/]*)?)(?:\/|$)/;
const CONTAINER_GROUP =
  /\/(?:kubepods|docker|libpod|crio|cri-containerd|system\.slice\/docker|machine\.slice\/libpod)[^/]*(?:\/|$)/;

/** Users of the system and its services, by Debian's policy (9.2.2), which others follow: not people. */
function isServiceUid(uid: number): boolean {
  return uid < 1000 || (uid >= 60_000 && uid < 65_536);
}

/**
 * Whose a QEMU is. Anybody may start a process with any command line and any thread names; who owns it,
 * which cgroup root has put it in, and how long a CPU was in guest mode for it nobody can make up. It is a
 * guest of the host
 *
 * 1. in a scope that only root makes for guests;
 * 2. when it is root's, and is no setuid program of somebody else's: that has mapped as much memory as it
 *    says it gives the guest;
 * 3. when a service runs it (not a person), and KVM has run a vCPU for it.
 *
 * In a container even root may be a tenant: there KVM must have run it as well.
 */
export function judgeOwner(witness: Witness): CountedQemu['owner'] {
  const { ownerUid, groups, scope, guestSeconds, virtualBytes, saidMemoryBytes } = witness;
  if (scope !== undefined) return 'host';
  if (groups.some((group) => LXC_GROUP.test(group))) return 'user';
  if (ownerUid === undefined || virtualBytes < (saidMemoryBytes ?? 0)) return 'user';
  const isContained = groups.some((group) => CONTAINER_GROUP.test(group));
  if (ownerUid === 0) return isContained && guestSeconds === 0 ? 'user' : 'host';
  if (groups.some((group) => USER_GROUP.test(group)) || !isServiceUid(ownerUid)) return 'user';
  return guestSeconds > 0 ? 'host' : 'user';
}

interface KnownQemu {
  readonly startTimeTicks: number;
  readonly comm: string;
  readonly commandLine: QemuCommandLine;
  readonly memoryFiles: readonly MemoryFile[];
  readonly ownerUid: number | undefined;
  readonly groups: readonly string[];
  readonly group: string;
  readonly scope: CountedQemu['scope'];
  /** Once vouched for, a process stays it. */
  isHosts: boolean;
}

/** A process that was no QEMU. The comm changes with exec, the rest does not. */
interface KnownOther {
  readonly startTimeTicks: number;
  readonly comm: string;
  /** When it was checked last it was too old to be about to execute a QEMU. */
  readonly isSettled: boolean;
}

/** A process may become another by exec; how often all are checked for it. */
const RECHECK_MS = 60_000;
/** A process that has just been forked executes within this time. */
const YOUNG_SECONDS = 30;

/**
 * Finds every QEMU of the host, whoever started it. A command line is read once in the life of a process,
 * never of one in uninterruptible sleep, since that file takes the process's mmap lock. Keep one instance
 * per exporter, and call it once per collection.
 */
export class QemuCensus {
  readonly #roots: Roots;
  readonly #qemus = new Map<number, KnownQemu>();
  readonly #others = new Map<number, KnownOther>();
  #mounts: CgroupMounts | undefined;
  #checkedAt = -Infinity;

  constructor(roots: Roots) {
    this.#roots = roots;
  }

  /**
   * Fails when /proc can not be listed. A process that is there but cannot be read is a fault, and a
   * guest may be missing then.
   */
  async take(): Promise<Result<readonly CountedQemu[]>> {
    const listed = listPids(this.#roots);
    if (!listed.ok) return listed;
    const pids = listed.value;
    const slice = new TimeSlice();
    const faults = new Faults();
    for (const known of [this.#qemus, this.#others]) {
      for (const pid of known.keys()) if (!pids.has(pid)) known.delete(pid);
    }
    const now = performance.now();
    const checkAll = now - this.#checkedAt >= RECHECK_MS;
    if (checkAll) this.#checkedAt = now;

    const found: CountedQemu[] = [];
    const settledTicks = this.#settledTicks();
    for (const pid of pids) {
      if (slice.isOver) await slice.nextTurn();
      const other = this.#others.get(pid);
      if (other?.isSettled === true && !checkAll) continue;
      const reading = readProcessStat(this.#roots, pid);
      if (!reading.ok) {
        this.#qemus.delete(pid);
        if (!isAbsence(reading.error)) faults.optional(reading);
        continue;
      }
      const stat = reading.value;
      if (stat.state === 'Z' || stat.state === 'X') continue;
      if (other?.startTimeTicks === stat.startTimeTicks && other.comm === stat.comm) {
        this.#fileUnderOthers(pid, stat, settledTicks);
        continue;
      }
      const known = this.#qemus.get(pid);
      const same = known?.startTimeTicks === stat.startTimeTicks && known.comm === stat.comm;
      const qemu = same ? known : this.#look(pid, stat, settledTicks, faults);
      if (qemu !== undefined && !qemu.commandLine.isProbe) found.push(toCounted(pid, stat, qemu));
    }
    const all = new Set(found.map(({ pid }) => pid));
    // `-daemonize`: until the child is up, its parent waits with the same command line.
    const waiting = new Set(
      found.flatMap(({ stat: { parentPid } }) => (all.has(parentPid) ? [parentPid] : [])),
    );
    return faults.found(found.filter(({ pid }) => !waiting.has(pid)));
  }

  /** Processes that started before this, in ticks since boot, have executed what they were forked for. */
  #settledTicks(): number {
    const text = toValue(readKernelFile(`${this.#roots.procfs}/uptime`));
    const seconds = Number(/^\d+(?:\.\d+)?/.exec(text ?? '')?.[0]);
    return Number.isNaN(seconds) ? -Infinity : (seconds - YOUNG_SECONDS) * USER_HZ;
  }

  #fileUnderOthers(pid: number, { startTimeTicks, comm }: ProcessStat, settledTicks: number): void {
    this.#others.set(pid, { startTimeTicks, comm, isSettled: startTimeTicks < settledTicks });
  }

  #look(
    pid: number,
    stat: ProcessStat,
    settledTicks: number,
    faults: Faults,
  ): KnownQemu | undefined {
    const { startTimeTicks, comm } = stat;
    this.#qemus.delete(pid);
    if (stat.kernelThread) {
      this.#fileUnderOthers(pid, stat, settledTicks);
      return undefined;
    }
    // It may hold its mmap lock; it will be read when it has moved on.
    if (stat.state === 'D') {
      if (this.#mayBeGuests(pid, comm)) {
        faults.optional(
          failed(
            'timeout',
            `${this.#roots.procfs}/${pid}/cmdline`,
            'not read: it waits in the kernel',
          ),
        );
      }
      return undefined;
    }
    const text = faults.optional(readRawKernelFile(`${this.#roots.procfs}/${pid}/cmdline`));
    if (text === undefined) return undefined;
    const commandLine = parseSystemEmulator(text);
    if (commandLine === undefined) {
      this.#fileUnderOthers(pid, stat, settledTicks);
      return undefined;
    }
    this.#others.delete(pid);
    const owner = parseOwner(toValue(readKernelRecord(`${this.#roots.procfs}/${pid}/status`)));
    const qemu: KnownQemu = {
      startTimeTicks,
      comm,
      commandLine,
      memoryFiles: parseMemoryFiles(text),
      ownerUid: owner,
      ...this.#findGroups(pid),
      isHosts: false,
    };
    this.#qemus.set(pid, qemu);
    return qemu;
  }

  /** It is called like a QEMU, is root's, and libvirt would not tell of it. */
  #mayBeGuests(pid: number, comm: string): boolean {
    if (!/^(?:kvm|qemu-(?:kvm|system-))/.test(comm)) return false;
    if (parseOwner(toValue(readKernelRecord(`${this.#roots.procfs}/${pid}/status`))) !== 0)
      return false;
    const { scope, groups } = this.#findGroups(pid);
    if (scope?.manager === 'libvirt') return false;
    return !groups.some((group) => LXC_GROUP.test(group) || CONTAINER_GROUP.test(group));
  }

  #findGroups(pid: number): Pick<KnownQemu, 'groups' | 'group' | 'scope'> {
    this.#mounts ??= toValue(readCgroupMounts(this.#roots));
    const path = `${this.#roots.procfs}/${pid}/cgroup`;
    const text = toValue(readKernelRecord(path));
    if (text === undefined) return { groups: [], group: '/', scope: undefined };
    const groups = text
      .split('\n')
      .map((line) => ownText(/^\d+:[^:]*:(\/.*)$/.exec(line)?.[1] ?? ''))
      .filter((group) => group !== '');
    const longest = groups.reduce((one, other) => (other.length > one.length ? other : one), '/');
    const cgroup =
      this.#mounts === undefined ? undefined : toValue(parseGuestCgroup(text, this.#mounts, path));
    if (cgroup?.exclusive !== true || this.#mounts === undefined) {
      return { groups, group: longest, scope: undefined };
    }
    const directory = cgroup.unifiedPath ?? [...cgroup.controllers.values()][0]?.path;
    // A group out of sight vouches for nobody.
    const isSeen = directory !== undefined && ownerUid(directory) !== undefined;
    if (!isSeen || !isVouchedFor(cgroup, this.#mounts)) {
      return { groups, group: longest, scope: undefined };
    }
    const vmid = parsePveScope(cgroup.name);
    if (vmid !== undefined) {
      return { groups, group: cgroup.name, scope: { manager: 'proxmox', vmid } };
    }
    const isRun = parseRunId(cgroup.name) !== undefined;
    return { groups, group: cgroup.name, scope: isRun ? { manager: 'libvirt' } : undefined };
  }
}

function toCounted(pid: number, stat: ProcessStat, qemu: KnownQemu): CountedQemu {
  const { startTimeTicks, commandLine, memoryFiles, group, groups, scope } = qemu;
  if (!qemu.isHosts) {
    qemu.isHosts =
      judgeOwner({
        ownerUid: qemu.ownerUid,
        groups,
        scope,
        guestSeconds: stat.guestSeconds,
        virtualBytes: stat.virtualBytes,
        saidMemoryBytes: commandLine.memoryBytes,
      }) === 'host';
  }
  return {
    pid,
    startTimeTicks,
    stat,
    commandLine,
    memoryFiles,
    group,
    owner: qemu.isHosts ? 'host' : 'user',
    scope,
    isContained: groups.some((one) => CONTAINER_GROUP.test(one)),
  };
}
