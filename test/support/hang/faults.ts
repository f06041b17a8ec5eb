import { readFileSync } from 'node:fs';

import { eventually, type Guest } from '../../../lab/index.ts';
import { SideMonitor } from '../side-monitor.ts';
import { mountsOfFirst, type Herd } from './guests.ts';

/**
 * How QEMUs are made to hang.
 * - `stopped`: SIGSTOP of the process.
 * - `vcpu`, `worker`: one thread is stopped and the main loop waits for it: for all vCPUs to stop as
 *   `virsh suspend` would have it, for a read. A paused guest does not wait for its vCPU.
 * - `iothread`: the thread is stopped, the main loop does not notice.
 * - `blocked`: the file server is gone and the main loop is in D, in fstat of the image.
 * - `storage`: the file server is gone; the main loop blocks when somebody asks for its disks.
 * Threads are stopped by a tracer (`t` in /proc) or a v1 freezer (`D`).
 */
export const FAULTS = [
  'stopped',
  'vcpu traced',
  'vcpu frozen',
  'worker traced',
  'worker frozen',
  'iothread traced',
  'iothread frozen',
  'blocked',
  'storage',
] as const;

export type Fault = (typeof FAULTS)[number];

export interface Inflicted {
  /** Guests whose main loop answers nobody any more, found out without the daemon. */
  readonly hung: ReadonlySet<string>;
  /** Ends the fault and waits until all answer again. */
  release(): Promise<void>;
}

/** Makes the first `count` guests of a herd hang. What it stops goes on when the lab is closed. */
export async function inflict(herd: Herd, fault: Fault, count: number): Promise<Inflicted> {
  const guests = herd.names.slice(0, count).map((name) => herd.lab.guest(name));
  const monitors = new Map<Guest, SideMonitor>();
  for (const guest of guests) monitors.set(guest, await SideMonitor.open(guest));
  const undo = await begin(herd, fault, monitors);
  const answering = async () => {
    const all = [...monitors];
    const answers = await Promise.all(all.map(([, monitor]) => monitor.answers()));
    return new Set(all.flatMap(([guest], index) => (answers[index] === true ? [guest.name] : [])));
  };
  const release = async () => {
    await undo();
    await eventually(
      `guests answer after ${fault}`,
      20_000,
      async () => (await answering()).size === count,
    );
    for (const monitor of monitors.values()) monitor[Symbol.dispose]();
  };
  try {
    const awake = await answering();
    return {
      hung: new Set(herd.names.slice(0, count).filter((name) => !awake.has(name))),
      release,
    };
  } catch (error) {
    await release();
    throw error;
  }
}

/** The QOM path of a disk's back end, which libvirt gives no other name. */
const FIRST_DISK = '/machine/peripheral/virtio-disk0/virtio-backend';

type Monitors = ReadonlyMap<Guest, SideMonitor>;
type Undo = () => Promise<void>;

function begin(herd: Herd, fault: Fault, monitors: Monitors): Promise<Undo> {
  switch (fault) {
    case 'stopped':
      return Promise.resolve(stopProcesses(herd, monitors));
    case 'vcpu traced':
    case 'vcpu frozen':
      return stopVcpus(herd, fault, monitors);
    case 'worker traced':
    case 'worker frozen':
      return stopWorkers(herd, fault, monitors);
    case 'iothread traced':
    case 'iothread frozen':
      return stopThreads(herd, fault, monitors, /^IO iothread/);
    case 'blocked':
      return blockMainLoops(herd, monitors);
    case 'storage':
      return Promise.resolve(stopServers(herd, monitors));
  }
}

function stopProcesses({ lab }: Herd, monitors: Monitors): Undo {
  const pids = [...monitors.keys()].map((guest) => guest.qemuPid());
  for (const pid of pids) lab.pause(pid);
  return () => {
    for (const pid of pids) lab.resume(pid);
    return Promise.resolve();
  };
}

async function stopVcpus(herd: Herd, fault: Fault, monitors: Monitors): Promise<Undo> {
  const release = await stopThreads(herd, fault, monitors, /^CPU /);
  const stopped = [...monitors].map(([, monitor]) => quietly(monitor.execute('stop')));
  return async () => {
    await release();
    await Promise.all(stopped);
    for (const [guest, monitor] of monitors) {
      if (guest.spec.paused !== true) await monitor.execute('cont');
    }
  };
}

