/** libvirt sets no limit, and a page should not be a single name. */
const LONGEST = 120;
const HEAD = 80;
const TAIL = 30;

/**
 * A name somebody else chose, so that a person sees what is in it: control characters, line ends,
 * and characters which turn the direction of text (U+202E) are written out as `\u{202e}`; one longer
 * than 120 characters loses its middle.
 */
export function visibleName(name: string): string {
  const characters = Array.from(name.toWellFormed());
  const shown =
    characters.length <= LONGEST
      ? characters
      : [...characters.slice(0, HEAD), '…', ...characters.slice(-TAIL)];
  return shown.map(visible).join('');
}

function visible(character: string): string {
  if (!/[\p{Cc}\p{Bidi_Control}\u2028\u2029\u200b\u2060\ufeff]/u.test(character)) return character;
  return `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;
}
