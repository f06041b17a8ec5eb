/**
 * Loaded into the exporter with `--import`: answers each message on the IPC channel with a
 * HeapReport. It opens no inspector; V8 itself counts the objects (v8.queryObjects), which collects
 * all garbage first.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { queryObjects, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

import type { HeapReport } from './heap-report.ts';

setFlagsFromString('--expose-gc');
const collectGarbage: unknown = runInNewContext('gc');
if (typeof collectGarbage !== 'function') throw new Error('V8 gives no gc()');

const timer = setTimeout(() => undefined, 0);
clearTimeout(timer);
const Timer = timer.constructor;

async function report(): Promise<HeapReport> {
  // What is released by the first (weak references, finalized sockets) is collected by the second.
  await collect();
  await collect();
  const { heapUsed, external } = process.memoryUsage();
  const resources = process.getActiveResourcesInfo();
  return {
    heapBytes: heapUsed,
    externalBytes: external,
    objects: countOf(Object),
    timers: countOf(Timer),
    handles: resources.filter((resource) => resource !== 'Timeout').length,
  };
}

async function collect(): Promise<void> {
  if (typeof collectGarbage === 'function') Reflect.apply(collectGarbage, undefined, []);
  await nextTurn();
}

/** Objects on the heap that inherit from the constructor's prototype. */
function countOf(constructor: typeof Timer): number {
  const found = queryObjects(constructor);
  return typeof found === 'number' ? found : found.length;
}

process.on('message', () => {
  void report().then((heap) => process.send?.(heap));
});
// The exporter ends when it is told to, whatever the test does.
process.channel?.unref();
