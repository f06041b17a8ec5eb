import { readFile } from 'node:fs/promises';

import { LineCounter, isMap, isPair, isScalar, parseDocument, type Document } from 'yaml';
import type { z } from 'zod';

import { visibleText } from './visible-text.ts';

/** What was read, or what is wrong with it, one line per fault: `file:line: key: what is wrong`. */
export type FileResult<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly errors: readonly string[] };

/** What a file of ours may hold. */
export interface FileForm<T> {
  readonly schema: z.ZodType<T>;
  /** What to call the file as a whole, e.g. `the policy`. */
  readonly whole: string;
  /** The keys it may have under a path, for people. */
  readonly allowedKeys: (path: readonly PropertyKey[]) => string;
}

/** The text of a file. Never rejects. */
export async function readText(path: string): Promise<FileResult<string>> {
  try {
    return { ok: true, value: await readFile(path, 'utf8') };
  } catch (error) {
    return { ok: false, errors: [`${path}: ${oneLine(messageOf(error))}`] };
  }
}

/** Reads YAML and holds it against its form. An empty text is an empty map. */
export function parseYaml<T>(text: string, path: string, form: FileForm<T>): FileResult<T> {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const broken = [...document.errors, ...document.warnings].map(
    ({ pos, message }) => `${path}:${lines.linePos(pos[0]).line}: ${oneLine(message)}`,
  );
  if (broken.length > 0) return { ok: false, errors: broken };
  let content: unknown;
  try {
    content = document.toJS();
  } catch (error) {
    // Aliases which multiply beyond reason.
    return { ok: false, errors: [`${path}: ${oneLine(String(error))}`] };
  }
  const parsed = form.schema.safeParse(content ?? {});
  if (parsed.success) return { ok: true, value: parsed.data };
  const at = (keys: readonly PropertyKey[], message: string): string => {
    const key = keys.map(String).join('.');
    const line = lineOf(document, lines, keys);
    return `${path}:${line}: ${key === '' ? form.whole : key}: ${oneLine(message)}`;
  };
  return { ok: false, errors: parsed.error.issues.flatMap((issue) => faultsOf(issue, form, at)) };
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function faultsOf<T>(
  issue: z.core.$ZodIssue,
  { allowedKeys }: FileForm<T>,
  at: (keys: readonly PropertyKey[], message: string) => string,
): readonly string[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) =>
      at([...issue.path, key], `unknown key; allowed are ${allowedKeys(issue.path)}`),
    );
  }
  if (issue.code === 'invalid_type' && issue.expected === 'object') {
    return [at(issue.path, `allowed are the keys ${allowedKeys(issue.path)}`)];
  }
  return [at(issue.path, issue.message)];
}

/** The line of the deepest key of a path that the file has; 1 for an empty path. */
function lineOf(document: Document, lines: LineCounter, keys: readonly PropertyKey[]): number {
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
  return lines.linePos(offset).line;
}

function oneLine(text: string): string {
  return visibleText(text.replaceAll(/\p{Cc}+/gu, ' ').trim());
}
