import { isBuiltin } from 'node:module';
import { join, relative } from 'node:path';

import { rolldown, type OutputChunk } from 'rolldown';

import { REPOSITORY } from './project.ts';

/** The exporter as one file. */
export interface Bundle {
  /** An ES module that imports nothing but Node's own modules. */
  readonly code: string;
  /** Folders of node_modules that parts of it come from, sorted, relative to the repository. */
  readonly packages: readonly string[];
}

/**
 * Makes one file of `src` and the packages it uses. Modules that are imported late stay late: they
 * are evaluated when they are asked for, not at the start.
 *
 * @param version what `--version` and the metrics will say.
 * @throws Error if anything but Node's own modules is left to be imported.
 */
export async function bundle(version: string): Promise<Bundle> {
  const worker = await oneFile('src/web/password-worker.ts', {});
  const main = await oneFile('src/main.ts', {
    'import.meta.bundledVersion': JSON.stringify(version),
    'import.meta.bundledPasswordWorker': JSON.stringify(worker.code),
  });
  return {
    code: main.code,
    packages: [...new Set([...packagesOf(main), ...packagesOf(worker)])].sort(),
  };
}

async function oneFile(
  entry: string,
  define: Readonly<Record<string, string>>,
): Promise<OutputChunk> {
  const build = await rolldown({
    input: join(REPOSITORY, entry),
    cwd: REPOSITORY,
    platform: 'node',
    tsconfig: join(REPOSITORY, 'tsconfig.json'),
    transform: { define: { ...define, 'process.env.NODE_ENV': '"production"' } },
    // Packages of the outside world warn of their own accord; ours are checked by the compiler.
    logLevel: 'silent',
  });
  try {
    const { output } = await build.generate({
      format: 'esm',
      codeSplitting: false,
      minify: true,
      comments: false,
    });
    const [chunk, ...others] = output;
    if (others.length > 0) throw new Error(`${entry} did not become one file`);
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
