import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { getRawAsset, isSea } from 'node:sea';
import { compileFunction } from 'node:vm';

import type { main as mainOfExporter } from '../../src/exporter.ts';
import { giveBackFromNowOn } from './give-back.ts';

/**
 * Stands for src/exporter.ts in what packaging/bundle.ts makes. All but the entry is text until it is
 * asked for here, so that the worker for files, which is the same program, does without: 27 MB less of
 * memory for each. A single executable can import nothing but Node's own modules; hence CommonJS.
 */
const NAME = 'exporter.cjs';

const PATH = isSea() ? process.execPath : import.meta.filename;
const requireOfNode = createRequire(PATH);
const loaded = new Map<string, object>();

const LATE = new Map(Object.entries(import.meta.lateModules));

/** As in src/exporter.ts. */
export const main: typeof mainOfExporter = async (...args) => {
  const start: unknown = Reflect.get(load(NAME), 'main');
  if (typeof start !== 'function') throw new Error(`${NAME} has no main`);
  await Promise.resolve(Reflect.apply(start, undefined, args));
  giveBackFromNowOn();
};

function load(name: string): object {
  const before = loaded.get(name);
  if (before !== undefined) return before;
  const module = { exports: {} };
  loaded.set(name, module.exports);
  const run = compileFunction(
    textOf(name),
    ['exports', 'module', 'require', '__filename', '__dirname'],
    { filename: name },
  );
  const require = (wanted: string): unknown => {
    if (wanted.startsWith('./')) return load(wanted.slice('./'.length));
    const names = LATE.get(wanted);
    return names === undefined ? requireOfNode(wanted) : whenUsed(wanted, names);
  };
  Reflect.apply(run, undefined, [module.exports, module, require, PATH, dirname(PATH)]);
  loaded.set(name, module.exports);
  return module.exports;
}

/** That module, loaded when one of its exports is first used. */
function whenUsed(name: string, names: readonly string[]): object {
  const late = {};
  for (const one of names) {
    Object.defineProperty(late, one, {
      enumerable: true,
      get: (): unknown => {
        const module: unknown = requireOfNode(name);
        return typeof module === 'object' && module !== null ? Reflect.get(module, one) : undefined;
      },
    });
  }
  return late;
}

/** ASCII: see packaging/bundle.ts. */
function textOf(name: string): string {
  return isSea()
    ? Buffer.from(getRawAsset(name)).toString('latin1')
    : readFileSync(join(dirname(PATH), name), 'latin1');
}
