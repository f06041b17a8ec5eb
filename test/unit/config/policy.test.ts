import { describe, expect, it } from 'vitest';

import { limitText } from '../../../src/config/limit-text.ts';
import { loadPolicy, parsePolicy } from '../../../src/config/policy-file.ts';
import { LIMITS, LIMITS_BY_KEY } from '../../../src/config/policy-defaults.ts';
import {
  DEFAULT_POLICY,
  findLimit,
  selectsDomain,
  type Limit,
  type Policy,
} from '../../../src/config/policy.ts';

const SIZE = 'allowed is a size with its unit (B, kB, MB, GB, TB, KiB, MiB, GiB, TiB) like 2GiB';
const STORAGE = `${SIZE.replace('2GiB', '20GiB')}, or a part below 100% like 5%`;

function policyFrom(text: string): Policy {
  const result = parsePolicy(text, 'policy.yaml');
  if (!result.ok) throw new Error(result.error.join('\n'));
  return result.value;
}

function faultsIn(text: string): readonly string[] {
  const result = parsePolicy(text, 'policy.yaml');
  if (result.ok) throw new Error('it was accepted');
  return result.error;
}

function written(limit: Limit, value: number | undefined): string {
  return value === undefined ? 'null' : limitText(limit, value);
}

describe('the built-in limits', () => {
  it('each have a meaning and a source and a name of their own', () => {
    for (const limit of LIMITS) {
      expect(limit.meaning, limit.name).toMatch(/\.$/);
      expect(limit.source, limit.name).not.toBe('');
      expect(limit.name).toMatch(/^[a-z][a-z0-9]*(_[a-z0-9]+)*$/);
      expect(limit.warning ?? limit.critical, limit.name).toBeDefined();
    }
    const names = LIMITS.map((limit) => `${limit.resource}.${limit.name}`);
    expect(Object.keys(LIMITS_BY_KEY)).toEqual(names);
  });

  it('survive being written into a policy file', () => {
    const yaml = LIMITS.map(
      (limit) =>
        `${limit.resource}: { ${limit.name}: { warning: ${written(limit, limit.warning)}, ` +
        `critical: ${written(limit, limit.critical)} } }`,
    );
    for (const line of yaml) expect(policyFrom(line).limits).toEqual(LIMITS);
  });

  it('name their unit at the end', () => {
    for (const { name, unit } of LIMITS) {
      if (unit === 'ratio' || unit === 'share') expect(name).toMatch(/_ratio$/);
      else if (unit !== 'count') expect(name.endsWith(`_${unit}`), name).toBe(true);
    }
  });

  it('are stricter at warning than at critical, and shares stay within 1', () => {
    for (const { name, bad, unit, warning, critical } of LIMITS) {
      if (warning !== undefined && critical !== undefined) {
        const ordered = bad === 'above' ? warning <= critical : warning >= critical;
        expect(ordered, name).toBe(true);
      }
      if (unit === 'share')
        expect(Math.max(warning ?? 0, critical ?? 0), name).toBeLessThanOrEqual(1);
    }
  });
});

