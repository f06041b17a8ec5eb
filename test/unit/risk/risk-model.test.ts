import { describe, expect, it } from 'vitest';

import { DEFAULT_POLICY, type Policy } from '../../../src/config/policy.ts';
import {
  INHERENT_LEVELS,
  RISK_RESOURCES,
  RISK_SIGNALS,
  riskLevels,
  type SignalId,
} from '../../../src/risk/risk-model.ts';

function risk(values: Partial<Record<SignalId, number>>, policy: Policy = DEFAULT_POLICY) {
  const signals = new Map(RISK_SIGNALS.map(({ id }) => [id, values[id]] as const));
  return riskLevels(signals, policy, new Set(RISK_RESOURCES));
}

/** The same while libvirt does not answer: nobody knows what guests were promised. */
function riskWithoutPromise(values: Partial<Record<SignalId, number>>) {
  const signals = new Map(RISK_SIGNALS.map(({ id }) => [id, values[id]] as const));
  return riskLevels(signals, DEFAULT_POLICY, new Set());
}

/** The default policy with one limit changed. */
function policyWith(name: string, change: { warning?: undefined; critical?: undefined }): Policy {
  const limits = DEFAULT_POLICY.limits.map((one) =>
    `${one.resource}.${one.name}` === name ? { ...one, ...change } : one,
  );
  return { ...DEFAULT_POLICY, limits };
}

describe('the inherent risk', () => {
  it('is that of the talk: CPU and network low, storage medium, memory high', () => {
    expect(INHERENT_LEVELS).toEqual({ cpu: 0, memory: 2, storage: 1, network: 0 });
  });

  it('does not count on a host that promises no more memory than it has', () => {
    expect(risk({ memory_overcommitted: 1, memory_overcommitted_at_most: 1 }).memory).toEqual({
      level: 0,
      reasons: [],
    });
  });

  it('is 1 when only empty balloons would exceed the memory there is, 2 when the promise of now does', () => {
    expect(
      risk({ memory_overcommitted: 0.9, memory_overcommitted_at_most: 1.2 }).memory?.level,
    ).toBe(1);
    expect(
      risk({ memory_overcommitted: 1.1, memory_overcommitted_at_most: 1.2 }).memory?.level,
    ).toBe(2);
  });

  it('of storage counts as soon as images may outgrow their filesystem', () => {
    expect(risk({ storage_overcommitted: 1 }).storage?.level).toBe(0);
    expect(risk({ storage_overcommitted: 1.01 }).storage?.level).toBe(1);
  });
});

