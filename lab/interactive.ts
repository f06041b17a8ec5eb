/**
 * `npm run lab`: a lab to look at. Starts guests that over-commit the host in different ways and
 * the exporter beside them, prints how to reach both, and cleans up on Ctrl-C.
 * Arguments after `--` go to the exporter, e.g. `npm run lab -- --log.level=debug`.
 */
import { join } from 'node:path';

import { directions, offerUsualSockets } from './directions.ts';
import { openLab, type GuestSpec, type Lab } from './index.ts';
import { sysfsWithHardware } from './shadow-sysfs.ts';

const UPLINK_MEGABITS = 1000;

function guests(lab: Lab, smallFilesystem: string): readonly GuestSpec[] {
  const { peerAddress } = lab.network;
  return [
    { name: 'idle', persistent: true, autostart: true, jobs: [{ kind: 'idle' }] },
    {
      name: 'burner',
      vcpus: { current: 2, maximum: 4 },
      cpuTune: { shares: 512, periodUs: 100_000, quotaUs: 50_000 },
      jobs: [{ kind: 'spin', threads: 2 }],
    },
    { name: 'twin-1', jobs: [{ kind: 'touch', mib: 32, pattern: 'same' }] },
    {
      name: 'twin-2',
      jobs: [
        { kind: 'touch', mib: 32, pattern: 'same' },
        { kind: 'after', seconds: 120, job: { kind: 'touch', mib: 32, pattern: 'unique' } },
      ],
    },
    {
      name: 'talker',
      nics: [{ inboundKibPerSecond: 4096 }],
      jobs: [
        { kind: 'traffic', direction: 'tx', peer: peerAddress, kibPerSecond: 512 },
        { kind: 'traffic', direction: 'rx', peer: peerAddress, kibPerSecond: 1024 },
      ],
    },
    {
      name: 'filler',
      balloon: { kind: 'silent' },
      disks: [
        {
          source: { kind: 'new', format: 'qcow2', sizeMib: 256, directory: smallFilesystem },
          discard: 'unmap',
        },
      ],
      jobs: [{ kind: 'fill', disk: 'vda', mib: 256, kibPerSecond: 512 }],
    },
  ];
}

await using lab = await openLab();
// Listening keeps Node from ending at the signal, so that the lab is closed in order.
const stopped = new Promise((resolve) => {
  process.once('SIGINT', resolve).once('SIGTERM', resolve);
});
const keepAlive = setInterval(() => undefined, 60_000);

const smallFilesystem = await lab.filesystem({ type: 'ext4', sizeMib: 64, name: 'small' });
lab.ksm({ run: 1, pages_to_scan: 2000, sleep_millisecs: 50 });
console.log('starting guests ...');
await lab.startGuests(guests(lab, smallFilesystem));
// A lab has veth pairs only, of which none would be an uplink.
const sysfs = sysfsWithHardware(
  lab.sysfs,
  join(lab.directory.root, 'shadow-sysfs'),
  lab.network.uplink,
  UPLINK_MEGABITS,
);
const exporter = await lab.exporter({ flags: [`--path.sysfs=${sysfs}`, ...process.argv.slice(2)] });
offerUsualSockets(lab);

console.log(
  directions({
    root: lab.directory.root,
    network: lab.network.network,
    mount: lab.network.mount,
    exporterUrl: exporter.url,
    guests: lab.guests.map(({ name }) => name),
    uplink: lab.network.uplink,
    logs: [exporter.process.logFile, lab.guest('filler').consoleLog],
  }),
);

await stopped;
console.log('\ncleaning up ...');
clearInterval(keepAlive);
