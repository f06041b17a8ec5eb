import { formatCount } from './format.ts';

/**
 * A piece of a sentence: our own words, or something that is shown as what it is. Names and paths
 * come from outside and stay apart from our words until the page is written.
 */
export type Phrase =
  string | { readonly kind: 'name' | 'path' | 'figure' | 'foreign'; readonly text: string };

/** A sentence in plain words, without markup. */
export type Sentence = readonly Phrase[];

/** A guest, an interface. */
export const name = (text: string): Phrase => ({ kind: 'name', text });
/** A file, a mount point, a pool. */
export const path = (text: string): Phrase => ({ kind: 'path', text });
/** What the sentence is about. */
export const figure = (text: string): Phrase => ({ kind: 'figure', text });
/** Words of somebody else: an error message. */
export const foreign = (text: string): Phrase => ({ kind: 'foreign', text });

/** Puts a sentence together: say`${name('web-01')} is paused.` */
export function say(
  strings: TemplateStringsArray,
  ...values: readonly (Phrase | Sentence)[]
): Sentence {
  const phrases: Phrase[] = [];
  for (const [index, text] of strings.entries()) {
    if (text !== '') phrases.push(text);
    const value = values[index];
    if (value === undefined) continue;
    if (typeof value === 'string' || 'kind' in value) phrases.push(value);
    else phrases.push(...value);
  }
  return phrases;
}

/** `a`, `a and b`, `a, b and 7 more`: at most `most` of them by name. */
export function listNames(names: readonly string[], most = 3): Sentence {
  const named = names.slice(0, most).map(name);
  const left = names.length - named.length;
  const parts: readonly Phrase[] =
    left === 0 ? named : [...named, formatCount(left, 'more', 'more')];
  return parts.flatMap((part, index) => {
    if (index === 0) return [part];
    return [index === parts.length - 1 ? ' and ' : ', ', part];
  });
}

/** What the sentence is about, in short. */
export function findFigure(sentence: Sentence): string | undefined {
  for (const phrase of sentence) {
    if (typeof phrase !== 'string' && phrase.kind === 'figure') return phrase.text;
  }
  return undefined;
}

/** The words alone. */
export function toWords(sentence: Sentence): string {
  return sentence.map((phrase) => (typeof phrase === 'string' ? phrase : phrase.text)).join('');
}
