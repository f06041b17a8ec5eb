import { join } from 'node:path';

import type { Journal } from './journal.ts';
import type { LabDirectory } from './lab-directory.ts';
import { startProcess } from './lab-process.ts';
import type { LabNamespaces } from './namespaces.ts';
import { eventually } from './polling.ts';

/** Starts the services of the machine behind the lab's uplink and waits until they listen. */
export async function startPeer(
  directory: LabDirectory,
  namespaces: LabNamespaces,
  journal: Journal,
): Promise<void> {
  const service = join(import.meta.dirname, 'peer-service.ts');
  const peer = await startProcess(
    journal,
    'nsenter',
    [`--net=${namespaces.peerNetwork}`, process.execPath, service, namespaces.peerAddress],
    { logFile: join(directory.logs, 'peer.log') },
  );
  await eventually(
    'the peer listens',
    60_000,
    () => peer.output().includes('listening'),
    () => peer.output(),
  );
}
