import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';

import type { Lab } from '../../../lab/index.ts';

/** USER_HZ, in which /proc counts CPU time (proc(5)). */
const TICKS_PER_SECOND = 100;

/**
 * CPUs that processes which are not the lab's, nor this test, used on average while `work` ran:
 * user, system and interrupt time and what a hypervisor below took.
 */
export async function outsideCpus(lab: Lab, work: () => Promise<void>): Promise<number> {
  const from = Date.now();
  const before = { host: hostTicks(), ours: ourTicks(lab) };
  await work();
  const used = hostTicks() - before.host - (ourTicks(lab) - before.ours);
  return Math.max(0, used / TICKS_PER_SECOND / ((Date.now() - from) / 1000));
}

/** One-minute load average per CPU. */
export function loadPerCpu(): number {
  const [load = ''] = readFileSync('/proc/loadavg', 'utf8').split(' ');
  const cpus = readFileSync('/proc/stat', 'utf8').match(/^cpu\d+ /gm)?.length ?? 1;
  return Number(load) / cpus;
}

/** All CPUs' ticks but idle and iowait; guest time is in user time already (proc_stat(5)). */
function hostTicks(): number {
  const [, line = ''] = /^cpu +(.*)$/m.exec(readFileSync('/proc/stat', 'utf8')) ?? [];
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, steal = 0] = line
    .split(' ')
    .map(Number);
  return user + nice + system + irq + softirq + steal;
}

/** Ticks of this process and of all processes in the lab's network namespaces. */
function ourTicks(lab: Lab): number {
  const ours = [lab.network.network, lab.network.peerNetwork].map(
    (path) => `net:[${statSync(path).ino}]`,
  );
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .reduce((sum, pid) => {
      try {
        const own = Number(pid) === process.pid;
        if (!own && !ours.includes(readlinkSync(`/proc/${pid}/ns/net`))) return sum;
        const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
        // utime and stime, the 14th and 15th field; the second may contain spaces.
        const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
        return sum + Number(fields[11]) + Number(fields[12]);
      } catch {
        // It has ended.
        return sum;
      }
    }, 0);
}