describe('the level of a resource', () => {
  it('rises to 2 as vCPUs wait longer than the limit, and to 3 only where that is a loss', () => {
    expect(risk({ cpu_delay: 0.05 }).cpu?.level).toBe(0);
    expect(risk({ cpu_delay: 0.06 }).cpu?.level).toBe(2);
    expect(risk({ cpu_delay: 0.9 }).cpu?.level).toBe(2);
    expect(risk({ cpu_delay: 0.9, cpu_loss_host: 0 }).cpu?.level).toBe(2);
    expect(risk({ cpu_delay: 0.9, cpu_loss_host: 1 }).cpu?.level).toBe(3);
  });

  it('is that of its highest signal, and signals do not add up', () => {
    const { cpu } = risk({ cpu_promise: 5, cpu_start_all: 12, cpu_delay: 0.06 });
    expect(cpu?.level).toBe(2);
    expect(cpu?.reasons.map(({ signal, level }) => [signal.id, level])).toEqual([
      ['cpu_delay', 2],
      ['cpu_promise', 1],
      ['cpu_start_all', 1],
    ]);
  });

  it('says which limit was passed, the critical one where both were', () => {
    const [reason] = risk({ memory_available: 0.04 }).memory?.reasons ?? [];
    expect(reason).toMatchObject({ value: 0.04, limit: 0.05, level: 2 });
  });

  it('rises when too little is left as well as when too much is used', () => {
    expect(risk({ memory_available: 0.2 }).memory?.level).toBe(0);
    expect(risk({ memory_available: 0.19 }).memory?.level).toBe(1);
    expect(risk({ memory_available: 0.04 }).memory?.level).toBe(2);
  });

  it('is 3 as soon as one guest is paused because a write failed', () => {
    expect(risk({ storage_loss_paused_guests: 0 }).storage?.level).toBe(0);
    expect(risk({ storage_loss_paused_guests: 1 }).storage?.level).toBe(3);
  });

  it('follows a policy that sets no critical limit down to the warning', () => {
    const lenient = policyWith('cpu.delay_ratio', { critical: undefined });
    expect(risk({ cpu_delay: 0.9 }, lenient).cpu?.level).toBe(2);
  });

  it('is 0 where the policy sets no limit at all', () => {
    const silent = policyWith('cpu.delay_ratio', { warning: undefined, critical: undefined });
    expect(risk({ cpu_delay: 0.9 }, silent).cpu).toEqual({ level: 0, reasons: [] });
  });

  it('is not known, rather than 0, where nothing was measured', () => {
    expect(risk({ cpu_promise: 1 })).toMatchObject({
      memory: undefined,
      storage: undefined,
      network: undefined,
    });
  });

  it('is not known, rather than 0, while the promise is not known', () => {
    expect(riskWithoutPromise({ cpu_pressure: 0, memory_available: 0.9 })).toMatchObject({
      cpu: undefined,
      memory: undefined,
    });
  });

  it('shows what is measured past a limit even while the promise is not known', () => {
    expect(riskWithoutPromise({ memory_swap_storm: 1e9 }).memory?.level).toBe(2);
    expect(riskWithoutPromise({ memory_loss_swap_storm: 1 }).memory?.level).toBe(3);
  });

  it('takes no reason from a value that is no number, and one from infinity', () => {
    expect(risk({ memory_exposure: Number.NaN }).memory?.level).toBe(0);
    expect(risk({ memory_exposure: Infinity }).memory?.level).toBe(2);
    expect(risk({ memory_overcommitted: Infinity }).memory?.level).toBe(2);
  });
});

describe('the table', () => {
  it('has a loss of each resource for each alert that pages for one', () => {
    const alerts = RISK_SIGNALS.flatMap(({ resource, threshold }) =>
      threshold.kind === 'loss' ? [`${resource} ${threshold.alert}`] : [],
    );
    expect(alerts).toEqual([
      'cpu KvmHostCpuStarved',
      'cpu KvmGuestCpuStarved',
      'memory KvmSwapStorm',
      'memory KvmHostOomKill',
      'memory KvmHostMemoryLow',
      'memory KvmHostMemoryPressure',
      'memory KvmGuestOutOfMemory',
      'memory KvmGuestMemoryLimited',
      'storage KvmFilesystemFullImminent',
      'storage KvmFilesystemFull',
      'storage KvmFilesystemInodesLow',
      'storage KvmFilesystemUnresponsive',
      'storage KvmFilesystemReadOnly',
      'storage KvmGuestPausedOnIoError',
      'storage KvmImageCorrupt',
      'storage KvmThinPoolBroken',
      'network KvmUplinkSaturated',
      'network KvmUplinkDrops',
      'network KvmUplinkDown',
    ]);
  });

  it.each(['cpu', 'memory', 'storage', 'network'] as const)(
    'gives %s level 3 for a loss, and for nothing else however bad it is',
    (resource) => {
      const own = RISK_SIGNALS.filter((signal) => signal.resource === resource);
      for (const { id, threshold } of own) {
        const worst = threshold.kind === 'policy' && threshold.bad === 'below' ? 0 : 1e12;
        const level = risk({ [id]: worst })[resource]?.level ?? 0;
        expect(level === 3, id).toBe(threshold.kind === 'loss');
      }
    },
  );

  it('names every signal and every recording rule once', () => {
    expect(new Set(RISK_SIGNALS.map(({ id }) => id)).size).toBe(RISK_SIGNALS.length);
    expect(new Set(RISK_SIGNALS.map(({ record }) => record)).size).toBe(RISK_SIGNALS.length);
  });
});
