/**
 * Weighted max-min fairness ("water-filling"): everyone rises together in proportion to weight;
 * who reaches a limit stays there, and what is left goes to the others.
 */

export interface Claim {
  /** Greater than 0. */
  readonly weight: number;
  /** The most this claim can use. */
  readonly limit: number;
}

/** What some claims may take together. */
export interface JointLimit {
  /** Indexes into the claims. */
  readonly claims: readonly number[];
  readonly limit: number;
}

/**
 * What each claim gets, in the order of `claims`. No claim and no joint limit is exceeded, and no
 * claim could get more without taking from one that has no more per weight.
 */
export function fairShares(
  claims: readonly Claim[],
  jointLimits: readonly JointLimit[],
): readonly number[] {
  const shares = claims.map(() => 0);
  const rising = new Set(claims.keys());
  while (rising.size > 0) {
    const joint = jointLimits.map((one) => stopLevel(one, claims, shares, rising));
    let level = joint.reduce((least, one) => Math.min(least, one), Infinity);
    for (const index of rising) {
      const claim = claims[index];
      if (claim !== undefined) level = Math.min(level, stopLevelAlone(claim));
    }
    if (!Number.isFinite(level)) return shares;

    const stopping = new Set<number>();
    for (const [at, one] of jointLimits.entries()) {
      if ((joint[at] ?? Infinity) > level) continue;
      for (const index of one.claims) if (rising.has(index)) stopping.add(index);
    }
    for (const index of rising) {
      const claim = claims[index];
      if (claim === undefined) continue;
      if (stopLevelAlone(claim) <= level) stopping.add(index);
      if (stopping.has(index)) shares[index] = Math.min(claim.weight * level, claim.limit);
    }
    for (const index of stopping) rising.delete(index);
  }
  return shares;
}

/** The level, in share per weight, at which a claim has all it can use. */
function stopLevelAlone(claim: Claim): number {
  return Math.max(0, claim.limit) / claim.weight;
}

/** The level at which a joint limit is used up by its rising claims; Infinity if none rises. */
function stopLevel(
  joint: JointLimit,
  claims: readonly Claim[],
  shares: readonly number[],
  rising: ReadonlySet<number>,
): number {
  let left = joint.limit;
  let weight = 0;
  for (const index of joint.claims) {
    if (rising.has(index)) weight += claims[index]?.weight ?? 0;
    else left -= shares[index] ?? 0;
  }
  return weight > 0 ? Math.max(0, left) / weight : Infinity;
}
