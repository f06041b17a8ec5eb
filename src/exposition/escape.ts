/**
 * Escaping and rendering of the pieces of an exposition line. Rules: Prometheus text format 0.0.4
 * ("Exposition formats", comments and escaping) and OpenMetrics 1.0 (ABNF `escaped-string`).
 */

/** Matches any surrogate, paired or not: without the `u` flag a regular expression sees halves. */
const NEEDS_CARE_IN_LABEL = /["\\\n\ud800-\udfff]/;

/**
 * A label value, escaped but not quoted. Both formats escape backslash, quote and newline alike.
 * A lone surrogate has no UTF-8 form and becomes U+FFFD, so that the output is always valid UTF-8.
 */
export function escapeLabelValue(value: string): string {
  if (!NEEDS_CARE_IN_LABEL.test(value)) return value;
  return value
    .toWellFormed()
    .replaceAll('\\', '\\\\')
    .replaceAll('"', '\\"')
    .replaceAll('\n', '\\n');
}

/** HELP text for format 0.0.4, which escapes backslash and newline but leaves quotes alone. */
export function escapeHelpText004(help: string): string {
  return help.toWellFormed().replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
}

/** HELP text for OpenMetrics 1.0, which escapes quotes as well. */
export function escapeHelpOpenMetrics(help: string): string {
  return escapeHelpText004(help).replaceAll('"', '\\"');
}

/**
 * A sample value. Integers read as bigint keep every digit (libvirt's nanosecond counters pass
 * 2^53 after 104 CPU days); numbers use JavaScript's shortest form that reads back as the same
 * double, which both formats accept.
 */
export function formatValue(value: number | bigint): string {
  if (typeof value === 'bigint' || Number.isFinite(value)) return String(value);
  if (Number.isNaN(value)) return 'NaN';
  return value > 0 ? '+Inf' : '-Inf';
}
