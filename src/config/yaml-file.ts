import { open } from 'node:fs/promises';

import {
  LineCounter,
  isMap,
  isPair,
  isScalar,
  parseDocument,
  visit,
  type Document,
  type YAMLMap,
} from 'yaml';
import type { z } from 'zod';

import { failedWith, found, type Result } from '../runtime/result.ts';
import { visibleText } from './visible-text.ts';

/** What is wrong with a file, one line per fault: `file:line: key: what is wrong`. */
export type FileFaults = readonly string[];

/** What a file of ours may hold. */
export interface FileForm<T> {
  readonly schema: z.ZodType<T>;
  /** What to call the file as a whole, e.g. `the policy`. */
  readonly whole: string;
  /** The keys it may have under a path, for people. */
  readonly allowedKeys: (path: readonly PropertyKey[]) => string;
  /** Why a key is refused that other programs know in such a file; undefined: nobody knows it. */
  readonly refusal?: (path: readonly PropertyKey[]) => string | undefined;
}

/** A thousand users with their passwords' hashes take 75 KiB. */
const MAX_YAML_CHARACTERS = 256 * 1024;
/** The authorities of all the world take 230 KiB. */
const MAX_FILE_BYTES = 4 * 1024 * 1024;
/** Of a file that is too large, so much is read for faults which tell why. */
const SAMPLE_CHARACTERS = 32 * 1024;
/** A person mends the first ones and tries again. */
const MAX_FAULTS = 10;
/** So much of a key or value is repeated in a fault. */
const MAX_QUOTED_CHARACTERS = 64;
/** So long may the whole of a fault be. */
const MAX_FAULT_CHARACTERS = 1000;

/** The text of a file of up to 4 MiB. Never rejects. */
export async function readText(path: string): Promise<Result<string, FileFaults>> {
  try {
    const file = await open(path);
    try {
      // Not by its size: /dev/zero and a pipe have none.
      const chunks: Buffer[] = [];
      let length = 0;
      for await (const chunk of file.createReadStream({ autoClose: false, end: MAX_FILE_BYTES })) {
        if (!Buffer.isBuffer(chunk)) continue;
        chunks.push(chunk);
        length += chunk.length;
      }
      if (length <= MAX_FILE_BYTES) {
        return found(Buffer.concat(chunks).toString('utf8'));
      }
      return failedWith([`${oneLine(path)}: larger than 4 MiB`]);
    } finally {
      await file.close();
    }
  } catch (error) {
    return failedWith([`${oneLine(path)}: ${oneLine(withoutCall(toMessage(error)))}`]);
  }
}

/** Node ends with the call and names the path again: `ENOENT: no such file, open '/path'`. */
function withoutCall(message: string): string {
  return message.replace(/^(E[A-Z0-9]+: [^,]+), \w+(?: '.*')?$/s, '$1');
}

/**
 * Reads YAML and holds it against its form. An empty text is an empty map. However large and broken
 * the text is, the time is bounded, and there are ten faults and the number of the others at most.
 */
export function parseYaml<T>(text: string, path: string, form: FileForm<T>): Result<T, FileFaults> {
  if (text.length <= MAX_YAML_CHARACTERS) return parseSized(text, path, form);
  const sample = parseSized(
    text.slice(0, text.lastIndexOf('\n', SAMPLE_CHARACTERS) + 1),
    path,
    form,
  );
  const errors = [`${path}: larger than 256 KiB; ${form.whole} needs a few`];
  return failedWith(sample.ok ? errors : [...errors, ...sample.error]);
}

