import { describe, expect, it } from 'vitest';

import { openMetricsFormat, textFormat } from '../../../src/exposition/format.ts';
import { CATALOGUE } from '../../../src/metrics/catalogue.ts';
import {
  exampleSnapshot,
  exampleView,
  expositionOf,
} from '../../support/metrics/example-snapshot.ts';

const NOT_SHOWN = [
  // It runs no containers.
  'kvm_cpu_promised_container_cpus',
  // No CPU is dedicated where guests without pins may run on all.
  'kvm_domain_cpu_emulator_dedicated_cpus',
  // MOM would not run KSM on this host.
  'kvm_mom_ksm_pages_to_scan',
  'kvm_mom_ksm_sleep_seconds',
  // The policy gives the reserve in bytes.
  'kvm_policy_reserve_storage_ratio',
];

describe('the exposition of a small host', () => {
  it('in text 0.0.4 is exactly this', async () => {
    const text = await expositionOf(exampleView(exampleSnapshot()), textFormat);
    await expect(text).toMatchFileSnapshot('golden.text.txt');
  });

  it('in OpenMetrics 1.0 is exactly this', async () => {
    const text = await expositionOf(exampleView(exampleSnapshot()), openMetricsFormat);
    await expect(text).toMatchFileSnapshot('golden.openmetrics.txt');
  });

  it('shows all families but those it cannot', async () => {
    const text = await expositionOf(exampleView(exampleSnapshot()), textFormat);
    const shown = new Set([...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name));
    expect(CATALOGUE.map(({ name }) => name).filter((name) => !shown.has(name))).toEqual(NOT_SHOWN);
  });

  it('says the same in both formats', async () => {
    const samples = (text: string): readonly string[] =>
      text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    const view = exampleView(exampleSnapshot());
    expect(samples(await expositionOf(view, textFormat))).toEqual(
      samples(await expositionOf(view, openMetricsFormat)),
    );
  });
});
