const WIDE =
  /[\p{Script=Han}\p{Script=Hangul}\p{Script=Hiragana}\p{Script=Katakana}\p{Emoji_Presentation}\u3000-\u303f\uff00-\uff60\uffe0-\uffe6]/u;
const NARROWEST_MARK = /\p{M}/u;

/** Columns a terminal takes for it: two for East Asian characters and emoji, none for marks. */
export function columnsOf(text: string): number {
  let columns = 0;
  for (const character of text) columns += widthOf(character);
  return columns;
}

function widthOf(character: string): number {
  if (character <= '\u02ff') return 1;
  if (NARROWEST_MARK.test(character)) return 0;
  return WIDE.test(character) ? 2 : 1;
}

/** Filled with spaces up to so many columns, or cut with an ellipsis. */
export function fit(text: string, columns: number, align: 'left' | 'right' = 'left'): string {
  const own = columnsOf(text);
  if (own <= columns) {
    const space = ' '.repeat(columns - own);
    return align === 'left' ? text + space : space + text;
  }
  let cut = '';
  let used = 0;
  for (const character of text) {
    const width = widthOf(character);
    if (used + width > columns - 1) break;
    cut += character;
    used += width;
  }
  return `${cut}…${' '.repeat(columns - 1 - used)}`;
}

/**
 * Lines of at most so many columns, cut between words and in a word only where it is longer than a line.
 *
 * @param indent before each line but the first.
 */
export function wrap(text: string, columns: number, indent: string): readonly string[] {
  const lines: string[] = [];
  const beginning = /^ */.exec(text)?.[0] ?? '';
  let line = beginning;
  let isEmpty = true;
  for (const word of text.slice(beginning.length).split(' ')) {
    for (const piece of pieces(word, columns - columnsOf(indent))) {
      const longer = isEmpty ? line + piece : `${line} ${piece}`;
      isEmpty = false;
      if (columnsOf(longer) <= columns) line = longer;
      else {
        lines.push(line);
        line = indent + piece;
      }
    }
  }
  return [...lines, line];
}

function pieces(word: string, columns: number): readonly string[] {
  const all: string[] = [];
  let piece = '';
  let used = 0;
  for (const character of word) {
    const width = widthOf(character);
    if (used + width > columns) {
      all.push(piece);
      piece = '';
      used = 0;
    }
    piece += character;
    used += width;
  }
  return [...all, piece];
}
