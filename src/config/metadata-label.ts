/** An element or attribute of guests' metadata, and the label it becomes. */
export interface MetadataLabelFlag {
  readonly label: string;
  /** `<namespace>/<element>/…`, at the end perhaps `@<attribute>`. */
  readonly path: string;
}

/** Labels that kvm_domain_owner_info has, and those Prometheus and the rules add to every series. */
const TAKEN: ReadonlySet<string> = new Set([
  ...['domain', 'manager', 'tenant', 'project', 'user', 'flavor', 'image', 'namespace'],
  ...['cluster', 'job', 'instance'],
]);

/** Each is one more label on one series of each guest. */
const MOST = 16;
const LONGEST_LABEL = 64;
const LONGEST_PATH = 512;

/** Names of XML elements, as far as anybody writes them; `@` before the last one. */
const PATH = /^[^\s/@][^\s@]*?(?:\/[\p{L}_][\p{L}\p{N}_.-]*)+(?:\/@[\p{L}_][\p{L}\p{N}_.:-]*)?$/u;

/**
 * Reads `<namespace>/<path>=<label>`, e.g. `http://example.com/ns/1.0/owner/team=team`.
 *
 * @param before those already given: no label may come twice.
 * @returns what is wrong with it, where something is.
 */
export function parseMetadataLabel(
  text: string,
  before: readonly MetadataLabelFlag[],
): MetadataLabelFlag | string {
  const at = text.lastIndexOf('=');
  const path = text.slice(0, Math.max(at, 0));
  const label = text.slice(at + 1);
  if (at === -1 || path.length > LONGEST_PATH || !PATH.test(path)) {
    return 'Allowed is <namespace>/<element>=<label>: http://example.com/ns/1.0/owner/team=team.';
  }
  if (!/^[a-zA-Z_]\w*$/.test(label) || label.startsWith('__') || label.length > LONGEST_LABEL) {
    return 'After the last = comes the name of a label: letters, digits and _, not __ at its start.';
  }
  if (TAKEN.has(label)) return `The label ${label} is taken: choose another one.`;
  if (before.some((other) => other.label === label)) return `The label ${label} is given twice.`;
  if (before.length >= MOST) return `No more than ${MOST} labels.`;
  return { label, path };
}
