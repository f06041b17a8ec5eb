import { createHash } from 'node:crypto';
import { cp, mkdir, readFile, readdir, realpath, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';

import { programNeeds } from '../elf.ts';
import { notices, type Inside } from '../licences.ts';
import { ARCHITECTURE_NAMES, type Architecture, type Project } from '../project.ts';
import { run } from '../run.ts';

/** Where the libraries come from; whoever rebuilds the image gets their security updates. */
const SUITE = 'bookworm';
const LIBRARY_PACKAGES = ['libc6', 'libstdc++6', 'libgcc-s1', 'libatomic1'] as const;
/** Nobody: owns nothing anywhere. */
const USER = '65534:65534';

export interface ImageInput {
  readonly project: Project;
  readonly epoch: number;
  readonly executable: string;
  readonly inside: readonly Inside[];
}

interface Blob {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly bytes: Buffer;
}

/**
 * Makes an image of nothing but the executable, its libraries and what licences ask for: an archive
 * of an OCI image layout (image-spec 1.0), as skopeo, podman and docker load it. Written here, not by
 * a tool of images, so that it needs no root and comes out the same each time.
 */
export async function buildImage(
  architecture: Architecture,
  { project, epoch, executable, inside }: ImageInput,
  out: string,
  scratch: string,
): Promise<string> {
  const work = join(scratch, `image-${architecture}`);
  await rm(work, { recursive: true, force: true });
  const libraries = join(work, 'libraries');
  await copyLibraries(architecture, executable, libraries, work);
  const program = join(work, 'program');
  await mkdir(join(program, 'usr/bin'), { recursive: true });
  await cp(executable, join(program, 'usr/bin', project.name));
  await mkdir(join(program, 'usr/share/doc', project.name), { recursive: true });
  await writeFile(join(program, 'usr/share/doc', project.name, 'notices'), notices(inside));

  const tars = [await tarOf(libraries, epoch, work), await tarOf(program, epoch, work)];
  const layers = tars.map((tar) =>
    blob('application/vnd.oci.image.layer.v1.tar+gzip', gzipSync(tar, { level: 9 })),
  );
  const created = new Date(epoch * 1000).toISOString();
  const labels = {
    'org.opencontainers.image.title': project.name,
    'org.opencontainers.image.description': project.description,
    'org.opencontainers.image.version': project.version,
    'org.opencontainers.image.licenses': project.license,
    'org.opencontainers.image.url': project.homepage,
    'org.opencontainers.image.created': created,
  };
  const config = json('application/vnd.oci.image.config.v1+json', {
    created,
    architecture: ARCHITECTURE_NAMES[architecture].debian,
    os: 'linux',
    config: {
      User: USER,
      ExposedPorts: { '9177/tcp': {} },
      Env: ['PATH=/usr/bin', 'MALLOC_ARENA_MAX=1'],
      Entrypoint: [`/usr/bin/${project.name}`],
      WorkingDir: '/',
      Labels: labels,
    },
    rootfs: { type: 'layers', diff_ids: tars.map(digestOf) },
    history: [
      { created, created_by: `libraries of Debian ${SUITE}` },
      { created, created_by: `${project.name} ${project.version}` },
    ],
  });
  const manifest = json('application/vnd.oci.image.manifest.v1+json', {
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    config: descriptor(config),
    layers: layers.map(descriptor),
    annotations: labels,
  });
  const index = {
    schemaVersion: 2,
    manifests: [
      {
        ...descriptor(manifest),
        platform: { architecture: ARCHITECTURE_NAMES[architecture].debian, os: 'linux' },
        annotations: { 'org.opencontainers.image.ref.name': project.version },
      },
    ],
  };
  const layout = join(work, 'layout');
  await mkdir(join(layout, 'blobs/sha256'), { recursive: true });
  for (const { digest, bytes } of [...layers, config, manifest]) {
    await writeFile(join(layout, 'blobs', digest.replace(':', '/')), bytes);
  }
  await writeFile(join(layout, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
  await writeFile(join(layout, 'index.json'), JSON.stringify(index));
  const target = join(
    out,
    `${project.name}_${project.version}_${ARCHITECTURE_NAMES[architecture].debian}.oci.tar`,
  );
  await writeFile(target, await tarOf(layout, epoch, work));
  await rm(work, { recursive: true });
  return target;
}

/** Copies each library the executable asks for, and those they ask for, with their copyright. */
async function copyLibraries(
  architecture: Architecture,
  executable: string,
  target: string,
  scratch: string,
): Promise<void> {
  const root = join(scratch, 'debian');
  await mkdir(scratch, { recursive: true });
  await run('mmdebstrap', [
    '--mode=root',
    '--variant=extract',
    `--architectures=${ARCHITECTURE_NAMES[architecture].debian}`,
    '--skip=check/qemu',
    `--include=${LIBRARY_PACKAGES.join()}`,
    '--quiet',
    SUITE,
    root,
  ]);
  const { libraries, interpreter } = await programNeeds(executable);
  const folders = await libraryFolders(root);
  const wanted = new Set<string>([...libraries, basename(interpreter)]);
  for (const name of wanted) {
    const path = await firstThere(folders.map((folder) => join(root, folder, name)));
    if (path === undefined) throw new Error(`${LIBRARY_PACKAGES.join()} have no ${name}`);
    // Where the loader looks without a cache, and under the name the program asks for.
    const place = name === basename(interpreter) ? interpreter : join('/lib', name);
    await mkdir(dirname(join(target, place)), { recursive: true });
    await cp(await realpath(path), join(target, place));
  }
  for (const name of LIBRARY_PACKAGES) {
    // libgcc-s1 and libatomic1 link to the documents of the compiler.
    const copyright = await firstThere([
      join(root, 'usr/share/doc', name, 'copyright'),
      join(root, 'usr/share/doc/gcc-12-base/copyright'),
    ]);
    if (copyright === undefined) throw new Error(`${name} comes without its copyright`);
    await mkdir(join(target, 'usr/share/doc', name), { recursive: true });
    await cp(await realpath(copyright), join(target, 'usr/share/doc', name, 'copyright'));
  }
  await rm(root, { recursive: true });
}

async function libraryFolders(root: string): Promise<readonly string[]> {
  const folders = ['lib', 'usr/lib', 'lib64', 'usr/lib64'];
  const triplets = await Promise.all(
    folders.map(async (folder) =>
      (await readdir(join(root, folder)).catch(() => []))
        .filter((name) => name.endsWith('-linux-gnu'))
        .map((name) => join(folder, name)),
    ),
  );
  return [...triplets.flat(), ...folders];
}

async function firstThere(paths: readonly string[]): Promise<string | undefined> {
  for (const path of paths) {
    if (
      await stat(path).then(
        () => true,
        () => false,
      )
    )
      return path;
  }
  return undefined;
}

async function tarOf(folder: string, epoch: number, scratch: string): Promise<Buffer> {
  const target = join(scratch, `${basename(folder)}.tar`);
  await run('tar', [
    ...['--format=ustar', '--sort=name', '--owner=0', '--group=0', '--numeric-owner'],
    ...[`--mtime=@${epoch}`, '--mode=u+rwX,go=rX', '-C', folder, '-cf', target, '.'],
  ]);
  const bytes = await readFile(target);
  await rm(target);
  return bytes;
}

function json(mediaType: string, value: unknown): Blob {
  return blob(mediaType, Buffer.from(JSON.stringify(value)));
}

function blob(mediaType: string, bytes: Buffer): Blob {
  return { mediaType, digest: digestOf(bytes), size: bytes.byteLength, bytes };
}

function descriptor({ mediaType, digest, size }: Blob) {
  return { mediaType, digest, size };
}

function digestOf(bytes: Buffer): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}
