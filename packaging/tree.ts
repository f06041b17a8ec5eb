import { copyFile, chmod, mkdir, readFile, readdir, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';

import { copyrightLines, notices, type Inside } from './licences.ts';
import { REPOSITORY, type Project } from './project.ts';
import { bashCompletion, fishCompletion, zshCompletion } from './text/completions.ts';
import { manPage } from './text/man-page.ts';
import { policyExample } from './text/policy-example.ts';
import { flagsFile, sysusers, unit } from './text/unit.ts';

/** A file of an installed package. */
export interface TreeFile {
  /** From the root, with the slash. */
  readonly path: string;
  readonly content: string | Buffer | { readonly copyOf: string };
  readonly mode: number;
  /** The administrator's once it is installed: an upgrade leaves it alone. */
  readonly configuration: boolean;
}

/** Where a distribution wants what others want elsewhere. */
export interface Layout {
  readonly flagsFile: string;
  readonly zshFolder: string;
  readonly docFolder: string;
  /** A name below the folder of documents; what it says is the same everywhere. */
  readonly changelog: (tree: TreeInput) => readonly TreeFile[];
}

export interface TreeInput {
  readonly project: Project;
  /** Seconds since 1970. */
  readonly epoch: number;
  readonly executable: string;
  readonly inside: readonly Inside[];
}

/** Everything a package installs but the list of changes, whose form differs. */
export async function packageTree(layout: Layout, input: TreeInput): Promise<readonly TreeFile[]> {
  const { name } = input.project;
  const share = `/usr/share/${name}`;
  const date = new Date(input.epoch * 1000).toISOString().slice(0, 10);
  return [
    file('/usr/bin/kvm-overcommit-exporter', { copyOf: input.executable }, 0o755),
    file(`/usr/lib/systemd/system/${name}.service`, unit(layout.flagsFile)),
    file(`/usr/lib/sysusers.d/${name}.conf`, sysusers()),
    configuration(layout.flagsFile, flagsFile()),
    configuration(`/etc/${name}/policy.yaml`, policyExample()),
    file(`/usr/share/man/man8/${name}.8.gz`, gzipped(manPage(input.project, date))),
    file(`/usr/share/bash-completion/completions/${name}`, bashCompletion()),
    file(`${layout.zshFolder}/_${name}`, zshCompletion()),
    file(`/usr/share/fish/vendor_completions.d/${name}.fish`, fishCompletion()),
    ...(await copies('rules', /\.yaml$/, `${share}/rules`)),
    ...(await copies('docs/runbooks', /\.md$/, `${share}/runbooks`)),
    ...(await copies('grafana/dashboards', /\.json$/, `${share}/dashboards`)),
    ...(await copies('grafana/provisioning', /\.yaml$/, `${share}/provisioning`)),
    file(`${layout.docFolder}/copyright`, copyright(input.project, input.inside)),
    file(`${layout.docFolder}/notices.gz`, gzipped(notices(input.inside))),
    ...layout.changelog(input),
  ];
}

export function file(path: string, content: TreeFile['content'], mode = 0o644): TreeFile {
  return { path, content, mode, configuration: false };
}

/** gzip without the time and the name of a file, at its best: Debian's policy, 12.7. */
export function gzipped(text: string | Buffer): Buffer {
  return gzipSync(text, { level: 9 });
}

function configuration(path: string, content: string): TreeFile {
  return { path, content, mode: 0o644, configuration: true };
}

async function copies(folder: string, names: RegExp, target: string): Promise<readonly TreeFile[]> {
  const found = (await readdir(join(REPOSITORY, folder))).filter((name) => names.test(name)).sort();
  if (found.length === 0) throw new Error(`${folder} has nothing like ${names.source}`);
  return found.map((name) => file(`${target}/${name}`, { copyOf: join(REPOSITORY, folder, name) }));
}

/** Debian's machine-readable form, which people can read as well. */
function copyright({ name, homepage, author }: Project, inside: readonly Inside[]): string {
  const holder = author.replace(/ <.*/, '');
  return [
    'Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/',
    `Upstream-Name: ${name}`,
    `Upstream-Contact: ${author}`,
    `Source: ${homepage}`,
    'Comment: The executable holds Node.js and the packages below; their licences in full are in',
    ' notices.gz beside this file.',
    '',
    'Files: *',
    `Copyright: Copyright 2026 ${holder}`,
    'License: Apache-2.0',
    '',
    ...inside.flatMap((one) => [
      'Files: usr/bin/kvm-overcommit-exporter',
      `Copyright: ${copyrightLines(one).join('\n           ')}`,
      `License: ${one.licence.replaceAll(/\s+/g, '-')}`,
      `Comment: ${one.name} ${one.version}, inside of the executable; its text is in notices.gz.`,
      '',
    ]),
    'License: Apache-2.0',
    ' On Debian systems the full text is in /usr/share/common-licenses/Apache-2.0; elsewhere at',
    ' https://www.apache.org/licenses/LICENSE-2.0.',
    '',
  ].join('\n');
}

/** Writes the files below `root`, all with the same time. */
export async function writeTree(
  root: string,
  files: readonly TreeFile[],
  epoch: number,
): Promise<void> {
  const folders = new Set<string>();
  for (const { path, content, mode } of files) {
    const target = join(root, path);
    await mkdir(dirname(target), { recursive: true, mode: 0o755 });
    for (let folder = dirname(target); folder.startsWith(root); folder = dirname(folder)) {
      folders.add(folder);
    }
    if (typeof content === 'string' || Buffer.isBuffer(content)) await writeFile(target, content);
    else await copyFile(content.copyOf, target);
    await chmod(target, mode);
    await utimes(target, epoch, epoch);
  }
  for (const folder of folders) {
    // Whatever umask says.
    await chmod(folder, 0o755);
    await utimes(folder, epoch, epoch);
  }
}

/** Bytes on disk of all files. */
export async function treeSize(root: string, files: readonly TreeFile[]): Promise<number> {
  const sizes = await Promise.all(
    files.map(async ({ path }) => (await readFile(join(root, path))).byteLength),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}
