import { describe, expect, it } from 'vitest';

import { PROMISE_SERIES } from '../../../src/risk/risk-model.ts';
import type { Domain } from '../../../src/model/domain.ts';
import type { Snapshot } from '../../../src/model/snapshot.ts';
import { unknownGuest } from '../../support/metrics/example-guest.ts';
import {
  exampleSnapshot,
  exampleView,
  HOSTILE_NAME,
  hostileGuest,
  unknownSnapshot,
  webGuest,
} from '../../support/metrics/example-snapshot.ts';
import { samplesOf } from './samples.ts';

const familiesIn = (series: Iterable<string>): readonly string[] => [
  ...new Set([...series].map((one) => one.replace(/\{.*$/s, ''))),
];

describe('what could not be read', () => {
  it('leaves only what the exporter knows of itself, its policy and its connection', async () => {
    const families = familiesIn((await samplesOf(exampleView(unknownSnapshot()))).keys());
    expect(families.filter((name) => !name.startsWith('kvm_policy_'))).toEqual([
      'kvm_libvirt_up',
      'kvm_exporter_libvirt_outstanding_calls',
      'kvm_exporter_libvirt_stuck_calls',
      'kvm_exporter_libvirt_call_timeouts_total',
      'kvm_exporter_libvirt_late_replies_total',
      'kvm_exporter_libvirt_connects_total',
      'kvm_exporter_build_info',
      'kvm_exporter_demo',
    ]);
  });

  it('leaves of a guest that is merely listed its identity and its state', async () => {
    const view = exampleView(unknownSnapshot({ domains: [unknownGuest()] }));
    const families = familiesIn((await samplesOf(view)).keys());
    expect(families.filter((name) => name.startsWith('kvm_domain'))).toEqual([
      'kvm_domains',
      'kvm_domain_info',
      'kvm_domain_state',
    ]);
  });
});

describe('what guests were promised', () => {
  const promises = new Set<string>(Object.values(PROMISE_SERIES));
  const promisesOf = async (snapshot: Snapshot): Promise<ReadonlySet<string>> =>
    new Set(familiesIn((await samplesOf(exampleView(snapshot))).keys())).intersection(promises);

  it('is known of every resource while libvirt answers, be there guests or none', async () => {
    expect(await promisesOf(exampleSnapshot())).toEqual(promises);
    expect(await promisesOf(exampleSnapshot({ domains: [] }))).toEqual(promises);
  });

  it('is known of none while libvirt does not', async () => {
    const silent = exampleSnapshot({ domains: undefined, storage: undefined });
    expect(await promisesOf(silent)).toEqual(new Set());
  });
});

describe('a guest whose monitor does not answer', () => {
  const label = `domain="a\\"b\\\\c\\nd-ü"`;

  it('has no value that only the monitor knows', async () => {
    const samples = await samplesOf(exampleView(exampleSnapshot()));
    const monitorOnly = [...samples.keys()].filter(
      (series) =>
        series.includes(label) &&
        /^kvm_domain_(?:guest_|balloon_current|balloon_last|disk_(?:read|writ|flush|cap|phys))/.test(
          series,
        ),
    );
    expect(monitorOnly).toEqual([]);
  });

  it('is marked', async () => {
    const samples = await samplesOf(exampleView(exampleSnapshot()));
    expect(samples.get(`kvm_domain_monitor_responsive{${label}}`)).toBe(0);
  });

  it('still has its promise from the XML and everything /proc says', async () => {
    const samples = await samplesOf(exampleView(exampleSnapshot()));
    expect(samples.get(`kvm_domain_memory_maximum_bytes{${label}}`)).toBe(4 * 2 ** 30);
    expect(samples.get(`kvm_domain_vcpus{${label}}`)).toBe(1);
    expect(samples.get(`kvm_domain_cpu_seconds_total{${label},mode="user"}`)).toBe(90.5);
    expect(samples.get(`kvm_domain_swap_bytes{${label}}`)).toBe(128 * 2 ** 20);
    expect(samples.get(`kvm_domain_cpu_cap_cpus{${label}}`)).toBe(1);
  });

  it('takes nothing from the others', async () => {
    const ofWeb = async (domains: readonly Domain[]): Promise<readonly string[]> => {
      // NUMA and CPU shares depend on who else is there; what the guest itself shows does not.
      const samples = await samplesOf(exampleView(unknownSnapshot({ domains })));
      return [...samples]
        .map(([series, value]) => `${series} ${value}`)
        .filter((line) => line.includes('"web"'));
    };
    expect(await ofWeb([webGuest(), hostileGuest()])).toEqual(await ofWeb([webGuest()]));
  });

  it('keeps its name in one piece', async () => {
    const samples = await samplesOf(exampleView(exampleSnapshot()));
    const uuid = [...samples.keys()].find((series) =>
      series.startsWith(`kvm_domain_info{${label}`),
    );
    expect(uuid).toContain('22222222-2222-4222-8222-222222222222');
    expect(HOSTILE_NAME).toBe('a"b\\c\nd-ü');
  });
});
