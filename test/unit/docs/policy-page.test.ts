import { describe, expect, it } from 'vitest';

import { policyPage } from '../../../docs/policy-page.ts';
import { LIMITS, RESOURCES } from '../../../src/config/policy-defaults.ts';
import { parsePolicy } from '../../../src/config/policy-file.ts';

describe('the policy page', () => {
  it('shows an example the exporter accepts', () => {
    const [, example = ''] = /```yaml\n([^`]+)```/.exec(policyPage()) ?? [];
    expect(example).toContain('qcow2_size_ratio: { warning: null }');
    expect(parsePolicy(example, 'policy.yaml')).toMatchObject({ ok: true });
  });

  it('names every limit once', () => {
    const rows = policyPage().match(/^\| `[a-z0-9_]+` \|/gm) ?? [];
    expect(rows).toHaveLength(LIMITS.length);
  });

  it('has every key a policy file may have', () => {
    for (const section of [...RESOURCES, 'reserves', 'domains', 'supply']) {
      expect(policyPage()).toContain(`\n## ${section}\n`);
    }
    for (const key of ['memory', 'cpus', 'storage', 'include', 'exclude', 'zfs_arc']) {
      expect(policyPage()).toMatch(new RegExp(`\`(?:supply: \\{ )?${key}\\b`));
    }
  });
});
