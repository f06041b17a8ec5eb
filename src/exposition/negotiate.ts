import { openMetricsFormat, textFormat, type Format } from './format.ts';

/**
 * Choice of format and compression from request headers: Prometheus' "Scrape protocol content
 * negotiation" and RFC 9110 §12.5. Whatever cannot be understood counts as not sent, and the last
 * resort is always plain text 0.0.4.
 */
export interface Negotiated {
  readonly format: Format;
  readonly contentType: string;
}

interface Choice {
  /** Lower case, without parameters. */
  readonly value: string;
  readonly parameters: ReadonlyMap<string, string>;
  /** 0 (never) to 1. */
  readonly quality: number;
}

const QUALITY = /^(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/;

/** The elements of an Accept or Accept-Encoding header; those with a broken q are left out. */
function parseChoices(header: string): readonly Choice[] {
  const choices: Choice[] = [];
  for (const element of header.split(',')) {
    const [head = '', ...rest] = element.split(';');
    const value = head.trim().toLowerCase();
    if (value === '') continue;
    const parameters = new Map<string, string>();
    for (const part of rest) {
      const equals = part.indexOf('=');
      if (equals < 0) continue;
      const name = part.slice(0, equals).trim().toLowerCase();
      parameters.set(name, unquote(part.slice(equals + 1).trim()));
    }
    const q = parameters.get('q') ?? '1';
    if (QUALITY.test(q)) choices.push({ value, parameters, quality: Number(q) });
  }
  return choices;
}

function unquote(text: string): string {
  return text.length >= 2 && text.startsWith('"') && text.endsWith('"') ? text.slice(1, -1) : text;
}

/** The format a media range asks for, or undefined when we do not speak it. */
function toFormat(choice: Choice): Format | undefined {
  const version = choice.parameters.get('version');
  switch (choice.value) {
    case 'application/openmetrics-text':
      return version === undefined || version === '1.0.0' ? openMetricsFormat : undefined;
    case 'text/plain':
      return version === undefined || version === '0.0.4' ? textFormat : undefined;
    case 'text/*':
    case '*/*':
      return textFormat;
    default:
      return undefined;
  }
}

const ESCAPING_SCHEMES: ReadonlySet<string> = new Set([
  'allow-utf-8',
  'underscores',
  'dots',
  'values',
]);

/**
 * Our names need no escaping, so every scheme gives the same text: the one asked for is confirmed.
 * Only known schemes are echoed, so that a request cannot write into a response header.
 */
function toContentType(format: Format, asked: string | undefined): string {
  if (format.name === 'text-0.0.4') return 'text/plain; version=0.0.4; charset=utf-8';
  const escaping = asked !== undefined && ESCAPING_SCHEMES.has(asked) ? asked : 'underscores';
  return `application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=${escaping}`;
}

/** The best format for an Accept header; of equal weights the first one named wins. */
export function negotiateFormat(accept: string | undefined): Negotiated {
  let best: { readonly format: Format; readonly choice: Choice } | undefined;
  for (const choice of parseChoices(accept ?? '')) {
    const format = toFormat(choice);
    if (format === undefined || choice.quality === 0) continue;
    if (best === undefined || choice.quality > best.choice.quality) best = { format, choice };
  }
  const format = best?.format ?? textFormat;
  return { format, contentType: toContentType(format, best?.choice.parameters.get('escaping')) };
}

/** gzip when it is wanted at least as much as no compression at all. */
export function negotiateEncoding(acceptEncoding: string | undefined): 'gzip' | 'identity' {
  const choices = parseChoices(acceptEncoding ?? '');
  const weightOf = (...names: readonly string[]): number | undefined =>
    choices.find((choice) => names.includes(choice.value))?.quality;
  const gzip = weightOf('gzip', 'x-gzip') ?? weightOf('*') ?? 0;
  // Identity is acceptable unless excluded, but without a weight of its own any coding beats it.
  const identity = weightOf('identity') ?? 0;
  return gzip > 0 && gzip >= identity ? 'gzip' : 'identity';
}
