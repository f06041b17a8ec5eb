import { readKernelRecord } from '../kernel/kernel-file.ts';
import { decimalAt, scanIntegers } from '../kernel/kernel-scan.ts';
import { ownText } from '../kernel/own-text.ts';
import { ticksToSeconds, USER_HZ } from '../../runtime/kernel-time.ts';
import { failed, found, type Result } from '../../runtime/result.ts';
import type { Roots } from '../kernel/roots.ts';
import type { ProcessStat } from '../../model/process.ts';

/** PF_KTHREAD of include/linux/sched.h, in field 9. */
const KERNEL_THREAD_FLAG = 0x0020_0000;

/** Fields after the state, by their number in proc_pid_stat(5) minus 4 (state is field 3). */
const FIELD = {
  parentPid: 0,
  flags: 5,
  minorFaults: 6,
  majorFaults: 8,
  userTicks: 10,
  systemTicks: 11,
  threads: 16,
  startTimeTicks: 18,
  virtualBytes: 19,
  residentPages: 20,
  processor: 35,
  blockIoDelayTicks: 38,
  guestTicks: 39,
} as const;

/** Up to guest_time; used again for each process. */
const fields = new Float64Array(FIELD.guestTicks + 1);

/**
 * Reads `/proc/<pid>/stat`. Takes no mmap lock, so it answers even for a stuck process.
 * `absent` when the process is gone; a zombie still answers, with state `Z`.
 */
export function readProcessStat(roots: Roots, pid: number): Result<ProcessStat> {
  const path = `${roots.procfs}/${pid}/stat`;
  const text = readKernelRecord(path);
  return text.ok ? parseProcessStat(text.value, path) : text;
}

export function parseProcessStat(text: string, subject: string): Result<ProcessStat> {
  // The comm may itself contain ')' and spaces: the last ')' ends it.
  const commStart = text.indexOf('(');
  const commEnd = text.lastIndexOf(')');
  if (commStart < 2 || commEnd < commStart) return failed('malformed', subject, 'no comm');
  const pid = decimalAt(text, 0) ?? Number.NaN;
  const state = text[commEnd + 2];
  const count = scanIntegers(text, commEnd + 4, fields);
  // None of those that are read can be negative.
  const number = (index: number): number => {
    const value = index < count ? (fields[index] ?? Number.NaN) : Number.NaN;
    return value < 0 ? Number.NaN : value;
  };

  const parentPid = number(FIELD.parentPid);
  const flags = number(FIELD.flags);
  const minorFaults = number(FIELD.minorFaults);
  const majorFaults = number(FIELD.majorFaults);
  const userTicks = number(FIELD.userTicks);
  const systemTicks = number(FIELD.systemTicks);
  const threads = number(FIELD.threads);
  const startTimeTicks = number(FIELD.startTimeTicks);
  const virtualBytes = number(FIELD.virtualBytes);
  const residentPages = number(FIELD.residentPages);
  const processor = number(FIELD.processor);
  const blockIoDelayTicks = number(FIELD.blockIoDelayTicks);
  const guestTicks = number(FIELD.guestTicks);
  // NaN is contagious: one sum checks them all.
  const sum =
    pid +
    parentPid +
    flags +
    minorFaults +
    majorFaults +
    userTicks +
    systemTicks +
    threads +
    startTimeTicks +
    virtualBytes +
    residentPages +
    processor +
    blockIoDelayTicks +
    guestTicks;
  if (!Number.isFinite(sum) || state === undefined || text[commEnd + 3] !== ' ') {
    return failed('malformed', subject, 'not the fields of proc_pid_stat(5)');
  }
  return found({
    pid,
    comm: ownText(text.slice(commStart + 1, commEnd)),
    state,
    parentPid,
    kernelThread: (flags & KERNEL_THREAD_FLAG) !== 0,
    minorFaults,
    majorFaults,
    userSeconds: ticksToSeconds(userTicks),
    systemSeconds: ticksToSeconds(systemTicks),
    threads,
    startTimeTicks,
    virtualBytes,
    residentPages,
    processor,
    blockIoDelaySeconds: blockIoDelayTicks === 0 ? undefined : ticksToSeconds(blockIoDelayTicks),
    guestSeconds: ticksToSeconds(guestTicks),
  });
}

/** Unix time at which a process started; `bootTimeSeconds` is `btime` of /proc/stat. */
export function startUnixSeconds(startTimeTicks: number, bootTimeSeconds: number): number {
  return bootTimeSeconds + startTimeTicks / USER_HZ;
}
