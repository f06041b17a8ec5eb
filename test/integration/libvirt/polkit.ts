import { join } from 'node:path';

/**
 * Shell lines for a private daemon's namespaces: a system bus and polkitd of its own, with the
 * policies that Debian's packages installed.
 */

/** The system bus, and nothing that would start polkitd on demand. */
export const SYSTEM_BUS: readonly string[] = [
  'mount -t tmpfs none /usr/share/dbus-1/system-services',
  'mkdir -p /run/dbus',
  'dbus-daemon --system --nofork --nopidfile >&2 & services="$services $!"',
  'until [ -S /run/dbus/system_bus_socket ]; do sleep 0.05; done',
];

/** polkitd on that bus, with this rule of an administrator, if any. */
export function polkitd(rule?: string): readonly string[] {
  const rules = '/etc/polkit-1/rules.d';
  const hasOwner =
    'dbus-send --system --print-reply --dest=org.freedesktop.DBus / ' +
    'org.freedesktop.DBus.NameHasOwner string:org.freedesktop.PolicyKit1';
  return [
    `mount -t tmpfs -o mode=755 none ${rules}`,
    ...(rule === undefined ? [] : [`echo '${rule}' > ${join(rules, '10-test.rules')}`]),
    '/usr/lib/polkit-1/polkitd --no-debug >&2 & services="$services $!"',
    `until ${hasOwner} | grep -q "boolean true"; do sleep 0.05; done`,
  ];
}
