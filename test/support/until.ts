import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises';

/**
 * Asks every millisecond until the condition holds. For what happens inside this process: what other
 * programs do is waited for with `eventually` of the lab.
 *
 * @throws Error saying what was waited for, after 10 s, which is less than any test may take.
 */
export async function until(what: string, condition: () => boolean): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`${what}: not within 10 s`);
    await sleep(1);
  }
}

/** Lets the event loop go round, so that what was sent inside this process has arrived and been handled. */
export async function settle(): Promise<void> {
  for (let round = 0; round < 10; round += 1) await turn();
}
