/** Most slips of the finger in one word, however long it is. */
const MAX_SLIPS = 3;

/** So much of a word tells which one it is the beginning or the end of. */
const MIN_PART = 3;

/**
 * The one word that was most likely meant: the same with a slip or two, or the only one the given
 * word is the beginning or the last dotted part of. Undefined where that would be a guess.
 */
export function nearestWord(word: string, candidates: readonly string[]): string | undefined {
  const [nearest] = candidates
    .map((candidate) => ({ candidate, slips: slipsBetween(word, candidate) }))
    .filter(({ candidate, slips }) => slips <= slipsAllowed(word, candidate))
    .sort(
      (one, other) =>
        one.slips - other.slips ||
        sharedStart(word, other.candidate) - sharedStart(word, one.candidate),
    );
  if (nearest !== undefined) return nearest.candidate;
  if (word.length < MIN_PART) return undefined;
  const longer = candidates.filter(
    (candidate) => candidate.startsWith(word) || candidate.endsWith(`.${word}`),
  );
  return longer.length === 1 ? longer[0] : undefined;
}

/** A third of the last part, since `collector.` is the same in all collectors. */
function slipsAllowed(word: string, candidate: string): number {
  const [one = '', other = ''] = [word, candidate].map((name) => name.split('.').at(-1));
  return Math.min(MAX_SLIPS, Math.ceil(Math.max(one.length, other.length) / 3));
}

/** Letters that are missing, too many, wrong, or exchanged with their neighbour. */
function slipsBetween(one: string, other: string): number {
  if (Math.abs(one.length - other.length) > MAX_SLIPS) return Infinity;
  let before: readonly number[] = [];
  let last: readonly number[] = Array.from({ length: other.length + 1 }, (_, index) => index);
  for (let row = 1; row <= one.length; row += 1) {
    const next = [row];
    for (let column = 1; column <= other.length; column += 1) {
      const isSame = one[row - 1] === other[column - 1];
      const isSwapped =
        row > 1 &&
        column > 1 &&
        one[row - 1] === other[column - 2] &&
        one[row - 2] === other[column - 1];
      next.push(
        Math.min(
          at(last, column) + 1,
          at(next, column - 1) + 1,
          at(last, column - 1) + (isSame ? 0 : 1),
          isSwapped ? at(before, column - 2) + 1 : Infinity,
        ),
      );
    }
    before = last;
    last = next;
  }
  return at(last, other.length);
}

function at(row: readonly number[], column: number): number {
  return row[column] ?? Infinity;
}

function sharedStart(one: string, other: string): number {
  let length = 0;
  while (length < one.length && one[length] === other[length]) length += 1;
  return length;
}
