import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { REPOSITORY } from '../project.ts';

/** The user of the service: owns nothing, and is nobody else's. */
export const SERVICE_USER = 'kvm-overcommit-exporter';

const EXAMPLE = join(REPOSITORY, 'examples/systemd/kvm-overcommit-exporter.service');

/**
 * The unit of a package: that of a checkout, with the user of the package and where the package puts
 * things. All its protections are the same.
 *
 * @param flagsFile where the flags are, `/etc/default/…` or `/etc/sysconfig/…`.
 * @throws Error if the unit of a checkout no longer has a line that is to be changed.
 */
export function unit(flagsFile: string): string {
  let text = readFileSync(EXAMPLE, 'utf8');
  const changes: readonly (readonly [from: string, to: string])[] = [
    ['# For a checkout in /opt/kvm-overcommit-exporter after `npm ci && npm run build`.\n', ''],
    [
      "# A user of its own that is nobody's; libvirt asks polkit about it and Debian's policy lets it read.\n" +
        'DynamicUser=yes\n',
      "# A user of its own that owns nothing; libvirt asks polkit about it and Debian's policy lets it read.\n" +
        `User=${SERVICE_USER}\nGroup=${SERVICE_USER}\n` +
        '# One heap of the C library instead of one per thread.\nEnvironment=MALLOC_ARENA_MAX=1\n',
    ],
    ['EnvironmentFile=-/etc/default/kvm-overcommit-exporter\n', `EnvironmentFile=-${flagsFile}\n`],
    [
      'ExecStart=/opt/kvm-overcommit-exporter/bin/kvm-overcommit-exporter $OPTIONS\n',
      'ExecStart=/usr/bin/kvm-overcommit-exporter $OPTIONS\n',
    ],
    [
      'needs User=root, DynamicUser=no and CAP_SYS_ADMIN',
      'needs User=root, Group=root and CAP_SYS_ADMIN',
    ],
  ];
  for (const [from, to] of changes) {
    if (text.split(from).length !== 2) throw new Error(`${EXAMPLE} no longer has: ${from}`);
    text = text.replace(from, () => to);
  }
  return text;
}

/** sysusers.d(5): made on installation, before the service starts. */
export function sysusers(): string {
  return `u ${SERVICE_USER} - "Exporter for over-committed KVM hosts" - -\n`;
}

/** The file of flags that the unit reads; a conffile. */
export function flagsFile(): string {
  return [
    '# Flags of the service; `man kvm-overcommit-exporter` lists them. After a change:',
    '#   systemctl restart kvm-overcommit-exporter',
    'OPTIONS="--policy.file=/etc/kvm-overcommit-exporter/policy.yaml"',
    '',
  ].join('\n');
}
