import { setImmediate as nextTurn } from 'node:timers/promises';

/**
 * Longest stretch of work without giving other work a turn. A collection has three or four such
 * stretches side by side; while one runs, replies of libvirtd lie there unread, and libvirtd has
 * nothing to do since it has only four calls of ours at a time.
 */
const SLICE_MILLISECONDS = 1;

/**
 * Cuts a loop over all guests into pieces between which the event loop runs:
 *
 *     if (slice.isOver) await slice.nextTurn();
 */
export class TimeSlice {
  #start = performance.now();

  get isOver(): boolean {
    return performance.now() - this.#start > SLICE_MILLISECONDS;
  }

  async nextTurn(): Promise<void> {
    await nextTurn();
    this.#start = performance.now();
  }
}
