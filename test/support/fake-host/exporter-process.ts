import { once } from 'node:events';
import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';

import { eventually } from '../../../lab/index.ts';
import { loopReportSchema, type LoopReport } from './loop-report.ts';

const EXPORTER = fileURLToPath(new URL('../../../bin/kvm-overcommit-exporter', import.meta.url));
const LOOP_PROBE = new URL('./loop-probe.ts', import.meta.url);
const START_TIMEOUT_MS = 20_000;

export interface ProbedExporter extends AsyncDisposable {
  readonly pid: number;
  readonly metricsUrl: string;
  /** What the probe answers. */
  ask(): Promise<unknown>;
  /** What it logged. */
  log(): string;
}

export interface ExporterProcess extends ProbedExporter {
  /** What its event loop went through since it was last asked. */
  loopReport(): Promise<LoopReport>;
}

/** Starts the built exporter with the loop probe inside and waits until it is ready. */
export async function startExporter(
  flags: readonly string[],
  nodeFlags: readonly string[],
  directory: string,
): Promise<ExporterProcess> {
  const exporter = await startProbed(LOOP_PROBE, flags, nodeFlags, directory);
  return {
    ...exporter,
    loopReport: async () => loopReportSchema.parse(await exporter.ask()),
  };
}

/**
 * Starts the built exporter and waits until it is ready.
 *
 * @param probeSource a module in TypeScript that is loaded into it, imports nothing but Node's own
 * modules and types, and answers each message on the IPC channel.
 */
export async function startProbed(
  probeSource: URL,
  flags: readonly string[],
  nodeFlags: readonly string[],
  directory: string,
): Promise<ProbedExporter> {
  const logFile = `${directory}/exporter.log`;
  const address = `127.0.0.1:${await freePort()}`;
  const log = openSync(logFile, 'a');
  const probe = `${directory}/probe.mjs`;
  // As JavaScript: the exporter would load Node's TypeScript compiler for it, which is 28 MB.
  writeFileSync(probe, stripTypeScriptTypes(readFileSync(probeSource, 'utf8')));
  const child = spawn(EXPORTER, [`--web.listen-address=${address}`, ...flags], {
    stdio: ['ignore', log, log, 'ipc'],
    env: {
      ...process.env,
      KVM_EXPORTER_NODE_OPTIONS: [`--import=${probe}`, ...nodeFlags].join(' '),
    },
  });
  closeSync(log);
  await once(child, 'spawn');
  const stop = (): Promise<void> => stopChild(child);
  const readLog = (): string => readFileSync(logFile, 'utf8');
  try {
    await eventually('the exporter is ready', START_TIMEOUT_MS, async () => {
      if (child.exitCode !== null) throw new Error(`the exporter ended:\n${readLog()}`);
      try {
        return (await fetch(`http://${address}/-/ready`)).ok;
      } catch {
        return false;
      }
    });
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    pid: pidOf(child),
    metricsUrl: `http://${address}/metrics`,
    ask: () => {
      const answer = nextMessage(child);
      child.send('report');
      return answer;
    },
    log: readLog,
    [Symbol.asyncDispose]: stop,
  };
}

export function pidOf(child: ChildProcess): number {
  if (child.pid === undefined) throw new Error('the process did not start');
  return child.pid;
}

/** What the process sends next on its IPC channel. @throws Error when it ends instead. */
export function nextMessage(child: ChildProcess): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const onExit = (): void => {
      reject(new Error('the process ended without an answer'));
    };
    child.once('exit', onExit);
    child.once('message', (message: unknown) => {
      child.off('exit', onExit);
      resolve(message);
    });
  });
}

/** SIGTERM, and SIGKILL for what is still there 5 s later. */
export async function stopChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill();
  const force = setTimeout(() => child.kill('SIGKILL'), 5_000);
  await ended;
  clearTimeout(force);
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}
