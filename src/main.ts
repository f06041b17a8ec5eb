#!/usr/bin/env node
// Before everything else, the loading of other modules included: a signal must not end the start.
import './signals.ts';

const { main } = await import('./exporter.ts');
await main(process.argv.slice(2));
