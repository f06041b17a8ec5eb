/**
 * `npm run bench:package`: what is installed, and what it costs where it runs: sizes, CPU to the first
 * /metrics, and memory of all its processes, for the executable of `out/`, for `bin` of the checkout and
 * for the libvirt exporter Debian ships. Ends with 1 when a bar is missed.
 *
 *     npm run bench:package -- --guests 60 --scrapes 40 --interval 5000 --starts 7 --write
 *
 * `--write` puts what it prints into bench/README.md.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { attempt } from '../../lab/command.ts';
import { ensurePackages } from '../../lab/packages.ts';
import { PEER_PACKAGE } from '../../test/support/peer-exporter.ts';
import { barLine, holds, type Bar } from '../../test/support/measure/bar.ts';
import { integerFlag } from '../../test/support/measure/integer-flag.ts';
import { describeMachine } from '../../test/support/measure/machine.ts';
import { median } from '../../test/support/measure/statistics.ts';
import { markdownTable } from '../../test/support/measure/table.ts';
import { startDaemon } from '../scale/daemon-process.ts';
import { makeFakeHost } from '../../test/support/fake-host/fake-host.ts';
import {
  checkout,
  executable,
  forgetPages,
  Running,
  unpacked,
  type Contender,
  type Memory,
} from './contender.ts';

const MAX_IDLE_MB = 75;
const MAX_GUESTS_MB = 120;
const MAX_START_RATIO = 0.6;

const README = join(import.meta.dirname, '../README.md');
const OUT = join(import.meta.dirname, '../../out');
const DEBIAN = process.arch === 'x64' ? 'amd64' : 'arm64';
const [BEGIN, END] = ['<!-- bench:package -->', '<!-- end of bench:package -->'] as const;

const { values } = parseArgs({
  options: {
    guests: { type: 'string', default: '60' },
    scrapes: { type: 'string', default: '40' },
    interval: { type: 'string', default: '5000' },
    starts: { type: 'string', default: '7' },
    write: { type: 'boolean', default: false },
  },
});
const guests = integerFlag('guests', values.guests, 1, 1000);
const scrapes = integerFlag('scrapes', values.scrapes, 1);
const intervalMs = integerFlag('interval', values.interval, 0);
const starts = integerFlag('starts', values.starts, 1);

await ensurePackages([PEER_PACKAGE]);
const machine = await describeMachine({ peer: ['dpkg-query', '-W', PEER_PACKAGE] });
const directory = mkdtempSync(join(tmpdir(), 'kvm-bench-package-'));
try {
  const report = await measure();
  process.stdout.write(`${report.text}\n`);
  if (values.write) writeIntoReadme(report.text);
  process.exitCode = report.bars.every(holds) ? 0 : 1;
} finally {
  rmSync(directory, { recursive: true, force: true });
}

async function measure(): Promise<{ readonly text: string; readonly bars: readonly Bar[] }> {
  const built = outFile(`_linux_${DEBIAN}`);
  const place = (name: string): string => join(directory, name);
  const ours = {
    idle: await executable(built, place('ours-idle')),
    guests: await executable(built, place('ours-guests')),
    unpacked: await unpacked(outFile(`_${DEBIAN}.deb`), place('ours-unpacked')),
  };
  const bin = {
    idle: await checkout(place('bin-idle')),
    guests: await checkout(place('bin-guests')),
  };
  const peerProgram = `/usr/bin/${PEER_PACKAGE}`;
  // It would be idle in its own way with a libvirtd that does not answer; there is none.
  const peer: Contender = {
    command: peerProgram,
    args: [`--libvirt.uri=qemu+unix:///system?socket=${place('no-socket')}`],
    program: peerProgram,
  };

  process.stderr.write(`${starts} starts of each ...\n`);
  const cpu = await startCpu({ bin: bin.idle, ours: ours.idle, peer });

  process.stderr.write(`memory, ${scrapes} scrapes every ${intervalMs} ms ...\n`);
  for (const one of [ours.idle, ours.guests, bin.idle, bin.guests]) await forgetPages(one);
  using host = makeFakeHost(guests);
  await using daemon = await startDaemon(host);
  const ofHost = [
    `--libvirt.uri=${daemon.uri}`,
    `--path.procfs=${host.procfs}`,
    `--path.sysfs=${host.sysfs}`,
  ];
  const none = [`--libvirt.uri=qemu+unix:///system?socket=${place('no-socket')}`];
  const [oursIdle, oursGuests, oursUnpacked, binIdle, binGuests, peerIdle] = await Promise.all([
    memory(ours.idle, none),
    memory(ours.guests, ofHost),
    memory(ours.unpacked, none),
    memory(bin.idle, none),
    memory(bin.guests, ofHost),
    memory(peer, []),
  ]);

  const bars: readonly Bar[] = [
    {
      what: 'PSS without guests, highest',
      measured: oursIdle.all / 1e6,
      limit: MAX_IDLE_MB,
      unit: ' MB',
      kind: 'at-most',
    },
    {
      what: `PSS with ${guests} guests, highest`,
      measured: oursGuests.all / 1e6,
      limit: MAX_GUESTS_MB,
      unit: ' MB',
      kind: 'at-most',
    },
    {
      what: "CPU to the first /metrics against bin's, median of the starts",
      measured: cpu.ours / cpu.bin,
      limit: MAX_START_RATIO,
      unit: '',
      kind: 'at-most',
    },
  ];
  const mb = (value: number | undefined): string =>
    value === undefined ? '–' : (value / 1e6).toFixed(0);
  const ms = (seconds: number): string => (seconds * 1000).toFixed(0);
  const rows: readonly (readonly string[])[] = [
    ['CPU to the first /metrics, ms', ms(cpu.bin), ms(cpu.ours), ms(cpu.peer)],
    ['PSS without guests, MB', ...[binIdle, oursIdle, peerIdle].map(({ all }) => mb(all))],
    ['  in no file', ...[binIdle, oursIdle, peerIdle].map(({ own }) => mb(own))],
    ['  as dpkg has just unpacked it', '–', mb(oursUnpacked.all), '–'],
    [`PSS with ${guests} guests, MB`, mb(binGuests.all), mb(oursGuests.all), '–'],
    ['  in no file', mb(binGuests.own), mb(oursGuests.own), '–'],
  ];
  const files = readdirSync(OUT)
    .filter((name) => /amd64|x86_64|npm/.test(name))
    .map((name) => [`\`${name}\``, (statSync(join(OUT, name)).size / 1e6).toFixed(1)]);
  const text = [
    machine,
    `- guests: ${guests}, scrapes: ${scrapes} every ${intervalMs} ms, starts: ${starts}`,
    '',
    markdownTable(['', '`bin`', 'executable', 'peer'], rows),
    '',
    markdownTable(['file', 'MB'], [...files, [`\`${PEER_PACKAGE}\`, installed`, await peerSize()]]),
    '',
    '```',
    ...bars.map(barLine),
    '```',
  ].join('\n');
  return { text, bars };
}

/** Medians; one start of each after the other, so that what else runs here meets all alike. */
async function startCpu(
  contenders: Readonly<Record<'bin' | 'ours' | 'peer', Contender>>,
): Promise<Readonly<Record<'bin' | 'ours' | 'peer', number>>> {
  const all = { bin: new Array<number>(), ours: new Array<number>(), peer: new Array<number>() };
  for (let start = 0; start <= starts; start++) {
    for (const name of ['bin', 'ours', 'peer'] as const) {
      await using running = await Running.start(contenders[name], []);
      // The first of each finds its files on the disk.
      if (start > 0) all[name].push(running.startCpuSeconds);
    }
  }
  return { bin: median(all.bin), ours: median(all.ours), peer: median(all.peer) };
}

async function memory(contender: Contender, flags: readonly string[]): Promise<Memory> {
  await using running = await Running.start(contender, flags);
  return await running.highest(scrapes, intervalMs);
}

function outFile(ending: string): string {
  const name = readdirSync(OUT).find((one) => one.endsWith(ending));
  if (name === undefined) throw new Error(`out/ has no *${ending}: run npm run package first`);
  return join(OUT, name);
}

async function peerSize(): Promise<string> {
  const { stdout } = await attempt('dpkg-query', ['-W', '-f=${Installed-Size}', PEER_PACKAGE]);
  return ((Number(stdout) * 1024) / 1e6).toFixed(1);
}

function writeIntoReadme(text: string): void {
  const readme = readFileSync(README, 'utf8');
  const [before, rest] = readme.split(`${BEGIN}\n`);
  const after = rest?.split(END)[1];
  if (before === undefined || after === undefined) {
    throw new Error(`bench/README.md has no ${BEGIN} with its ${END}`);
  }
  writeFileSync(README, `${before}${BEGIN}\n\n${text}\n\n${END}${after}`);
}
