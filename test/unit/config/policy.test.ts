import { describe, expect, it } from 'vitest';

import { loadPolicy, parsePolicy } from '../../../src/config/policy-file.ts';
import { LIMITS } from '../../../src/config/policy-defaults.ts';
import { DEFAULT_POLICY, limitOf, selectsDomain, type Policy } from '../../../src/config/policy.ts';

function policyFrom(text: string): Policy {
  const result = parsePolicy(text, 'policy.yaml');
  if (!result.ok) throw new Error(result.errors.join('\n'));
  return result.policy;
}

function faultsIn(text: string): readonly string[] {
  const result = parsePolicy(text, 'policy.yaml');
  if (result.ok) throw new Error('it was accepted');
  return result.errors;
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
    expect(new Set(names).size).toBe(names.length);
  });

  it('survive being written into a policy file', () => {
    const yaml = LIMITS.map(
      ({ resource, name, warning, critical }) =>
        `${resource}: { ${name}: { warning: ${warning ?? 'null'}, critical: ${critical ?? 'null'} } }`,
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
    expect(limitOf(policy, 'cpu', 'promised_ratio')).toMatchObject({ warning: 6, critical: 10 });
    expect(policy.limits.filter((limit, index) => limit !== LIMITS[index])).toHaveLength(1);
  });

  it('switches an alert off with null', () => {
    const policy = policyFrom('memory: { oom_kills: { critical: null } }');
    expect(limitOf(policy, 'memory', 'oom_kills').critical).toBeUndefined();
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
    expect(limitOf(policy, 'memory', 'available_ratio')).toMatchObject({
      warning: 0.15,
      critical: 0.04,
    });
    expect(limitOf(policy, 'memory', 'swap_bytes_per_second')).toMatchObject({
      warning: 1_048_576,
      critical: 2_097_152,
    });
    expect(limitOf(policy, 'storage', 'fill_seconds')).toMatchObject({
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
      'policy.yaml:2: gpu: unknown key; allowed are cpu, memory, storage, network, exporter, reserves, supply, domains',
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
      'limits in the wrong order',
      'cpu:\n  promised_ratio: { warning: 12 }\n',
      'policy.yaml:2: cpu.promised_ratio: critical (10) must not be below warning (12)',
    ],
    [
      'limits in the wrong order where less is worse',
      'storage:\n  fill_seconds: { critical: 2d }\n',
      'policy.yaml:2: storage.fill_seconds: critical (172800) must not be above warning (86400)',
    ],
    [
      'a size that is none',
      'reserves:\n  memory: lots\n',
      'policy.yaml:2: reserves.memory: allowed is a size like 2GiB, 500MB or 1048576',
    ],
    [
      'all of the storage reserved',
      'reserves: { storage: 100% }',
      'policy.yaml:1: reserves.storage: allowed is a size like 20GiB or a part like 5%',
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
      'policy.yaml:1: the policy: allowed are the keys cpu, memory, storage, network, exporter, reserves, supply, domains',
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
      errors: [expect.stringMatching(/^\/nonexistent\/policy\.yaml: ENOENT/)],
    });
  });
});
