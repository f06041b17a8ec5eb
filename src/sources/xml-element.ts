import { XMLParser, XMLValidator } from 'fast-xml-parser';

import { failed, found, type Reading } from './reading.ts';

/** An element of an XML document, with nothing interpreted: all values are text. */
export class XmlElement {
  /** With its namespace prefix, as written. */
  readonly name: string;
  readonly attributes: ReadonlyMap<string, string>;
  readonly children: readonly XmlElement[];
  /** Text directly inside, trimmed. */
  readonly text: string;

  constructor(
    name: string,
    attributes: ReadonlyMap<string, string>,
    children: readonly XmlElement[],
    text: string,
  ) {
    this.name = name;
    this.attributes = attributes;
    this.children = children;
    this.text = text;
  }

  attribute(name: string): string | undefined {
    return this.attributes.get(name);
  }

  /** The first child of that name. */
  child(name: string): XmlElement | undefined {
    return this.children.find((child) => child.name === name);
  }

  /** The element at the end of a path of names. */
  at(...path: readonly string[]): XmlElement | undefined {
    const [name, ...rest] = path;
    return name === undefined ? this : this.child(name)?.at(...rest);
  }

  all(name: string): readonly XmlElement[] {
    return this.children.filter((child) => child.name === name);
  }
}

/** Deeper nesting is refused; libvirt nests a backing chain of up to 200 images. */
const MAX_DEPTH = 512;
/** libvirt's own limit for a string on the wire is 4 MiB (VIR_NET_MESSAGE_STRING_MAX). */
const MAX_CHARACTERS = 4 * 1024 * 1024;

/**
 * Entities are left alone by the parser and decoded here, so that a document type with entities of
 * its own is never expanded ("billion laughs").
 */
const PARSER = new XMLParser({
  preserveOrder: true,
  ignoreAttributes: false,
  attributeNamePrefix: '',
  parseTagValue: false,
  parseAttributeValue: false,
  trimValues: false,
  processEntities: false,
  ignoreDeclaration: true,
  ignorePiTags: true,
  maxNestedTags: MAX_DEPTH,
});

/**
 * Parses a document and gives its root. Malformed: not well-formed, no or several roots, nested or
 * long beyond reason.
 *
 * @param subject what the document is, for the error.
 */
export function parseXml(xml: string, subject: string): Reading<XmlElement> {
  if (xml.length > MAX_CHARACTERS) return failed('malformed', subject, 'XML longer than 4 MiB');
  let nodes: unknown;
  try {
    // The parser alone repairs what is not well-formed instead of refusing it. The validator's
    // successor is a package of its own with dependencies of its own, for the same check.
    // eslint-disable-next-line @typescript-eslint/no-deprecated
    const valid = XMLValidator.validate(xml);
    if (valid !== true) {
      return failed('malformed', subject, `XML line ${valid.err.line}: ${valid.err.msg}`);
    }
    nodes = PARSER.parse(xml);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return failed('malformed', subject, `XML: ${reason}`);
  }
  const { children } = contentOf(nodes);
  const [root] = children;
  if (root === undefined || children.length > 1) {
    return failed('malformed', subject, `XML with ${children.length} root elements`);
  }
  return found(root);
}

/**
 * Elements and text of the parser's ordered form: a list of `{tag: [content], ':@': attributes}`
 * and `{'#text': text}`.
 */
function contentOf(nodes: unknown): { children: readonly XmlElement[]; text: string } {
  const children: XmlElement[] = [];
  let text = '';
  if (Array.isArray(nodes)) {
    for (const node of nodes as readonly unknown[]) {
      if (typeof node !== 'object' || node === null) continue;
      let attributes: ReadonlyMap<string, string> = NO_ATTRIBUTES;
      let name: string | undefined;
      let content: unknown;
      for (const [key, value] of Object.entries(node) as readonly [string, unknown][]) {
        if (key === ':@') attributes = attributesOf(value);
        else if (key === '#text') text += String(value);
        else [name, content] = [key, value];
      }
      if (name === undefined) continue;
      const inner = contentOf(content);
      children.push(new XmlElement(name, attributes, inner.children, inner.text));
    }
  }
  return { children, text: decode(text).trim() };
}

const NO_ATTRIBUTES: ReadonlyMap<string, string> = new Map();

function attributesOf(value: unknown): ReadonlyMap<string, string> {
  if (typeof value !== 'object' || value === null) return NO_ATTRIBUTES;
  return new Map(Object.entries(value).map(([name, text]) => [name, decode(String(text))]));
}

const NAMED: Readonly<Record<string, string>> = {
  lt: '<',
  gt: '>',
  amp: '&',
  quot: '"',
  apos: "'",
};

/** XML's five entities and character references; anything else stays as it is. */
function decode(text: string): string {
  if (!text.includes('&')) return text;
  return text.replaceAll(/&(?:#(\d{1,7})|#x([0-9a-fA-F]{1,6})|(\w+));/g, (whole, ...groups) => {
    const [decimal, hexadecimal, named] = groups as readonly (string | undefined)[];
    if (named !== undefined) return NAMED[named] ?? whole;
    const code = decimal === undefined ? Number.parseInt(hexadecimal ?? '', 16) : Number(decimal);
    return code <= 0x10ffff ? String.fromCodePoint(code) : whole;
  });
}
