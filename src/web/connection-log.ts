import type { Logger } from '../config/logger.ts';
import { ConnectError } from '../libvirt/index.ts';
import type { LibvirtSession } from '../snapshot/libvirt-session.ts';

/** Logs when libvirt comes and goes: once each, however often it is tried in between. */
export function logConnection(session: LibvirtSession, logger: Logger): void {
  let connected = true;
  session.on('connected', (versions, socket) => {
    connected = true;
    logger.info('connected to libvirt', { ...versions, socket });
  });
  session.on('disconnected', (error) => {
    if (!connected) return;
    connected = false;
    const sockets =
      error instanceof ConnectError ? error.attempts.map(({ path }) => path).join(',') : undefined;
    logger.warn('no connection to libvirt, only host metrics; retrying', { sockets, error });
  });
}
