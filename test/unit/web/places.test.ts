import { describe, expect, it } from 'vitest';

import { Places } from '../../../src/web/places.ts';

describe('places', () => {
  const taken = (places: Places, client: string, given: string[]) =>
    places.take(client, () => given.push(client));

  it('are as many as there are, for one client too, and come back', () => {
    const places = new Places(2);
    const given: string[] = [];
    const first = taken(places, 'a', given);
    expect(taken(places, 'a', given)).toBeDefined();
    expect(taken(places, 'a', given)).toBeUndefined();
    first?.release();
    first?.release();
    expect(places.taken).toBe(1);
    expect(taken(places, 'a', given)).toBeDefined();
    expect(given).toEqual([]);
  });

  it('go to another client from the one with most, until they have the same', () => {
    const places = new Places(4);
    const given: string[] = [];
    const held = Array.from({ length: 4 }, () => taken(places, 'a', given));
    expect(taken(places, 'b', given)).toBeDefined();
    expect(taken(places, 'b', given)).toBeDefined();
    expect(given).toEqual(['a', 'a']);
    expect(taken(places, 'b', given)).toBeUndefined();
    expect(taken(places, 'a', given)).toBeUndefined();
    // A third one finds nobody with two more than it has… but for the last but one.
    expect(taken(places, 'c', given)).toBeDefined();
    expect(places.taken).toBe(4);
    // Whoever lost a place has nothing to give back.
    held.at(-1)?.release();
    expect(places.taken).toBe(4);
  });
});
