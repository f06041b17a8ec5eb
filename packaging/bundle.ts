import { createRequire, isBuiltin } from 'node:module';
import { basename, join, relative } from 'node:path';

import { rolldown, type OutputChunk, type Plugin } from 'rolldown';

import { REPOSITORY } from './project.ts';

/** The exporter as texts. */
export interface Bundle {
  /** The entry with the worker for files: an ES module that imports only Node's own. */
  readonly main: string;
  /**
   * All the rest by the name it is loaded under, CommonJS in ASCII: `exporter.cjs`, which the entry
   * loads, and a part for all that is imported late.
   */
  readonly parts: ReadonlyMap<string, string>;
  /** Folders of node_modules that parts of it come from, sorted, relative to the repository. */
  readonly packages: readonly string[];
}

/**
 * What packages bring along and the exporter never uses: it answers with Node's own response, takes no
 * bodies and serves no files. A third of all code, and the tables of iconv-lite alone have everything
 * kept as UTF-16. Whatever calls one of them after all gets an error that names it.
 */
const LEFT_OUT: Readonly<Record<string, readonly string[]>> = {
  express: [
    'accepts',
    'body-parser',
    'content-disposition',
    'cookie',
    'cookie-signature',
    'etag',
    'mime-types',
    'qs',
    'send',
    'serve-static',
    'type-is',
  ],
  'prom-client': ['@opentelemetry/api', './lib/cluster', './lib/pushgateway', './lib/summary'],
};

/**
 * Makes a bundle of `src` and the packages it uses.
 *
 * @param version what `--version` and the metrics will say.
 * @throws Error if anything but Node's own modules is left to be imported.
 */
export async function bundle(version: string): Promise<Bundle> {
  const worker = await oneText('src/web/password-worker.ts', 'esm', {});
  const exporter = await texts('src/exporter.ts', 'cjs', {
    'import.meta.bundledVersion': JSON.stringify(version),
    'import.meta.bundledPasswordWorker': JSON.stringify(worker.code),
  });
  const main = await oneText(
    'src/main.ts',
    'esm',
    { 'import.meta.lateModules': JSON.stringify(lateModules()) },
    [inBundle],
  );
  return {
    main: main.code,
    parts: new Map(exporter.map(({ fileName, code }) => [fileName, ascii(code)])),
    packages: [...new Set([main, ...exporter, worker].flatMap(packagesOf))].sort(),
  };
}

/** Node's own modules that take 2 to 14 ms of CPU to load, and that most starts do without. */
const LATE = ['node:child_process', 'node:crypto', 'node:https', 'node:zlib'] as const;

/** What they export, for in-bundle/load-exporter.ts. */
function lateModules(): Readonly<Record<string, readonly string[]>> {
  const require = createRequire(import.meta.url);
  return Object.fromEntries(
    LATE.map((name) => {
      const module: unknown = require(name);
      return [name, typeof module === 'object' && module !== null ? Object.keys(module) : []];
    }),
  );
}

/** Puts what is in in-bundle/ in the place of modules that the entry imports. */
const inBundle: Plugin = {
  name: 'in-bundle',
  resolveId: (source, importer) => {
    const other = importer === join(REPOSITORY, 'src/main.ts') ? IN_BUNDLE[source] : undefined;
    return other === undefined ? undefined : join(REPOSITORY, 'packaging/in-bundle', other);
  },
};

const IN_BUNDLE: Readonly<Record<string, string>> = {
  './exporter.ts': 'load-exporter.ts',
  './sources/files/file-worker.ts': 'file-worker.ts',
};

const LEFT_OUT_PREFIX = '\0left-out:';

/** Puts a function that throws in the place of each of LEFT_OUT. */
const leavingOut: Plugin = {
  name: 'leaving-out',
  resolveId: (source, importer) => {
    const from = importer === undefined ? undefined : packageOf(importer);
    return from !== undefined && LEFT_OUT[basename(from)]?.includes(source) === true
      ? `${LEFT_OUT_PREFIX}${source}`
      : undefined;
  },
  load: (id) => {
    if (!id.startsWith(LEFT_OUT_PREFIX)) return undefined;
    const what = JSON.stringify(`${id.slice(LEFT_OUT_PREFIX.length)} is not in this bundle`);
    return `module.exports = function leftOut() { throw new Error(${what}); };`;
  },
};

async function oneText(...args: Parameters<typeof texts>): Promise<OutputChunk> {
  const [chunk, ...others] = await texts(...args);
  if (chunk === undefined || others.length > 0) throw new Error(`${args[0]} is not one text`);
  return chunk;
}

/** The entry first. ES modules become one text, CommonJS one for each import that is made late. */
async function texts(
  entry: string,
  format: 'esm' | 'cjs',
  define: Readonly<Record<string, string>>,
  plugins: readonly Plugin[] = [],
): Promise<readonly OutputChunk[]> {
  const build = await rolldown({
    input: join(REPOSITORY, entry),
    cwd: REPOSITORY,
    platform: 'node',
    plugins: [...plugins, leavingOut],
    tsconfig: join(REPOSITORY, 'tsconfig.json'),
    transform: { define: { ...define, 'process.env.NODE_ENV': '"production"' } },
    // Packages of the outside world warn of their own accord; ours are checked by the compiler.
    logLevel: 'silent',
    // As it is, V8 would compile every wrapper whole when it reads the text, needed or not.
    optimization: { pifeForModuleWrappers: false },
  });
  try {
    const { output } = await build.generate({
      format,
      codeSplitting: format === 'cjs',
      entryFileNames: '[name].cjs',
      chunkFileNames: '[name].cjs',
      minify: true,
      comments: false,
    });
    const chunks = output.filter((one) => one.type === 'chunk');
    if (chunks.length < output.length) throw new Error(`${entry} became more than code`);
    const names = new Set(chunks.map(({ fileName }) => fileName));
    const left = chunks
      .flatMap((chunk) => [...chunk.imports, ...chunk.dynamicImports])
      .filter((name) => !isBuiltin(name) && !names.has(name));
    if (left.length > 0) throw new Error(`${entry} still imports ${left.join(', ')}`);
    return chunks;
  } finally {
    await build.close();
  }
}

/** V8 keeps a text with one character beyond Latin-1 as UTF-16, which is twice the memory. */
function ascii(code: string): string {
  return code.replaceAll(
    /[\u0080-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** Folders below node_modules, the innermost where they are nested. */
function packagesOf({ moduleIds }: OutputChunk): readonly string[] {
  return moduleIds.flatMap((id) => packageOf(id) ?? []);
}

function packageOf(id: string): string | undefined {
  return /^(.*\bnode_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(relative(REPOSITORY, id))?.[1];
}
