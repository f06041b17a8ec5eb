import {
  MappingType,
  SpecialValueMatch,
  ThresholdsMode,
  type ThresholdsConfig,
  type ValueMapping,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { UNKNOWN_LEVEL } from './risk-query.ts';

/** Neither good nor bad: nobody can see the host, or there is nothing to measure. */
const UNKNOWN = { text: 'unknown', color: '#8e8e8e' } as const;

/** The levels of `hostRisk` and `resourceRisk`: the one colour scale of all dashboards. */
const RISK_LEVELS = [
  { level: UNKNOWN_LEVEL, ...UNKNOWN },
  { level: 0, text: 'low', color: 'green' },
  { level: 1, text: 'medium', color: 'yellow' },
  { level: 2, text: 'high', color: 'orange' },
  { level: 3, text: 'critical', color: 'red' },
] as const;

export const GOOD = 'green';
/** What a warning looks like: alerts, limits, values past them. */
export const WARNING = 'orange';
export const CRITICAL = 'red';

/** What has no value is not known, and has no colour of good or bad. */
export const NO_VALUE: ValueMapping = {
  type: MappingType.SpecialValue,
  options: { match: SpecialValueMatch.NullAndNan, result: UNKNOWN },
};

export const RISK_MAPPINGS: ValueMapping[] = [
  {
    type: MappingType.ValueToText,
    options: Object.fromEntries(
      RISK_LEVELS.map(({ level, text, color }, index) => [String(level), { text, color, index }]),
    ),
  },
  NO_VALUE,
];

export const RISK_THRESHOLDS = steps(
  RISK_LEVELS.map(({ level, color }) => ({
    from: level === UNKNOWN_LEVEL ? null : level,
    color,
  })),
);

/** Good below the first limit, as most values are. */
export function worseAbove(warning: number, critical?: number): ThresholdsConfig {
  return steps([
    { from: null, color: GOOD },
    { from: warning, color: WARNING },
    ...(critical === undefined ? [] : [{ from: critical, color: CRITICAL }]),
  ]);
}

/** Good above the last limit: what should not run out. */
export function worseBelow(warning: number, critical: number): ThresholdsConfig {
  return steps([
    { from: null, color: CRITICAL },
    { from: critical, color: WARNING },
    { from: warning, color: GOOD },
  ]);
}

/** Any at all is bad. */
export const NONE_IS_GOOD = steps([
  { from: null, color: GOOD },
  { from: 1, color: CRITICAL },
]);

/** 1 for yes, which is how it should be. */
export const YES_IS_GOOD = steps([
  { from: null, color: CRITICAL },
  { from: 1, color: GOOD },
]);

/** For values that are neither good nor bad. */
export const NEUTRAL = steps([{ from: null, color: 'blue' }]);

function steps(all: readonly { from: number | null; color: string }[]): ThresholdsConfig {
  return {
    mode: ThresholdsMode.Absolute,
    steps: all.map(({ from, color }) => ({ value: from, color })),
  };
}
