import { SaxesParser } from 'saxes';

import type { Deadline } from '../../runtime/deadline.ts';
import { failed, found, type Result } from '../../runtime/result.ts';
import { TimeSlice } from '../../runtime/time-slice.ts';
import { XmlElement } from './xml-element.ts';
import { EVERYTHING, type WantedXml } from './xml-wanted.ts';

/** libvirt's own limit for a string on the wire is 4 MiB (VIR_NET_MESSAGE_STRING_MAX). */
const MAX_CHARACTERS = 4 * 1024 * 1024;
/** What lies deeper is passed over; libvirt nests a backing chain of up to 200 images. */
const MAX_DEPTH = 512;
/** Of one tag, and of the text of one element: a list of 8192 CPUs has up to 40 KiB. */
const MAX_VALUE_CHARACTERS = 64 * 1024;
/** A guest with a thousand disks has some 10,000 elements. */
const MAX_ELEMENTS = 100_000;
/** So much is parsed or searched at once: less than a millisecond of work. */
const PIECE_CHARACTERS = 16 * 1024;
/** Steps of some 0.1 microseconds between two places to stop. */
const STEPS_PER_PART = 1000;

/**
 * Reads what is wanted of a document and gives its root. Malformed: not well-formed in what is
 * read, no or several roots, a document type (libvirt writes none, and its entities could multiply
 * without end), more in one value than libvirt ever writes.
 *
 * @param subject what the document is, for the error.
 */
export function parseXml(
  xml: string,
  subject: string,
  wanted: WantedXml = EVERYTHING,
): Result<XmlElement> {
  return settled(subject, () => {
    const steps = readingSteps(xml, wanted);
    let step = steps.next();
    while (step.done !== true) step = steps.next();
    return step.value;
  });
}

/**
 * As `parseXml`, in slices between which everything else gets its turn; documents of several
 * callers come one after the other, so that their slices do not add up.
 *
 * @param deadline a failed result of kind `timeout` after it.
 */
export async function parseXmlInSlices(
  xml: string,
  subject: string,
  wanted: WantedXml,
  deadline: Deadline,
): Promise<Result<XmlElement>> {
  const previous = lastInLine;
  const { promise, resolve: leave } = Promise.withResolvers<undefined>();
  lastInLine = promise;
  try {
    await previous;
    const slice = new TimeSlice();
    const steps = readingSteps(xml, wanted);
    for (;;) {
      if (deadline.expired) {
        return failed('timeout', subject, 'XML not read through in time');
      }
      const step = settled(subject, () => steps.next());
      if (!step.ok) return step;
      if (step.value.done === true) return found(step.value.value);
      if (slice.isOver) await slice.nextTurn();
    }
  } finally {
    leave(undefined);
  }
}

let lastInLine: Promise<undefined> = Promise.resolve(undefined);

class XmlError extends Error {
  override readonly name = 'XmlError';
}

function settled<T>(subject: string, work: () => T): Result<T> {
  try {
    return found(work());
  } catch (error) {
    if (error instanceof XmlError) return failed('malformed', subject, `XML: ${error.message}`);
    throw error;
  }
}

/** An element that is read and not closed yet. */
interface Open {
  readonly wanted: WantedXml;
  children: number;
  characters: number;
}

/** Enough for every name libvirt has; a longer one is unknown like any other. */
const NAME = /[^\s/>]{1,200}/y;

/**
 * Finds the tags, and hands the parser those stretches that are wanted. Of the others only the
 * ends of tags are looked for: their content costs no memory, whatever its names, its depth, or
 * its length. Yields where others may have a turn.
 */
function* readingSteps(
  xml: string,
  wanted: WantedXml,
): Generator<undefined, XmlElement, undefined> {
  if (xml.length > MAX_CHARACTERS) throw new XmlError('longer than 4 MiB');
  const tree = new TreeBuilder();
  const open: Open[] = [];
  let passedOver = 0;
  let elements = 0;
  /** Where the stretch begins that is wanted and not yet handed over. */
  let from = 0;
  let at = 0;
  for (let step = 1; ; step += 1) {
    if (step % STEPS_PER_PART === 0) yield;
    const inside = passedOver === 0 ? open.at(-1) : undefined;
    const tag = xml.indexOf('<', at);
    if (tag === -1) break;
    if (inside !== undefined && !hasRoomFor(inside, tag - at)) {
      tree.write(xml.slice(from, at));
      from = tag;
    }
    const second = xml[tag + 1];
    if (second === '!' || second === '?') {
      at = yield* endOfDeclaration(xml, tag);
      if (passedOver > 0) continue;
      const isData = xml.startsWith('<![CDATA[', tag);
      if (isData && inside === undefined) throw new XmlError('text outside the root element');
      if (isData && inside !== undefined && hasRoomFor(inside, at - tag)) continue;
      tree.write(xml.slice(from, tag));
      from = at;
      continue;
    }
    if (second === '/') {
      at = xml.indexOf('>', tag) + 1;
      if (at === 0) throw new XmlError('a tag without end');
      if (passedOver === 0) open.pop();
      else if ((passedOver -= 1) === 0) from = at;
    } else {
      at = yield* endOfTag(xml, tag);
      const closesItself = xml[at - 2] === '/';
      if (passedOver > 0) {
        if (!closesItself) passedOver += 1;
        continue;
      }
      const form = findForm(xml, tag, at, open, wanted);
      if (form === undefined) {
        tree.write(xml.slice(from, tag));
        if (closesItself) from = at;
        else passedOver = 1;
        continue;
      }
      if ((elements += 1) > MAX_ELEMENTS) throw new XmlError(`more than ${MAX_ELEMENTS} elements`);
      if (!closesItself) open.push({ wanted: form, children: 0, characters: 0 });
    }
    if (passedOver === 0 && at - from >= PIECE_CHARACTERS) {
      tree.write(xml.slice(from, at));
      from = at;
      yield;
    }
  }
  if (passedOver > 0) throw new XmlError('an element without end');
  tree.write(xml.slice(from));
  return tree.root();
}

