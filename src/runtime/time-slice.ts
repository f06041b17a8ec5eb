import { setImmediate as nextTurn } from 'node:timers/promises';

/**
 * Longest stretch of work without giving other work a turn. A collection has three or four such
 * stretches side by side; while one runs, replies of libvirtd lie there unread, and libvirtd has
 * nothing to do since it has only four calls of ours at a time.
 */
const SLICE_MILLISECONDS = 1;

/**
 * How all work here yields to the event loop: it is cut into pieces of this length, by whoever goes through
 * all guests, processes or interfaces himself,
 *
 *     if (slice.isOver) await slice.nextTurn();
 *
 * or by `inTurns` and `render`, for computations that offer places to stop.
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
