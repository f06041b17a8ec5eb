/**
 * Loaded into the exporter with `--import`: watches how long its event loop is held, in two ways
 * which check each other. Answers each message on the IPC channel with a LoopReport and starts
 * over.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks';

import type { LoopReport } from './loop-report.ts';

const RESOLUTION_MS = 1;

const histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
histogram.enable();

let lastTurn = performance.now();
let lastCpu = threadCpuMs();
let longestBlockMs = 0;
let cpuOfLongestBlockMs = 0;
let longestCpuMs = 0;

function turn(): void {
  const now = performance.now();
  const cpu = threadCpuMs();
  const blockMs = now - lastTurn - RESOLUTION_MS;
  const cpuMs = cpu - lastCpu;
  if (blockMs > longestBlockMs) {
    longestBlockMs = blockMs;
    cpuOfLongestBlockMs = cpuMs;
  }
  longestCpuMs = Math.max(longestCpuMs, cpuMs);
  lastTurn = now;
  lastCpu = cpu;
}

function threadCpuMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}

setInterval(turn, RESOLUTION_MS).unref();

process.on('message', () => {
  turn();
  const report: LoopReport = {
    longestDelayMs: histogram.count === 0 ? 0 : histogram.max / 1e6 - RESOLUTION_MS,
    longestBlockMs,
    cpuOfLongestBlockMs,
    longestCpuMs,
  };
  histogram.reset();
  longestBlockMs = 0;
  cpuOfLongestBlockMs = 0;
  longestCpuMs = 0;
  process.send?.(report);
});
// The exporter ends when it is told to, whatever the benchmark does.
process.channel?.unref();