async function stopWorkers(herd: Herd, fault: Fault, monitors: Monitors): Promise<Undo> {
  const read = (monitor: SideMonitor) => monitor.human(`qemu-io -d ${FIRST_DISK} "read 0 4k"`);
  // The pool has no thread before the first request, and keeps one for ten seconds after the last.
  await Promise.all([...monitors.values()].map(read));
  const release = await stopThreads(herd, fault, monitors, /^worker$/);
  const reads = [...monitors.values()].map((monitor) => quietly(read(monitor)));
  return async () => {
    await release();
    await Promise.all(reads);
  };
}

async function stopThreads(
  { lab }: Herd,
  fault: Fault,
  monitors: Monitors,
  name: RegExp,
): Promise<Undo> {
  const tids = [...monitors.keys()].flatMap((guest) => {
    const found = [...guest.threads()].filter(([, comm]) => name.test(comm));
    if (found.length === 0) throw new Error(`${guest.name} has no thread ${String(name)}`);
    return found.map(([tid]) => tid);
  });
  return fault.endsWith('traced') ? lab.traceThreads(tids) : lab.freezeThreads(tids);
}

function stopServers(herd: Herd, monitors: Monitors): Undo {
  const mounts = mountsOfFirst(herd, monitors.size);
  for (const mount of mounts) mount.die();
  return () => {
    for (const mount of mounts) mount.revive();
    return Promise.resolve();
  };
}

async function blockMainLoops(herd: Herd, monitors: Monitors): Promise<Undo> {
  const revive = stopServers(herd, monitors);
  const asked = [...monitors.values()].map((monitor) => quietly(monitor.execute('query-block')));
  for (const [guest, monitor] of monitors) {
    const pid = guest.qemuPid();
    await eventually(`${guest.name} waits for its file server`, 10_000, async () => {
      if (await monitor.answers(100)) return false;
      // FUSE waits interruptibly until a signal comes, and in D from then on (fuse: dev.c).
      herd.lab.pause(pid);
      herd.lab.resume(pid);
      return stateOfThread(pid) === 'D';
    });
  }
  return async () => {
    await revive();
    await Promise.all(asked);
  };
}

/**
 * Makes the first guests' main loops wait for a read that a disk limit holds back, for about so many
 * seconds: no thread is stopped, no storage is gone, nothing in /proc tells. Ends by itself.
 */
export async function silence(
  herd: Herd,
  count: number,
  seconds: number,
): Promise<{
  /** How many hang still. */
  hanging(): number;
  /** Waits until it is over. */
  release(): Promise<void>;
}> {
  const bytesPerSecond = 10_000;
  const monitors: SideMonitor[] = [];
  const reads: Promise<void>[] = [];
  let hanging = 0;
  for (const name of herd.names.slice(0, count)) {
    const monitor = await SideMonitor.open(herd.lab.guest(name));
    monitors.push(monitor);
    await limit(monitor, bytesPerSecond);
    // The first is served at once and used up the time of the second in advance.
    await monitor.human(`qemu-io -d ${FIRST_DISK} "read 0 ${bytesPerSecond * seconds}"`);
    const read = monitor.human(`qemu-io -d ${FIRST_DISK} "read 0 4k"`);
    hanging += 1;
    reads.push(quietly(read.finally(() => (hanging -= 1))));
  }
  return {
    hanging: () => hanging,
    release: async () => {
      await Promise.all(reads);
      for (const monitor of monitors) {
        await limit(monitor, 0);
        monitor[Symbol.dispose]();
      }
    },
  };
}

async function limit(monitor: SideMonitor, bps: number): Promise<void> {
  const none = { bps_rd: 0, bps_wr: 0, iops: 0, iops_rd: 0, iops_wr: 0 };
  await monitor.execute('block_set_io_throttle', { id: FIRST_DISK, bps, ...none });
}

/** State letter of the main thread (proc(5)). */
function stateOfThread(pid: number): string | undefined {
  return /^State:\s+(\S)/m.exec(readFileSync(`/proc/${pid}/task/${pid}/status`, 'utf8'))?.[1];
}

/** A promise that is awaited later must not end the process by failing meanwhile. */
function quietly(work: Promise<unknown>): Promise<void> {
  const done = work.then(() => undefined);
  done.catch(() => undefined);
  return done;
}
