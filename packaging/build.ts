import { createHash } from 'node:crypto';
import { mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';

import { billOfMaterials } from './bill.ts';
import { bundle } from './bundle.ts';
import { buildExecutable } from './executable.ts';
import { buildDeb } from './formats/deb.ts';
import { buildImage } from './formats/image.ts';
import { buildNpm } from './formats/npm.ts';
import { buildRpm } from './formats/rpm.ts';
import { licencesOf, type Inside } from './licences.ts';
import { wholeManifest } from './manifests/kubernetes.ts';
import { nodeBinary } from './node-binary.ts';
import { ARCHITECTURE_NAMES, readProject, sourceDateEpoch, type Architecture } from './project.ts';

export const KINDS = ['deb', 'rpm', 'image', 'npm', 'manifest'] as const;
export type Kind = (typeof KINDS)[number];

export interface BuildOptions {
  readonly architectures: readonly Architecture[];
  readonly kinds: readonly Kind[];
  /** Where the finished files go; what else is there stays. */
  readonly out: string;
  readonly scratch: string;
  /** Another version than that of package.json. */
  readonly version?: string;
  /** Levels of compression, for packages nobody will download. */
  readonly fast?: boolean;
  readonly report?: (line: string) => void;
}

/** A file that was made, with its digest. */
export interface Made {
  readonly name: string;
  readonly bytes: number;
  readonly sha256: string;
}

/**
 * Builds the executable and what it is shipped in, one processor after the other.
 *
 * @returns what was made, in the order of names; SHA256SUMS lists the same.
 */
export async function build(options: BuildOptions): Promise<readonly Made[]> {
  const { out, scratch, kinds, architectures, fast = false, report = () => undefined } = options;
  const project = readProject(options.version);
  const epoch = sourceDateEpoch();
  await mkdir(out, { recursive: true });
  await mkdir(scratch, { recursive: true });
  const paths: string[] = [];
  const timed = async (what: string, work: Promise<string>): Promise<void> => {
    const from = performance.now();
    const path = await work;
    paths.push(path);
    const seconds = ((performance.now() - from) / 1000).toFixed(0);
    const { size } = await stat(path);
    report(`${what}: ${basename(path)}, ${(size / 1e6).toFixed(1)} MB, ${seconds} s`);
  };

  const texts = await bundle(project.version);
  const bytes = [texts.main, ...texts.parts.values()].join('').length;
  report(`bundle: ${(bytes / 1e6).toFixed(1)} MB of ${texts.packages.length} packages`);
  const bundled = await licencesOf(texts.packages);
  if (kinds.includes('npm')) {
    await timed('npm', buildNpm({ project, bundle: texts, inside: bundled }, out, scratch));
  }
  if (kinds.includes('manifest')) {
    const manifest = join(out, `${project.name}_${project.version}_kubernetes.yaml`);
    await writeFile(manifest, wholeManifest(project));
    paths.push(manifest);
  }
  const bill = join(out, `${project.name}_${project.version}_sbom.cdx.json`);
  await writeFile(bill, billOfMaterials(project));
  paths.push(bill);

  for (const architecture of architectures) {
    const debian = ARCHITECTURE_NAMES[architecture].debian;
    const executable = join(out, `${project.name}_${project.version}_linux_${debian}`);
    const folder = join(scratch, architecture);
    await timed(
      'executable',
      buildExecutable(architecture, texts, executable, folder).then(() => executable),
    );
    const input = {
      project,
      epoch,
      executable,
      inside: [await licenceOfNode(architecture, folder), ...bundled],
    };
    if (kinds.includes('deb')) {
      const level = fast ? { compression: 0 } : {};
      await timed('.deb', buildDeb(architecture, input, out, folder, level));
    }
    if (kinds.includes('rpm')) {
      const level = fast ? { compression: 1 } : {};
      await timed('.rpm', buildRpm(architecture, input, out, folder, level));
    }
    if (kinds.includes('image')) {
      await timed('image', buildImage(architecture, input, out, folder));
    }
    await rm(folder, { recursive: true });
  }

  const made = await Promise.all(paths.toSorted().map(describe));
  const sums = made.map(({ name, sha256 }) => `${sha256}  ${name}\n`).join('');
  await writeFile(join(out, 'SHA256SUMS'), sums);
  return made;
}

async function licenceOfNode(architecture: Architecture, scratch: string): Promise<Inside> {
  const { licence } = await nodeBinary(architecture, scratch);
  const { optionalDependencies } = readProject();
  return {
    name: 'node',
    version: optionalDependencies[`node-linux-${architecture}`] ?? '',
    licence: 'MIT',
    text: await readFile(licence, 'utf8'),
  };
}

async function describe(path: string): Promise<Made> {
  const bytes = await readFile(path);
  return {
    name: basename(path),
    bytes: bytes.byteLength,
    sha256: createHash('sha256').update(bytes).digest('hex'),
  };
}
