import { visibleLines } from '../../config/visible-text.ts';
import { RUNBOOK_BASE_URL } from '../../risk/runbooks.ts';

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
 * stand in text and in quoted attributes; links must be relative, fragments, or lead to a runbook.
 *
 * @throws TypeError for a value in any other place (a tag, an unquoted, style or event attribute, a
 *   comment, a style, a script), and for a link that leads elsewhere: faults of the template, not of the value.
 */
export function html(strings: TemplateStringsArray, ...values: readonly HtmlValue[]): Html {
  const places = findPlaces(strings);
  let text = strings[0] ?? '';
  // No iterator: a long list of guests has ten thousand templates.
  for (let index = 0; index < values.length; index += 1) {
    text += writeValue(values[index], places[index] ?? 'nowhere') + (strings[index + 1] ?? '');
  }
  return new Markup(text);
}

/** A `<style>` element with a content that never changes. */
export interface StyleElement {
  readonly element: Html;
  /** Exactly what is between the tags, as hashes of content security policies want it. */
  readonly content: string;
}

export function styleElement(strings: TemplateStringsArray): StyleElement {
  const [content = ''] = strings.raw;
  if (strings.length > 1 || /<\/|<!--/.test(content)) throw new TypeError('not a plain constant');
  return { element: new Markup(`<style>${content}</style>`), content };
}

export function render(markup: Html): string {
  return markup.text;
}

/** Where a value lands. */
type ValuePlace = 'text' | 'attribute' | 'link' | 'nowhere';

const known = new WeakMap<TemplateStringsArray, readonly ValuePlace[]>();

function findPlaces(strings: TemplateStringsArray): readonly ValuePlace[] {
  let places = known.get(strings);
  if (places === undefined) {
    places = scan(strings);
    known.set(strings, places);
  }
  return places;
}

/** A part of the HTML tokenizer: as much as the templates of this folder need. */
function scan(strings: readonly string[]): readonly ValuePlace[] {
  const places: ValuePlace[] = [];
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
    places.push(findPlace(inside, tag));
  }
  return places;
}

function findPlace(inside: string, tag: string): ValuePlace {
  if (inside === 'text') return 'text';
  if (inside !== 'quotes') return 'nowhere';
  const attribute = /([\w:-]+)=$/.exec(tag)?.[1]?.toLowerCase() ?? '';
  if (attribute === '' || attribute === 'style' || attribute.startsWith('on')) return 'nowhere';
  return LINKS.has(attribute) ? 'link' : 'attribute';
}

const LINKS = new Set(['href', 'src', 'action', 'formaction', 'xlink:href']);

function writeValue(value: HtmlValue, place: ValuePlace): string {
  if (value === undefined) return '';
  if (value instanceof Markup) {
    if (place === 'text') return value.text;
    throw new TypeError('markup can stand in text only');
  }
  if (typeof value === 'string' || typeof value === 'number') {
    const text = String(value);
    if (place === 'nowhere') throw new TypeError('a value cannot stand here');
    if (place === 'link' && !isAllowedLink(text)) throw new TypeError('not a local link');
    return escapeHtml(text);
  }
  if (place !== 'text') throw new TypeError('a list can stand in text only');
  let text = '';
  for (const one of value) text += writeValue(one, place);
  return text;
}

function isAllowedLink(link: string): boolean {
  if (/^(?:\.{1,2}\/|#)/.test(link)) return true;
  const runbook = link.startsWith(`${RUNBOOK_BASE_URL}/`)
    ? link.slice(RUNBOOK_BASE_URL.length)
    : '';
  return /^\/\w+\.md$/.test(runbook);
}

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
  '`': '&#96;',
};

/** A caller that does not make a name visible does not let it hide or turn the text around it. */
function escapeHtml(text: string): string {
  // Most values by far: a thousand guests have ten each.
  if (/^[\w .:,/+()%\u00a0–-]*$/.test(text)) return text;
  return visibleLines(text).replaceAll(/[&<>"'`]/g, (char) => ESCAPES[char] ?? char);
}
