import { chmod, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createHash } from 'node:crypto';
import { join } from 'node:path';

import { compareVersions, programNeeds } from '../elf.ts';
import { ARCHITECTURE_NAMES, REPOSITORY, type Architecture, type Project } from '../project.ts';
import { run } from '../run.ts';
import { SERVICE_USER } from '../text/unit.ts';
import {
  file,
  gzipped,
  packageTree,
  treeSize,
  writeTree,
  type Layout,
  type TreeInput,
} from '../tree.ts';
import { readFileSync } from 'node:fs';

export interface DebOptions {
  /** The level of xz. 2 makes 31 MB in 26 s; 6 saves 3 MB and takes three times as long. */
  readonly compression?: number;
}

/**
 * What the package depends on, with the newest symbols each of these versions is sure to have. From
 * Debian 10 and RHEL 8 on all are there.
 */
const LIBRARIES = [
  { package: 'libc6', since: '2.28', symbols: { GLIBC: '2.28' } },
  { package: 'libstdc++6', since: '7', symbols: { GLIBCXX: '3.4.22', CXXABI: '1.3.11' } },
  { package: 'libgcc-s1', since: '3.4', symbols: { GCC: '4.2.0' } },
  { package: 'libatomic1', since: '4.8', symbols: { LIBATOMIC: '1.0' } },
] as const;

/** Makes a package for Debian and its like; returns its path below `out`. */
export async function buildDeb(
  architecture: Architecture,
  input: TreeInput,
  out: string,
  scratch: string,
  { compression = 2 }: DebOptions = {},
): Promise<string> {
  const { project, epoch } = input;
  await checkNeeds(input.executable);
  const root = join(scratch, `deb-${architecture}`);
  await rm(root, { recursive: true, force: true });
  const files = await packageTree(DEBIAN, input);
  await writeTree(root, files, epoch);
  const control = join(root, 'DEBIAN');
  await mkdir(control);
  const write = async (name: string, text: string, mode = 0o644) => {
    await writeFile(join(control, name), text);
    await chmod(join(control, name), mode);
  };
  const kibibytes = Math.ceil((await treeSize(root, files)) / 1024);
  await write('control', controlFile(project, architecture, kibibytes));
  const configuration = files.filter((one) => one.configuration).map(({ path }) => `${path}\n`);
  await write('conffiles', configuration.join(''));
  const digests = await Promise.all(
    files
      .filter((one) => !one.configuration)
      .map(async ({ path }) => {
        const digest = createHash('md5').update(await readFile(join(root, path)));
        return `${digest.digest('hex')}  ${path.slice(1)}\n`;
      }),
  );
  await write('md5sums', digests.join(''));
  for (const [name, text] of Object.entries(SCRIPTS)) await write(name, text, 0o755);
  const debian = ARCHITECTURE_NAMES[architecture].debian;
  const target = join(out, `${project.name}_${debianVersion(project)}_${debian}.deb`);
  // More threads than one give other bytes than one, and how many there are depends on the machine.
  const form = ['-Zxz', `-z${compression}`, '--threads-max=1', '--root-owner-group'];
  await run('dpkg-deb', [...form, '--build', root, target], {
    env: { SOURCE_DATE_EPOCH: String(epoch) },
  });
  await rm(root, { recursive: true });
  return target;
}

/** `1.2.0~rc.1-1`: what comes before a release sorts before it. */
export function debianVersion({ version }: Project): string {
  return `${version.replace('-', '~')}-1`;
}

export function controlFile(
  project: Project,
  architecture: Architecture,
  installedKibibytes: number,
): string {
  const libraries = LIBRARIES.map(({ package: name, since }) => `${name} (>= ${since})`);
  return [
    `Package: ${project.name}`,
    `Version: ${debianVersion(project)}`,
    `Architecture: ${ARCHITECTURE_NAMES[architecture].debian}`,
    `Maintainer: ${project.author}`,
    `Installed-Size: ${installedKibibytes}`,
    'Pre-Depends: init-system-helpers (>= 1.54~)',
    `Depends: ${[...libraries, 'systemd | systemd-standalone-sysusers | systemd-sysusers'].join(', ')}`,
    'Suggests: libvirt-daemon-system, prometheus',
    'Section: net',
    'Priority: optional',
    `Homepage: ${project.homepage}`,
    'Description: Prometheus exporter for over-committed KVM hosts',
    ' Tells how far a hypervisor is over-committed in CPUs, memory, storage and',
    ' network, what happens when guests call the promise in all at once, which guest',
    ' causes contention and which one suffers.',
    ' .',
    ' It reads the read-only socket of libvirt, /proc and /sys, and changes nothing.',
    ' Rules for Prometheus, runbooks, and dashboards for Grafana are included.',
    '',
  ].join('\n');
}

