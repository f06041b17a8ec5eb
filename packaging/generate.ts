/**
 * Writes the manifests of examples/. With `--check` it only says which are out of date (exit status 1
 * if any).
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';

import { composeDatasource, composeFile, composePrometheus } from './manifests/compose.ts';
import { exampleManifest } from './manifests/kubernetes.ts';
import { readProject, REPOSITORY } from './project.ts';

/** Each file, relative to the repository, with what belongs in it. */
export function manifests(): ReadonlyMap<string, string> {
  return new Map([
    ['examples/kubernetes/exporter.yaml', exampleManifest(readProject())],
    ['examples/compose/compose.yaml', composeFile()],
    ['examples/compose/prometheus.yml', composePrometheus()],
    ['examples/compose/datasource.yml', composeDatasource()],
  ]);
}

/** Files that are not what they should be. */
export function driftedManifests(): readonly string[] {
  return [...manifests()].flatMap(([path, text]) =>
    current(join(REPOSITORY, path)) === text ? [] : [path],
  );
}

function current(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  if (process.argv.includes('--check')) {
    for (const path of driftedManifests()) {
      process.stderr.write(`${path} is out of date: run \`npm run manifests\`\n`);
      process.exitCode = 1;
    }
  } else {
    for (const [path, text] of manifests()) {
      mkdirSync(dirname(join(REPOSITORY, path)), { recursive: true });
      writeFileSync(join(REPOSITORY, path), text);
    }
  }
}
