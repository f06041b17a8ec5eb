import type { Pick } from '../support/libvirt/damage.ts';
import { mangled } from './mangle.ts';

const PIECES = [
  ...[
    '<metadata>',
    '</metadata>',
    '<!--',
    '-->',
    '<![CDATA[',
    ']]>',
    '<?a b?>',
    '/>',
    '</',
    '<a/>',
  ],
  ...['&amp;', '&#0;', '&#x110000;', '&#xd800;', '&lol;', '&', '<!DOCTYPE a [<!ENTITY b "c">]>'],
  ...['<constructor/>', '<__proto__ a="b">x</__proto__>', ' prototype="x"', ' a="b" a="c"'],
  ...['<a:b xmlns:a="urn:x">', '</a:b>', '\ufeff', '\0', '\u001b[2J', '<x y=z>', "='", '="'],
  '<metadata><n:x xmlns:n="urn:n"><constructor toString="1"/></n:x></metadata>',
];

/** Too rare in tests of nesting to be found by chance. */
const NESTED = '<a>'.repeat(600) + '</a>'.repeat(600);

/** XML broken as text, as markup, by names JavaScript has a meaning for, by nesting. */
export function mangledXml(good: string, pick: Pick): string {
  const kind = pick(100);
  if (kind === 0) return good.replace(/<\/(?:domain|pool)>/, (end) => `${NESTED}${end}`);
  if (kind === 1) return good.replace(/>/, () => `><metadata>${NESTED}</metadata>`);
  if (kind === 2) return good.replaceAll(/"[^"]*"/g, () => `"${'9'.repeat(1 + pick(400))}"`);
  if (kind < 40) return otherValue(good, pick);
  return mangled(good, pick, PIECES);
}

const VALUES = [
  ...['', '0', '-1', 'x', '4294967296', '18446744073709551615', '18446744073709551616', '1e309'],
  ...['9'.repeat(400), '0-99999999', '0-3,^2', '1,'.repeat(5000), 'NaN', '../..', 'a\u0000b', 'ü"'],
];

/** Some attribute, or the text of some element, says something else. */
function otherValue(good: string, pick: Pick): string {
  const places = [...good.matchAll(/"([^"<]*)"|>([^<>\n]+)</g)];
  const place = places[pick(places.length)];
  if (place === undefined) return good;
  const from = place.index + 1;
  const to = place.index + place[0].length - 1;
  return good.slice(0, from) + (VALUES[pick(VALUES.length)] ?? '') + good.slice(to);
}