function parseSized<T>(text: string, path: string, form: FileForm<T>): Result<T, FileFaults> {
  const lines = new LineCounter();
  const faultAt = (offset: number, message: string): string =>
    `${path}:${lines.linePos(offset).line}: ${shortened(oneLine(message), MAX_FAULT_CHARACTERS)}`;
  let document: Document;
  let content: unknown;
  try {
    // The parser compares each key with each other one; the duplicates are looked for below.
    document = parseDocument(text, {
      lineCounter: lines,
      prettyErrors: false,
      uniqueKeys: false,
    });
    const broken = [...document.errors, ...document.warnings].map(
      ({ pos, message }) =>
        () =>
          faultAt(pos[0], message),
    );
    if (broken.length > 0) return failedWith(findFirstFaults(broken, path));
    const twice = keysUsedTwice(document).map(
      (offset) => () => faultAt(offset, 'Map keys must be unique'),
    );
    if (twice.length > 0) return failedWith(findFirstFaults(twice, path));
    content = document.toJS();
  } catch (error) {
    // Aliases which multiply beyond reason, lists in lists without end.
    return failedWith([`${path}: ${shortened(oneLine(toMessage(error)), MAX_FAULT_CHARACTERS)}`]);
  }
  const parsed = form.schema.safeParse(content ?? {});
  if (parsed.success) return found(parsed.data);
  const at = (keys: readonly PropertyKey[], message: string): string => {
    const key = keys.map((one) => shortened(String(one), MAX_QUOTED_CHARACTERS)).join('.');
    const what = key === '' ? form.whole : key;
    return faultAt(findOffset(document, keys), `${what}: ${message}`);
  };
  const faults = parsed.error.issues.flatMap((issue) => findFaults(issue, form, at));
  return failedWith(findFirstFaults(faults, path));
}

/** The first faults put into words, and how many more there are. */
function findFirstFaults(faults: readonly (() => string)[], path: string): readonly string[] {
  const named = faults.slice(0, MAX_FAULTS).map((fault) => fault());
  const others = faults.length - named.length;
  return others === 0 ? named : [...named, `${path}: and ${others} more`];
}

/** Where keys are that their map has already. */
function keysUsedTwice(document: Document): readonly number[] {
  const twice: number[] = [];
  visit(document, {
    Map: (_, map: YAMLMap) => {
      const seen = new Set<string>();
      for (const { key } of map.items) {
        if (!isScalar(key)) continue;
        const name = String(key.value);
        if (seen.has(name)) twice.push(key.range?.[0] ?? 0);
        seen.add(name);
      }
    },
  });
  return twice;
}

export function toMessage(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function findFaults<T>(
  issue: z.core.$ZodIssue,
  { allowedKeys, refusal }: FileForm<T>,
  at: (keys: readonly PropertyKey[], message: string) => string,
): readonly (() => string)[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => () => {
      const path = [...issue.path, key];
      return at(path, refusal?.(path) ?? `unknown key; allowed are ${allowedKeys(issue.path)}`);
    });
  }
  if (issue.code === 'invalid_type' && issue.expected === 'object') {
    return [() => at(issue.path, `allowed are the keys ${allowedKeys(issue.path)}`)];
  }
  return [() => at(issue.path, issue.message)];
}

/** Where the deepest key of a path is that the file has; 0 for an empty path. */
function findOffset(document: Document, keys: readonly PropertyKey[]): number {
  let node: unknown = document.contents;
  let offset = 0;
  for (const key of keys) {
    if (isMap(node)) {
      const pair = node.items.find(
        (item) => isPair(item) && isScalar(item.key) && String(item.key.value) === String(key),
      );
      if (pair === undefined) break;
      if (isScalar(pair.key)) offset = pair.key.range?.[0] ?? offset;
      node = pair.value;
      continue;
    }
    const item: unknown = document.getIn(keys.slice(0, keys.indexOf(key) + 1).map(String), true);
    if (isScalar(item)) offset = item.range?.[0] ?? offset;
    break;
  }
  return offset;
}

function oneLine(text: string): string {
  return visibleText(text.replaceAll(/\p{Cc}+/gu, ' ').trim());
}

function shortened(text: string, characters: number): string {
  return text.length > characters ? `${text.slice(0, characters)}…` : text;
}
