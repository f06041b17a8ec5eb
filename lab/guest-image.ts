import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';

import { run } from './command.ts';
import { cpioArchive, type ArchiveEntry } from './cpio.ts';
import { updatePackageLists } from './packages.ts';

/** What a guest boots: Debian's cloud kernel and an initramfs of busybox, drivers and our init. */
export interface GuestImage {
  readonly kernel: string;
  readonly initrd: string;
}

/** What goes into an initramfs beside busybox. */
interface GuestRecipe {
  /** Kernel modules; what these depend on is taken from modules.dep. */
  readonly drivers: readonly string[];
  /** Script that runs as process 1; finds the modules to load listed in /modules/order. */
  readonly init: URL;
}

const USUAL_RECIPE: GuestRecipe = {
  drivers: ['virtio_pci', 'virtio_blk', 'virtio_net', 'virtio_balloon', 'virtio_scsi'],
  init: new URL('guest-init.sh', import.meta.url),
};
const BUSYBOX = '/bin/busybox';
const KERNEL_PACKAGE = 'linux-image-cloud-amd64';

/** Where downloads and built images are kept between labs. */
export function cacheDirectory(): string {
  return join(process.env['XDG_CACHE_HOME'] ?? '/var/cache', 'kvm-overcommit-lab');
}

/**
 * Builds the guest image, or takes it from the cache when kernel, busybox and init are unchanged.
 * The kernel package is unpacked into the cache, never installed: its hooks would rebuild the
 * host's own initramfs and boot menu.
 */
export async function guestImage(recipe = USUAL_RECIPE): Promise<GuestImage> {
  const cache = cacheDirectory();
  mkdirSync(cache, { recursive: true });
  const tree = await kernelTree(cache);
  const applets = (await run(BUSYBOX, ['--list'])).trim().split('\n');
  const initrd = initramfs(tree.modules, applets, recipe);
  const name = createHash('sha256').update(initrd).digest('hex').slice(0, 16);
  const path = join(cache, `initrd-${name}.img`);
  if (!existsSync(path)) {
    writeFileSync(`${path}.${process.pid}`, initrd);
    renameSync(`${path}.${process.pid}`, path);
  }
  return { kernel: tree.kernel, initrd: path };
}

interface KernelTree {
  readonly kernel: string;
  /** `lib/modules/<version>` of the unpacked package. */
  readonly modules: string;
}

async function kernelTree(cache: string): Promise<KernelTree> {
  const tree = join(cache, 'kernel');
  if (!existsSync(tree)) await downloadKernel(cache, tree);
  const version = readdirSync(join(tree, 'lib/modules'))[0];
  if (version === undefined) throw new Error(`no kernel modules under ${tree}`);
  return {
    kernel: join(tree, 'boot', `vmlinuz-${version}`),
    modules: join(tree, 'lib/modules', version),
  };
}

async function downloadKernel(cache: string, tree: string): Promise<void> {
  const work = mkdtempSync(join(cache, 'download-'));
  try {
    const packageName = await versionedKernelPackage();
    // apt-get download writes to its working directory and offers no option for another one.
    const download = ['-c', 'cd "$0" && apt-get download "$1"', work, packageName];
    await run('sh', download, { timeoutMs: 600_000 });
    const archive = readdirSync(work).find((name) => name.endsWith('.deb'));
    if (archive === undefined) throw new Error(`apt-get download ${packageName} left no file`);
    const unpacked = join(work, 'unpacked');
    await run('dpkg-deb', ['-x', join(work, archive), unpacked]);
    await run('depmod', ['-b', unpacked, packageName.replace('linux-image-', '')]);
    if (!existsSync(tree)) renameSync(unpacked, tree);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** The package that holds the files: the one named without a version only depends on it. */
async function versionedKernelPackage(): Promise<string> {
  for (const attemptNumber of [1, 2]) {
    const answer = await run('apt-cache', ['depends', KERNEL_PACKAGE]).catch(() => '');
    const name = /Depends: (linux-image-\S+)/.exec(answer)?.[1];
    if (name !== undefined) return name;
    if (attemptNumber === 1) await updatePackageLists();
  }
  throw new Error(`apt knows no ${KERNEL_PACKAGE}`);
}

function initramfs(modules: string, applets: readonly string[], recipe: GuestRecipe): Buffer {
  const order = loadOrder(readFileSync(join(modules, 'modules.dep'), 'utf8'), recipe.drivers);
  const entries: ArchiveEntry[] = [
    ...['bin', 'dev', 'proc', 'sys', 'mem', 'run', 'modules'].map(
      (path) => ({ kind: 'directory', path }) as const,
    ),
    // Before devtmpfs is mounted init needs a console to write to.
    { kind: 'device', path: 'dev/console', major: 5, minor: 1 },
    executable('bin/busybox', readFileSync(BUSYBOX)),
    ...applets
      .filter((name) => name !== 'busybox')
      .map((name) => ({ kind: 'link', path: `bin/${name}`, target: 'busybox' }) as const),
    executable('init', readFileSync(recipe.init)),
    plain('modules/order', Buffer.from(order.map((path) => `${moduleName(path)}\n`).join(''))),
    ...order.map((path) =>
      plain(`modules/${moduleName(path)}.ko`, readFileSync(join(modules, path))),
    ),
  ];
  return cpioArchive(entries);
}

/**
 * The modules to load so that all drivers work, each after what it depends on (virtio_ring before
 * virtio before virtio_pci). modules.dep lists for each module all it depends on, the deepest last.
 */
function loadOrder(modulesDep: string, drivers: readonly string[]): readonly string[] {
  const dependencies = new Map<string, readonly string[]>();
  for (const line of modulesDep.split('\n')) {
    const [path, needs] = line.split(':');
    if (path === undefined || needs === undefined) continue;
    dependencies.set(path, needs.trim() === '' ? [] : needs.trim().split(/\s+/));
  }
  const order: string[] = [];
  for (const driver of drivers) {
    const path = [...dependencies.keys()].find((candidate) => moduleName(candidate) === driver);
    if (path === undefined) throw new Error(`the guest kernel has no module ${driver}`);
    for (const needed of [...(dependencies.get(path) ?? []).toReversed(), path]) {
      if (!order.includes(needed)) order.push(needed);
    }
  }
  return order;
}

function moduleName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1).replace(/\.ko.*$/, '');
}

function executable(path: string, content: Buffer): ArchiveEntry {
  return { kind: 'file', path, content, executable: true };
}

function plain(path: string, content: Buffer): ArchiveEntry {
  return { kind: 'file', path, content, executable: false };
}
