import { DEFAULT_POLICY } from '../../src/config/policy.ts';
import {
  LIMITS,
  RESOURCES,
  type LimitDeclaration,
  type LimitUnit,
} from '../../src/config/policy-defaults.ts';

/**
 * A policy file that changes nothing: every key there is, with its built-in value, behind `#`. Taking
 * the marks away is how it is meant to be edited.
 */
export function policyExample(): string {
  const { reserves, supply } = DEFAULT_POLICY;
  return [
    '# Limits and reserves of this host, published as kvm_policy_*; the alert rules compare with',
    '# them. What is not set here keeps the built-in value that is shown. Take away the "#" of a line',
    '# and of the section above it; null in place of a value switches that severity off. Then run',
    '# systemctl reload kvm-overcommit-exporter',
    '# A fault is refused with file, line and reason, and the policy before it stays in force.',
    '',
    '# What of the host is not for guests.',
    '#reserves:',
    `#  memory: ${reserves.memoryBytes / 2 ** 20}MiB`,
    `#  cpus: ${reserves.cpus}`,
    '#  storage: 0  # a size like 20GiB or a part of each filesystem like 5%',
    '',
    '# What counts as supply in the worst case, beyond what certainly is.',
    '#supply:',
    `#  zfs_arc: ${supply.zfsArc}`,
    '',
    '# Which guests are reported: regular expressions for the whole name; no include means all.',
    '#domains:',
    '#  include: []',
    '#  exclude: []',
    ...RESOURCES.flatMap((resource) => [
      '',
      `#${resource}:`,
      ...LIMITS.filter((limit) => limit.resource === resource).flatMap((limit) => [
        `#  # ${limit.meaning} The ${limit.bad === 'above' ? 'more' : 'less'}, the worse.`,
        `#  ${limit.name}: { warning: ${value(limit, limit.warning)}, critical: ${value(limit, limit.critical)} }`,
      ]),
    ]),
    '',
  ].join('\n');
}

const SUFFIXES: Readonly<Record<LimitUnit, (value: number) => string>> = {
  share: (value) => `${Number((value * 100).toPrecision(6))}%`,
  ratio: String,
  seconds: (value) => (value % 3600 === 0 ? `${value / 3600}h` : `${value}s`),
  bytes: (value) => (value % 1024 === 0 ? `${value / 1024}KiB` : String(value)),
  bytes_per_second: (value) => (value % 1024 === 0 ? `${value / 1024}KiB` : String(value)),
  per_second: String,
  count: String,
};

function value({ unit }: LimitDeclaration, amount: number | undefined): string {
  return amount === undefined ? 'null' : SUFFIXES[unit](amount);
}
