import { chmod, copyFile, cp, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import type { Bundle } from '../bundle.ts';
import { notices, type Inside } from '../licences.ts';
import { REPOSITORY, type Project } from '../project.ts';
import { run } from '../run.ts';

export interface NpmInput {
  readonly project: Project;
  readonly bundle: Bundle;
  readonly inside: readonly Inside[];
}

/** As they are, besides what is made. */
const COPIED = [
  'LICENSE',
  'README.md',
  'CHANGELOG.md',
  'grafana/dashboards',
  'grafana/provisioning',
  'examples/systemd',
  'rules/alerts.yaml',
  'rules/recording.yaml',
  'rules/fleet.yaml',
  'rules/alertmanager.example.yaml',
  'rules/kubernetes',
] as const;

/**
 * Makes the package for npm: the bundle, and the Node it runs on as optional packages, one of which
 * npm installs by the processor. Nothing else is installed, and nothing runs at installation.
 */
export async function buildNpm(
  { project, bundle, inside }: NpmInput,
  out: string,
  scratch: string,
): Promise<string> {
  const stage = join(scratch, 'npm');
  await rm(stage, { recursive: true, force: true });
  await mkdir(join(stage, 'dist'), { recursive: true });
  await mkdir(join(stage, 'bin'));
  await writeFile(join(stage, 'dist/main.js'), bundle.main);
  for (const [name, text] of bundle.parts) await writeFile(join(stage, 'dist', name), text);
  await copyFile(join(REPOSITORY, 'bin', project.name), join(stage, 'bin', project.name));
  await chmod(join(stage, 'bin', project.name), 0o755);
  for (const path of COPIED) {
    await cp(join(REPOSITORY, path), join(stage, path), { recursive: true });
  }
  await writeFile(join(stage, 'NOTICES'), notices(inside));
  await writeFile(
    join(stage, 'package.json'),
    `${JSON.stringify(
      {
        name: project.name,
        version: project.version,
        description: project.description,
        homepage: project.homepage,
        repository: { type: 'git', url: `git+${project.homepage}.git` },
        author: project.author,
        license: project.license,
        type: 'module',
        os: ['linux'],
        bin: { [project.name]: `bin/${project.name}` },
        // No `engines`: the Node of whoever installs it does not run it.
        optionalDependencies: project.optionalDependencies,
      },
      undefined,
      2,
    )}\n`,
  );
  const file = (await run('npm', ['pack', '--silent', '--pack-destination', out], { cwd: stage }))
    .trim()
    .split('\n')
    .at(-1);
  if (file === undefined) throw new Error('npm pack names no file');
  await rm(stage, { recursive: true });
  const target = join(out, `${project.name}_${project.version}_npm.tgz`);
  await rename(join(out, file), target);
  return target;
}
