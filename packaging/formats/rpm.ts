import { copyFile, mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

import { ARCHITECTURE_NAMES, REPOSITORY, type Architecture, type Project } from '../project.ts';
import { run } from '../run.ts';
import { SERVICE_USER } from '../text/unit.ts';
import {
  file,
  packageTree,
  writeTree,
  type Layout,
  type TreeFile,
  type TreeInput,
} from '../tree.ts';

export interface RpmOptions {
  /** The level of zstd. 12 makes 35 MB in 6 s; 19 saves 4 MB and takes ten times as long. */
  readonly compression?: number;
}

/** Makes a package for Red Hat and its like; returns its path below `out`. */
export async function buildRpm(
  architecture: Architecture,
  input: TreeInput,
  out: string,
  scratch: string,
  { compression = 12 }: RpmOptions = {},
): Promise<string> {
  const { project, epoch } = input;
  const top = join(scratch, `rpm-${architecture}`);
  await rm(top, { recursive: true, force: true });
  await mkdir(top, { recursive: true });
  const files = await packageTree(RED_HAT, input);
  const stage = join(top, 'stage');
  await writeTree(stage, files, epoch);
  const spec = join(top, `${project.name}.spec`);
  await writeFile(spec, specFile(project, epoch, files, stage));
  const settings = {
    _topdir: top,
    _rpmdir: join(top, 'made'),
    _build_id_links: 'none',
    // The executable is what it is: neither stripped nor taken apart.
    debug_package: '%{nil}',
    __os_install_post: '%{nil}',
    _binary_payload: `w${compression}.zstdio`,
    // The same bytes on each machine.
    _buildhost: 'reproducible',
    source_date_epoch_from_changelog: '0',
    use_source_date_epoch_as_buildtime: '1',
    clamp_mtime_to_source_date_epoch: '1',
  };
  const defines = Object.entries(settings).flatMap(([name, value]) => [
    '--define',
    `${name} ${value}`,
  ]);
  const target = ['--target', `${ARCHITECTURE_NAMES[architecture].rpm}-linux`];
  await run('rpmbuild', ['-bb', ...target, ...defines, spec], {
    env: { SOURCE_DATE_EPOCH: String(epoch) },
  });
  const [folder = ''] = await readdir(join(top, 'made'));
  const [name = ''] = await readdir(join(top, 'made', folder));
  const made = join(out, name);
  await copyFile(join(top, 'made', folder, name), made);
  await rm(top, { recursive: true });
  return made;
}

const RED_HAT: Layout = {
  flagsFile: '/etc/sysconfig/kvm-overcommit-exporter',
  zshFolder: '/usr/share/zsh/site-functions',
  docFolder: '/usr/share/doc/kvm-overcommit-exporter',
  changelog: ({ project }) => [
    file(`/usr/share/doc/${project.name}/CHANGELOG.md`, {
      copyOf: join(REPOSITORY, 'CHANGELOG.md'),
    }),
    file(`/usr/share/licenses/${project.name}/LICENSE`, { copyOf: join(REPOSITORY, 'LICENSE') }),
  ],
};

/**
 * Libraries are found by rpmbuild itself (`libatomic.so.1()(64bit)`), which each distribution's
 * packages provide under whatever name.
 */
function specFile(
  project: Project,
  epoch: number,
  files: readonly TreeFile[],
  stage: string,
): string {
  const { name, version, description, license, homepage, author } = project;
  const date = new Date(epoch * 1000)
    .toUTCString()
    .replace(/^(\w{3}), (\d{2}) (\w{3}) (\d{4}).*/, '$1 $3 $2 $4');
  const unit = `${name}.service`;
  return [
    `Name: ${name}`,
    `Version: ${version.replace('-', '~')}`,
    'Release: 1',
    `Summary: Prometheus exporter for over-committed KVM hosts`,
    `License: ${license}`,
    `URL: ${homepage}`,
    `Packager: ${author}`,
    'Requires(pre): shadow-utils',
    'Recommends: libvirt-daemon',
    '',
    '%description',
    `${description}.`,
    'It reads the read-only socket of libvirt, /proc and /sys, and changes nothing.',
    '',
    '%install',
    `cp -a ${stage}/. %{buildroot}/`,
    '',
    '%pre',
    `getent group ${SERVICE_USER} >/dev/null || groupadd -r ${SERVICE_USER}`,
    `getent passwd ${SERVICE_USER} >/dev/null || useradd -r -g ${SERVICE_USER} -d / -M \\`,
    `  -s /sbin/nologin -c 'Exporter for over-committed KVM hosts' ${SERVICE_USER}`,
    '',
    '%post',
    '# As systemd.macros(5) has it: once, and as the distribution presets it.',
    `if [ $1 -eq 1 ] && [ -x /usr/bin/systemctl ]; then systemctl --no-reload preset ${unit} || :; fi`,
    '',
    '%preun',
    'if [ $1 -eq 0 ] && [ -x /usr/bin/systemctl ]; then',
    '  if [ -d /run/systemd/system ]; then',
    `    systemctl --no-reload disable --now ${unit} || :`,
    '  else',
    `    systemctl --no-reload disable ${unit} || :`,
    '  fi',
    'fi',
    '',
    '%postun',
    'if [ -d /run/systemd/system ]; then',
    '  systemctl daemon-reload || :',
    `  if [ $1 -ge 1 ]; then systemctl try-restart ${unit} || :; fi`,
    'fi',
    '',
    '%files',
    ...ownFolders(name, files).map((folder) => `%dir %attr(0755, root, root) ${folder}`),
    ...files.map(({ path, mode, configuration }) => {
      const attributes = `%attr(0${mode.toString(8)}, root, root)`;
      const kind = configuration
        ? '%config(noreplace) '
        : path.startsWith('/usr/share/doc/')
          ? '%doc '
          : path.startsWith('/usr/share/licenses/')
            ? '%license '
            : '';
      return `${attributes} ${kind}${path}`;
    }),
    '',
    '%changelog',
    `* ${date} ${author} - ${version.replace('-', '~')}-1`,
    '- What has changed is in CHANGELOG.md.',
    '',
  ].join('\n');
}

/** Folders nobody else puts anything into: rpm leaves those behind that no package owns. */
function ownFolders(name: string, files: readonly TreeFile[]): readonly string[] {
  const folders = new Set<string>();
  for (const { path } of files) {
    for (let folder = dirname(path); folder !== '/'; folder = dirname(folder)) {
      if (folder.split('/').includes(name)) folders.add(folder);
    }
  }
  return [...folders].sort();
}
