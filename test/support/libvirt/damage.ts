/** Picks a whole number from 0 up to but not including `below`. */
export type Pick = (below: number) => number;

/** Small fast generator (mulberry32): the same numbers on every run. */
export function picker(seed: number): Pick {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 4294967296) * below);
  };
}

/** One of: random bytes, changed bytes, a changed length or count, cut off, or left as it is. */
export function damaged(sample: Buffer, pick: Pick): Buffer {
  const kind = pick(6);
  if (kind === 0) return Buffer.from(Array.from({ length: pick(200) }, () => pick(256)));
  const frame = Buffer.from(sample);
  if (kind === 1) return frame;
  if (kind === 2) {
    const cut = frame.subarray(0, 28 + pick(frame.length - 27));
    cut.writeUInt32BE(cut.length, 0);
    return cut;
  }
  if (kind === 3) {
    const at = pick(frame.length / 4) * 4;
    const words = [0, 1, 7, 0x7fffffff, 0xffffffff, 0x00400000, 262144, frame.length];
    frame.writeUInt32BE(words[pick(words.length)] ?? 0, at);
    return frame;
  }
  for (let changes = 1 + pick(8); changes > 0; changes--) {
    // From the payload on in one kind, anywhere in the other.
    const from = kind === 4 ? 28 : 0;
    if (frame.length > from) frame[from + pick(frame.length - from)] = pick(256);
  }
  return frame;
}
