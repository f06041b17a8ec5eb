import { limitText } from '../../src/config/limit-text.ts';
import { LIMITS_BY_KEY, type LimitDeclaration } from '../../src/config/policy-defaults.ts';
import {
  INHERENT_LEVELS,
  RISK_LEVEL_ACTIONS,
  RISK_LEVEL_MEANINGS,
  RISK_LEVEL_NAMES,
  RISK_RESOURCES,
  RISK_SIGNALS,
  type RiskLevel,
  type RiskSignal,
} from '../../src/risk/risk-model.ts';

const BEGIN = '<!-- generated: begin -->';
const END = '<!-- generated: end -->';

/** The document with everything between its two marks made anew. */
export function withRiskTables(document: string): string {
  const begin = document.indexOf(BEGIN);
  const end = document.indexOf(END);
  if (begin < 0 || end < begin) throw new Error('docs/risk-model.md lacks its marks');
  return `${document.slice(0, begin + BEGIN.length)}\n\n${riskTables()}\n\n${document.slice(end)}`;
}

function riskTables(): string {
  const levels = RISK_LEVELS.map(
    (level) =>
      `| ${level} | ${RISK_LEVEL_NAMES[level]} | ${RISK_LEVEL_MEANINGS[level]} ` +
      `| ${RISK_LEVEL_ACTIONS[level]} |`,
  );
  const signals = RISK_RESOURCES.map((resource) =>
    [
      `### ${resource} (inherent level ${levelText(INHERENT_LEVELS[resource])})`,
      '',
      `| signal | value | recording rule | ${GIVEN_LEVELS.map(levelText).join(' | ')} |`,
      '|---|---|---|---|---|---|',
      ...RISK_SIGNALS.filter((signal) => signal.resource === resource).map(rowOf),
    ].join('\n'),
  );
  const unknown = [
    '### What takes Prometheus to know',
    '',
    'The page of the exporter cannot tell these, so it may show less:',
    '',
    '| signal | level 3 of `alert` | because it takes |',
    '|---|---|---|',
    ...RISK_SIGNALS.flatMap(({ id, threshold }) =>
      threshold.kind === 'loss' && threshold.takesPrometheus !== undefined
        ? [`| \`${id}\` | \`${threshold.alert}\` | ${threshold.takesPrometheus} |`]
        : [],
    ),
  ].join('\n');
  const header = ['| level | name | meaning | do |', '|---|---|---|---|'];
  return [[...header, ...levels].join('\n'), ...signals, unknown].join('\n\n');
}

const RISK_LEVELS: readonly RiskLevel[] = [0, 1, 2, 3];
/** Those a signal can give. */
const GIVEN_LEVELS = [1, 2, 3] as const;

function levelText(level: RiskLevel): string {
  return `${level} ${RISK_LEVEL_NAMES[level]}`;
}

function rowOf({ id, meaning, record, threshold }: RiskSignal): string {
  const cells = GIVEN_LEVELS.map((level) => {
    if (threshold.kind === 'loss') return level === 3 ? `\`${threshold.alert}\`` : '';
    if (threshold.kind === 'definition') {
      return threshold.level === level ? `> ${threshold.above}, by definition` : '';
    }
    const declared = LIMITS_BY_KEY[threshold.key];
    const severities = (['warning', 'critical'] as const).filter(
      (severity) => threshold[severity] === level,
    );
    return severities.map((severity) => namedLimit(declared, severity)).join('; ');
  });
  return `| \`${id}\` | ${meaning} | \`${record}\` | ${cells.join(' | ')} |`;
}

function namedLimit(declared: LimitDeclaration, severity: 'warning' | 'critical'): string {
  const operator = declared.bad === 'above' ? '>' : '<';
  const builtIn = declared[severity];
  const known = builtIn === undefined ? 'unset' : `${operator} ${limitText(declared, builtIn)}`;
  return `${severity} limit of \`${declared.resource}.${declared.name}\` (${known})`;
}
