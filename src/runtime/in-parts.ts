import { TimeSlice } from './time-slice.ts';

/**
 * A computation that offers to stop now and then, so that other work can have its turn: over a thousand
 * guests even plain arithmetic takes longer than the event loop should be held.
 */
export type Parts<T> = Generator<void, T, void>;

/** Items worked on between two places to stop: well below a tenth of a millisecond of work. */
const ITEMS_PER_PART = 16;

/** The result, with a turn of the event loop wherever a slice of time is over. */
export async function inTurns<T>(parts: Parts<T>): Promise<T> {
  const slice = new TimeSlice();
  for (;;) {
    const part = parts.next();
    if (part.done === true) return part.value;
    if (slice.isOver) await slice.nextTurn();
  }
}

/** The result at once. */
export function atOnce<T>(parts: Parts<T>): T {
  for (;;) {
    const part = parts.next();
    if (part.done === true) return part.value;
  }
}

/** `list.forEach(turn)`, with places to stop. */
export function* forEachInParts<T>(list: readonly T[], turn: (one: T) => void): Parts<void> {
  let untilStop = ITEMS_PER_PART;
  for (const one of list) {
    turn(one);
    untilStop -= 1;
    if (untilStop > 0) continue;
    untilStop = ITEMS_PER_PART;
    yield;
  }
}

/** `list.map(turn)`, with places to stop. */
export function* mapInParts<T, R>(list: readonly T[], turn: (one: T) => R): Parts<R[]> {
  const mapped: R[] = [];
  yield* forEachInParts(list, (one) => {
    mapped.push(turn(one));
  });
  return mapped;
}
