import { isBuiltin } from 'node:module';
import { join, relative } from 'node:path';

import { rolldown, type OutputChunk, type Plugin } from 'rolldown';

import { REPOSITORY } from './project.ts';

/** The exporter as two texts. */
export interface Bundle {
  /** The entry with the worker for files: an ES module that imports only Node's own. */
  readonly main: string;
  /** All the rest: CommonJS, loaded by the entry under the name `exporter.cjs`. */
  readonly exporter: string;
  /** Folders of node_modules that parts of it come from, sorted, relative to the repository. */
  readonly packages: readonly string[];
}

/**
 * Makes a bundle of `src` and the packages it uses.
 *
 * @param version what `--version` and the metrics will say.
 * @throws Error if anything but Node's own modules is left to be imported.
 */
export async function bundle(version: string): Promise<Bundle> {
  const worker = await oneText('src/web/password-worker.ts', 'esm', {});
  const exporter = await oneText('src/exporter.ts', 'cjs', {
    'import.meta.bundledVersion': JSON.stringify(version),
    'import.meta.bundledPasswordWorker': JSON.stringify(worker.code),
  });
  const main = await oneText('src/main.ts', 'esm', {}, [exporterAsText]);
  return {
    main: main.code,
    exporter: exporter.code,
    packages: [...new Set([main, exporter, worker].flatMap(packagesOf))].sort(),
  };
}

/** Has the entry load the exporter from a text, where it would import a module. */
const exporterAsText: Plugin = {
  name: 'exporter-as-text',
  resolveId: (source) =>
    source === './exporter.ts'
      ? join(REPOSITORY, 'packaging/in-bundle/load-exporter.ts')
      : undefined,
};

async function oneText(
  entry: string,
  format: 'esm' | 'cjs',
  define: Readonly<Record<string, string>>,
  plugins: readonly Plugin[] = [],
): Promise<OutputChunk> {
  const build = await rolldown({
    input: join(REPOSITORY, entry),
    cwd: REPOSITORY,
    platform: 'node',
    plugins: [...plugins],
    tsconfig: join(REPOSITORY, 'tsconfig.json'),
    transform: { define: { ...define, 'process.env.NODE_ENV': '"production"' } },
    // Packages of the outside world warn of their own accord; ours are checked by the compiler.
    logLevel: 'silent',
  });
  try {
    const { output } = await build.generate({
      format,
      codeSplitting: false,
      minify: true,
      comments: false,
    });
    const [chunk, ...others] = output;
    if (others.length > 0) throw new Error(`${entry} did not become one text`);
    const left = [...chunk.imports, ...chunk.dynamicImports].filter(
      (name) => !isBuiltin(name) && name !== chunk.fileName,
    );
    if (left.length > 0) throw new Error(`${entry} still imports ${left.join(', ')}`);
    return chunk;
  } finally {
    await build.close();
  }
}

/** Folders below node_modules, the innermost where they are nested. */
function packagesOf({ moduleIds }: OutputChunk): readonly string[] {
  return moduleIds.flatMap((id) => {
    const path = relative(REPOSITORY, id);
    const match = /^(.*\bnode_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(path);
    return match?.[1] ?? [];
  });
}
