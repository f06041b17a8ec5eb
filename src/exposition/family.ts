/**
 * What a metric family is, declared once and shared by the writer, the catalogue and the docs.
 *
 * `stateset` of OpenMetrics is left out: it wants the state in a label named like the family
 * itself, which nobody queries that way; a gauge per state with a `state` label says the same.
 */
export type FamilyType = 'counter' | 'gauge' | 'info' | 'histogram' | 'summary' | 'unknown';

/** Base units of Prometheus (docs `practices/naming.md`); '' where the value is a plain number. */
export type FamilyUnit = 'seconds' | 'bytes' | 'ratio' | 'hertz' | 'volts' | 'celsius' | '';

export interface Family {
  /**
   * The name as PromQL sees it: counters with `_total`, infos with `_info`, histograms and
   * summaries without `_bucket`, `_sum`, `_count`.
   */
  readonly name: string;
  /** One sentence which says where the value comes from. */
  readonly help: string;
  readonly type: FamilyType;
  /** Must be the last word of the family name (before `_total`). */
  readonly unit: FamilyUnit;
  /** Label names in the order they are written; the same for every sample of the family. */
  readonly labels: readonly string[];
  /** Labels the administrator named may come behind them. */
  readonly ownLabels?: boolean | undefined;
}

/**
 * The name OpenMetrics puts into `# TYPE`, `# UNIT` and `# HELP`: without the suffix that the type
 * itself adds to the sample (OpenMetrics 1.0, "Suffixes").
 */
export function openMetricsName(family: Family): string {
  switch (family.type) {
    case 'counter':
      return family.name.slice(0, -'_total'.length);
    case 'info':
      return family.name.slice(0, -'_info'.length);
    case 'gauge':
    case 'histogram':
    case 'summary':
    case 'unknown':
      return family.name;
  }
}

const METRIC_NAME = /^[a-zA-Z_][a-zA-Z0-9_]*$/;
const LABEL_NAME = /^(?!__)[a-zA-Z_][a-zA-Z0-9_]*$/;
const SUFFIX_OF_ANOTHER_TYPE = /_(?:total|info|bucket|sum|count|created|gsum|gcount)$/;

/**
 * Everything wrong with a declaration under the rules of both formats and of
 * `promtool check metrics`; empty when it is sound. For tests of the catalogue and for strict
 * writers; colons are refused because they are kept for recording rules.
 */
export function findFamilyFaults(family: Family): readonly string[] {
  const faults: string[] = [];
  const { name, type, unit, help, labels } = family;
  if (!METRIC_NAME.test(name)) faults.push(`${name}: not a metric name`);
  if (help.trim() === '') faults.push(`${name}: no help`);
  if (type === 'counter' && !name.endsWith('_total')) {
    faults.push(`${name}: a counter ends in _total`);
  }
  if (type === 'info' && !name.endsWith('_info')) faults.push(`${name}: an info ends in _info`);
  const base = type === 'counter' || type === 'info' ? openMetricsName(family) : name;
  if (SUFFIX_OF_ANOTHER_TYPE.test(base)) {
    faults.push(`${name}: ends like a sample of another type`);
  }
  if (type === 'info' && unit !== '') faults.push(`${name}: an info has no unit`);
  if (unit !== '' && !base.endsWith(`_${unit}`)) {
    faults.push(`${name}: unit ${unit} is not the end of the name`);
  }
  for (const label of labels) {
    if (!LABEL_NAME.test(label)) faults.push(`${name}: ${label} is not a label name`);
  }
  if (new Set(labels).size !== labels.length) faults.push(`${name}: a label is named twice`);
  return faults;
}
