import { once } from 'node:events';
import { MessageChannel } from 'node:worker_threads';
import { describe, expect, it, onTestFinished } from 'vitest';

import { Deadline } from '../../../src/runtime/deadline.ts';

describe('a deadline', () => {
  it('that is handed on never ends later than the one it comes from', () => {
    const scrape = Deadline.in(60_000);
    expect(scrape.within(600_000).isAfter(scrape)).toBe(false);
    expect(scrape.share(1).isAfter(Deadline.in(60_000))).toBe(false);
    expect(scrape.isAfter(scrape.within(1000))).toBe(true);
    expect(scrape.isAfter(scrape.share(0.75))).toBe(true);
  });

  it('leaves less and less time, and never less than none', () => {
    const scrape = Deadline.in(60_000);
    expect(scrape.remaining()).toBeGreaterThan(0);
    expect(scrape.remaining()).toBeLessThanOrEqual(60_000);
    expect(scrape.expired).toBe(false);
    const past = Deadline.in(-1000);
    expect(past.remaining()).toBe(0);
    expect(past.expired).toBe(true);
    expect(past.within(60_000).expired).toBe(true);
    expect(past.share(0.75).expired).toBe(true);
  });

  it('ends the wait for a promise that does not settle', async () => {
    expect(await Deadline.in(5).race(new Promise(() => undefined))).toBeUndefined();
  });

  it('gives what a promise settles with in time', async () => {
    const soon = Deadline.in(60_000);
    expect(await soon.race(Promise.resolve('value'))).toBe('value');
    await expect(soon.race(Promise.reject(new Error('no')))).rejects.toThrow('no');
  });

  it('takes what came in time, though this process got no CPU until it was over', async () => {
    const { port1, port2 } = new MessageChannel();
    onTestFinished(() => {
      port1.close();
    });
    const heard = Deadline.in(50).race(once(port2, 'message'));
    // In this phase of the event loop timers come next, and messages after them.
    await new Promise((done) => setImmediate(done));
    port1.postMessage('in time');
    const end = performance.now() + 100;
    while (performance.now() < end);
    expect(await heard).toEqual(['in time']);
  });

  it('lets a promise that comes too late fail unheard', async () => {
    const { promise, reject } = Promise.withResolvers<string>();
    expect(await Deadline.in(0).race(promise)).toBeUndefined();
    reject(new Error('nobody waits'));
    await expect(promise).rejects.toThrow('nobody waits');
  });
});
