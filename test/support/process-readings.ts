import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

import { eventually } from '../../lab/polling.ts';

/** /proc of one process, read for tests and by nothing the exporter uses. */

/** A line of /proc/<pid>/status that is a size, in bytes; 0 where the kernel leaves it out. */
export function statusBytes(pid: number, field: string): number {
  const line = new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(read(`/proc/${pid}/status`));
  return Number(line?.[1] ?? 0) * 1024;
}

export interface ThreadSchedule {
  readonly runSeconds: number;
  readonly delaySeconds: number;
}

/** /proc/<pid>/task/<tid>/schedstat of the thread with this name. */
export function threadSchedule(pid: number, name: string): ThreadSchedule {
  for (const tid of readdirSync(`/proc/${pid}/task`)) {
    if (read(`/proc/${pid}/task/${tid}/comm`).trim() !== name) continue;
    const [run = '', delay = ''] = read(`/proc/${pid}/task/${tid}/schedstat`).split(' ');
    return { runSeconds: Number(run) / 1e9, delaySeconds: Number(delay) / 1e9 };
  }
  throw new Error(`process ${pid} has no thread ${name}`);
}

/** utime and stime of /proc/<pid>/stat, in seconds. */
export function cpuSeconds(pid: number): { readonly user: number; readonly system: number } {
  const stat = read(`/proc/${pid}/stat`);
  // Fields 14 and 15; the name in field 2 may hold anything but ends at the last parenthesis.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return { user: Number(fields[11]) / 100, system: Number(fields[12]) / 100 };
}

/** What its file descriptors point to, e.g. `socket:[4711]`. */
export function openFiles(pid: number): readonly string[] {
  return readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
    try {
      return [readlinkSync(`/proc/${pid}/fd/${fd}`)];
    } catch {
      return [];
    }
  });
}

/** Waits until a process has no more files open than it had: some are closed a moment later. */
export async function noMoreOpenFiles(pid: number, before: number): Promise<void> {
  await eventually(
    'no more open files than before',
    30_000,
    () => openFiles(pid).length <= before,
    () => openFiles(pid).join('\n'),
  );
}

/** Process ids of its direct children. */
export function children(pid: number): readonly number[] {
  const text = readdirSync(`/proc/${pid}/task`)
    .map((tid) => read(`/proc/${pid}/task/${tid}/children`))
    .join(' ');
  return text.split(' ').filter(Boolean).map(Number);
}

/** A line of /proc/meminfo in bytes. */
export function meminfoBytes(field: string): number {
  const line = new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(read('/proc/meminfo'));
  if (line === null) throw new Error(`/proc/meminfo has no ${field}`);
  return Number(line[1]) * 1024;
}

function read(path: string): string {
  return readFileSync(path, 'utf8');
}
