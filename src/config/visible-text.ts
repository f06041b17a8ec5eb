/**
 * Characters that a person does not see, or that change how others are seen: control characters (C0,
 * DEL, C1), what turns the direction of text, zero-width and other formatting ones, line ends of
 * Unicode's own, and halves of surrogate pairs. They move a terminal's cursor, hide text, or make two
 * names look alike.
 */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Default_Ignorable_Code_Point}]/u;
const EACH_UNSEEN = new RegExp(UNSEEN, 'gu');
const EACH_UNSEEN_BUT_LAYOUT = new RegExp(`(?![\\n\\t])${UNSEEN.source}`, 'gu');

export function hasUnseen(text: string): boolean {
  return UNSEEN.test(text);
}

/** A text in which everything can be seen: `\u{1b}` stands for an escape character. */
export function visibleText(text: string): string {
  return UNSEEN.test(text) ? text.replaceAll(EACH_UNSEEN, braced) : text;
}

/** As {@link visibleText}, but line ends and tabs stay what they are: where they do no harm. */
export function visibleLines(text: string): string {
  return UNSEEN.test(text) ? text.replaceAll(EACH_UNSEEN_BUT_LAYOUT, braced) : text;
}

/** A text in quotes, all of ASCII's and Unicode's unseen characters as JSON's `\u001b`. */
export function quotedText(text: string): string {
  return JSON.stringify(text).replaceAll(EACH_UNSEEN, (character) => {
    let escaped = '';
    for (let at = 0; at < character.length; at += 1) {
      escaped += `\\u${character.charCodeAt(at).toString(16).padStart(4, '0')}`;
    }
    return escaped;
  });
}

function braced(character: string): string {
  return `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;
}