const DEBIAN: Layout = {
  flagsFile: '/etc/default/kvm-overcommit-exporter',
  zshFolder: '/usr/share/zsh/vendor-completions',
  docFolder: '/usr/share/doc/kvm-overcommit-exporter',
  changelog: ({ project, epoch }) => {
    const folder = `/usr/share/doc/${project.name}`;
    const date = new Date(epoch * 1000).toUTCString().replace('GMT', '+0000');
    const entry = [
      `${project.name} (${debianVersion(project)}) stable; urgency=medium`,
      '',
      '  * What has changed is in changelog.gz.',
      '',
      ` -- ${project.author}  ${date}`,
      '',
    ].join('\n');
    return [
      file(`${folder}/changelog.Debian.gz`, gzipped(entry)),
      file(`${folder}/changelog.gz`, gzipped(readFileSync(join(REPOSITORY, 'CHANGELOG.md')))),
      file(`/usr/share/lintian/overrides/${project.name}`, LINTIAN),
    ];
  },
};

/** What lintian finds and we cannot change; each with its reason. */
const LINTIAN = [
  '# Node.js is distributed without position-independent code; this is its program.',
  'kvm-overcommit-exporter: hardening-no-pie *',
  "# Node.js brings its own copies of these; Debian's would be other versions.",
  'kvm-overcommit-exporter: embedded-library *',
  '',
].join('\n');

const UNIT = `${SERVICE_USER}.service`;

/** As debhelper would write them (dh_installsysusers, dh_installsystemd). */
const SCRIPTS: Readonly<Record<'postinst' | 'prerm' | 'postrm', string>> = {
  postinst: `#!/bin/sh
set -e
case "$1" in
  configure | abort-upgrade | abort-deconfigure | abort-remove)
    systemd-sysusers ${SERVICE_USER}.conf
    deb-systemd-helper unmask ${UNIT} >/dev/null || true
    if deb-systemd-helper --quiet was-enabled ${UNIT}; then
      # Enables it at the first installation, and leaves it disabled where somebody disabled it.
      deb-systemd-helper enable ${UNIT} >/dev/null || true
    else
      deb-systemd-helper update-state ${UNIT} >/dev/null || true
    fi
    if [ -d /run/systemd/system ]; then
      systemctl --system daemon-reload >/dev/null || true
      if [ -n "$2" ]; then
        deb-systemd-invoke restart ${UNIT} >/dev/null || true
      else
        deb-systemd-invoke start ${UNIT} >/dev/null || true
      fi
    fi
    ;;
esac
`,
  prerm: `#!/bin/sh
set -e
if [ "$1" = remove ] && [ -d /run/systemd/system ]; then
  deb-systemd-invoke stop ${UNIT} >/dev/null || true
fi
`,
  postrm: `#!/bin/sh
set -e
if [ "$1" = remove ] && [ -d /run/systemd/system ]; then
  systemctl --system daemon-reload >/dev/null || true
fi
if [ "$1" = purge ]; then
  if command -v deb-systemd-helper >/dev/null; then
    deb-systemd-helper purge ${UNIT} >/dev/null || true
  fi
  # It owns no file, so that nothing is left to be somebody else's.
  if command -v userdel >/dev/null && getent passwd ${SERVICE_USER} >/dev/null; then
    userdel ${SERVICE_USER}
  fi
  # What the administrator put there stays.
  if [ -d /etc/${SERVICE_USER} ]; then
    rmdir --ignore-fail-on-non-empty /etc/${SERVICE_USER}
  fi
fi
`,
};

/** @throws Error if the executable needs newer libraries than the package asks for. */
async function checkNeeds(executable: string): Promise<void> {
  const { versions } = await programNeeds(executable);
  const known: ReadonlyMap<string, string> = new Map(
    LIBRARIES.flatMap(({ symbols }) => Object.entries(symbols)),
  );
  for (const [set, version] of versions) {
    const promised = known.get(set);
    if (promised === undefined || compareVersions(promised, version) < 0) {
      throw new Error(`${executable} needs ${set}_${version}, which no dependency promises`);
    }
  }
}
