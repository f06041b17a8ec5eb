import { existsSync, rmSync, writeFileSync } from 'node:fs';

import { attempt, run } from './command.ts';

/** What a lab needs from Debian besides Node. */
export const LAB_PACKAGES = [
  'libvirt-daemon-system',
  'libvirt-clients',
  'qemu-system-x86',
  'qemu-utils',
  'busybox-static',
  'iproute2',
  'mount',
  'kmod',
] as const;

const NON_INTERACTIVE = { DEBIAN_FRONTEND: 'noninteractive' };
const START_POLICY = '/usr/sbin/policy-rc.d';

/**
 * Installs the Debian packages that are not there yet. No service of a newly installed package is
 * started: a lab brings its own daemons, and must not leave the system's running behind it.
 *
 * @throws CommandError when apt cannot install them (not root, no network, not Debian).
 */
export async function ensurePackages(names: readonly string[]): Promise<void> {
  const missing: string[] = [];
  for (const name of names) {
    if (!(await isInstalled(name))) missing.push(name);
  }
  if (missing.length === 0) return;

  const ourPolicy = !existsSync(START_POLICY);
  // Exit 101 from policy-rc.d means "may not be started" (invoke-rc.d(8)).
  if (ourPolicy) writeFileSync(START_POLICY, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    const install = ['install', '-y', '--no-install-recommends', ...missing];
    const options = { env: NON_INTERACTIVE, timeoutMs: 900_000 };
    if ((await attempt('apt-get', install, options)).status === 0) return;
    await updatePackageLists();
    await run('apt-get', install, options);
  } finally {
    if (ourPolicy) rmSync(START_POLICY, { force: true });
  }
}

/** Refreshes apt's package lists: a machine made from an image often has none or old ones. */
export async function updatePackageLists(): Promise<void> {
  await run('apt-get', ['update'], { env: NON_INTERACTIVE, timeoutMs: 300_000 });
}

async function isInstalled(name: string): Promise<boolean> {
  const answer = await attempt('dpkg-query', ['-W', '-f', '${db:Status-Status}', name]);
  return answer.status === 0 && answer.stdout === 'installed';
}
