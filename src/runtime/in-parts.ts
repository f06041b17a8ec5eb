import { setImmediate as nextTurn } from 'node:timers/promises';

/**
 * A computation that stops now and then, so that other work can have its turn: over a thousand
 * guests even plain arithmetic takes longer than the event loop should be held.
 */
export type Parts<T> = Generator<void, T, void>;

/** Guests that are worked on between two stops. */
const GUESTS_PER_PART = 100;

/** The result, with a turn of the event loop between the parts. */
export async function inTurns<T>(parts: Parts<T>): Promise<T> {
  for (;;) {
    const part = parts.next();
    if (part.done === true) return part.value;
    await nextTurn();
  }
}

/** The result at once. */
export function atOnce<T>(parts: Parts<T>): T {
  for (;;) {
    const part = parts.next();
    if (part.done === true) return part.value;
  }
}

/** `list.map(turn)`, with stops. */
export function* mapInParts<T, R>(list: readonly T[], turn: (one: T) => R): Parts<R[]> {
  const mapped: R[] = [];
  for (const one of list) {
    if (mapped.length > 0 && mapped.length % GUESTS_PER_PART === 0) yield;
    mapped.push(turn(one));
  }
  return mapped;
}
