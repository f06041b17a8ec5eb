#!/usr/bin/env node
// First: what comes after may not run on a Node that is too old.
import './config/node-version.ts';
// Then, before the loading of all other modules: a signal must not end the start.
import './signals.ts';

const { main } = await import('./exporter.ts');
await main(process.argv.slice(2));
