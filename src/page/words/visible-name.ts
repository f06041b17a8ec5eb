import { hasUnseen, visibleText } from '../../config/visible-text.ts';

/** libvirt sets no limit, and a page should not be a single name. */
const LONGEST = 120;
const HEAD = 80;
const TAIL = 30;

/**
 * A name somebody else chose, so that a person sees what is in it: characters nobody sees are written
 * out as `\u{202e}`; one longer than 120 characters loses its middle.
 */
export function visibleName(name: string): string {
  if (name.length <= LONGEST && !hasUnseen(name)) return name;
  const characters = Array.from(name.toWellFormed());
  const shown =
    characters.length <= LONGEST
      ? characters
      : [...characters.slice(0, HEAD), '…', ...characters.slice(-TAIL)];
  return visibleText(shown.join(''));
}
