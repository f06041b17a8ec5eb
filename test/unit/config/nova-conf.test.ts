import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

import { parseNovaConf } from '../../../src/config/nova-conf.ts';
import { parseFlags } from '../../../src/config/flags.ts';
import { DEFAULT_POLICY, findLimit } from '../../../src/config/policy.ts';
import { PolicyStore } from '../../../src/config/policy-store.ts';

const GIB = 2 ** 30;
const SECRET = 'hunter2';

/** As a compute node has it; most of it is none of our business. */
const NOVA_CONF = `# Managed by a tool.
[DEFAULT]
transport_url = rabbit://nova:${SECRET}@controller
cpu_allocation_ratio = 16.0
ram_allocation_ratio=1.5
#disk_allocation_ratio = 9
reserved_host_memory_mb = 4096
reserved_host_disk_mb: 2048
enabled_apis = osapi_compute,
  metadata

[database]
connection = mysql://nova:${SECRET}@controller/nova
cpu_allocation_ratio = 3

[compute]
cpu_shared_set = 2-7,^4
cpu_dedicated_set = "8,9"
`;

function policyFrom(text: string) {
  const parsed = parseNovaConf(text, '/etc/nova/nova.conf');
  if (!parsed.ok) throw new Error(parsed.error.join());
  return parsed.value;
}

describe('a nova.conf', () => {
  const policy = policyFrom(NOVA_CONF);

  it('limits what is promised by its allocation ratios', () => {
    expect(findLimit(policy, 'cpu.promised_ratio')).toMatchObject({ warning: 16, critical: 16 });
    expect(findLimit(policy, 'memory.promised_ratio')).toMatchObject({
      warning: 1.5,
      critical: 1.5,
    });
    expect(findLimit(policy, 'storage.promised_ratio')).toEqual(
      findLimit(DEFAULT_POLICY, 'storage.promised_ratio'),
    );
  });

  it('has reserves and CPU sets', () => {
    expect(policy.reserves).toEqual({ memoryBytes: 4 * GIB, cpus: 0, storage: { bytes: 2 * GIB } });
    expect(policy.cpuSets).toEqual({ shared: [2, 3, 5, 6, 7], dedicated: [8, 9] });
  });

  it('says of each where it came from', () => {
    expect(policy.origins?.map(({ key, origin }) => `${key} ${origin}`)).toEqual([
      'cpu.promised_ratio nova',
      'memory.promised_ratio nova',
      'reserves.memory nova',
      'reserves.storage nova',
      'cpu_sets.shared nova',
      'cpu_sets.dedicated nova',
    ]);
  });

  it('with a ratio of 0.0 or none leaves it to placement', () => {
    for (const value of ['0.0', '']) {
      const left = policyFrom(`[DEFAULT]\ncpu_allocation_ratio = ${value}\n`);
      expect(left.limits).toEqual(DEFAULT_POLICY.limits);
      expect(left.origins).toEqual([]);
    }
  });

  it.each([
    ['a ratio that is none', `[DEFAULT]\nram_allocation_ratio = ${SECRET}\n`, ':2: ram_alloc'],
    ['a negative reserve', '[DEFAULT]\nreserved_host_memory_mb = -1\n', ':2: reserved_host'],
    ['a set without end', '[compute]\ncpu_shared_set = 0-99999\n', ':2: cpu_shared_set'],
    ['an empty set', '[compute]\ncpu_shared_set = 1,^1\n', ':2: cpu_shared_set'],
    ['a line that is none', `[DEFAULT]\n${SECRET}\n`, ':2: not a line of nova.conf'],
    ['no section', 'cpu_allocation_ratio = 2\n', ':1: not a line of nova.conf'],
  ])('with %s is one line that repeats nothing of it', (_, text, fault) => {
    const parsed = parseNovaConf(text, '/etc/nova/nova.conf');
    if (parsed.ok) throw new Error('it was taken');
    expect(parsed.error).toHaveLength(1);
    expect(parsed.error[0]).toContain(`/etc/nova/nova.conf${fault}`);
    expect(parsed.error[0]).not.toContain(SECRET);
  });
});

describe('--policy.from', () => {
  it('lays the policy file over it, and is read again', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'nova-'));
    try {
      const nova = join(directory, 'nova.conf');
      const file = join(directory, 'policy.yaml');
      writeFileSync(nova, NOVA_CONF);
      writeFileSync(file, 'memory:\n  promised_ratio: { warning: 1.2, critical: 2 }\n');
      const store = new PolicyStore(file, undefined, nova);
      expect((await store.reload()).ok).toBe(true);
      const ratio = () => findLimit(store.policy, 'memory.promised_ratio').warning;
      expect(ratio()).toBe(1.2);
      expect(store.policy.reserves.memoryBytes).toBe(4 * GIB);
      expect(store.policy.origins).toContainEqual({
        key: 'memory.promised_ratio',
        origin: 'policy_file',
        file,
      });
      writeFileSync(nova, '[DEFAULT]\nreserved_host_memory_mb = 1024\n');
      await store.reload();
      expect(store.policy.reserves.memoryBytes).toBe(GIB);
      writeFileSync(nova, 'broken\n');
      expect((await store.reload()).ok).toBe(false);
      expect([store.lastReadOk, store.policy.reserves.memoryBytes]).toEqual([false, GIB]);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  it.each(['/etc/nova/nova.conf', 'nova:', 'nova:nova.conf', 'ovirt:/etc/x'])(
    'refuses %s in one line',
    (value) => {
      const parsed = parseFlags([`--policy.from=${value}`], [], '1.0');
      expect(parsed.kind === 'exit' && [parsed.code, parsed.stderr.split('\n').length]).toEqual([
        2, 2,
      ]);
    },
  );
});
