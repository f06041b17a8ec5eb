import { setTimeout as sleep } from 'node:timers/promises';

import { silence } from '../support/hang/faults.ts';
import type { Herd } from '../support/hang/guests.ts';
import type { Bench } from '../support/hang/run-row.ts';

const RESTARTS = 5;
const SCRAPES_EACH = 4;
const PAUSE_MS = 1000;
/** A guest the daemon has been busy with for longer is stuck. */
const STUCK_SECONDS = 2;
const MOST_STUCK = 3;
const FAULT_SECONDS = 90;

export interface RestartResult {
  /** Most guests at a time that the daemon called occupied because the exporter had asked. */
  readonly mostOccupied: number;
  /** The same at the end of each exporter's life. */
  readonly occupied: readonly number[];
  readonly complaints: readonly string[];
}

/**
 * Kills and restarts the exporter while guests hang without anything in /proc telling it: all that
 * keeps each new one from asking them anew is what the daemon says. Nobody else asks guests here, so
 * who is occupied is so because of us.
 */
export async function runRestarts(bench: Bench, count: number): Promise<RestartResult> {
  await bench.prepare('fresh');
  const complaints: string[] = [];
  const occupied: number[] = [];
  let mostOccupied = 0;
  const fault = await silence(bench.herd, count, FAULT_SECONDS);
  try {
    for (let life = 1; life <= RESTARTS; life += 1) {
      for (let i = 0; i < SCRAPES_EACH; i += 1) {
        await bench.scrape();
        await sleep(PAUSE_MS);
      }
      const now = await occupiedGuests(bench.herd);
      occupied.push(now);
      mostOccupied = Math.max(mostOccupied, now);
      if (fault.hanging() < count) complaints.push(`the fault was over in life ${life}`);
      await bench.stopExporter('SIGKILL');
      await bench.startExporter();
    }
  } finally {
    await fault.release();
  }
  if (mostOccupied > MOST_STUCK) {
    complaints.push(`${mostOccupied} guests occupied because of us, allowed ${MOST_STUCK}`);
  }
  return { mostOccupied, occupied, complaints };
}

/** How many guests `virsh domcontrol` calls occupied for longer than two seconds. */
async function occupiedGuests({ lab, names }: Herd): Promise<number> {
  const commands = names.map((name) => `domcontrol ${name}`).join('; ');
  const { stdout } = await lab.programs.attempt(
    'virsh',
    ['-r', '-q', '-c', lab.sockets.readOnlyUri, commands],
    { timeoutMs: 10_000 },
  );
  const answers = stdout.split('\n').filter((line) => line.trim() !== '');
  if (answers.length < names.length) {
    throw new Error(`domcontrol of ${names.length} guests: ${answers.length} answers`);
  }
  return answers.filter((line) => {
    const seconds = /^occupied \((\d+\.\d+)s\)/.exec(line)?.[1];
    return seconds !== undefined && Number(seconds) > STUCK_SECONDS;
  }).length;
}
