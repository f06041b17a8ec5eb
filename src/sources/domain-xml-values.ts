import type { XmlElement } from './xml-element.ts';

/**
 * Values in libvirt XML, read strictly: text that is not of the expected form throws
 * {@link DomainXmlError}, which names the element, or is complained of and read as undefined, so
 * that one value nobody can read does not hide the guest. Absent elements and attributes give
 * undefined.
 */
export class DomainXmlError extends Error {
  override readonly name = 'DomainXmlError';
}

/** So much of a value is repeated in an error. */
const QUOTED_CHARACTERS = 64;

function malformed(where: string, text: string, expected: string): DomainXmlError {
  const quoted = text.length > QUOTED_CHARACTERS ? `${text.slice(0, QUOTED_CHARACTERS)}…` : text;
  return new DomainXmlError(`<${where}>: not ${expected}: ${JSON.stringify(quoted)}`);
}

/** What `read` makes of an element; undefined, and complained of, where it cannot. */
export function orAbsent<T>(element: XmlElement, read: (element: XmlElement) => T): T | undefined {
  try {
    return read(element);
  } catch (error) {
    if (!(error instanceof DomainXmlError)) throw error;
    element.complain(error.message);
    return undefined;
  }
}

/** Those of the elements that can be read; the others are complained of. */
export function readable<T>(
  elements: readonly XmlElement[],
  read: (element: XmlElement) => T,
): readonly T[] {
  return elements.map((element) => orAbsent(element, read)).filter((one) => one !== undefined);
}

/** All of the elements, or none where one of them would be missing in a sum. */
export function allOrNone<T>(
  elements: readonly XmlElement[],
  read: (element: XmlElement, index: number) => T,
): readonly T[] {
  const [first] = elements;
  return (first && orAbsent(first, () => elements.map(read))) ?? [];
}

/**
 * libvirt's numbers have up to 64 bits, most of them to say that there is no limit. What passes
 * 2^53 is rounded, as it would be in a metric.
 */
const LARGEST = 2 ** 64;

function integerFrom(where: string, text: string): number {
  const value = /^\d{1,20}$/.test(text) ? Number(text) : Infinity;
  if (value > LARGEST) throw malformed(where, text, 'a whole number of up to 64 bits');
  return value;
}

/** The text of an element as a number from 0. */
export function parseInteger(element: XmlElement | undefined): number | undefined {
  return element && orAbsent(element, ({ name, text }) => integerFrom(name, text.trim()));
}

/** An attribute as a number from 0. */
export function integerAttribute(
  element: XmlElement | undefined,
  attribute: string,
): number | undefined {
  const text = element?.attribute(attribute);
  if (element === undefined || text === undefined) return undefined;
  return orAbsent(element, ({ name }) => integerFrom(`${name} ${attribute}`, text));
}

/** As `parseInteger`, with 0 and numbers below read as "no limit". */
export function parseLimit(element: XmlElement | undefined): number | undefined {
  if (element === undefined || /^-\d+$/.test(element.text.trim())) return undefined;
  const value = parseInteger(element);
  return value === 0 ? undefined : value;
}

/** The text of an element as it stands; undefined where there is none. */
export function parseElementText(element: XmlElement | undefined): string | undefined {
  return element === undefined || element.text === '' ? undefined : element.text;
}

/** `yes`, `on` or `no`, `off`; false when absent, and where it is neither. */
export function isOn(element: XmlElement | undefined, attribute: string): boolean {
  const text = element?.attribute(attribute);
  if (element === undefined || text === undefined) return false;
  if (text === 'yes' || text === 'on') return true;
  if (text !== 'no' && text !== 'off') {
    element.complain(malformed(`${element.name} ${attribute}`, text, 'yes or no').message);
  }
  return false;
}

const POWERS = 'kmgtpe';

