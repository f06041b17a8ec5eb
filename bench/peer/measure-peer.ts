import { setTimeout as sleep } from 'node:timers/promises';

import { eventually, openLab, type GuestSpec } from '../../lab/index.ts';
import { installPeerExporter, startPeerExporter } from '../../test/support/peer-exporter.ts';
import { closingAgent } from '../../test/support/measure/closing-agent.ts';
import { scrape } from '../../test/support/measure/scrape.ts';
import { valueOfSeries } from '../../test/support/measure/series.ts';
import { Contestant, type ContestantResult } from './contestant.ts';

const VCPUS = 4;
/** Enough for the optimizing compilers: what is asked is the cost of an exporter that runs for months. */
const WARM_UPS = 12;
/**
 * Two of these are longer than the guests' balloon period. Guests with nothing to boot never report,
 * so ours polls them with back-off (BalloonCache): the slowest scrapes are those that do.
 */
const PAUSE_MS = 1_000;
const CONNECT_TIMEOUT_MS = 30_000;

export interface PeerOptions {
  readonly guests: number;
  readonly scrapes: number;
  readonly progress: (message: string) => void;
}

export interface PeerResult {
  readonly ours: ContestantResult;
  readonly peer: ContestantResult;
}

/** Starts guests and both exporters in a lab and scrapes the two in turn. */
export async function measurePeer(options: PeerOptions): Promise<PeerResult> {
  await installPeerExporter();
  options.progress('opening the lab');
  await using lab = await openLab();
  options.progress(`starting ${options.guests} guests`);
  const specs = bareGuests(options.guests);
  await lab.startGuests(specs);

  using ourAgent = closingAgent();
  using peerAgent = closingAgent();
  const exporter = await lab.exporter();
  const daemonPid = lab.daemonPid();
  const ours = new Contestant({
    url: `${exporter.url}/metrics`,
    pid: exporter.pid,
    daemonPid,
    agent: ourAgent,
  });
  await eventually('ours is connected', CONNECT_TIMEOUT_MS, async () => {
    const { text } = await scrape(`${exporter.url}/metrics`, ourAgent);
    return valueOfSeries(text, 'kvm_libvirt_up') === 1;
  });
  const started = await startPeerExporter(lab);
  const peer = new Contestant({ ...started, daemonPid, agent: peerAgent });
  await eventually('the peer is connected', CONNECT_TIMEOUT_MS, async () => {
    try {
      const { text } = await scrape(started.url, peerAgent);
      return valueOfSeries(text, 'libvirt_up') === 1;
    } catch {
      return false;
    }
  });

  options.progress('scraping');
  for (let i = 0; i < WARM_UPS + options.scrapes; i++) {
    for (const contestant of [ours, peer]) {
      await (i < WARM_UPS ? contestant.warmUp() : contestant.scrape());
      await sleep(PAUSE_MS);
    }
  }
  const names = specs.map(({ name }) => name);
  return { ours: ours.result(names), peer: peer.result(names) };
}

/**
 * Real QEMU processes of the same shape as the guests of bench/scale (4 vCPUs, 2 disks, 2 NICs), but
 * with nothing to boot. Stopped, so that the CPUs are free for what is measured: two of them cannot
 * emulate 50 guests and answer as well.
 */
function bareGuests(count: number): readonly GuestSpec[] {
  return Array.from({ length: count }, (_, i) => ({
    name: `bare-${i}`,
    os: 'none',
    paused: true,
    vcpus: { current: VCPUS },
    disks: [
      { source: { kind: 'new', format: 'qcow2', sizeMib: 64 } },
      { source: { kind: 'new', format: 'raw', sizeMib: 64 } },
    ],
    nics: [{}, {}],
  }));
}
