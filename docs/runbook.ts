import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';

export const RUNBOOKS_FOLDER = join(import.meta.dirname, 'runbooks');

/** A fenced block. */
export interface Block {
  readonly language: string;
  readonly text: string;
  /** Of its first fence, counted from 1. */
  readonly line: number;
}

/** A line of text outside of blocks. */
interface Line {
  readonly text: string;
  readonly line: number;
}

/** Text of an action in a page, between its markers. */
export interface Include {
  readonly action: string;
  /** Of its first marker, counted from 1. */
  readonly line: number;
  /** Of its last marker; undefined where there is none. */
  readonly end: number | undefined;
  /** With both markers. */
  readonly text: string;
}

/** An H2 and what stands below it. */
export interface Section {
  readonly heading: string;
  readonly line: number;
  readonly prose: readonly Line[];
  readonly blocks: readonly Block[];
}

export interface Runbook {
  /** Of the file, without `.md`. */
  readonly name: string;
  readonly titles: readonly string[];
  readonly sections: readonly Section[];
  readonly includes: readonly Include[];
}

/** All runbooks by name; README.md is none. */
export function readRunbooks(folder: string = RUNBOOKS_FOLDER): readonly Runbook[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith('.md') && file !== 'README.md')
    .toSorted()
    .map((file) => parseRunbook(basename(file, '.md'), readFileSync(join(folder, file), 'utf8')));
}

/**
 * Reads the little Markdown runbooks are made of: headings, prose, fenced blocks and markers of
 * included actions. What is included is prose and blocks like any other; a marker is neither.
 */
export function parseRunbook(name: string, markdown: string): Runbook {
  const includes = includesIn(markdown);
  const markers = new Set(includes.flatMap(({ line, end }) => [line, end]));
  const titles: string[] = [];
  const sections: { heading: string; line: number; prose: Line[]; blocks: Block[] }[] = [];
  let open: { language: string; line: number; lines: string[] } | undefined;
  for (const [index, text] of markdown.split('\n').entries()) {
    const line = index + 1;
    const section = sections.at(-1);
    const fence = /^```(.*)$/.exec(text);
    if (open !== undefined) {
      if (fence === null) {
        open.lines.push(text);
      } else {
        const { language, lines } = open;
        section?.blocks.push({ language, text: lines.join('\n'), line: open.line });
        open = undefined;
      }
    } else if (markers.has(line)) {
      continue;
    } else if (fence !== null) {
      open = { language: fence[1] ?? '', line, lines: [] };
    } else if (text.startsWith('# ')) {
      titles.push(text.slice(2));
    } else if (text.startsWith('## ')) {
      sections.push({ heading: text.slice(3), line, prose: [], blocks: [] });
    } else if (text !== '') {
      section?.prose.push({ text, line });
    }
  }
  if (open !== undefined) sections.at(-1)?.prose.push({ text: '```', line: open.line });
  return { name, titles, sections, includes };
}

const BEGIN = /^ *<!-- action: (\S+) -->$/;
const END = /^ *<!-- end of (\S+) -->$/;

/** A marker that ends what has not begun ends nothing, and is no include. */
function includesIn(markdown: string): readonly Include[] {
  const lines = markdown.split('\n');
  const starts = lines.flatMap((text, index) => {
    const action = BEGIN.exec(text)?.[1];
    return action === undefined ? [] : [{ action, index }];
  });
  return starts.map(({ action, index }, position) => {
    const next = starts[position + 1]?.index ?? lines.length;
    const end = lines.findIndex(
      (text, at) => at > index && at < next && END.exec(text)?.[1] === action,
    );
    const line = index + 1;
    if (end === -1) return { action, line, end: undefined, text: lines[index] ?? '' };
    return { action, line, end: end + 1, text: lines.slice(index, end + 1).join('\n') };
  });
}

/** Whether a line looks like the end of an include. */
export function isEndMarker(text: string): boolean {
  return END.test(text);
}

export function sectionOf({ sections }: Runbook, heading: string): Section | undefined {
  return sections.find((section) => section.heading === heading);
}

/** A numbered step, its text on one line. */
export interface Step {
  readonly number: number;
  readonly text: string;
  readonly blocks: readonly Block[];
}

/** What stands before the first number belongs to no step. */
export function stepsOf({ prose, blocks }: Section): readonly Step[] {
  const starts = prose.filter(({ text }) => /^\d+\. /.test(text));
  return starts.map(({ text: first, line }, index) => {
    const end = starts[index + 1]?.line ?? Infinity;
    const own = prose.filter((one) => one.line >= line && one.line < end);
    return {
      number: Number.parseInt(first, 10),
      text: own
        .map(({ text }) => text.trim())
        .join(' ')
        .replace(/^\d+\. /, ''),
      blocks: blocks.filter((block) => block.line > line && block.line < end),
    };
  });
}

/** The commands of an `sh` block, without their prompt. */
export function commandsOf({ text }: Block): readonly string[] {
  return text.split('\n').map((line) => line.replace(/^\$ /, ''));
}

/**
 * The `$name` of an expression or command that the reader fills in. What a command itself assigns
 * (`for name in`) is none, nor is anything between single quotes, where awk has its `$2`.
 */
export function placeholdersOf(text: string): readonly string[] {
  const shell = text.replaceAll(/'[^']*'/g, '');
  const own = new Set([...shell.matchAll(/\bfor ([a-z_]+) in\b/g)].map(([, name]) => name));
  const names = [...shell.matchAll(/\$([a-z_]+)/g)].map(([, name]) => name ?? '');
  return [...new Set(names)].filter((name) => !own.has(name));
}

/** An expression with values in the place of its `$name`. */
export function filled(expression: string, values: Readonly<Record<string, string>>): string {
  return expression.replaceAll(/\$([a-z_]+)/g, (whole, name: string) => values[name] ?? whole);
}
