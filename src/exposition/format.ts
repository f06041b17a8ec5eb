import { escapeHelpOpenMetrics, escapeHelpText004 } from './escape.ts';
import { openMetricsName, type Family } from './family.ts';

/** What differs between the two exposition formats: the lines about a family, and the end. */
type FormatName = 'text-0.0.4' | 'openmetrics-1.0.0';

export interface Format {
  readonly name: FormatName;
  /** The comment lines before the first sample of a family. */
  header(family: Family): string;
  /** What ends an exposition. */
  readonly end: string;
}

/** Text 0.0.4 knows no info type: an info is a gauge that is always 1. */
const TEXT_TYPE: Readonly<Record<Family['type'], string>> = {
  counter: 'counter',
  gauge: 'gauge',
  info: 'gauge',
  histogram: 'histogram',
  summary: 'summary',
  unknown: 'untyped',
};

/** Prometheus text format 0.0.4: `# HELP`, `# TYPE` under the full name. */
export const textFormat: Format = {
  name: 'text-0.0.4',
  header: (family) =>
    `# HELP ${family.name} ${escapeHelpText004(family.help)}\n` +
    `# TYPE ${family.name} ${TEXT_TYPE[family.type]}\n`,
  end: '',
};

/** OpenMetrics 1.0: `# TYPE`, `# UNIT`, `# HELP` under the bare name, `# EOF` at the end. */
export const openMetricsFormat: Format = {
  name: 'openmetrics-1.0.0',
  header: (family) => {
    const name = openMetricsName(family);
    const unit = family.unit === '' ? '' : `# UNIT ${name} ${family.unit}\n`;
    return (
      `# TYPE ${name} ${family.type}\n` +
      unit +
      `# HELP ${name} ${escapeHelpOpenMetrics(family.help)}\n`
    );
  },
  end: '# EOF\n',
};
