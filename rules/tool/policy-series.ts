import { DEFAULT_POLICY } from '../../src/config/policy.ts';
import type { RuleTest } from './test-file.ts';

/**
 * The limits of the built-in policy, as an exporter publishes them.
 *
 * @param target the labels of the target.
 * @param samples how many after the first.
 */
export function policySeries(
  target: Readonly<Record<string, string>>,
  samples: number,
): RuleTest['input_series'] {
  return DEFAULT_POLICY.limits.flatMap(({ resource, name, ...limit }) =>
    (['warning', 'critical'] as const).flatMap((severity) => {
      const value = limit[severity];
      if (value === undefined) return [];
      const labels = Object.entries({ ...target, severity }).map(
        ([label, one]) => `${label}="${one}"`,
      );
      return [
        {
          series: `kvm_policy_${resource}_${name}{${labels.join(',')}}`,
          values: `${value}+0x${samples}`,
        },
      ];
    }),
  );
}