describe('a policy file', () => {
  it.each(['', '# nothing\n', 'cpu:\n', '{}'])(
    'that says nothing (%j) leaves the defaults',
    (text) => {
      expect(policyFrom(text)).toEqual(DEFAULT_POLICY);
    },
  );

  it('changes what it names and nothing else', () => {
    const policy = policyFrom('cpu:\n  promised_ratio: { warning: 6 }\n');
    expect(findLimit(policy, 'cpu.promised_ratio')).toMatchObject({ warning: 6, critical: 10 });
    expect(policy.limits.filter((limit, index) => limit !== LIMITS[index])).toHaveLength(1);
  });

  it('switches an alert off with null', () => {
    const policy = policyFrom('memory: { oom_kills: { critical: null } }');
    expect(findLimit(policy, 'memory.oom_kills').critical).toBeUndefined();
  });

  it('reads percentages, durations and sizes', () => {
    const policy = policyFrom(
      [
        'memory:',
        '  available_ratio: { warning: 15%, critical: 4% }',
        '  swap_bytes_per_second: { warning: 1MiB, critical: 2MiB }',
        'storage:',
        '  fill_seconds: { warning: 2d, critical: 6h }',
        'reserves: { memory: 2GiB, cpus: 2, storage: 5% }',
      ].join('\n'),
    );
    expect(findLimit(policy, 'memory.available_ratio')).toMatchObject({
      warning: 0.15,
      critical: 0.04,
    });
    expect(findLimit(policy, 'memory.swap_bytes_per_second')).toMatchObject({
      warning: 1_048_576,
      critical: 2_097_152,
    });
    expect(findLimit(policy, 'storage.fill_seconds')).toMatchObject({
      warning: 172_800,
      critical: 21_600,
    });
    expect(policy.reserves).toEqual({
      memoryBytes: 2_147_483_648,
      cpus: 2,
      storage: { ratio: 0.05 },
    });
  });

  it('reads a reserve of storage in bytes', () => {
    expect(policyFrom('reserves: { storage: 20GiB }').reserves.storage).toEqual({
      bytes: 21_474_836_480,
    });
  });

  it('reads a reserve of nothing without a unit', () => {
    expect(policyFrom('reserves: { memory: 0, cpus: 0, storage: 0 }').reserves).toEqual({
      memoryBytes: 0,
      cpus: 0,
      storage: { bytes: 0 },
    });
  });

  it('may raise a warning limit above the built-in critical one when it says so', () => {
    const both = policyFrom('cpu: { promised_ratio: { warning: 12, critical: 20 } }');
    expect(findLimit(both, 'cpu.promised_ratio')).toMatchObject({ warning: 12, critical: 20 });
    const none = policyFrom('cpu: { promised_ratio: { warning: 12, critical: null } }');
    expect(findLimit(none, 'cpu.promised_ratio')).toMatchObject({
      warning: 12,
      critical: undefined,
    });
  });

  it('counts the ZFS cache as supply only when told to', () => {
    expect(DEFAULT_POLICY.supply.zfsArc).toBe(false);
    expect(policyFrom('reserves: { cpus: 2 }').supply.zfsArc).toBe(false);
    expect(policyFrom('supply: { zfs_arc: true }').supply.zfsArc).toBe(true);
  });

  it('selects domains by whole names', () => {
    const { domains } = policyFrom('domains: { include: ["web-.*", db], exclude: [web-test] }');
    const selected = ['web-1', 'web-test', 'db', 'db2', 'mail', 'my-web-1'].filter((name) =>
      selectsDomain(domains, name),
    );
    expect(selected).toEqual(['web-1', 'db']);
    expect(selectsDomain(DEFAULT_POLICY.domains, 'anything')).toBe(true);
  });
});

