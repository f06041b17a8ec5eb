import { LIMITS, type LimitDeclaration } from '../../src/config/policy-defaults.ts';
import {
  INHERENT_LEVELS,
  RISK_LEVEL_MEANINGS,
  RISK_RESOURCES,
  RISK_SIGNALS,
  type RiskSignal,
} from '../../src/overcommit/risk-model.ts';

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
  const levels = Object.entries(RISK_LEVEL_MEANINGS).map(
    ([level, meaning]) => `| ${level} | ${meaning} |`,
  );
  const signals = RISK_RESOURCES.map((resource) =>
    [
      `### ${resource} (inherent level ${INHERENT_LEVELS[resource]})`,
      '',
      '| signal | value | recording rule | level 1 | level 2 | level 3 |',
      '|---|---|---|---|---|---|',
      ...RISK_SIGNALS.filter((signal) => signal.resource === resource).map(rowOf),
    ].join('\n'),
  );
  return [['| level | meaning |', '|---|---|', ...levels].join('\n'), ...signals].join('\n\n');
}

function rowOf({ id, meaning, record, threshold }: RiskSignal): string {
  const cells = ([1, 2, 3] as const).map((level) => {
    if (threshold.kind === 'definition') {
      return threshold.level === level ? `> ${threshold.above}, by definition` : '';
    }
    const declared = LIMITS.find(
      (one) => one.resource === threshold.resource && one.name === threshold.name,
    );
    const severities = (['warning', 'critical'] as const).filter(
      (severity) => threshold[severity] === level,
    );
    return severities.map((severity) => limitText(declared, severity)).join('; ');
  });
  return `| \`${id}\` | ${meaning} | \`${record}\` | ${cells.join(' | ')} |`;
}

function limitText(
  declared: LimitDeclaration | undefined,
  severity: 'warning' | 'critical',
): string {
  if (declared === undefined) throw new Error('a signal names a limit that does not exist');
  const operator = declared.bad === 'above' ? '>' : '<';
  const builtIn = declared[severity];
  const known = builtIn === undefined ? 'unset' : `${operator} ${builtIn}`;
  return `${severity} \`${declared.resource}.${declared.name}\` (${known})`;
}