/**
 * Bytes per unit of libvirt's scaled integers (virScaleInteger): `KiB` and `K` are 1024, `KB` is
 * 1000; case does not matter.
 */
function bytesPer(where: string, unit: string): number {
  const match = /^(?:b(?:ytes?)?|([kmgtpe])(i?b)?)$/i.exec(unit);
  if (match === null) throw malformed(where, unit, 'a unit of memory');
  const letter = match[1];
  if (letter === undefined) return 1;
  const base = match[2]?.toLowerCase() === 'b' ? 1000 : 1024;
  return base ** (POWERS.indexOf(letter.toLowerCase()) + 1);
}

/** In bytes, of which libvirt counts no more than 2^64 either. */
function scaled(where: string, size: number, unit: string): number {
  const bytes = size * bytesPer(where, unit);
  if (bytes > LARGEST) throw malformed(where, `${size} ${unit}`, 'a size of up to 2^64 bytes');
  return bytes;
}

/** The size an element holds, in bytes; libvirt's default unit for memory is KiB. */
export function parseBytes(element: XmlElement | undefined): number | undefined {
  return (
    element &&
    orAbsent(element, ({ name, text }) => {
      const unit = element.attribute('unit') ?? 'KiB';
      return scaled(name, integerFrom(name, text.trim()), unit);
    })
  );
}

/** A size given by the attributes `size` or `memory` and `unit`. */
export function bytesAttribute(element: XmlElement, attribute: string): number | undefined {
  const size = integerAttribute(element, attribute);
  if (size === undefined) return undefined;
  const unit = element.attribute('unit') ?? 'KiB';
  return orAbsent(element, ({ name }) => scaled(name, size, unit));
}

/** More CPUs or nodes than any machine has: a list beyond that is refused, not expanded. */
const HIGHEST_IN_SET = 65_535;

/** A number of things the machine has, e.g. vCPUs, which will be counted through one by one. */
export function countFrom(where: string, text: string): number {
  const count = integerFrom(where, text);
  if (count > HIGHEST_IN_SET + 1) throw malformed(where, text, 'a number of CPUs');
  return count;
}

/**
 * The numbers of a set like `0-3,^2,8` in ascending order; `^` takes out what came before
 * (virBitmapParse).
 */
export function numberSet(where: string, text: string): readonly number[] {
  const numbers = new Set<number>();
  for (const part of text.split(',')) {
    const match = /^\s*(\^)?(\d{1,9})(?:-(\d{1,9}))?\s*$/.exec(part);
    if (match === null) throw malformed(where, text, 'a list of numbers');
    const first = Number(match[2]);
    const last = Number(match[3] ?? first);
    if (last < first || last > HIGHEST_IN_SET) throw malformed(where, text, 'a list of numbers');
    for (let number = first; number <= last; number += 1) {
      if (match[1] === undefined) numbers.add(number);
      else numbers.delete(number);
    }
  }
  return [...numbers].sort((one, other) => one - other);
}

/** A number set in an attribute; undefined when absent or empty. */
export function setAttribute(
  element: XmlElement | undefined,
  attribute: string,
): readonly number[] | undefined {
  const text = element?.attribute(attribute);
  if (element === undefined || text === undefined || text === '') return undefined;
  return orAbsent(element, ({ name }) => numberSet(`${name} ${attribute}`, text));
}

/** An attribute that must be there. */
export function requiredAttribute(element: XmlElement, attribute: string): string {
  const text = element.attribute(attribute);
  if (text === undefined) throw new DomainXmlError(`<${element.name}>: no ${attribute}`);
  return text;
}

/** A number in an attribute that must be there. */
export function requiredInteger(element: XmlElement, attribute: string): number {
  return integerFrom(`${element.name} ${attribute}`, requiredAttribute(element, attribute));
}

/** A value that must be there. */
export function required<T>(value: T | undefined, element: string): T {
  if (value === undefined) throw new DomainXmlError(`no <${element}>`);
  return value;
}
