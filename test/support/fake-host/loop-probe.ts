/**
 * Loaded into the exporter with `--import`: watches how long its event loop is held, in two ways
 * which check each other. Answers each message on the IPC channel with a LoopReport and starts
 * over.
 */
import { openSync, readSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';

import type { LoopReport } from './loop-report.ts';

const RESOLUTION_MS = 1;

const histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
histogram.enable();

/** The main thread's: its thread id is the process id. */
const schedstat = openSync(`/proc/self/task/${process.pid}/schedstat`, 'r');
const buffer = Buffer.alloc(128);

let lastTurn = performance.now();
let lastWait = waitMs();
let longestBlockMs = 0;

function turn(): void {
  const now = performance.now();
  const wait = waitMs();
  longestBlockMs = Math.max(longestBlockMs, now - lastTurn - RESOLUTION_MS - (wait - lastWait));
  lastTurn = now;
  lastWait = wait;
}

/** Time spent waiting for a CPU since the start: the second number of `run wait slices`, in ns. */
function waitMs(): number {
  const length = readSync(schedstat, buffer, 0, buffer.length, 0);
  return Number(buffer.toString('latin1', 0, length).split(' ')[1]) / 1e6;
}

setInterval(turn, RESOLUTION_MS).unref();

process.on('message', () => {
  turn();
  const report: LoopReport = {
    longestDelayMs: histogram.count === 0 ? 0 : histogram.max / 1e6 - RESOLUTION_MS,
    longestBlockMs,
  };
  histogram.reset();
  longestBlockMs = 0;
  process.send?.(report);
});
// The exporter ends when it is told to, whatever the benchmark does.
process.channel?.unref();
