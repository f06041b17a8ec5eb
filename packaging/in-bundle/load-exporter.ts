import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { getAsset, isSea } from 'node:sea';
import { compileFunction } from 'node:vm';

import type { main as mainOfExporter } from '../../src/exporter.ts';

/**
 * Stands for src/exporter.ts in what packaging/bundle.ts makes. All but the entry is text until it is
 * asked for here, so that the worker for files, which is the same program, does without: 27 MB less of
 * memory for each. A single executable can import nothing but Node's own modules; hence CommonJS.
 */
const NAME = 'exporter.cjs';

/** As in src/exporter.ts. */
export const main: typeof mainOfExporter = async (...args) => {
  const [text, path] = isSea()
    ? [getAsset(NAME, 'utf8'), process.execPath]
    : fileBeside(import.meta.filename);
  const exports = {};
  const load = compileFunction(text, ['exports', 'module', 'require', '__filename', '__dirname'], {
    filename: NAME,
  });
  Reflect.apply(load, undefined, [exports, { exports }, createRequire(path), path, dirname(path)]);
  const loaded: unknown = Reflect.get(exports, 'main');
  if (typeof loaded !== 'function') throw new Error(`${NAME} has no main`);
  await Promise.resolve(Reflect.apply(loaded, undefined, args));
};

function fileBeside(entry: string): readonly [text: string, path: string] {
  const path = join(dirname(entry), NAME);
  return [readFileSync(path, 'utf8'), path];
}
