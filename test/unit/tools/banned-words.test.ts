import { describe, expect, it } from 'vitest';

import { BANNED_WORDS, bannedWordsIn } from '../../../tools/banned-words.ts';

describe('the lint for words that went', () => {
  it('finds each of them in the middle of a sentence', () => {
    const missed = BANNED_WORDS.filter(({ phrase }) => {
      const text = `A sentence with ${phrase.replace(' …', '')} in it.`;
      return !bannedWordsIn(text).some(({ found }) => text.includes(found));
    });
    expect(missed).toEqual([]);
  });

  it('says where a planted word is, and what to write', () => {
    expect(bannedWordsIn('/** Computes. */\n/** What it reckons. */\n')).toEqual([
      { line: 2, found: 'reckons', instead: 'compute' },
    ]);
  });

  it('finds a phrase that a comment or a joined string breaks', () => {
    const comment = ' * A guest is tried ever\n * more rarely.';
    const joined = "'a promise is ' + 'taken ' +\n  'on trust'";
    expect(bannedWordsIn(comment).map(({ line }) => line)).toContain(1);
    expect(bannedWordsIn(joined)).not.toEqual([]);
  });

  it('finds one at the beginning of a sentence, and with a word in between', () => {
    expect(bannedWordsIn('Gravest first.')).toHaveLength(1);
    expect(bannedWordsIn('is tried ever more and rarely')).toHaveLength(1);
  });

  it('lets words pass that only contain one, and names that are excepted', () => {
    expect(bannedWordsIn('gravestone, dearth, occupied, `forgetMeNot`')).toEqual([]);
    expect(bannedWordsIn('kvm_storage_unfunded_bytes', ['kvm_storage_unfunded_bytes'])).toEqual([]);
  });
});