describe('a broken policy file', () => {
  it.each<[string, string, string]>([
    [
      'an unknown section',
      'cpu: {}\ngpu: {}\n',
      'policy.yaml:2: gpu: unknown key; allowed are cpu, memory, storage, network, exporter, reserves, supply, domains, maintenance',
    ],
    [
      'an unknown limit',
      'network:\n  # comment\n  promise: 3\n',
      'policy.yaml:3: network.promise: unknown key; allowed are promised_ratio, guaranteed_ratio, ' +
        'utilisation_ratio, drop_ratio, error_ratio, unfair_share_ratio',
    ],
    [
      'an unknown severity',
      'cpu:\n  promised_ratio:\n    warning: 3\n    panic: 9\n',
      'policy.yaml:4: cpu.promised_ratio.panic: unknown key; allowed are warning, critical',
    ],
    [
      'a number where severities belong',
      'cpu:\n  promised_ratio: 3\n',
      'policy.yaml:2: cpu.promised_ratio: allowed are the keys warning, critical',
    ],
    [
      'a word for a number',
      'cpu:\n  promised_ratio:\n    warning: much\n',
      'policy.yaml:3: cpu.promised_ratio.warning: allowed is a ratio like 1.5 or 5%',
    ],
    [
      'a negative number',
      'cpu: { promised_ratio: { warning: -1 } }',
      'policy.yaml:1: cpu.promised_ratio.warning: allowed is a ratio like 1.5 or 5%',
    ],
    [
      'a share above 1, where percent were meant',
      'memory: { available_ratio: { warning: 20 } }',
      'policy.yaml:1: memory.available_ratio.warning: allowed is a part of the whole like 0.2 or 20%',
    ],
    [
      'a list where a value belongs',
      'storage: { fill_seconds: { warning: [1] } }',
      'policy.yaml:1: storage.fill_seconds.warning: allowed is a duration like 24h, 90s or 90',
    ],
    [
      'a warning limit above the built-in critical one',
      'cpu:\n  promised_ratio: { warning: 12 }\n',
      'policy.yaml:2: cpu.promised_ratio: the warning limit 12 is above the built-in critical limit ' +
        '10: set critical as well, or to null for no critical alert',
    ],
    [
      'a warning limit in bytes above the built-in critical one',
      'memory:\n  swap_bytes_per_second: { warning: 2MiB }\n',
      'policy.yaml:2: memory.swap_bytes_per_second: the warning limit 2MiB is above the built-in ' +
        'critical limit 800KiB: set critical as well, or to null for no critical alert',
    ],
    [
      'a critical limit above the built-in warning one, where less is worse',
      'storage:\n  fill_seconds: { critical: 2d }\n',
      'policy.yaml:2: storage.fill_seconds: the critical limit 48h is above the built-in warning ' +
        'limit 24h: set warning as well, or to null for no warning',
    ],
    [
      'both limits in the wrong order',
      'memory:\n  available_ratio: { warning: 5%, critical: 10% }\n',
      'policy.yaml:2: memory.available_ratio: the critical limit 10% is above the warning limit ' +
        '5%: a critical limit must not be the stricter one',
    ],
    [
      'a size that is none',
      'reserves:\n  memory: lots\n',
      `policy.yaml:2: reserves.memory: ${SIZE}`,
    ],
    ['a size without unit', 'reserves: { memory: 4 }', `policy.yaml:1: reserves.memory: ${SIZE}`],
    [
      'a percentage of memory',
      'reserves: { memory: 5% }',
      `policy.yaml:1: reserves.memory: ${SIZE}`,
    ],
    [
      'a percentage of CPUs',
      'reserves: { cpus: 5% }',
      'policy.yaml:1: reserves.cpus: allowed is a number from 0',
    ],
    [
      'a limit in bytes without unit',
      'memory: { guest_swap_bytes_per_second: { warning: 5 } }',
      'policy.yaml:1: memory.guest_swap_bytes_per_second.warning: allowed is a size with its unit ' +
        '(B, kB, MB, GB, TB, KiB, MiB, GiB, TiB) per second like 800KiB',
    ],
    [
      'a reserve of storage without unit',
      'reserves:\n  storage: 5\n',
      `policy.yaml:2: reserves.storage: ${STORAGE}`,
    ],
    [
      'a reserve of storage that is text without unit',
      'reserves: { storage: "20" }',
      `policy.yaml:1: reserves.storage: ${STORAGE}`,
    ],
    [
      'all of the storage reserved',
      'reserves: { storage: 100% }',
      `policy.yaml:1: reserves.storage: ${STORAGE}`,
    ],
    [
      'an expression that does not compile',
      'domains:\n  include:\n    - ok\n    - "(open"\n',
      'policy.yaml:4: domains.include.1: not a regular expression: (open',
    ],
    [
      'a single expression instead of a list',
      'domains: { exclude: web }',
      'policy.yaml:1: domains.exclude: allowed is a list of regular expressions',
    ],
    [
      'a word where yes or no is asked',
      'supply: { zfs_arc: evictable }',
      'policy.yaml:1: supply.zfs_arc: allowed are true and false',
    ],
    [
      'an unknown kind of supply',
      'supply: { arc: true }',
      'policy.yaml:1: supply.arc: unknown key; allowed are zfs_arc',
    ],
    [
      'a list at the top',
      '- 1\n',
      'policy.yaml:1: the policy: allowed are the keys cpu, memory, storage, network, exporter, reserves, supply, domains, maintenance',
    ],
    ['a key given twice', 'cpu: {}\ncpu: {}\n', 'policy.yaml:2: Map keys must be unique'],
  ])('says where and what is wrong with %s', (_, text, fault) => {
    expect(faultsIn(text)).toEqual([fault]);
  });

  it('names the line of bad syntax', () => {
    expect(faultsIn('cpu:\n  promised_ratio: { warning: 3\nmemory: {}\n')[0]).toMatch(
      /^policy\.yaml:\d: [^\n]+$/,
    );
  });

  it('names every fault, each in one line', () => {
    const faults = faultsIn('a: 1\nb: 2\ncpu: { promised_ratio: { warning: x } }\n');
    expect(faults).toHaveLength(3);
    for (const fault of faults) expect(fault).not.toContain('\n');
  });

  it('is refused when its aliases multiply, without growing', () => {
    let text = 'a: &a [x, x, x, x, x, x, x, x, x, x]\n';
    for (const [from, to] of ['ab', 'bc', 'cd', 'de', 'ef', 'fg']) {
      text += `${to}: &${to} [${Array.from({ length: 10 }, () => `*${from}`).join(', ')}]\n`;
    }
    expect(faultsIn(text)[0]).toMatch(/alias/i);
  });

  it('that cannot be read is a fault, not an exception', async () => {
    const result = await loadPolicy('/nonexistent/policy.yaml');
    expect(result).toEqual({
      ok: false,
      error: ['/nonexistent/policy.yaml: ENOENT: no such file or directory'],
    });
    expect(await loadPolicy('/proc/self')).toEqual({
      ok: false,
      error: ['/proc/self: EISDIR: illegal operation on a directory'],
    });
  });
});
