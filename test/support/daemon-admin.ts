import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import type { Lab } from '../../lab/index.ts';

/** Procedures of the remote protocol (libvirt src/remote/remote_protocol.x). */
export const PROCEDURE = { listAllDomains: 273, getAllDomainStats: 344 } as const;

/** What reaches a lab's libvirtd, from its own debug log. */
export interface DaemonLog {
  /** Calls per procedure number since the daemon was told to log. */
  calls(): ReadonlyMap<number, number>;
}

/** Has libvirtd log each call it gets, through its admin socket: no restart, no lost connection. */
export async function logCalls(lab: Lab): Promise<DaemonLog> {
  const file = join(lab.directory.logs, 'calls.log');
  await virtAdmin(lab, 'daemon-log-filters', '1:rpc.netserverprogram');
  await virtAdmin(lab, 'daemon-log-outputs', `1:file:${file}`);
  return {
    calls: () => {
      const counts = new Map<number, number>();
      const text = existsSync(file) ? readFileSync(file, 'utf8') : '';
      // A call (type=0) of the remote program, as virNetServerProgramDispatch notes it.
      const dispatch = /virNetServerProgramDispatch.* prog=536903814 .*type=0 .*proc=(\d+)/g;
      for (const [, number] of text.matchAll(dispatch)) {
        counts.set(Number(number), (counts.get(Number(number)) ?? 0) + 1);
      }
      return counts;
    },
  };
}

/** How many clients are connected to a lab's libvirtd now. */
export async function connectedClients(lab: Lab): Promise<number> {
  const list = await virtAdmin(lab, 'client-list', '--server', 'libvirtd');
  return [...list.matchAll(/^\s*\d+\s+unix\s/gm)].length;
}

/** How many workers a lab's libvirtd has for ordinary calls; asked through its admin server's own. */
export async function daemonWorkers(lab: Lab): Promise<number> {
  const info = await virtAdmin(lab, 'server-threadpool-info', 'libvirtd');
  const workers = /^nWorkers\s*:\s*(\d+)$/m.exec(info)?.[1];
  if (workers === undefined) throw new Error(`no nWorkers in ${info}`);
  return Number(workers);
}

/** Has libvirtd keep at least so many workers from now on, as one that has been busy would. */
export async function growWorkers(lab: Lab, minimum: number): Promise<void> {
  await virtAdmin(lab, 'server-threadpool-set', 'libvirtd', '--min-workers', String(minimum));
}

/** virt-admin on the admin socket, which takes none of the daemon's slots for clients. */
function virtAdmin(lab: Lab, ...args: readonly string[]): Promise<string> {
  const socket = join(lab.directory.sockets, 'libvirt-admin-sock');
  return lab.programs.run('virt-admin', ['-c', `libvirtd:///system?socket=${socket}`, ...args]);
}
