/**
 * What a rule is before it becomes YAML. Rules are data so that a linter, a mutation tester and a
 * lab that runs faster than the clock can work on them.
 */
export type Severity = 'critical' | 'warning' | 'info';

export interface RecordingRule {
  /** `level:metric:operation`. */
  readonly record: string;
  readonly expr: string;
  /** Labels the rule adds. */
  readonly labels?: Readonly<Record<string, string>>;
}

/** Durations as Prometheus writes them, e.g. `10m`. */
export interface Timing {
  readonly for?: string;
  readonly keepFiringFor?: string;
}

/** One alert at one or two severities. */
export interface AlertDefinition {
  readonly name: string;
  /** The same for every alert of a notification, so without a template. */
  readonly summary: string;
  /** A template: which host and guest, how much, and who the candidates for mitigation are. */
  readonly description: string;
  readonly dashboard: DashboardLink;
  readonly at: Readonly<Partial<Record<Severity, Timing>>>;
  readonly expr: (severity: Severity) => string;
}

/** Uids of the dashboards in grafana/. */
export type DashboardUid =
  | 'kvm-fleet'
  | 'kvm-capacity'
  | 'kvm-host'
  | 'kvm-guest'
  | 'kvm-memory'
  | 'kvm-storage'
  | 'kvm-network';

/** A dashboard and the labels of the alert that become its variables. */
export interface DashboardLink {
  readonly uid: DashboardUid;
  readonly variables: readonly ('cluster' | 'job' | 'instance' | 'domain' | 'mountpoint')[];
}

/** An alert at one severity, complete. */
export interface AlertRule extends Timing {
  readonly alert: string;
  readonly expr: string;
  readonly labels: { readonly severity: Severity };
  readonly annotations: Annotations;
}

export interface Annotations {
  readonly summary: string;
  readonly description: string;
  readonly runbook_url: string;
  readonly dashboard_url: string;
}

export interface Subject {
  readonly name: string;
  readonly recording: readonly RecordingRule[];
  readonly alerts: readonly AlertDefinition[];
}

export interface RecordingGroup {
  readonly name: string;
  readonly rules: readonly RecordingRule[];
}

export interface AlertGroup {
  readonly name: string;
  readonly rules: readonly AlertRule[];
}

/**
 * A readable PromQL text: takes the common indentation of the template literal away. Interpolated
 * values are single-line.
 */
export function promql(strings: TemplateStringsArray, ...values: readonly string[]): string {
  return dedent(String.raw({ raw: strings }, ...values));
}

/** An expression to be put between brackets that stand on lines of their own. */
export function indented(expression: string): string {
  return expression.replaceAll(/^/gm, '  ');
}

/** One paragraph written over several lines; a template of Prometheus may be inside. */
export function prose(strings: TemplateStringsArray, ...values: readonly string[]): string {
  return String.raw({ raw: strings }, ...values)
    .replaceAll(/\s*\n\s*/g, ' ')
    .trim();
}

function dedent(text: string): string {
  const lines = text.replace(/^\n/, '').trimEnd().split('\n');
  const indents = lines
    .filter((line) => line.trim() !== '')
    .map((line) => line.length - line.trimStart().length);
  const common = Math.min(...indents);
  return lines.map((line) => line.slice(common).trimEnd()).join('\n');
}
