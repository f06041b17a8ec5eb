/** A word or phrase that docs/glossary.md has another for. */
export interface BannedWord {
  /** Lower case; a space stands for any white space, and `…` for one further word or none. */
  readonly phrase: string;
  /** What to write, or for which thing which word. */
  readonly instead: string;
}

/**
 * Words that went and must not come back, in any inflection they are listed in. Add one where a
 * reader had to read twice, together with the word to use.
 */
export const BANNED_WORDS: readonly BannedWord[] = [
  ...words('compute', 'reckon', 'reckons', 'reckoned', 'reckoning'),
  ...words(
    'polled with back-off, or rarely',
    'seldom',
    'ever more … rarely',
    'more and more rarely',
  ),
  ...words('capacity, supply, available or a list of what it is', 'what there is'),
  ...words('cached with a TTL', 'on trust'),
  ...words('highest, severest first', 'gravest', 'graver'),
  ...words('claimable', 'unfunded', 'not funded'),
  ...words('allocate, allocated', 'occupies', 'occupy'),
  ...words('demand', 'has to find', 'have to find'),
  ...words('cache, keep', 'remember', 'remembers', 'remembered', 'remembering'),
  ...words('drop', 'forgets', 'is forgotten', 'are forgotten', 'was forgotten', 'be forgotten'),
  ...words('read, checked, scanned or examined', 'looked at'),
  ...words('stalled on', 'stand still for', 'stands still for', 'stood still for'),
  ...words('yields to the event loop', 'gets a turn', 'gives … a turn'),
  ...words('expensive', 'dear', 'dearer', 'dearest'),
  ...words('for good', 'once and for all'),
  ...words('without result', 'in vain'),
];

export interface BannedWordFound {
  /** From 1. */
  readonly line: number;
  /** As it stands in the text, on one line. */
  readonly found: string;
  readonly instead: string;
}

/** Between two words of a phrase: a line may end there, in a comment or between joined strings. */
const GAP = String.raw`(?:\s|[*/#>+'"\`|])+`;

const PATTERNS = BANNED_WORDS.map(({ phrase, instead }) => ({
  pattern: new RegExp(
    String.raw`(?<![\w-])${phrase
      .replaceAll(' … ', ` ANY `)
      .replaceAll(' ', GAP)
      .replaceAll(`${GAP}ANY${GAP}`, String.raw`${GAP}(?:\w+${GAP})?`)}(?![\w-])`,
    'gi',
  ),
  instead,
}));

/** Each banned word of a text; `except` are names that may contain one, such as old metric names. */
export function bannedWordsIn(
  text: string,
  except: Iterable<string> = [],
): readonly BannedWordFound[] {
  let checked = text;
  for (const name of except) checked = checked.replaceAll(name, ' '.repeat(name.length));
  return PATTERNS.flatMap(({ pattern, instead }) =>
    [...checked.matchAll(pattern)].map((match) => ({
      line: checked.slice(0, match.index).split('\n').length,
      found: match[0].replaceAll(/\s+/g, ' '),
      instead,
    })),
  ).toSorted((one, other) => one.line - other.line);
}

function words(instead: string, ...phrases: readonly string[]): readonly BannedWord[] {
  return phrases.map((phrase) => ({ phrase, instead }));
}
