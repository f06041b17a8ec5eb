import { readKernelFile } from './kernel-file.ts';
import { parseDecimal } from './kernel-text.ts';
import { ticksToSeconds } from '../../runtime/kernel-time.ts';
import { failed, Faults, inShort, type Result } from '../../runtime/result.ts';
import type { Roots } from './roots.ts';
import type { CpuTime, HostCpuTime } from '../../model/host-cpu.ts';

/** Reads `/proc/stat`. */
export function readCpuTime(roots: Roots): Result<HostCpuTime> {
  const path = `${roots.procfs}/stat`;
  const text = readKernelFile(path);
  return text.ok ? parseCpuTime(text.value, path) : text;
}

export function parseCpuTime(text: string, subject: string): Result<HostCpuTime> {
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
