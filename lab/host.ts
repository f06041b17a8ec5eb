import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import { attempt, run, type CommandOptions, type CommandResult } from './command.ts';
import { cacheDirectory } from './guest-image.ts';
import { ensurePackages } from './packages.ts';
import { identify } from './process-identity.ts';

/** What a lab can be on: this machine's own Debian, or another one's programs on this kernel. */
export const HOST_NAMES = ['here', 'trixie'] as const;

export type HostName = (typeof HOST_NAMES)[number];

/** The Debian whose libvirtd, QEMU and tools a lab runs. */
export interface LabHost {
  readonly name: HostName;
  /** Its root directory; undefined: this machine's own. */
  readonly root: string | undefined;
}

/** The variable that says which; `npm run test:lab -- --host=NAME` sets it. */
export const HOST_VARIABLE = 'KVM_LAB_HOST';

/**
 * What is installed into a root made for a lab, besides what Debian calls essential: libvirt and QEMU
 * as on any host, and what runbooks have people look at a host with.
 */
const ROOT_PACKAGES = [
  'libvirt-daemon-system',
  'libvirt-clients',
  'qemu-system-x86',
  'qemu-utils',
  'iproute2',
  'mount',
  'procps',
  'curl',
  'lsof',
  'lvm2',
  'prometheus',
] as const;

/** The host asked for by the environment. @throws RangeError for one there is not. */
export function hostName(text = process.env[HOST_VARIABLE] ?? 'here'): HostName {
  const name = HOST_NAMES.find((one) => one === text);
  if (name === undefined) {
    throw new RangeError(`no host ${text} for the lab: it knows ${HOST_NAMES.join(', ')}`);
  }
  return name;
}

/**
 * The host asked for. The root of another Debian is made when it is not there yet (some minutes, half
 * a gigabyte) and kept in the cache between labs, which change nothing in it.
 *
 * @throws CommandError when mmdebstrap fails: no network, or no key of that release.
 */
export async function labHost(name = hostName()): Promise<LabHost> {
  return { name, root: name === 'here' ? undefined : await debianRoot(name) };
}

async function debianRoot(suite: string): Promise<string> {
  const packages = ROOT_PACKAGES.join();
  const list = createHash('sha256').update(packages).digest('hex').slice(0, 8);
  const cache = cacheDirectory();
  const root = join(cache, `${suite}-${list}`);
  if (existsSync(root)) return root;
  await ensurePackages(['mmdebstrap', 'debian-archive-keyring']);
  mkdirSync(cache, { recursive: true });
  removeUnfinished(cache);
  const unfinished = join(cache, `${UNFINISHED}${process.pid}`);
  try {
    // No apt in it and no recommendations. Its scripts run, since users and groups come from them.
    await run(
      'unshare',
      [
        // What is mounted in it meanwhile ends with it: removing it must never remove what is below.
        ...['--mount', '--propagation', 'private', 'mmdebstrap'],
        ...['--mode=root', '--variant=essential', `--include=${packages}`],
        ...['--dpkgopt=path-exclude=/usr/share/doc/*', '--dpkgopt=path-exclude=/usr/share/man/*'],
        ...['--quiet', suite, unfinished],
      ],
      { timeoutMs: 1_800_000 },
    );
    // Another lab may have been quicker.
    if (!existsSync(root)) renameSync(unfinished, root);
  } finally {
    rmSync(unfinished, { recursive: true, force: true });
  }
  return root;
}

/** Begins the name of a root that is being made; the process that makes it follows. */
const UNFINISHED = 'making-root-';

/** Removes what processes left that were killed while they made a root. */
function removeUnfinished(cache: string): void {
  for (const name of readdirSync(cache)) {
    const pid = name.startsWith(UNFINISHED) ? Number(name.slice(UNFINISHED.length)) : undefined;
    if (pid === undefined || identify(pid) !== undefined) continue;
    rmSync(join(cache, name), { recursive: true, force: true });
  }
}

/** Runs programs of a lab's host, which are those that belong to its libvirtd and QEMU. */
export interface HostPrograms {
  /** Runs one to its end, whatever its status. @throws Error when it cannot be started here. */
  attempt(
    command: string,
    args: readonly string[],
    options?: CommandOptions,
  ): Promise<CommandResult>;
  /** Returns what it printed. @throws CommandError when it fails. */
  run(command: string, args: readonly string[], options?: CommandOptions): Promise<string>;
}

/**
 * The programs of a host. Those of another Debian are in the lab's mount namespace, whose root is
 * theirs; they see the lab's files at the same paths.
 */
export function hostPrograms(host: LabHost, mountNamespace: string): HostPrograms {
  if (host.root === undefined) return { attempt, run };
  const enter = [`--mount=${mountNamespace}`];
  return {
    attempt: (command, args, options) => attempt('nsenter', [...enter, command, ...args], options),
    run: (command, args, options) => run('nsenter', [...enter, command, ...args], options),
  };
}