/** What is read of the element whose tag begins there; undefined: nothing. */
function findForm(
  xml: string,
  tag: number,
  end: number,
  open: readonly Open[],
  ofRoot: WantedXml,
): WantedXml | undefined {
  const parent = open.at(-1);
  NAME.lastIndex = tag + 1;
  const name = NAME.exec(xml)?.[0];
  if (name === undefined) throw new XmlError('a tag without name');
  const wantedHere = parent === undefined ? ofRoot : parent.wanted.child(name);
  if (wantedHere === undefined || open.length >= MAX_DEPTH) return undefined;
  const mostChildren = parent?.wanted.mostChildren;
  if (parent !== undefined && (parent.children += 1) > (mostChildren ?? Infinity)) return undefined;
  if (end - tag <= MAX_VALUE_CHARACTERS) return wantedHere;
  if (mostChildren !== undefined) return undefined;
  throw new XmlError(`<${name}>: a tag of more than 64 KiB`);
}

/** False where a tenant's text is longer than any that is meant seriously. */
function hasRoomFor(element: Open, characters: number): boolean {
  element.characters += characters;
  if (element.characters <= MAX_VALUE_CHARACTERS) return true;
  if (element.wanted.mostChildren !== undefined) return false;
  throw new XmlError('more than 64 KiB of text in an element');
}

/** Behind a comment, a CDATA section or a processing instruction. */
function* endOfDeclaration(xml: string, start: number): Generator<undefined, number, undefined> {
  for (const [opening, closing] of DECLARATIONS) {
    if (!xml.startsWith(opening, start)) continue;
    for (let at = start + opening.length; at < xml.length; at += PIECE_CHARACTERS) {
      // Half an end at each place (`- - -`) makes the search of all in one go a long one.
      const piece = xml.slice(at, at + PIECE_CHARACTERS + closing.length - 1);
      const end = piece.indexOf(closing);
      if (end !== -1) return at + end + closing.length;
      yield;
    }
    throw new XmlError(`${opening} without end`);
  }
  throw new XmlError('a document type, which libvirt never writes');
}

const DECLARATIONS = [
  ['<!--', '-->'],
  ['<![CDATA[', ']]>'],
  ['<?', '?>'],
] as const;

/** Behind the `>` of an opening tag, which may hold others in its quotes. */
function* endOfTag(xml: string, start: number): Generator<undefined, number, undefined> {
  for (let at = start + 1, steps = 1; at < xml.length; at += 1, steps += 1) {
    if (steps % STEPS_PER_PART === 0) yield;
    const character = xml[at];
    if (character === '>') return at + 1;
    if (character !== '"' && character !== "'") continue;
    at = xml.indexOf(character, at + 1);
    if (at === -1) break;
  }
  throw new XmlError('a tag without end');
}

interface Draft {
  readonly name: string;
  readonly attributes: ReadonlyMap<string, string>;
  readonly children: XmlElement[];
  text: string;
}

/** Elements of what the parser finds. It knows XML's five entities and numeric ones, no others. */
class TreeBuilder {
  readonly #parser = new SaxesParser({ position: false });
  readonly #open: Draft[] = [];
  readonly #faults: string[] = [];
  #root: XmlElement | undefined;

  constructor() {
    this.#parser.on('error', ({ message }) => {
      throw new XmlError(message);
    });
    this.#parser.on('opentag', ({ name, attributes }) => {
      const own = new Map(Object.entries(attributes));
      this.#open.push({ name, attributes: own, children: [], text: '' });
    });
    const addText = (text: string): void => {
      const draft = this.#open.at(-1);
      if (draft !== undefined) draft.text += text;
    };
    this.#parser.on('text', addText);
    this.#parser.on('cdata', addText);
    this.#parser.on('closetag', () => {
      const draft = this.#open.pop();
      if (draft === undefined) return;
      const { name, attributes, children, text } = draft;
      const element = new XmlElement(name, attributes, children, text, this.#faults);
      const parent = this.#open.at(-1);
      if (parent === undefined) this.#root = element;
      else parent.children.push(element);
    });
  }

  write(stretch: string): void {
    if (stretch !== '') this.#parser.write(stretch);
  }

  root(): XmlElement {
    this.#parser.close();
    if (this.#root === undefined) throw new XmlError('no root element');
    return this.#root;
  }
}
