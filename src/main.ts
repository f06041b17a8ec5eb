#!/usr/bin/env node
// First: what comes after may not run on a Node that is too old.
import './config/node-version.ts';
import { isFileWorker } from './runtime/worker-job.ts';

if (isFileWorker()) {
  // Takes no signals: one that hangs in a file could not act on them.
  await import('./sources/files/file-worker.ts');
} else {
  // Before the loading of all other modules: a signal must not end the start.
  const { signals } = await import('./signals.ts');
  const { main } = await import('./exporter.ts');
  await main(process.argv.slice(2), signals);
}
