import { freePort } from '../../lab/exporter.ts';
import { ensurePackages, type Lab, type LabProcess } from '../../lab/index.ts';

/** Debian's package of a libvirt exporter in Go (Debian 12: 0.2.0). */
export const PEER_PACKAGE = 'prometheus-libvirt-exporter';
const PEER_COMMAND = 'prometheus-libvirt-exporter';

export async function installPeerExporter(): Promise<void> {
  await ensurePackages([PEER_PACKAGE]);
}

/** Starts it on the lab's daemon, which it connects to anew for each scrape. */
export async function startPeerExporter(
  lab: Lab,
): Promise<{ readonly url: string; readonly pid: number; readonly process: LabProcess }> {
  const { labAddress, network } = lab.network;
  const address = `${labAddress}:${await freePort(network)}`;
  const started = await lab.spawn(PEER_COMMAND, [
    `--web.listen-address=${address}`,
    `--libvirt.uri=${lab.sockets.readOnlyUri}`,
  ]);
  return { url: `http://${address}/metrics`, pid: started.pid, process: started };
}
