import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

import { ensurePackages } from './packages.ts';

/** Has a tracer stop threads; returns what lets them go. The tracer does so when we end, too. */
export async function traceThreads(tids: readonly number[]): Promise<() => Promise<void>> {
  await ensurePackages(['python3']);
  const script = join(import.meta.dirname, 'trace-threads.py');
  const tracer = spawn('/usr/bin/python3', [script, ...tids.map(String)], {
    stdio: ['pipe', 'pipe', 'pipe'],
    // Ctrl-C ends us, and by that it, in this order.
    detached: true,
    cwd: '/',
  });
  const ended = once(tracer, 'close');
  let said = '';
  let complaint = '';
  tracer.stderr.setEncoding('utf8').on('data', (text: string) => (complaint += text));
  tracer.stdin.on('error', () => undefined);
  const held = new Promise<void>((resolve) => {
    tracer.stdout.setEncoding('utf8').on('data', (text: string) => {
      said += text;
      if (said.includes('held')) resolve();
    });
  });
  await Promise.race([held, ended]);
  if (!said.includes('held')) throw new Error(`threads not stopped: ${complaint}`);
  return async () => {
    tracer.stdin.end();
    await ended;
  };
}
