/** Commands before a command, that make it run with fewer rights than root's. */

const NOBODY = 65_534;

/** Another user, with these capabilities and no others. */
export function asNobodyWith(...capabilities: readonly string[]): readonly string[] {
  const kept = ['-all', ...capabilities.map((capability) => `+${capability}`)].join();
  return [
    'setpriv',
    `--reuid=${NOBODY}`,
    `--regid=${NOBODY}`,
    '--clear-groups',
    `--inh-caps=${kept}`,
    `--ambient-caps=${kept}`,
  ];
}
