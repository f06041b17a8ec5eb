import { describe, expect, it } from 'vitest';

import { figure, name, listNames, say, toWords } from '../../../../src/web/page/sentence.ts';

describe('a sentence', () => {
  it('keeps our words and the names of others apart', () => {
    expect(say`${name('a')} is ${figure('1 GiB')} short.`).toEqual([
      { kind: 'name', text: 'a' },
      ' is ',
      { kind: 'figure', text: '1 GiB' },
      ' short.',
    ]);
  });

  it('may hold another one', () => {
    expect(toWords(say`It is ${say`so ${figure('much')}`}.`)).toBe('It is so much.');
  });
});

describe('a list of names', () => {
  it.each([
    [['a'], 'a'],
    [['a', 'b'], 'a and b'],
    [['a', 'b', 'c'], 'a, b and c'],
    [['a', 'b', 'c', 'd', 'e'], 'a, b, c and 2\u00a0more'],
  ])('of %j is %s', (names, text) => {
    expect(toWords(listNames(names))).toBe(text);
  });
});
