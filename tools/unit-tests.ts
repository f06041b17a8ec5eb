/** How unit tests are run by `npm run check` and `npm test`. */

/** Arguments for vitest: a process has imported most of what the next file wants. */
export const SHARING_A_PROCESS: readonly string[] = ['--no-isolate'];

/**
 * Files that `npm run check` leaves to `npm test`, where each has a process of its own: they try thousands
 * of inputs, half of the time of all unit tests, or measure how long the event loop is held, in which
 * garbage of other files must not be collected.
 */
export const UNIT_TESTS_APART: readonly string[] = [
  'collect/damaged-files',
  'fuzz',
  'libvirt/flood',
  'sources/domain-xml/tenant-xml',
].map((name) => `test/unit/${name}.test.ts`);

/** Arguments for vitest that leave these files out. */
export function excluding(files: readonly string[]): readonly string[] {
  return files.map((file) => `--exclude=${file}`);
}
