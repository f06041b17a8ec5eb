import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** A process that cannot be mistaken for a later one that got the same number. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Start time in clock ticks since boot: field 22 of /proc/<pid>/stat (proc(5)). */
  readonly startTime: string;
}

/** The identity of a living process, or undefined if there is none (a zombie counts as none). */
export function identify(pid: number): ProcessIdentity | undefined {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch {
    return undefined;
  }
  // The second field is the command in parentheses and may hold spaces: count from its end.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const state = fields[0];
  const startTime = fields[19];
  if (startTime === undefined || state === 'Z' || state === 'X') return undefined;
  return { pid, startTime };
}

export function isAlive(process: ProcessIdentity): boolean {
  return identify(process.pid)?.startTime === process.startTime;
}

/** Sends a signal to exactly this process; does nothing when it has ended. */
export function signal(target: ProcessIdentity, name: NodeJS.Signals): void {
  if (!isAlive(target)) return;
  try {
    process.kill(target.pid, name);
  } catch {
    // It ended between the two lines above.
  }
}

/** Waits until all have ended. @throws Error naming those that have not after `timeoutMs`. */
export async function waitForEnd(
  processes: readonly ProcessIdentity[],
  timeoutMs: number,
): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const left = processes.filter(isAlive);
    if (left.length === 0) return;
    if (Date.now() > deadline) {
      throw new Error(`still running: ${left.map((one) => one.pid).join(', ')}`);
    }
    await sleep(20);
  }
}

/**
 * All processes inside a mount namespace, by its name as in /proc/<pid>/ns/mnt (`mnt:[4026532…]`).
 * A lab's daemon and all its guests live in a namespace of their own, so this finds exactly them.
 */
export function processesInMountNamespace(name: string): readonly ProcessIdentity[] {
  const inside: ProcessIdentity[] = [];
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    try {
      if (readlinkSync(`/proc/${entry}/ns/mnt`) !== name) continue;
    } catch {
      continue;
    }
    const identity = identify(Number(entry));
    if (identity !== undefined) inside.push(identity);
  }
  return inside;
}
