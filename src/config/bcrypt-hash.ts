/**
 * Least and most that a login may cost, as the logarithm of the rounds: below 4 bcrypt does not go,
 * and above 14 a single check takes several seconds of computing.
 */
const MIN_COST = 4;
const MAX_COST = 14;

const HASH = /^\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{53}$/;

/** The cost of a bcrypt hash; undefined for a text that is none. */
function parseCost(hash: string): number | undefined {
  const cost = HASH.exec(hash)?.[1];
  return cost === undefined ? undefined : Number(cost);
}

/** What keeps a text from being a password's hash here, if anything. */
export function faultOfHash(hash: string): string | undefined {
  const cost = parseCost(hash);
  if (cost === undefined) return 'it must be a bcrypt hash';
  if (cost >= MIN_COST && cost <= MAX_COST) return undefined;
  return `its cost must be from ${MIN_COST} to ${MAX_COST}, and is ${cost}`;
}

/** @throws Error for a text that {@link faultOfHash} finds fault with. */
export function bcryptCost(hash: string): number {
  const cost = parseCost(hash);
  if (cost === undefined) throw new Error('not a bcrypt hash');
  return cost;
}
