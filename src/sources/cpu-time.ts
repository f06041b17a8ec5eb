import { readKernelFile } from './kernel-file.ts';
import { parseDecimal } from './kernel-text.ts';
import { ticksToSeconds } from './kernel-time.ts';
import { failed, Faults, inShort, type Reading } from './reading.ts';
import type { Roots } from './roots.ts';

/**
 * How a CPU's time was spent since boot, in seconds (proc_stat(5)). Granularity 10 ms. idle and
 * iowait may step back a little; everything else only grows.
 */
export interface CpuTime {
  /** Guest mode INCLUDED. */
  readonly userSeconds: number;
  /** Low-priority user time, guestNiceSeconds included. */
  readonly niceSeconds: number;
  readonly systemSeconds: number;
  readonly idleSeconds: number;
  readonly ioWaitSeconds: number;
  readonly irqSeconds: number;
  readonly softIrqSeconds: number;
  /** The host is a guest itself: time its own hypervisor took away. */
  readonly stealSeconds: number;
  /** Time running vCPUs of guests. */
  readonly guestSeconds: number;
  readonly guestNiceSeconds: number;
}

export interface HostCpuTime {
  /** Sum over the CPUs, offline ones included while they were online. */
  readonly total: CpuTime;
  /** By CPU number; online CPUs only. */
  readonly cpus: ReadonlyMap<number, CpuTime>;
  readonly contextSwitches: number;
  /** Unix time of boot: what process start times count from. */
  readonly bootTimeSeconds: number;
  readonly processesCreated: number | undefined;
  /** Tasks running or waiting for a CPU now. */
  readonly runningTasks: number | undefined;
  /** Tasks waiting for I/O now. */
  readonly blockedTasks: number | undefined;
}

/** Reads `/proc/stat`. */
export function readCpuTime(roots: Roots): Reading<HostCpuTime> {
  const path = `${roots.procfs}/stat`;
  const text = readKernelFile(path);
  return text.ok ? parseCpuTime(text.value, path) : text;
}

export function parseCpuTime(text: string, subject: string): Reading<HostCpuTime> {
  let total: CpuTime | undefined;
  const cpus = new Map<number, CpuTime>();
  const single = new Map<string, string>();
  let start = 0;
  while (start < text.length) {
    let end = text.indexOf('\n', start);
    if (end === -1) end = text.length;
    // The intr line alone can be 50 kB: never split what is not needed.
    if (text.startsWith('cpu', start)) {
      const [name = '', ...ticks] = text.slice(start, end).trim().split(/ +/);
      const time = toCpuTime(ticks);
      if (time === undefined) return failed('malformed', subject, `times of ${name}`);
      const cpu = parseDecimal(name.slice('cpu'.length));
      if (name === 'cpu') total = time;
      else if (cpu === undefined) return failed('malformed', subject, `no CPU: ${inShort(name)}`);
      else cpus.set(cpu, time);
    } else if (end - start < 64) {
      const [name = '', value = ''] = text.slice(start, end).split(' ');
      single.set(name, value);
    }
    start = end + 1;
  }
  const contextSwitches = parseDecimal(single.get('ctxt'));
  const bootTimeSeconds = parseDecimal(single.get('btime'));
  if (total === undefined || contextSwitches === undefined || bootTimeSeconds === undefined) {
    return failed('malformed', subject, 'no cpu, ctxt or btime line');
  }
  if (cpus.size === 0) return failed('malformed', subject, 'no line of a single CPU');
  const faults = new Faults();
  // Every kernel has these: what is missing was cut off.
  const number = (name: string): number | undefined =>
    faults.field(single.get(name) ?? '', parseDecimal, subject, name);
  return faults.found({
    total,
    cpus,
    contextSwitches,
    bootTimeSeconds,
    processesCreated: number('processes'),
    runningTasks: number('procs_running'),
    blockedTasks: number('procs_blocked'),
  });
}

function toCpuTime(ticks: readonly string[]): CpuTime | undefined {
  const seconds = ticks.map((text) => ticksToSeconds(parseDecimal(text) ?? Number.NaN));
  // Ten since 2.6.33.
  const [user, nice, system, idle, ioWait, irq, softIrq, steal, guest, guestNice] = seconds;
  if (
    seconds.some(Number.isNaN) ||
    user === undefined ||
    nice === undefined ||
    system === undefined ||
    idle === undefined ||
    ioWait === undefined ||
    irq === undefined ||
    softIrq === undefined ||
    steal === undefined ||
    guest === undefined ||
    guestNice === undefined
  ) {
    return undefined;
  }
  return {
    userSeconds: user,
    niceSeconds: nice,
    systemSeconds: system,
    idleSeconds: idle,
    ioWaitSeconds: ioWait,
    irqSeconds: irq,
    softIrqSeconds: softIrq,
    stealSeconds: steal,
    guestSeconds: guest,
    guestNiceSeconds: guestNice,
  };
}
