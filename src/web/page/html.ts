/**
 * HTML that is safe by construction: the only way to get `Html` is a template of this program's own
 * source, and every value put into one is escaped for the place it lands in. Guests choose their
 * own names, and so do image paths and error messages; none of them can become markup.
 */

class Markup {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  get text(): string {
    return this.#text;
  }
}

/** Markup that came out of {@link html}. */
export type Html = Markup;

export type HtmlValue = Html | string | number | undefined | readonly HtmlValue[];

/**
 * ```ts
 * html`<p title="${name}">${name}</p>`
 * ```
 *
 * Strings are escaped, arrays joined, undefined leaves nothing, `Html` goes in as it is. Values may
 * stand in text and in quoted attributes; links must be relative or fragments.
 *
 * @throws TypeError for a value in any other place (a tag, an unquoted, style or event attribute, a
 *   comment), and for a link that leads elsewhere: faults of the template, not of the value.
 */
export function html(strings: TemplateStringsArray, ...values: readonly HtmlValue[]): Html {
  const places = placesOf(strings);
  let text = strings[0] ?? '';
  for (const [index, value] of values.entries()) {
    text += writeValue(value, places[index] ?? 'nowhere') + (strings[index + 1] ?? '');
  }
  return new Markup(text);
}

/** Content of a `<style>` or `<script>` element, which must be a constant of this program. */
export function rawConstant(strings: TemplateStringsArray): Html {
  const [text = ''] = strings.raw;
  if (strings.length > 1 || /<\/|<!--/.test(text)) throw new TypeError('not a plain constant');
  return new Markup(text);
}

export function render(markup: Html): string {
  return markup.text;
}

/** Where a value lands. `element`: the inside of `<style>` or `<script>`. */
type Place = 'text' | 'attribute' | 'link' | 'element' | 'nowhere';

const known = new WeakMap<TemplateStringsArray, readonly Place[]>();

function placesOf(strings: TemplateStringsArray): readonly Place[] {
  let places = known.get(strings);
  if (places === undefined) {
    places = scan(strings);
    known.set(strings, places);
  }
  return places;
}

/** A part of the HTML tokenizer: as much as the templates of this folder need. */
function scan(strings: readonly string[]): readonly Place[] {
  const places: Place[] = [];
  let inside: 'text' | 'tag' | 'quotes' | 'element' | 'comment' = 'text';
  let tag = '';
  let quote = '';
  let element = '';
  for (const part of strings) {
    for (let at = 0; at < part.length; at += 1) {
      const char = part.charAt(at);
      switch (inside) {
        case 'text':
          if (part.startsWith('<!--', at)) inside = 'comment';
          else if (char === '<') {
            inside = 'tag';
            tag = '';
          }
          break;
        case 'tag':
          if (char === '"' || char === "'") {
            inside = 'quotes';
            quote = char;
          } else if (char === '>') {
            element = /^(?:script|style)\b/i.exec(tag)?.[0] ?? '';
            inside = element === '' ? 'text' : 'element';
          } else tag += char;
          break;
        case 'quotes':
          if (char === quote) inside = 'tag';
          break;
        case 'element':
          if (part.startsWith(`</${element}`, at)) {
            inside = 'tag';
            tag = '';
          }
          break;
        case 'comment':
          if (part.startsWith('-->', at)) inside = 'text';
          break;
      }
    }
    places.push(placeOf(inside, tag));
  }
  return places;
}

function placeOf(inside: string, tag: string): Place {
  if (inside === 'text') return 'text';
  if (inside === 'element') return 'element';
  if (inside !== 'quotes') return 'nowhere';
  const attribute = /([\w:-]+)=$/.exec(tag)?.[1]?.toLowerCase() ?? '';
  if (attribute === '' || attribute === 'style' || attribute.startsWith('on')) return 'nowhere';
  return LINKS.has(attribute) ? 'link' : 'attribute';
}

const LINKS = new Set(['href', 'src', 'action', 'formaction', 'xlink:href']);

function writeValue(value: HtmlValue, place: Place): string {
  if (value === undefined) return '';
  if (value instanceof Markup) {
    if (place === 'text' || place === 'element') return value.text;
    throw new TypeError(`markup cannot stand in ${place}`);
  }
  if (typeof value === 'string' || typeof value === 'number') {
    const text = String(value);
    if (place === 'element' || place === 'nowhere') {
      throw new TypeError(`a value cannot stand in ${place}`);
    }
    if (place === 'link' && !/^(?:\.\/|#)/.test(text)) throw new TypeError(`not a local link`);
    return escapeHtml(text);
  }
  if (place !== 'text') throw new TypeError(`a list cannot stand in ${place}`);
  return value.map((one) => writeValue(one, place)).join('');
}

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
  '`': '&#96;',
};

function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"'`]/g, (char) => ESCAPES[char] ?? char);
}
